import { isRecord } from "../../config/requiredInputs";
import { replaces } from "../../offline/forceNew";
import { type Property } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { UsageError } from "../../offline/stackFile";
import { describeDifference, describeFound, type Difference, differences } from "./difference";
import { readJson } from "./kubernetes";
import { type Blocker, type Match } from "./problems";

/** One thing as a call of the AWS command line lists it. */
type Item = Record<string, unknown>;

/** Where the inventory was made. */
export interface Account {
    accountId: string;
    region: string;
    /** Network of the cluster. Default: the stack names no EKS cluster. */
    vpcId?: string | undefined;
}

/** How a type of resource is found among what a call lists. */
interface Kind {
    type: string;
    /** Words of the call, such as `rds describe-db-instances`. */
    call: string;
    /** Members of the answer that hold the items. */
    lists: readonly string[];
    /** Input by which the program names it. */
    input: string;
    /** Its name, or undefined for what cannot be meant. */
    nameOf: (item: Item, account: Account) => string | undefined;
    /** What the provider imports it by. Default: its name. */
    idOf?: (item: Item, account: Account) => string;
    /** Inputs that it has today, as far as the call tells them. Default: none. */
    inputsOf?: (item: Item) => Record<string, unknown>;
    /** Whether it holds data, which an update never replaces. */
    holdsData?: true;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const lastOf = (arn: unknown, separator = ":"): string | undefined => text(arn)?.split(separator).at(-1);
const at = (item: Item, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>(
        (value, key) =>
            isRecord(value) || Array.isArray(value)
                ? (value as Record<string | number, unknown>)[key]
                : undefined,
        item,
    );

const named = (key: string) => (item: Item) => text(item[key]);

/** Every type that the program names. Pulumi names the others, and those names clash with nothing. */
const KINDS: readonly Kind[] = [
    {
        type: "aws:rds/instance:Instance",
        call: "rds describe-db-instances",
        lists: ["DBInstances"],
        input: "identifier",
        nameOf: named("DBInstanceIdentifier"),
        inputsOf: instanceInputs,
        holdsData: true,
    },
    {
        type: "aws:rds/subnetGroup:SubnetGroup",
        call: "rds describe-db-subnet-groups",
        lists: ["DBSubnetGroups"],
        input: "name",
        nameOf: named("DBSubnetGroupName"),
        inputsOf: (item) => ({
            description: item["DBSubnetGroupDescription"],
            subnetIds: subnetsOf(item),
        }),
    },
    {
        type: "aws:rds/parameterGroup:ParameterGroup",
        call: "rds describe-db-parameter-groups",
        lists: ["DBParameterGroups"],
        input: "name",
        nameOf: named("DBParameterGroupName"),
        inputsOf: (item) => ({ family: item["DBParameterGroupFamily"], description: item["Description"] }),
    },
    {
        type: "aws:elasticache/replicationGroup:ReplicationGroup",
        call: "elasticache describe-replication-groups",
        lists: ["ReplicationGroups"],
        input: "replicationGroupId",
        nameOf: named("ReplicationGroupId"),
        inputsOf: groupInputs,
        holdsData: true,
    },
    {
        type: "aws:elasticache/subnetGroup:SubnetGroup",
        call: "elasticache describe-cache-subnet-groups",
        lists: ["CacheSubnetGroups"],
        input: "name",
        nameOf: named("CacheSubnetGroupName"),
        inputsOf: (item) => ({
            description: item["CacheSubnetGroupDescription"],
            subnetIds: subnetsOf(item),
        }),
    },
    {
        type: "aws:ec2/securityGroup:SecurityGroup",
        call: "ec2 describe-security-groups",
        lists: ["SecurityGroups"],
        input: "name",
        // Names are unique in a network.
        nameOf: (item, { vpcId }) => (item["VpcId"] === vpcId ? text(item["GroupName"]) : undefined),
        idOf: (item) => String(item["GroupId"]),
        inputsOf: (item) => ({ description: item["Description"] }),
    },
    {
        type: "aws:kms/alias:Alias",
        call: "kms list-aliases",
        lists: ["Aliases"],
        input: "name",
        nameOf: named("AliasName"),
    },
    {
        type: "aws:s3/bucket:Bucket",
        call: "s3api list-buckets",
        lists: ["Buckets"],
        input: "bucket",
        nameOf: named("Name"),
        holdsData: true,
    },
    {
        type: "aws:cloudwatch/logGroup:LogGroup",
        call: "logs describe-log-groups",
        lists: ["logGroups"],
        input: "name",
        nameOf: named("logGroupName"),
        inputsOf: (item) => ({
            retentionInDays: item["retentionInDays"] ?? 0,
            kmsKeyId: item["kmsKeyId"] ?? "",
            logGroupClass: item["logGroupClass"],
        }),
        holdsData: true,
    },
    {
        type: "aws:sns/topic:Topic",
        call: "sns list-topics",
        lists: ["Topics"],
        input: "name",
        nameOf: ({ TopicArn }) => lastOf(TopicArn),
        idOf: ({ TopicArn }) => String(TopicArn),
    },
    {
        type: "aws:cloudwatch/metricAlarm:MetricAlarm",
        call: "cloudwatch describe-alarms",
        lists: ["MetricAlarms"],
        input: "name",
        nameOf: named("AlarmName"),
        inputsOf: ({ Threshold }) => ({ threshold: Threshold }),
    },
    {
        type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        call: "cloudwatch describe-alarms",
        lists: ["CompositeAlarms"],
        input: "alarmName",
        nameOf: named("AlarmName"),
    },
    {
        type: "aws:cloudwatch/dashboard:Dashboard",
        call: "cloudwatch list-dashboards",
        lists: ["DashboardEntries"],
        input: "dashboardName",
        nameOf: named("DashboardName"),
    },
    {
        type: "aws:cloudwatch/eventRule:EventRule",
        call: "events list-rules",
        lists: ["Rules"],
        input: "name",
        nameOf: named("Name"),
    },
    {
        type: "aws:sfn/stateMachine:StateMachine",
        call: "stepfunctions list-state-machines",
        lists: ["stateMachines"],
        input: "name",
        nameOf: named("name"),
        idOf: (item) => String(item["stateMachineArn"]),
        inputsOf: ({ type }) => ({ type }),
    },
    {
        type: "aws:scheduler/schedule:Schedule",
        call: "scheduler list-schedules",
        lists: ["Schedules"],
        input: "name",
        nameOf: ({ Name, GroupName }) => (GroupName === "default" ? text(Name) : undefined),
        idOf: ({ Name }) => `default/${String(Name)}`,
    },
    {
        type: "aws:backup/vault:Vault",
        call: "backup list-backup-vaults",
        lists: ["BackupVaultList"],
        input: "name",
        nameOf: named("BackupVaultName"),
        inputsOf: ({ EncryptionKeyArn }) => ({ kmsKeyArn: EncryptionKeyArn }),
        holdsData: true,
    },
    {
        type: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
        call: "firehose list-delivery-streams",
        lists: ["DeliveryStreamNames"],
        input: "name",
        nameOf: named("name"),
        idOf: ({ name }, { region, accountId }) =>
            `arn:aws:firehose:${region}:${accountId}:deliverystream/${String(name)}`,
    },
    {
        type: "aws:ssm/document:Document",
        call: "ssm list-documents",
        lists: ["DocumentIdentifiers"],
        input: "name",
        nameOf: named("Name"),
    },
    {
        type: "aws:eks/addon:Addon",
        call: "eks list-addons",
        lists: ["addons"],
        input: "addonName",
        nameOf: named("name"),
    },
    {
        type: "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        call: "eks list-pod-identity-associations",
        lists: ["associations"],
        input: "serviceAccount",
        nameOf: ({ namespace, serviceAccount }) => `${String(namespace)}/${String(serviceAccount)}`,
    },
];

/** Inputs of an instance of RDS. */
function instanceInputs(item: Item): Record<string, unknown> {
    return {
        engine: item["Engine"],
        // Of a major version alone, any patch is one.
        engineVersion: text(item["EngineVersion"])?.split(".")[0],
        instanceClass: item["DBInstanceClass"],
        allocatedStorage: item["AllocatedStorage"],
        maxAllocatedStorage: item["MaxAllocatedStorage"] ?? 0,
        storageType: item["StorageType"],
        storageEncrypted: item["StorageEncrypted"],
        kmsKeyId: item["KmsKeyId"] ?? "",
        dbName: item["DBName"] ?? "",
        username: item["MasterUsername"],
        dbSubnetGroupName: at(item, "DBSubnetGroup", "DBSubnetGroupName"),
        parameterGroupName: at(item, "DBParameterGroups", 0, "DBParameterGroupName"),
        multiAz: item["MultiAZ"],
        publiclyAccessible: item["PubliclyAccessible"],
        port: at(item, "Endpoint", "Port"),
        backupRetentionPeriod: item["BackupRetentionPeriod"],
        backupWindow: item["PreferredBackupWindow"],
        maintenanceWindow: item["PreferredMaintenanceWindow"],
        autoMinorVersionUpgrade: item["AutoMinorVersionUpgrade"],
        copyTagsToSnapshot: item["CopyTagsToSnapshot"],
        deletionProtection: item["DeletionProtection"],
        performanceInsightsEnabled: item["PerformanceInsightsEnabled"],
        enabledCloudwatchLogsExports: item["EnabledCloudwatchLogsExports"] ?? [],
    };
}

/** Inputs of a replication group of ElastiCache. */
function groupInputs(item: Item): Record<string, unknown> {
    const members = item["MemberClusters"];
    return {
        description: item["Description"],
        nodeType: item["CacheNodeType"],
        numCacheClusters: Array.isArray(members) ? members.length : undefined,
        automaticFailoverEnabled: item["AutomaticFailover"] === "enabled",
        multiAzEnabled: item["MultiAZ"] === "enabled",
        port: at(item, "NodeGroups", 0, "PrimaryEndpoint", "Port"),
        atRestEncryptionEnabled: item["AtRestEncryptionEnabled"],
        transitEncryptionEnabled: item["TransitEncryptionEnabled"],
        kmsKeyId: item["KmsKeyId"] ?? "",
        snapshotRetentionLimit: item["SnapshotRetentionLimit"],
        autoMinorVersionUpgrade: item["AutoMinorVersionUpgrade"],
    };
}

function subnetsOf({ Subnets }: Item): string[] {
    return Array.isArray(Subnets)
        ? Subnets.flatMap((subnet) => (isRecord(subnet) ? [String(subnet["SubnetIdentifier"])] : []))
        : [];
}

/** Calls whose answers are needed for a stack that declares such types, in the order of the table. */
export function callsFor({ resources }: Recording, onEks: boolean): string[] {
    const types = new Set(resources.map(({ type }) => type));
    const calls = KINDS.filter(({ type }) => types.has(type)).map(({ call }) => call);
    return ["sts get-caller-identity", ...(onEks ? ["eks describe-cluster"] : []), ...new Set(calls)];
}

/** Every call that an inventory may hold. */
export const ALL_CALLS: readonly string[] = [
    "sts get-caller-identity",
    "eks describe-cluster",
    ...new Set(KINDS.map(({ call }) => call)),
];

/** What the calls have answered. */
export interface Inventory {
    account: Account;
    /** Answer of `eks describe-cluster`. Default: the stack names no EKS cluster. */
    cluster?: { endpoint: string; certificateAuthority: { data: string } } | undefined;
    /** What a call lists. */
    itemsOf: (call: string, list: string) => Item[];
}

/** What the stack expects of its inventory. */
export interface Expected {
    /** Undefined where the stack file does not say it yet. */
    accountId: string | undefined;
    region: string;
    cluster: string | undefined;
    calls: readonly string[];
}

/**
 * Reads an inventory: one object with the region, and with the answer of each call by its words.
 *
 * @throws UsageError with every fault: no JSON, a call that is missing, unknown or cut off, another account, region or cluster.
 */
export function readInventory(file: string, expected: Expected): Inventory {
    const value = readJson("--aws", file);
    const problems: string[] = [];
    const problem = (path: string, found: string, wanted: string) =>
        problems.push(`--aws: ${file}: ${path}: found ${found}, expected ${wanted}`);
    if (!isRecord(value)) {
        throw new UsageError(
            `--aws: ${file}: found ${describeFound(value)}, expected the object that docs/adopting.md describes`,
        );
    }
    for (const key of Object.keys(value)) {
        if (key !== "region" && !ALL_CALLS.includes(key)) {
            problem(key, "an unknown call", `one of ${ALL_CALLS.join(", ")}`);
        }
    }
    for (const call of expected.calls) {
        const answer = value[call];
        if (!isRecord(answer)) {
            problem(call, describeFound(answer), `the answer of aws ${call}`);
        } else if (["NextToken", "nextToken", "Marker"].some((token) => text(answer[token]))) {
            problem(call, "an answer that is cut off", "all of it, without --max-items");
        }
    }
    const { region } = value;
    const identity = value["sts get-caller-identity"];
    const accountId = isRecord(identity) ? text(identity["Account"]) : undefined;
    if (region !== expected.region) {
        problem("region", describeFound(region), expected.region);
    }
    if (isRecord(identity) && (accountId === undefined || accountId !== (expected.accountId ?? accountId))) {
        problem(
            "sts get-caller-identity.Account",
            describeFound(accountId),
            expected.accountId ?? "an account",
        );
    }
    const answer = value["eks describe-cluster"];
    const cluster = isRecord(answer) ? answer["cluster"] : undefined;
    const { name, endpoint, data, vpcId } = clusterOf(cluster);
    if (expected.cluster !== undefined && isRecord(answer)) {
        if (name !== expected.cluster) {
            problem("eks describe-cluster.cluster.name", describeFound(name), expected.cluster);
        } else if (endpoint === undefined || data === undefined || vpcId === undefined) {
            problem(
                "eks describe-cluster.cluster",
                "no endpoint, certificateAuthority or vpcId",
                "a cluster that is ready",
            );
        }
    }
    problems.push(
        ...foreignArns(value, file, { accountId: expected.accountId ?? accountId, region: expected.region }),
    );
    if (problems.length > 0) {
        throw new UsageError(problems.join("\n"));
    }
    return {
        account: { accountId: accountId!, region: expected.region, vpcId },
        cluster:
            endpoint === undefined || data === undefined
                ? undefined
                : { endpoint, certificateAuthority: { data } },
        itemsOf: (call, list) => {
            const items = isRecord(value[call]) ? value[call][list] : undefined;
            return Array.isArray(items)
                ? items.map((item): Item => (isRecord(item) ? item : { name: item }))
                : [];
        },
    };
}

function clusterOf(cluster: unknown) {
    const item = isRecord(cluster) ? cluster : {};
    return {
        name: text(item["name"]),
        endpoint: text(item["endpoint"]),
        data: text(at(item, "certificateAuthority", "data")),
        vpcId: text(at(item, "resourcesVpcConfig", "vpcId")),
    };
}

/** Things of another account or region, by the ARNs of what the calls list: the calls were made in two places. */
function foreignArns(
    inventory: Item,
    file: string,
    { accountId, region }: { accountId: string | undefined; region: string },
): string[] {
    const arnKeys = [
        "DBInstanceArn",
        "ARN",
        "arn",
        "TopicArn",
        "stateMachineArn",
        "AlarmArn",
        "BackupVaultArn",
    ];
    return KINDS.flatMap(({ call, lists: [list] }) => {
        const answer = inventory[call];
        const items = isRecord(answer) && Array.isArray(answer[list!]) ? (answer[list!] as unknown[]) : [];
        const foreign = items.flatMap((item) => {
            const arn = isRecord(item) ? arnKeys.map((key) => text(item[key])).find(Boolean) : undefined;
            const [, , , where, who] = arn?.split(":") ?? [];
            const isForeign = (where && where !== region) || (who && accountId && who !== accountId);
            return isForeign ? [arn!] : [];
        });
        return foreign.length === 0
            ? []
            : [
                  `--aws: ${file}: ${call}: found ${foreign[0]}, expected ${region} and the account ${accountId}`,
              ];
    });
}

/** What of the account the stack declares, and what is in the way. */
export interface AwsAdoption {
    matches: Match[];
    blockers: Blocker[];
    /** Things that begin with the name of the stack, and that no resource declares. */
    undeclared: string[];
}

/** Finds the things on AWS that a stack declares; `name` begins the names of what is its own. */
export function adoptAws(recording: Recording, inventory: Inventory, name: string): AwsAdoption {
    const matches: Match[] = [];
    const blockers: Blocker[] = [];
    const undeclared: string[] = [];
    const keys = keysOf(recording, inventory, blockers);
    matches.push(...keys.matches);
    for (const kind of KINDS) {
        const items = new Map(
            kind.lists
                .flatMap((list) => inventory.itemsOf(kind.call, list))
                .flatMap((item) => {
                    const own = kind.nameOf(item, inventory.account);
                    return own === undefined ? [] : [[own, item] as const];
                }),
        );
        for (const resource of recording.resources) {
            const own =
                resource.type === kind.type && isOfMainRegion(resource)
                    ? declaredName(kind, resource)
                    : undefined;
            const item = own === undefined ? undefined : items.get(own);
            if (own === undefined || item === undefined) {
                continue;
            }
            items.delete(own);
            const subject = `${kind.type.split(":").at(-1)} ${own}`;
            const found = liveDifferences(kind, resource, item, keys.arnOf);
            blockers.push(...blockersOf(kind, subject, resource, item, found));
            matches.push({
                urn: resource.urn,
                type: resource.type,
                id: idOf(kind, own, item, resource, inventory.account),
                subject,
                changes: found.map(({ path }) => path),
            });
        }
        const isOwn = (each: string) => each.startsWith(name) || each.startsWith(`alias/${name}`);
        undeclared.push(
            ...[...items.keys()].filter(isOwn).map((each) => `${kind.type.split(":").at(-1)} ${each}`),
        );
    }
    return { matches, blockers, undeclared: undeclared.sort() };
}

/** A second region is another provider's, and not in the inventory. */
const isOfMainRegion = ({ provider }: RecordedResource): boolean => provider.endsWith("::aws");

function declaredName({ input, type }: Kind, { inputs }: RecordedResource): string | undefined {
    const own = text(inputs[input]);
    return type === "aws:eks/podIdentityAssociation:PodIdentityAssociation"
        ? `${text(inputs["namespace"]) ?? ""}/${own ?? ""}`
        : own;
}

function idOf(kind: Kind, name: string, item: Item, { inputs }: RecordedResource, account: Account): string {
    if (kind.type === "aws:eks/addon:Addon") {
        return `${text(inputs["clusterName"])}:${name}`;
    }
    if (kind.type === "aws:eks/podIdentityAssociation:PodIdentityAssociation") {
        return `${text(inputs["clusterName"])},${String(item["associationId"])}`;
    }
    return kind.idOf?.(item, account) ?? name;
}

function liveDifferences(
    { inputsOf }: Kind,
    { inputs, options }: RecordedResource,
    item: Item,
    arnOf: (declared: Property | undefined) => Property | undefined,
): Difference[] {
    const ignored = options.ignoreChanges ?? [];
    return Object.entries(inputsOf?.(item) ?? {}).flatMap(([key, live]) =>
        live === undefined || ignored.includes(key) ? [] : differences(arnOf(inputs[key]), live, key),
    );
}

/** The program's keys are known by their aliases. */
function keysOf(recording: Recording, inventory: Inventory, blockers: Blocker[]) {
    const targets = new Map(
        inventory
            .itemsOf("kms list-aliases", "Aliases")
            .map((item) => [text(item["AliasName"]), text(item["TargetKeyId"])]),
    );
    const byKey = new Map<string, string[]>();
    const ids = new Map<string, string>();
    const matches: Match[] = [];
    for (const resource of recording.resources) {
        const alias = text(resource.inputs["name"]);
        const id =
            resource.type === "aws:kms/alias:Alias" && isOfMainRegion(resource)
                ? targets.get(alias)
                : undefined;
        const urn = resource.propertyDependencies["targetKeyId"]?.find((each) =>
            each.includes("aws:kms/key:Key::"),
        );
        if (id !== undefined && alias !== undefined && urn !== undefined) {
            byKey.set(id, [...(byKey.get(id) ?? []), alias]);
            ids.set(urn.split("::").at(-1)!, id);
            matches.push({
                urn,
                type: "aws:kms/key:Key",
                id,
                subject: `Key of ${alias}`,
                changes: ["description", "policy"],
            });
        }
    }
    for (const [id, aliases] of byKey) {
        if (aliases.length > 1) {
            blockers.push({
                subject: `Key ${id}`,
                reason: `the program declares a key each for ${aliases.join(" and ")}, and this one is behind all of them`,
                remedy: aliases.slice(1).map((alias) => `aws kms delete-alias --alias-name ${alias}`),
            });
        }
    }
    return {
        matches,
        /** A declared ARN of a key, with the id of the one that is there. */
        arnOf: (declared: Property | undefined) =>
            typeof declared === "string"
                ? declared.replace(/:key\/<(.*)>$/, (all, name: string) =>
                      ids.has(name) ? `:key/${ids.get(name)}` : all,
                  )
                : declared,
    };
}

const NEVER = "data is never replaced";

function blockersOf(
    { type, holdsData }: Kind,
    subject: string,
    resource: RecordedResource,
    item: Item,
    found: readonly Difference[],
): Blocker[] {
    const because = (reason: string, ...remedy: string[]): Blocker => ({ subject, reason, remedy });
    const blockers: Blocker[] = [];
    const refused = new Set<string>();
    const refuse = (path: string, reason: string, ...remedy: string[]) => {
        if (found.some((each) => each.path === path)) {
            refused.add(path);
            blockers.push(because(reason, ...remedy));
        }
    };
    refuse(
        "storageEncrypted",
        `its disk is not encrypted, which cannot change, and ${NEVER}`,
        "Restore an encrypted copy of a snapshot: docs/adopting.md, An unencrypted database",
    );
    refuse(
        "atRestEncryptionEnabled",
        `it is not encrypted at rest, which cannot change, and ${NEVER}`,
        "Restore a snapshot into an encrypted group, and adopt that one",
    );
    refuse(
        "transitEncryptionEnabled",
        "it takes connections without TLS, which the first update would refuse",
        `aws elasticache modify-replication-group --replication-group-id ${subject.split(" ")[1]} --transit-encryption-enabled --transit-encryption-mode preferred --apply-immediately`,
        "Have every client use TLS before the first update",
    );
    if (type === "aws:elasticache/replicationGroup:ReplicationGroup" && item["ClusterEnabled"] === true) {
        blockers.push(
            because(
                "it has shards, which the program does not declare",
                "Leave mcp:cache out of the stack file",
            ),
        );
    }
    const forced = found.filter(({ path }) => replaces(resource, path) && !refused.has(path));
    if (forced.length > 0) {
        blockers.push(
            because(
                `it would be replaced, because these cannot change: ${forced.map(describeDifference).join("; ")}${holdsData ? `; ${NEVER}` : ""}`,
                holdsData
                    ? "No value of the stack file makes it fit: leave the concern out, or move the data to what the program makes"
                    : "Rename or delete it, where nothing needs it; the first update makes it again",
            ),
        );
    }
    return blockers;
}
