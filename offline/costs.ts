import { type RecordedResource, type Recording } from "./record";

/** Hours in a month, as AWS counts them. */
const HOURS = 730;

/**
 * On-demand list prices in US dollars, us-east-1. docs/first-deployment.md names their source and date. Instance and
 * node types are by the hour, the others by the month.
 */
const PRICES = {
    hourly: {
        "db.r6g.large": 0.225,
        "db.t4g.medium": 0.065,
        "cache.r7g.large": 0.219,
        "cache.t4g.small": 0.032,
    } as Readonly<Record<string, number>>,
    databaseGigabyte: 0.115,
    key: 1,
    /** Price of a metric of an alarm. */
    alarmMetric: 0.1,
    compositeAlarm: 0.5,
    metric: 0.3,
    secret: 0.4,
};

/** Maximum factor of ap-south-1's prices over us-east-1's. */
const MOST_FOR_THE_REGION = 1.35;

interface Item {
    what: string;
    quantity: string;
    /** Dollars a month, in us-east-1; NaN without a price. */
    monthly: number;
}

/** Change of the monthly cost of one kind of item. */
export interface CostChange {
    readonly what: string;
    /** `db.r6g.large, two zones => db.r6g.2xlarge, two zones`. */
    readonly quantity: string;
    /** Dollars a month in us-east-1, before and after; NaN without a price. */
    readonly from: number;
    readonly to: number;
}

/** Change of the monthly cost, by kind of item. */
export function costChanges(before: Recording, after: Recording): CostChange[] {
    const [old, now] = [itemsByName(before), itemsByName(after)];
    return [...new Set([...old.keys(), ...now.keys()])].flatMap((what) => {
        const [was, is] = [old.get(what), now.get(what)];
        const [from, to] = [was?.monthly ?? 0, is?.monthly ?? 0];
        const quantity = `${was?.quantity ?? "none"} => ${is?.quantity ?? "none"}`;
        return was?.quantity === is?.quantity && Object.is(from, to) ? [] : [{ what, quantity, from, to }];
    });
}

/** Combines items of one kind. */
function itemsByName(recording: Recording): Map<string, Item> {
    const items = new Map<string, Item>();
    for (const item of itemsOf(recording)) {
        const known = items.get(item.what);
        items.set(
            item.what,
            known === undefined
                ? item
                : {
                      what: item.what,
                      quantity: `${known.quantity} + ${item.quantity}`,
                      monthly: known.monthly + item.monthly,
                  },
        );
    }
    return items;
}

/** Change of the monthly cost in dollars, as a range over the regions. */
export function describeDifference(dollars: number): string {
    if (Number.isNaN(dollars)) {
        return "an unknown sum";
    }
    const [least, most] = [Math.abs(dollars), Math.abs(dollars) * MOST_FOR_THE_REGION].map(Math.round);
    return `$${least} to ${most} ${dollars < 0 ? "less" : "more"} a month`;
}

/** Fixed monthly costs of a stack, as declared. */
function itemsOf({ resources }: Recording): Item[] {
    const ofType = (type: string) => resources.filter((resource) => resource.type === type && !resource.read);
    const instances = ofType("aws:rds/instance:Instance").map(({ inputs }) => inputs as unknown as Database);
    // An instance that is restored has the disk of the one that it is restored from.
    const restored = instances.find((instance) => instance.allocatedStorage !== undefined);
    const databases = instances.flatMap(({ instanceClass, multiAz, ...instance }) => {
        const allocatedStorage = instance.allocatedStorage ?? restored?.allocatedStorage ?? NaN;
        const copies = multiAz ? 2 : 1;
        const zones = multiAz ? ", two zones" : "";
        return [
            {
                what: "PostgreSQL",
                quantity: `${instanceClass}${zones}`,
                monthly: copies * hourly(instanceClass),
            },
            {
                what: "its disk",
                quantity: `${allocatedStorage} GB${zones}`,
                monthly: copies * allocatedStorage * PRICES.databaseGigabyte,
            },
            { what: "its administrator's secret", quantity: "1", monthly: PRICES.secret },
        ];
    });
    const caches = ofType("aws:elasticache/replicationGroup:ReplicationGroup").map(({ inputs }) => {
        const { nodeType, numCacheClusters } = inputs as unknown as Cache;
        return {
            what: "Redis",
            quantity: `${numCacheClusters} × ${nodeType}`,
            monthly: numCacheClusters * hourly(nodeType),
        };
    });
    const counted = (what: string, number: number, price: number) => ({
        what,
        quantity: String(number),
        monthly: number * price,
    });
    const metrics = ofType("aws:cloudwatch/metricAlarm:MetricAlarm").flatMap(metricsOf);
    const own = new Set(metrics.filter(({ namespace = "" }) => namespace.startsWith("MCP/")).map(keyOf));
    const filters = ofType("aws:cloudwatch/logMetricFilter:LogMetricFilter").map(({ inputs }) => {
        const { metricTransformation } = inputs as unknown as Filter;
        return keyOf({ ...metricTransformation, metricName: metricTransformation?.name ?? "" });
    });
    return [
        ...databases,
        ...caches,
        counted("KMS keys", ofType("aws:kms/key:Key").length, PRICES.key),
        counted("metrics of alarms", metrics.length, PRICES.alarmMetric),
        counted(
            "composite alarms",
            ofType("aws:cloudwatch/compositeAlarm:CompositeAlarm").length,
            PRICES.compositeAlarm,
        ),
        counted("custom metrics, at least", new Set([...own, ...filters]).size, PRICES.metric),
    ];
}

/** The costs of the stacks as a Markdown table. */
export function renderCosts(stacks: Readonly<Record<string, Recording>>): string {
    const columns = Object.values(stacks).map(itemsOf);
    const rows = columns[0]!.map(({ what }) => {
        const items = columns.map((items) => items.find((item) => item.what === what));
        return [what, ...items.map((item) => (item ? `${item.quantity}: ${range(item.monthly)}` : ""))];
    });
    const totals = columns.map((items) => range(items.reduce((sum, { monthly }) => sum + monthly, 0)));
    const table = [
        ["a month", ...Object.keys(stacks)],
        ...rows,
        ["**together**", ...totals.map((total) => `**${total}**`)],
    ];
    const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
    const [head, ...body] = table.map((cells) =>
        line(cells.map((cell, column) => cell.padEnd(widths[column]!))),
    );
    return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("");
}

/** A text with the table inserted. */
export function withCosts(text: string, table: string): string {
    return text.replace(
        /(<!-- costs -->\n)[^]*?(<!-- end of costs -->)/,
        (_, begin: string, end: string) => `${begin}\n${table}\n${end}`,
    );
}

interface Database {
    instanceClass: string;
    multiAz: boolean;
    allocatedStorage?: number;
}

interface Cache {
    nodeType: string;
    numCacheClusters: number;
}

interface PricedUsage {
    namespace?: string;
    metricName: string;
    dimensions?: Record<string, string>;
}

interface Filter {
    metricTransformation?: { namespace: string; name: string };
}

/** Metrics of an alarm: one, or those of its expressions. */
function metricsOf({ inputs }: RecordedResource): PricedUsage[] {
    const { metricQueries, ...metric } = inputs as unknown as PricedUsage & {
        metricQueries?: { metric?: PricedUsage }[];
    };
    return metricQueries?.flatMap((query) => query.metric ?? []) ?? [metric];
}

function keyOf({ namespace, metricName, dimensions = {} }: PricedUsage): string {
    return JSON.stringify([namespace, metricName, dimensions]);
}

/** Price of a size relative to `large`: AWS prices a family proportionally. */
function sizeOf(size: string): number {
    const small: Readonly<Record<string, number>> = { micro: 1 / 8, small: 1 / 4, medium: 1 / 2, large: 1 };
    const [, times] = /^(\d*)xlarge$/.exec(size) ?? [];
    return times === undefined ? (small[size] ?? NaN) : 2 * Number(times === "" ? 1 : times);
}

/** Monthly price of an instance class, derived from another size of the family if it has none itself. */
function hourly(type: string): number {
    const [, family, size] = /^(.*)\.(\w+)$/.exec(type) ?? [];
    const [known, price] =
        Object.entries(PRICES.hourly).find(([other]) => other.startsWith(`${family}.`)) ?? [];
    return known === undefined
        ? NaN
        : HOURS * price! * (sizeOf(size!) / sizeOf(known.slice(family!.length + 1)));
}

function range(monthly: number): string {
    if (Number.isNaN(monthly)) {
        return "unknown";
    }
    return `$${Math.round(monthly)} to ${Math.round(monthly * MOST_FOR_THE_REGION)}`;
}
