import assert from "node:assert/strict";
import { parseComplete } from "../../config";
import { type RecordedResource, type Recording } from "../../offline/record";
import { type Values, valuesOf } from "../config/stackValues";
import { recordStack } from "../support";

/** What the cluster or AWS add to a name that the program leaves to the provider. */
const SUFFIX: Readonly<Record<string, number>> = { kubernetes: "-12345678".length, aws: "-1234567".length };

/** Longest names, by type. Of a Job, its pods have the label. */
const LONGEST: readonly [type: RegExp, length: number][] = [
    [/^kubernetes:batch\/v1:CronJob$/, 52],
    [/^kubernetes:(core\/v1:(Service|Namespace)|batch\/v1:Job)$/, 63],
    // As the label of their pods, or what their pods' names begin with.
    [/^kubernetes:apps\/v1:/, 63 - "-1234567890-12345".length],
    [/^kubernetes:/, 253],
    [/^aws:iam\/role:/, 64],
    [/^aws:iam\/rolePolicy:/, 128],
    [/^aws:cloudwatch\/eventRule:/, 64],
    [/^aws:scheduler\//, 64],
    [/^aws:kinesis\/firehoseDeliveryStream:/, 64],
    [/^aws:sfn\//, 80],
    [/^aws:backup\/(vault|plan|restoreTestingPlan):/, 50],
    [/^aws:rds\/instance:/, 63],
    [/^aws:elasticache\/replicationGroup:/, 40],
    [/^aws:(cloudwatch\/logGroup|sns\/topic):/, 256],
    [/^aws:/, 255],
];

/** The name of a resource: its own, or what the provider makes of the program's. */
function nameOf({ type, name, inputs }: RecordedResource): { name: string; given: boolean } {
    const metadata = inputs["metadata"] as { name?: unknown } | undefined;
    const own = [metadata?.name, inputs["identifier"], inputs["replicationGroupId"], inputs["name"]].find(
        (each): each is string => typeof each === "string",
    );
    return own === undefined
        ? { name: `${name}${"x".repeat(SUFFIX[type.split(":")[0]!] ?? 0)}`, given: false }
        : { name: own, given: true };
}

const isObject = ({ custom, read, type }: RecordedResource) =>
    custom && !read && /^(kubernetes|aws):/.test(type);

/** Names of objects, by what must be unique among them. */
function namesOf({ resources }: Recording): Map<string, string[]> {
    const names = new Map<string, string[]>();
    for (const resource of resources.filter(isObject)) {
        const { name, given } = nameOf(resource);
        const { namespace = "" } = (resource.inputs["metadata"] ?? {}) as { namespace?: string };
        const scope = resource.type.startsWith("kubernetes:") ? ` in ${namespace}` : "";
        // An alarm's name is one among alarms of both sorts.
        const type = resource.type.replace(/(metric|composite)Alarm:\w+/, "alarm");
        if (
            given &&
            !/[:/](bucket\w+|logMetricFilter|logStream|restoreTestingSelection|selection)[:/]/i.test(type)
        ) {
            names.set(`${type}${scope}`, [...(names.get(`${type}${scope}`) ?? []), name]);
        }
        names.set(`URN ${resource.type}`, [...(names.get(`URN ${resource.type}`) ?? []), resource.name]);
    }
    return names;
}

/** Every text of an object that is a label, with its place. */
function labelsOf(value: unknown, path = ""): [path: string, text: string][] {
    if (typeof value !== "object" || value === null) {
        return [];
    }
    return Object.entries(value).flatMap(([key, inner]) =>
        /^(labels|matchLabels)$/.test(key) && typeof inner === "object" && inner !== null
            ? Object.entries(inner).map(([name, text]): [string, string] => [
                  `${path}.${key}.${name}`,
                  String(text),
              ])
            : labelsOf(inner, `${path}.${key}`),
    );
}

/** A workload of either strategy, with everything that it may have. */
function workloadEdits(name: string, strategy: "rolling" | "blueGreen", version = "v1"): string[] {
    const at = `mcp:workloads.${name}`;
    const release =
        strategy === "rolling"
            ? [`${at}.release.version=${version}`]
            : [
                  `${at}.releases.blue.version=${version}`,
                  `${at}.releases.green.version=${version}`,
                  `${at}.live=blue`,
                  `${at}.stage=green`,
              ];
    return [
        `${at}.strategy=${strategy}`,
        ...release,
        `${at}.image=probe`,
        `${at}.port=8080`,
        `${at}.health.live=/live`,
        `${at}.health.ready=/ready`,
        `${at}.scaling.min=2`,
        `${at}.scaling.max=4`,
        `${at}.scaling.memory=80`,
        `${at}.resources.cpu.request=100m`,
        `${at}.resources.cpu.limit=1`,
        `${at}.resources.memory.request=128Mi`,
        `${at}.resources.memory.limit=256Mi`,
        `${at}.secrets.SESSION=generated`,
        `${at}.secrets.KEY=supplied`,
        `mcp:secrets.${name}.KEY=x`,
        `${at}.config.LEVEL=info`,
        `${at}.smoke.image=registry.example.com/tests:v1`,
        `${at}.network.ingress=true`,
        `${at}.awsPermissions[0].actions[0]=s3:GetObject`,
        `${at}.awsPermissions[0].resources[0]=arn:aws:s3:::probe/*`,
        `mcp:observability.metrics.workloads[0]=mcp-server`,
        `mcp:observability.metrics.workloads[1]=${name}`,
        "mcp:ingress.hosts[2].host=probe.example.com",
        "mcp:ingress.hosts[2].paths[0].path=/",
        `mcp:ingress.hosts[2].paths[0].workload=${name}`,
    ];
}

/** What is done once, and what is there in emergencies. */
const EVERYTHING = [
    "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30",
    "mcp:operations.healthCheck=inc-20411234567890123456",
    "mcp:operations.diagnostics=inc-20411234567890123456",
    "mcp:operations.clearJwksCache=inc-20411234567890123456",
    "mcp:operations.databaseMaintenance=inc-20411234567890123456",
    "mcp:operations.cacheCleanup=inc-20411234567890123456",
    "mcp:maintenance.upgrade.start=2027-01-10T02:00:00+05:30",
    "mcp:maintenance.upgrade.version=1.34",
];

/** The longest of what names are made of, as the schemas take it. */
const LONGEST_WORKLOAD = "w".repeat(30);
const LONGEST_NAMESPACE = "n".repeat(22);

describe("names of everything that is declared", () => {
    for (const strategy of ["rolling", "blueGreen"] as const) {
        it(`fit where all that they are made of is as long as it may be: ${strategy}`, async () => {
            const host = `${"h".repeat(63)}.${"h".repeat(63)}.${"h".repeat(48)}.com`;
            const recording = await recordStack(
                "production",
                ...EVERYTHING,
                `mcp:kubernetes.namespace=${LONGEST_NAMESPACE}`,
                ...workloadEdits(LONGEST_WORKLOAD, strategy, "v".repeat(63)),
                `mcp:backups.manual=${"m".repeat(40)}`,
                `mcp:ingress.hosts[2].host=${host}`,
            );
            const problems: string[] = [];
            for (const resource of recording.resources.filter(isObject)) {
                const { name } = nameOf(resource);
                const [, most] = LONGEST.find(([type]) => type.test(resource.type))!;
                if (name.length > most) {
                    problems.push(`${resource.type} ${name}: ${name.length} characters, at most ${most}`);
                }
                for (const [path, text] of labelsOf(resource.inputs)) {
                    if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text)) {
                        problems.push(`${resource.type} ${name}${path}: ${text} is no label`);
                    }
                }
            }
            assert.deepEqual(problems, []);
        });
    }

    it("are unique", async () => {
        const recording = await recordStack(
            "production",
            ...EVERYTHING,
            ...workloadEdits("reports", "blueGreen"),
        );
        for (const [scope, names] of namesOf(recording)) {
            const repeated = names.filter((name, index) => names.indexOf(name) < index);
            assert.deepEqual(repeated, [], scope);
        }
    });

    it("are never those of a further workload, which the schema refuses", async () => {
        const base = namesOf(await recordStack("production", ...EVERYTHING));
        const added: Map<string, string[]>[] = [];
        for (const strategy of ["rolling", "blueGreen"] as const) {
            const edits = [...EVERYTHING, ...workloadEdits("zzz", strategy)];
            added.push(namesOf(await recordStack("production", ...edits)));
        }
        const existing = Object.keys(valuesOf("production")["workloads"] as Values);
        const taken = new Map<string, string>();
        const follows = new Map<string, string>();
        for (const [scope, names] of added.flatMap((each) => [...each])) {
            const patterns = names.filter((name) => name.includes("zzz")).map((name) => name.split("zzz"));
            for (const [before = "", after = ""] of patterns) {
                for (const name of base.get(scope) ?? []) {
                    if (
                        name.startsWith(before) &&
                        name.endsWith(after) &&
                        name.length > before.length + after.length
                    ) {
                        taken.set(name.slice(before.length, name.length - after.length), `${scope} ${name}`);
                    }
                }
                for (const [other = "", rest = ""] of patterns) {
                    if (other === before && rest !== after && rest.endsWith(after)) {
                        follows.set(rest.slice(0, rest.length - after.length), `${scope} ${before}…${rest}`);
                    }
                }
            }
        }
        const accepted = (name: string) => {
            const values = valuesOf("production");
            const workloads = values["workloads"] as Values;
            const chatUi = {
                ...(workloads["chat-ui"] as Values),
                port: 80,
                health: { live: "/", ready: "/" },
            };
            const { problems } = parseComplete(
                { ...values, workloads: { ...workloads, [name]: chatUi } },
                "production",
                [],
                () => false,
            );
            return !problems.some(({ path }) => path === `mcp:workloads.${name}`);
        };
        // Those of hosts have dots.
        const possible = (name: string) => /^[a-z][-a-z0-9]*$/.test(name);
        assert.ok(taken.size > 10 && follows.size > 2, `${taken.size} ${follows.size}`);
        assert.ok(accepted("reports"));
        const free = [
            ...[...taken].filter(([name]) => possible(name) && !existing.includes(name) && accepted(name)),
            ...[...follows].filter(([suffix]) => possible(`x${suffix}`) && accepted(`chat-ui${suffix}`)),
        ];
        assert.deepEqual(
            free.map(([name, taken]) => `${name}: ${taken}`),
            [],
        );
    });
});
