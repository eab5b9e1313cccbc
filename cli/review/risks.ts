import { type Change, isMade, type PropertyChange } from "../../offline/compare";
import { isObject, type Property, Secret } from "../../offline/property";
import { versionOf } from "../../offline/summary";
import { type RecordedResource, type Recording } from "../../offline/record";
import { PLACEHOLDER_DIGEST } from "../../core/placeholderDigest";
import { type Properties } from "../../policies/unknown";
import { lasting } from "./access/grant";
import { podsOf } from "./access/network";

const CACHE = "aws:elasticache/replicationGroup:ReplicationGroup";

/** Changes that AWS refuses although the engine does not: the update fails. */
export function refusedByAws(changes: readonly Change[]): string[] {
    return changes.flatMap(({ operation, refusal, resource: { type, name }, properties }) => {
        if (operation === "create" || operation === "delete") {
            return [];
        }
        const lowered = properties.filter(
            ({ path, before, after }) => type === CACHE && path === "engineVersion" && isLower(after, before),
        );
        return [
            ...(refusal === undefined ? [] : [`${type} ${name}: ${refusal}`]),
            ...lowered.map(
                ({ path, before, after }) =>
                    `${type} ${name}: ${path} ${String(before)} => ${String(after)}: AWS takes no engine back to a lower version`,
            ),
        ];
    });
}

function isLower(after: Property | undefined, before: Property | undefined): boolean {
    const [now, old] = [after, before].map((value) =>
        typeof value === "string" || typeof value === "number" ? String(value) : undefined,
    );
    return (
        now !== undefined &&
        old !== undefined &&
        now.localeCompare(old, "en", { numeric: true }) < 0 &&
        !isPart(now, old)
    );
}

/** `17` matches every 17.x. */
function isPart(now: string, old: string): boolean {
    return old.startsWith(`${now}.`);
}

/** Inputs that protect data, and the values that protect less. */
const KEEPING: Readonly<
    Record<string, (after: Property | undefined, before: Property | undefined) => boolean>
> = {
    deletionProtection: (after) => after !== true,
    skipFinalSnapshot: (after) => after === true,
    deleteAutomatedBackups: (after) => after !== false,
    finalSnapshotIdentifier: (after) => after === undefined,
    backupRetentionPeriod: (after, before) => isLower(after ?? 0, before),
    snapshotRetentionLimit: (after, before) => isLower(after ?? 0, before),
    deletionWindowInDays: (after, before) => isLower(after, before),
    retentionInDays: (after, before) => isLower(after, before),
    forceDestroy: (after) => after === true,
    objectLockEnabled: (after) => after !== true,
    isEnabled: (after) => after === false,
    permissionsBoundary: (after) => after === undefined,
};

/** Protection of data that is removed, although nothing is deleted yet. */
export function lessProtected(before: Recording, changes: readonly Change[]): string[] {
    const old = new Map(before.resources.map((resource) => [resource.urn, resource]));
    return changes.flatMap(({ operation, resource, properties }) => {
        const was = old.get(resource.urn);
        if (was === undefined || operation === "delete") {
            return [];
        }
        const what = `${resource.type} ${resource.name}`;
        return [
            ...(["protect", "retainOnDelete"] as const)
                .filter((option) => was.options[option] === true && resource.options[option] !== true)
                .map((option) => `${what} loses ${option}: an update may delete it`),
            ...properties
                .filter((change) => KEEPING[change.path]?.(change.after, change.before))
                .map(({ path, before, after }) => `${what}: ${path} ${String(before)} => ${String(after)}`),
        ];
    });
}

/** Lists of properties among the options of a resource, and what another entry means. */
const LISTED = {
    ignoreChanges: "what the program declares there no longer takes effect",
    replaceOnChanges: "a change of it deletes the resource",
} as const;

/** Options of resources by which an update does less, or deletes more, a sentence each. */
export function loosenedOptions(before: Recording, after: Recording): string[] {
    const old = new Map(before.resources.map((resource) => [resource.urn, resource]));
    return after.resources.flatMap(({ urn, type, name, options }) => {
        const was = old.get(urn)?.options;
        if (was === undefined) {
            return [];
        }
        const what = `${type} ${lasting(name)}`;
        return [
            ...(["ignoreChanges", "replaceOnChanges"] as const).flatMap((option) => {
                const more = (options[option] ?? []).filter((path) => !was[option]?.includes(path));
                return more.length === 0
                    ? []
                    : [`${what}: option ${option} has ${more.join(", ")}: ${LISTED[option]}`];
            }),
            ...(options.deleteBeforeReplace === true && was.deleteBeforeReplace !== true
                ? [`${what}: option deleteBeforeReplace: a replacement interrupts it`]
                : []),
            ...(options.retainOnDelete === true && was.retainOnDelete !== true
                ? [`${what}: option retainOnDelete: the engine forgets it instead of deleting it`]
                : []),
            ...(was.additionalSecretOutputs ?? [])
                .filter((output) => !options.additionalSecretOutputs?.includes(output))
                .map((output) => `${what}: output ${output} is no longer secret`),
        ];
    });
}

/** Types whose loss is noticed only when they are needed. */
const SAFEGUARD =
    /^(aws:cloudwatch\/(metricAlarm|compositeAlarm|eventRule|eventTarget|logMetricFilter|logSubscriptionFilter):|aws:backup\/|aws:route53\/healthCheck:|aws:s3\/bucket(Versioning|ObjectLockConfiguration|PublicAccessBlock|Policy|ServerSideEncryptionConfiguration):|aws:sns\/topic(Subscription|Policy)?:|aws:scheduler\/schedule:|aws:sfn\/|kubernetes:batch\/v1:CronJob$|kubernetes:policy\/|kubernetes:networking\.k8s\.io\/v1:NetworkPolicy$|kubernetes:autoscaling\/|kubernetes:core\/v1:ResourceQuota$)/;

/** Changes that prevent alarms from notifying. */
const MUTE = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule";

/**
 * Inputs of AWS resources whose change opens, stops and weakens nothing, or which another section judges. Any other change
 * of what watches, backs up or delivers is one that a person looks at: nothing here knows what it means.
 */
const HARMLESS: readonly (readonly [type: RegExp, path: RegExp])[] = [
    // What people read.
    [/^aws:/, /^(tags|tagsAll|description|alarmDescription|displayName)\b/],
    [/^aws:cloudwatch\/(dashboard|queryDefinition):/, /^/],
    // Access.
    [/^aws:/, /^(policy|assumeRolePolicy|inlinePolicies|managedPolicyArns|policyArn)\b/],
    [/^aws:(ec2|vpc)\//, /^/],
    // Cost.
    [/^aws:rds\/instance:/, /^(instanceClass|allocatedStorage|maxAllocatedStorage)$/],
    [/^aws:elasticache\/replicationGroup:/, /^nodeType$/],
];

/** Whether a change of AWS is one that a person looks at. */
function isUnexplained({ type, name }: RecordedResource, { path, before, after }: PropertyChange): boolean {
    return (
        type.startsWith("aws:") &&
        KEEPING[path] === undefined &&
        !HARMLESS.some(([types, paths]) => types.test(type) && paths.test(path)) &&
        // More replicas serve more; an alarm of an autoscaler's maximum follows that.
        !(path === "numCacheClusters" && Number(after) > Number(before)) &&
        !(path === "threshold" && name.endsWith("-at-maximum"))
    );
}

/** Inputs of a pod that change what it runs, when it ends, where it is scheduled, or how it resolves names. */
const POD_INPUTS =
    /(^spec\.(suspend|schedule)$|\b(priorityClassName|hostAliases|dnsConfig|dnsPolicy|shareProcessNamespace|tolerations|nodeSelector|schedulerName|runtimeClassName|lifecycle)\b|initContainers\b(?!\[\d+\]\.(env|resources)\b)|(startup|liveness|readiness)Probe\b)/;

/** Variables that change what any process loads or trusts. */
const LOADING =
    /\b(NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|SSL_CERT_(FILE|DIR)|JAVA_TOOL_OPTIONS|PYTHONPATH|LD_PRELOAD|LD_LIBRARY_PATH|BASH_ENV|(HTTPS?|ALL)_PROXY)\b/;

/** Inputs of other types that change what a namespace allows, or what a connection is. */
const WATCHED: readonly (readonly [type: RegExp, path: RegExp])[] = [
    [/^kubernetes:core\/v1:Namespace$/, /pod-security\.kubernetes\.io/],
    [/^kubernetes:core\/v1:Secret$/, /^(stringData|data)\b/],
    [/^kubernetes:(apps|batch)\//, POD_INPUTS],
    [/^kubernetes:apps\//, /^spec\.(selector|minReadySeconds)\b/],
    [
        /^kubernetes:batch\/v1:CronJob$/,
        /\b(concurrencyPolicy|activeDeadlineSeconds|startingDeadlineSeconds)\b/,
    ],
    [/^kubernetes:batch\/v1:CronJob$/, /^spec\.jobTemplate\.spec\.backoffLimit$/],
    // An update does not wait for what has it.
    [/^kubernetes:/, /^metadata\.annotations\.pulumi\.com\/skipAwait$/],
    [/^kubernetes:core\/v1:Service$/, /\b(publishNotReadyAddresses|targetPort)\b/],
    [/^kubernetes:autoscaling\//, /^spec\.behavior\b/],
    [/^kubernetes:policy\//, /^spec\b/],
    [/^kubernetes:scheduling\.k8s\.io\//, /^(value|globalDefault|preemptionPolicy)\b/],
];

/** Fields of the plan of a gate that name what it judges: each release changes them. */
const PLAN = /^data\.plan\.json\.(?!(release|change|subject|(\w+\.)?subject)\b)/;

/** Limits of a gate. */
const LIMITS =
    /^(data\.plan\.json\..*\b(durationSeconds|deadlineSeconds|maxError\w+|minimumRequests|allowNoData|latency|watched)\b|spec\.activeDeadlineSeconds$)/;

/** What values of the stack file change in the course of their procedures. */
const DERIVED: readonly (readonly [type: RegExp, path: RegExp])[] = [
    [/^kubernetes:core\/v1:ConfigMap$/, PLAN],
    [/^kubernetes:core\/v1:(ResourceQuota|LimitRange|Service)$/, /^spec\b(?!\.selector)/],
    [/^kubernetes:autoscaling\//, /^spec\.(metrics|scaleTargetRef)\b/],
    [/^kubernetes:apps\//, /^spec\.(strategy|progressDeadlineSeconds)\b/],
    [/^kubernetes:batch\//, /^spec\.(\w+\.)*backoffLimit$/],
];

/** Whether a property weakens a gate or a bound, although no value of the stack file explains it. */
function isOfCode(
    { type }: RecordedResource,
    { path }: PropertyChange,
    edits: readonly { path: string }[],
): boolean {
    const isLimit = /^kubernetes:(batch\/v1:Job|core\/v1:ConfigMap)$/.test(type) && LIMITS.test(path);
    return (
        (isLimit && !edits.some((edit) => CHECKS.test(edit.path))) ||
        (edits.length === 0 && DERIVED.some(([types, paths]) => types.test(type) && paths.test(path)))
    );
}

/** Whether a property decides what runs, or what is monitored. */
function isWatched({ type, name }: RecordedResource, { path, before, after }: PropertyChange): boolean {
    if (/^kubernetes:(apps|batch)\/|^kubernetes:core\/v1:ConfigMap$/.test(type)) {
        const isLoading = LOADING.test(path) || (isText(after) && LOADING.test(JSON.stringify(after)));
        const isShorter = /\bterminationGracePeriodSeconds$/.test(path) && Number(after) < Number(before);
        // An idle colour has no traffic; any other such value is a shutdown.
        const isOff = path === "spec.replicas" && after === 0 && !/-(blue|green)$/.test(name);
        // The collector's and the log shipper's behaviour is in their configuration.
        const isCollecting = /^(mcp-metrics|.*-logs)(-|$)/.test(name) && /^data\b/.test(path);
        const isTighter = /\bresources\.limits\.(cpu|memory)$/.test(path) && sizeOf(after) < sizeOf(before);
        if (isLoading || isShorter || isOff || isCollecting || isTighter) {
            return true;
        }
    }
    if (type.startsWith("kubernetes:autoscaling/") && path === "spec.maxReplicas") {
        return Number(after) < Number(before);
    }
    return WATCHED.some(([types, paths]) => types.test(type) && paths.test(path));
}

/** Factors of the suffixes of quantities in Kubernetes. */
const FACTORS: Readonly<Record<string, number>> = {
    m: 1e-3,
    ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
    ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** A quantity as a number; without one there is no limit. */
function sizeOf(quantity: Property | undefined): number {
    const [, number, suffix = ""] = /^([\d.]+)([a-zA-Z]*)$/.exec(String(quantity)) ?? [];
    return number === undefined ? Infinity : Number(number) * (FACTORS[suffix] ?? 1);
}

function isText(value: Property | undefined): boolean {
    return value !== undefined && typeof value !== "symbol" && !(value instanceof Secret);
}

/** Values of the stack files that weaken checks. */
const CHECKS =
    /^(pulumi:disable-default-providers|mcp:(workloads\.[\w-]+\.(soak|smoke|standby|health|releases?(\.\w+)?\.databaseChange)|alarms|objectives|health|checklist|archive\.(?!bucket)|backups\.(?!bucket|manual)|copies|database\.(checks|snapshots|backupRetention|active)|cache\.active|maintenance\.(?!upgrade)|incident\.(?!external)|rotation|images\.(registry|trusted)|ingress\.verify|observability))\b/;

/** Removed or changed monitoring and release checks, for a person to confirm. */
export function loosened(
    changes: readonly Change[],
    edits: readonly { path: string; before: string | undefined; after: string | undefined }[],
): string[] {
    const made = new Set(
        changes.filter(isMade).map(({ resource: { type, name } }) => `${type} ${lasting(name)}`),
    );
    const removed = new Set(
        changes
            .filter(({ operation, resource: { custom } }) => operation === "delete" && !custom)
            .map(({ resource }) => resource.urn),
    );
    return [
        ...changes.flatMap(({ operation, resource, properties }) => {
            const { type, name } = resource;
            const isGate = type === "kubernetes:batch/v1:Job" && !made.has(`${type} ${lasting(name)}`);
            if (operation === "delete" && !removed.has(resource.parent) && (SAFEGUARD.test(type) || isGate)) {
                return [`${type} ${lasting(name)} goes`];
            }
            if (type === MUTE && operation !== "delete") {
                return [`${type} ${name}: alarms are muted by it, or by more of it`];
            }
            if (operation === "create") {
                return [];
            }
            const watched = properties
                .filter(
                    (change) =>
                        isWatched(resource, change) ||
                        isUnexplained(resource, change) ||
                        isOfCode(resource, change, edits),
                )
                .filter((change) => !isFirstAccount(change))
                .map(({ path, before, after }) =>
                    // For a document or a Secret, its name is enough: the properties below have the details.
                    /^(definition|stringData|data)\b(?!\.plan\.json\.)/.test(path)
                        ? `${type} ${lasting(name)}: other ${path.split(".")[0]}`
                        : `${type} ${name}: ${path} ${textOf(before)} => ${textOf(after)}`,
                );
            return [...new Set(watched)];
        }),
        ...edits
            .filter(({ path, before }) => CHECKS.test(path) && before !== undefined)
            .map(({ path, before, after }) => `${path}: ${before} => ${after ?? "the default"}`),
    ];
}

/** The account's placeholder. */
const NO_ACCOUNT = "000000000000";

function isFirstAccount({ before, after }: PropertyChange): boolean {
    return (
        typeof before === "string" &&
        typeof after === "string" &&
        after.replace(/(?<!\d)\d{12}(?!\d)/g, NO_ACCOUNT) === before
    );
}

/** Longest value that is shown here: the properties below show all of it. */
const LONGEST_SHOWN = 100;

function textOf(value: Property | undefined): string {
    const text = isObject(value) || typeof value === "object" ? "…" : String(value);
    return text.length > LONGEST_SHOWN ? "…" : text;
}

/** Types that an edit may add, and that open nothing: a disabled tool, and its provider. */
const UNDERSTOOD = /^(pulumi:providers:pulumi-nodejs|pulumi-nodejs:dynamic\/operations:DisabledTool)$/;

/** Resources of types that are new to the stack, whose effect is unknown here. */
export function newTypes(before: Recording, changes: readonly Change[]): string[] {
    const known = new Set(before.resources.map(({ type }) => type));
    return known.size === 0
        ? []
        : changes
              .filter(
                  ({ operation, resource }) =>
                      operation === "create" &&
                      resource.custom &&
                      !known.has(resource.type) &&
                      !UNDERSTOOD.test(resource.type),
              )
              .map(
                  ({ resource: { type, name } }) =>
                      `${type} ${name} is of a type that the stack did not have`,
              );
}

/** Pods with another image or command under the same version: the same release with other contents. */
export function sameVersionOtherImage(before: Recording, changes: readonly Change[]): string[] {
    const known = new Map(
        before.resources.map((resource) => [`${resource.type} ${lasting(resource.name)}`, resource]),
    );
    return changes.flatMap(({ resource }) => {
        const was = known.get(`${resource.type} ${lasting(resource.name)}`);
        if (was === undefined || versionOf(was) !== versionOf(resource)) {
            return [];
        }
        const [old, now] = [containersOf(was), containersOf(resource)];
        return Object.entries(now).flatMap(([name, { image, command }]) => {
            const earlier = old[name];
            const where = `${lasting(resource.name)} (${name})`;
            return earlier === undefined
                ? []
                : [
                      // The first digest of an image is not a change.
                      ...(earlier.image === image || isFirstDigest(earlier.image, image)
                          ? []
                          : [`${where}: ${earlier.image} => ${image}`]),
                      ...(earlier.command === command
                          ? []
                          : [`${where}: another command, ${earlier.command} => ${command}`]),
                  ];
        });
    });
}

function isFirstDigest(before: string, after: string): boolean {
    const [name, digest] = before.split("@");
    return digest === PLACEHOLDER_DIGEST && name === after.split("@")[0];
}

function containersOf(resource: RecordedResource): Record<string, { image: string; command: string }> {
    const containers = podsOf(resource).flatMap(({ spec }) => [
        ...((spec["initContainers"] ?? []) as Properties[]),
        ...((spec["containers"] ?? []) as Properties[]),
    ]);
    return Object.fromEntries(
        containers.map(({ name, image, command, args }) => [
            String(name),
            { image: String(image), command: JSON.stringify([command ?? [], args ?? []]) },
        ]),
    );
}
