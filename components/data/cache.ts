import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { ReplicationGroup, type ReplicationGroupArgs } from "@pulumi/aws/elasticache/replicationGroup";
import { SubnetGroup } from "@pulumi/aws/elasticache/subnetGroup";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import { type Job } from "@pulumi/kubernetes/batch/v1";
import { Secret } from "@pulumi/kubernetes/core/v1";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    interpolate,
    type Output,
} from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { contentHash } from "../../core/hash";
import { CACHE } from "../../core/numbers";
import { type ComparePlan } from "../../jobs/cacheCompare";
import { required } from "../../core/required";
import { declareKey, logsUse } from "../encryption";
import { bucketArn } from "../storage/bucket";
import { declareTaskAccess, egressToNetwork } from "../tasks/access";
import { declareTask, program, taskPods } from "../tasks/task";
import { type Connection, declareConnection } from "./connection";

/** Arguments of {@link Cache}. */
export interface CacheArgs {
    /** Name of the replication group. */
    group: string;
    /** That the group was made by hand and taken over, by its name: what cannot change stays as it is. Default: none. */
    adopted?: string | undefined;
    accountId: string;
    region: string;
    /** Network of the cluster. */
    vpcId: Input<string>;
    /** Security group of the cluster's nodes and pods, the only allowed clients. */
    clusterSecurityGroup: Input<string>;
    /** Private subnets, in different zones. */
    subnets: readonly string[];
    nodeType: string;
    /** Version of Redis, such as 7.1. */
    version: string;
    /** Number of replicas in other zones. */
    replicas: number;
    /** UTC, as `sat:20:30-sat:22:30`. */
    maintenanceWindow: string;
    /** Prefix of the log groups that the key may encrypt. */
    logGroup: string;
    /** Bucket with copies of snapshots to restore from. */
    snapshotBucket: string;
    /** A second group, restored from a snapshot of the first. Default: none. */
    recovery?: CacheRecoveryArgs | undefined;
    /** When the token was made, and whether the one before it has ended. Default: at the installation. */
    token?: { rotated?: string | undefined; isOnly: boolean };
    /** Range of the network that contains the groups. */
    network: string;
    /** Image of Node.js, pinned, for the comparison with a restored group. */
    nodeImage: string;
    /** The group in use. */
    active: "primary" | "recovery";
    /** Namespace and labels of the Secret with the URL. */
    namespace: Input<string>;
    labels: Record<string, string>;
    /** Refuses to delete the cache and its key. */
    protect: boolean;
}

/** The group that a recovery creates. Section 7.2. */
export interface CacheRecoveryArgs {
    /** Least number of keys that it must have before the services use it. */
    atLeast: number;
    /** Name of the replication group. */
    group: string;
    /** Name of the snapshot, or of its file in the bucket, which ends in .rdb. */
    snapshot: string;
    protect: boolean;
}

/** Maximum number of pods at the same time. */
export const CACHE_PODS = taskPods(1);

/** Task that counts the keys of both groups. */
const COMPARE = "mcp-cache-compare";

/** Time limit of that task, in seconds. */
const COMPARE_SECONDS = 60;

/** Length of the token, in characters; ElastiCache accepts 16 to 128. Its alphabet needs no escaping. */
const TOKEN_LENGTH = 64;

/** Inputs of a group that was taken over, which ElastiCache cannot change. */
const KEPT = ["kmsKeyId", "subnetGroupName"];

/** Timeout for creating, changing or deleting a group. */
const TIMEOUTS = { create: "60m", update: "40m", delete: "45m" };

/**
 * Redis on ElastiCache (section 2.1): private, TLS only, with a token, its own encryption key, and replicas in other
 * zones. A recovery is a second group with the same token, network and zones. The Secret `mcp-cache-secret` has the URL
 * of the active group.
 */
export class Cache extends ComponentResource {
    /** The Secret with the URL of the active group. */
    public readonly connection: Connection;
    /** Address of the active group's primary node. */
    public readonly host: Output<string>;
    /** ARN of the encryption key. */
    public readonly keyArn: Output<string>;

    constructor(name: string, args: CacheArgs, opts?: ComponentResourceOptions) {
        super("mcp:data:Cache", name, {}, opts);
        const { group, protect } = args;

        const key = declareKey(
            name,
            {
                description: "Redis: its disk and snapshots, and the log of what saves them",
                accountId: args.accountId,
                statements: [logsUse(args, args.logGroup)],
                protect,
            },
            this,
        );
        this.keyArn = key.arn;
        const security = new SecurityGroup(
            name,
            { name, description: "Redis, for the pods of the cluster", vpcId: args.vpcId },
            { parent: this },
        );
        const rule = new SecurityGroupIngressRule(
            name,
            {
                securityGroupId: security.id,
                referencedSecurityGroupId: args.clusterSecurityGroup,
                description: "Redis from the cluster",
                ipProtocol: "tcp",
                fromPort: CACHE.port,
                toPort: CACHE.port,
            },
            { parent: this },
        );
        const subnets = new SubnetGroup(
            name,
            { name, description: "Redis", subnetIds: [...args.subnets] },
            { parent: this },
        );
        const { rotated, isOnly = false } = args.token ?? {};
        const token = new RandomPassword(
            name,
            { length: TOKEN_LENGTH, special: false, ...(rotated !== undefined && { keepers: { rotated } }) },
            { parent: this },
        );
        const declare = (
            own: string,
            id: string,
            source: Pick<ReplicationGroupArgs, "snapshotName" | "snapshotArns">,
            isProtected: boolean,
            ignoreChanges: string[],
        ): ReplicationGroup => {
            // A new name each time, because the final snapshot of an earlier group may still exist.
            const suffix = new RandomId(
                `${own}-final`,
                { byteLength: 4, keepers: { group: id } },
                { parent: this },
            );
            return new ReplicationGroup(
                own,
                {
                    replicationGroupId: id,
                    ...source,
                    description: "Cache and sessions of the MCP platform",
                    engine: "redis",
                    engineVersion: args.version,
                    nodeType: args.nodeType,
                    numCacheClusters: args.replicas + 1,
                    automaticFailoverEnabled: args.replicas > 0,
                    multiAzEnabled: args.replicas > 0,
                    port: CACHE.port,
                    subnetGroupName: subnets.name,
                    securityGroupIds: [security.id],
                    transitEncryptionEnabled: true,
                    transitEncryptionMode: "required",
                    authToken: token.result,
                    // The old token stays valid until no pod uses it.
                    authTokenUpdateStrategy: isOnly ? "SET" : "ROTATE",
                    atRestEncryptionEnabled: true,
                    kmsKeyId: key.arn,
                    maintenanceWindow: args.maintenanceWindow,
                    autoMinorVersionUpgrade: true,
                    // Changes that need a restart are applied in the maintenance window.
                    applyImmediately: false,
                    // AWS takes at most one a day; the schedule of section 7.1 takes the snapshots instead.
                    snapshotRetentionLimit: 0,
                    finalSnapshotIdentifier: suffix.hex.apply((hex) => `${id}-final-${hex}`),
                },
                {
                    parent: this,
                    protect: isProtected,
                    customTimeouts: TIMEOUTS,
                    ignoreChanges,
                    dependsOn: [rule],
                },
            );
        };
        const primary = declare(name, group, {}, protect, args.adopted === undefined ? [] : KEPT);
        const { recovery } = args;
        const recovered =
            recovery &&
            declare(
                `${name}-recovery`,
                recovery.group,
                recovery.snapshot.endsWith(".rdb")
                    ? { snapshotArns: [`${bucketArn(args.snapshotBucket)}/${recovery.snapshot}`] }
                    : { snapshotName: recovery.snapshot },
                recovery.protect,
                [],
            );
        const active = args.active === "recovery" ? required(recovered, "mcp:cacheRecovery") : primary;
        this.host = active.primaryEndpointAddress;

        const compared =
            recovery && recovered
                ? [this.declareCompare(args, recovery, primary, recovered, token.result)]
                : [];
        this.connection = declareConnection(
            CACHE.secret,
            {
                namespace: args.namespace,
                labels: args.labels,
                key: CACHE.secretKey,
                values: {
                    // The scheme rediss means TLS.
                    [CACHE.secretKey]: interpolate`rediss://:${token.result}@${this.host}:${CACHE.port}/0`,
                    host: this.host,
                    port: String(CACHE.port),
                    password: token.result,
                },
                after: compared,
            },
            this,
        );

        this.registerOutputs({ host: this.host });
    }

    /** Counts the keys of both groups once the second is restored, and again before each switch. */
    private declareCompare(
        { group, active, namespace, labels, network, nodeImage }: CacheArgs,
        recovery: CacheRecoveryArgs,
        primary: ReplicationGroup,
        recovered: ReplicationGroup,
        password: Output<string>,
    ): Job {
        const access = declareTaskAccess(
            COMPARE,
            { namespace, labels, egress: [egressToNetwork({ cidr: network, port: CACHE.port })] },
            this,
        );
        const secret = new Secret(
            COMPARE,
            {
                metadata: { namespace, labels },
                immutable: true,
                stringData: {
                    primary: primary.primaryEndpointAddress,
                    recovered: recovered.primaryEndpointAddress,
                    password,
                },
            },
            { parent: this },
        );
        return declareTask(
            COMPARE,
            {
                access,
                hash: contentHash([recovery.group, recovery.snapshot, recovery.atLeast, active]),
                deadlineSeconds: COMPARE_SECONDS,
                steps: [
                    {
                        name: "compare",
                        image: nodeImage,
                        program: program("cacheCompare", {
                            primary: group,
                            recovered: recovery.group,
                            port: CACHE.port,
                            atLeast: recovery.atLeast,
                            deadlineSeconds: COMPARE_SECONDS,
                        } satisfies ComparePlan),
                        secrets: [{ name: secret.metadata.name, keys: ["primary", "recovered", "password"] }],
                    },
                ],
            },
            this,
        );
    }
}
