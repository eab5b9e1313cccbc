import { type RecordedResource, type Recording } from "./record";

/** Hours in a month, as AWS counts them. */
const HOURS = 730;

/**
 * List prices in US dollars, on demand, of us-east-1. docs/first-deployment.md names their source and date. By instance
 * class and node type an hour; the others a month.
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
    /** A metric that an alarm looks at. */
    alarmMetric: 0.1,
    compositeAlarm: 0.5,
    metric: 0.3,
    secret: 0.4,
};

/** What ap-south-1 may cost more than us-east-1. */
const MOST_FOR_THE_REGION = 1.35;

interface Item {
    what: string;
    quantity: string;
    /** Dollars a month, in us-east-1. */
    monthly: number;
}

/** What a stack costs a month whether it is used or not, as it is declared. */
function itemsOf({ resources }: Recording): Item[] {
    const ofType = (type: string) => resources.filter((resource) => resource.type === type && !resource.read);
    const databases = ofType("aws:rds/instance:Instance").flatMap(({ inputs }) => {
        const { instanceClass, multiAz, allocatedStorage } = inputs as unknown as Database;
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
    const own = new Set(metrics.filter(({ namespace }) => namespace.startsWith("MCP/")).map(keyOf));
    const filters = ofType("aws:cloudwatch/logMetricFilter:LogMetricFilter").map(({ inputs }) => {
        const { metricTransformation } = inputs as unknown as Filter;
        return keyOf({ ...metricTransformation, metricName: metricTransformation.name });
    });
    return [
        ...databases,
        ...caches,
        counted("KMS keys", ofType("aws:kms/key:Key").length, PRICES.key),
        counted("metrics that alarms look at", metrics.length, PRICES.alarmMetric),
        counted(
            "composite alarms",
            ofType("aws:cloudwatch/compositeAlarm:CompositeAlarm").length,
            PRICES.compositeAlarm,
        ),
        counted("metrics of its own, at least", new Set([...own, ...filters]).size, PRICES.metric),
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

/** A text with the table in its place. */
export function withCosts(text: string, table: string): string {
    return text.replace(
        /(<!-- costs -->\n)[^]*?(<!-- end of costs -->)/,
        (_, begin: string, end: string) => `${begin}\n${table}\n${end}`,
    );
}

interface Database {
    instanceClass: string;
    multiAz: boolean;
    allocatedStorage: number;
}

interface Cache {
    nodeType: string;
    numCacheClusters: number;
}

interface PricedUsage {
    namespace: string;
    metricName: string;
    dimensions?: Record<string, string>;
}

interface Filter {
    metricTransformation: { namespace: string; name: string };
}

/** What an alarm looks at: one metric, or those that its expressions are made of. */
function metricsOf({ inputs }: RecordedResource): PricedUsage[] {
    const { metricQueries, ...metric } = inputs as unknown as PricedUsage & {
        metricQueries?: { metric?: PricedUsage }[];
    };
    return metricQueries?.flatMap((query) => query.metric ?? []) ?? [metric];
}

function keyOf({ namespace, metricName, dimensions = {} }: PricedUsage): string {
    return JSON.stringify([namespace, metricName, dimensions]);
}

function hourly(type: string): number {
    const price = PRICES.hourly[type];
    if (price === undefined) throw new Error(`there is no price of ${type} in offline/costs.ts`);
    return HOURS * price;
}

function range(monthly: number): string {
    return `$${Math.round(monthly)} to ${Math.round(monthly * MOST_FOR_THE_REGION)}`;
}
