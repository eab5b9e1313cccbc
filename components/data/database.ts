import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { Instance } from "@pulumi/aws/rds/instance";
import { ParameterGroup } from "@pulumi/aws/rds/parameterGroup";
import { SubnetGroup } from "@pulumi/aws/rds/subnetGroup";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    type Output,
    type Resource,
} from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId";
import { DATABASE } from "../../core/numbers";
import { declareKey, logsUse, type PolicyStatement } from "../encryption";

/** Account of the administrator, whose password AWS makes, keeps and rotates. Nothing but the bootstrap uses it. */
const ADMINISTRATOR = "mcp_admin";

/** Arguments of {@link Database}. */
export interface DatabaseArgs {
    /** Name of the instance. */
    identifier: string;
    /** Name of its subnet group. */
    subnetGroup: string;
    /** Account that administers its key. */
    accountId: string;
    region: string;
    /** How long the instance's logs are kept, in days. */
    logDays: number;
    /** Network of the cluster. */
    vpcId: Input<string>;
    /** Security group of the cluster's nodes and pods: they alone reach the database. */
    clusterSecurityGroup: Input<string>;
    /** Private subnets, in different zones. */
    subnets: readonly string[];
    /** Snapshot of RDS that a new instance begins with. Default: none; it begins empty. */
    snapshot?: string | undefined;
    instanceClass: string;
    /** Major version of PostgreSQL, such as 17. */
    version: string;
    /** Disk in GiB: to begin with, and how far it grows by itself. */
    storage: { initial: number; max: number };
    multiAz: boolean;
    /** How far back a recovery can go, in days. */
    backupRetention: number;
    /** In UTC, as `sat:20:30-sat:22:30`. */
    maintenanceWindow: string;
    /** In UTC, as `23:30-00:30`. */
    backupWindow: string;
    /** Statements that take longer are logged. In seconds. */
    slowQuery: number;
    /** Another account that snapshots are copied to: it uses the key of what it copies. Default: none. */
    copyAccountId?: string | undefined;
    /** Refuses to delete the instance and its key. */
    protect: boolean;
    /** A second instance, restored from the first. Default: none. */
    recovery?: RecoveryArgs | undefined;
}

/** The instance that a recovery makes. Section 7.2 step 2. */
export interface RecoveryArgs {
    /** Name of the instance. */
    identifier: string;
    /** Time it is restored to, with its zone. */
    restoreTime: string;
    /** The restore is history, and its time no longer compared. */
    keep: boolean;
    protect: boolean;
}

/** What it takes to work with an instance. */
export interface DatabaseInstance {
    /** Name of the instance. */
    identifier: string;
    host: Output<string>;
    /** Secret of the administrator. */
    administrator: Output<string>;
    /** What must exist before it can be reached. */
    ready: readonly Resource[];
    arn: Output<string>;
    /** What it must have, as DescribeDBInstances names it: RDS restores an instance without these. */
    settings: Readonly<Record<string, string>>;
}

/** Logs that RDS sends to CloudWatch: slow statements among them. */
const LOG_EXPORTS = ["postgresql", "upgrade"] as const;

/** Where RDS sends them, before the name of the instance and of the log. */
const LOG_GROUPS = "/aws/rds/instance/";

/** Time AWS may take to restore a large instance or to make one in two zones. */
const TIMEOUTS = { create: "6h", update: "3h", delete: "2h" };

/**
 * PostgreSQL on RDS (sections 2.1 and 7): private, encrypted under its own key, TLS only, and recoverable to any
 * second of the retention. A recovery is a second instance beside it with the same network, parameters and zones;
 * the first is not touched by it.
 */
export class Database extends ComponentResource {
    public readonly primary: DatabaseInstance;
    /** The instance that was restored, if one is asked for. */
    public readonly recovered: DatabaseInstance | undefined;
    /** ARN of the key everything is encrypted with. */
    public readonly keyArn: Output<string>;
    /** Name of the subnet group, and id of the security group, that every instance is in. */
    public readonly network: { subnetGroup: Output<string>; securityGroup: Output<string> };

    constructor(name: string, args: DatabaseArgs, opts?: ComponentResourceOptions) {
        super("mcp:data:Database", name, {}, opts);

        const key = declareKey(
            name,
            {
                description: "PostgreSQL: its disk, backups, snapshots and the administrator's secret",
                accountId: args.accountId,
                statements: [
                    logsUse(args, LOG_GROUPS),
                    ...(args.copyAccountId === undefined ? [] : copiersUse(args.copyAccountId)),
                ],
                protect: args.protect,
            },
            this,
        );
        this.keyArn = key.arn;
        const group = new SecurityGroup(
            name,
            { name, description: "PostgreSQL, for the pods of the cluster", vpcId: args.vpcId },
            { parent: this },
        );
        const rule = new SecurityGroupIngressRule(
            name,
            {
                securityGroupId: group.id,
                referencedSecurityGroupId: args.clusterSecurityGroup,
                description: "PostgreSQL from the cluster",
                ipProtocol: "tcp",
                fromPort: DATABASE.port,
                toPort: DATABASE.port,
            },
            { parent: this },
        );
        const subnets = new SubnetGroup(
            args.subnetGroup,
            { name: args.subnetGroup, description: "PostgreSQL", subnetIds: [...args.subnets] },
            { parent: this },
        );
        this.network = { subnetGroup: subnets.name, securityGroup: group.id };
        const parameters = declareParameters(name, args, this);

        // What a recovery must have as well: restored by hand, it would come without any of these.
        const common = {
            instanceClass: args.instanceClass,
            dbSubnetGroupName: subnets.name,
            vpcSecurityGroupIds: [group.id],
            parameterGroupName: parameters.name,
            multiAz: args.multiAz,
            publiclyAccessible: false,
            port: DATABASE.port,
            storageType: "gp3",
            maxAllocatedStorage: args.storage.max,
            // AWS makes the password, and rotates it every week.
            manageMasterUserPassword: true,
            masterUserSecretKmsKeyId: key.arn,
            performanceInsightsEnabled: true,
            performanceInsightsKmsKeyId: key.arn,
            performanceInsightsRetentionPeriod: 7,
            enabledCloudwatchLogsExports: [...LOG_EXPORTS],
            backupRetentionPeriod: args.backupRetention,
            backupWindow: args.backupWindow,
            maintenanceWindow: args.maintenanceWindow,
            autoMinorVersionUpgrade: true,
            // What needs a restart waits for the maintenance window.
            applyImmediately: false,
            copyTagsToSnapshot: true,
            deleteAutomatedBackups: false,
            skipFinalSnapshot: false,
        };
        const declare = (
            identifier: string,
            own: Partial<ConstructorParameters<typeof Instance>[1]>,
            protect: boolean,
            ignoreChanges: string[],
        ): DatabaseInstance => {
            // A name of its own each time: the last snapshot of an instance before it may still be there.
            const suffix = new RandomId(
                `${identifier}-final`,
                { byteLength: 4, keepers: { identifier } },
                { parent: this },
            );
            // Before the instance: RDS would make them without a key, and keep them for ever.
            const logs = LOG_EXPORTS.map(
                (log) =>
                    new LogGroup(
                        `${identifier}-${log}`,
                        {
                            name: `${LOG_GROUPS}${identifier}/${log}`,
                            retentionInDays: args.logDays,
                            kmsKeyId: key.arn,
                            // What somebody did stays to be read after the instance has gone.
                            skipDestroy: args.protect,
                        },
                        { parent: this },
                    ),
            );
            const resource = new Instance(
                identifier,
                {
                    identifier,
                    ...common,
                    ...own,
                    deletionProtection: protect,
                    finalSnapshotIdentifier: suffix.hex.apply((hex) => `${identifier}-final-${hex}`),
                },
                {
                    parent: this,
                    protect,
                    customTimeouts: TIMEOUTS,
                    ignoreChanges,
                    dependsOn: logs,
                },
            );
            return {
                identifier,
                host: resource.address,
                administrator: resource.masterUserSecrets.apply(([secret]) => secret!.secretArn),
                ready: [resource, rule],
                arn: resource.arn,
                settings: {
                    BackupRetentionPeriod: String(args.backupRetention),
                    PreferredBackupWindow: args.backupWindow,
                    PreferredMaintenanceWindow: args.maintenanceWindow,
                    PerformanceInsightsEnabled: "true",
                    MultiAZ: String(args.multiAz),
                    DeletionProtection: String(protect),
                    CopyTagsToSnapshot: "true",
                    "DBParameterGroups[0].ParameterApplyStatus": "in-sync",
                },
            };
        };

        this.primary = declare(
            args.identifier,
            {
                // The major version alone: AWS installs its patches in the window, and an edit raises it.
                engineVersion: args.version,
                allowMajorVersionUpgrade: true,
                allocatedStorage: args.storage.initial,
                storageEncrypted: true,
                ...(args.snapshot === undefined
                    ? {
                          engine: "postgres",
                          kmsKeyId: key.arn,
                          dbName: DATABASE.name,
                          username: ADMINISTRATOR,
                      }
                    : // Which has all of these, its key among them.
                      { snapshotIdentifier: args.snapshot }),
            },
            args.protect,
            [],
        );
        const { recovery } = args;
        this.recovered =
            recovery &&
            declare(
                recovery.identifier,
                {
                    restoreToPointInTime: {
                        sourceDbInstanceIdentifier: args.identifier,
                        restoreTime: new Date(recovery.restoreTime).toISOString().replace(".000Z", "Z"),
                    },
                    // Inherited from the first, and said so that a policy can see it.
                    storageEncrypted: true,
                },
                recovery.protect,
                recovery.keep ? ["restoreToPointInTime"] : [],
            );

        this.registerOutputs({ host: this.primary.host });
    }
}

/** Lets another account make copies of its own of what is under a key, as the guide of AWS Backup shares one. */
function copiersUse(accountId: string): PolicyStatement[] {
    const common = {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Resource: "*",
    } as const;
    const StringEquals = { "kms:CallerAccount": accountId };
    return [
        {
            ...common,
            Sid: "Copies",
            Action: [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            Condition: { StringEquals },
        },
        {
            ...common,
            Sid: "CopiesOfServices",
            Action: "kms:CreateGrant",
            Condition: { StringEquals, Bool: { "kms:GrantIsForAWSResource": "true" } },
        },
    ];
}

/** Settings of PostgreSQL. Sections 4.3.2 and 6.3. */
function declareParameters(name: string, args: DatabaseArgs, parent: ComponentResource): ParameterGroup {
    const settings: [string, string, applyMethod?: "pending-reboot"][] = [
        ["rds.force_ssl", "1"],
        ["password_encryption", "scram-sha-256"],
        ["shared_preload_libraries", "pg_stat_statements", "pending-reboot"],
        ["pg_stat_statements.track", "all"],
        ["log_min_duration_statement", String(args.slowQuery * 1000)],
        // Who comes, goes and waits: the first things asked of a database in trouble.
        ["log_connections", "1"],
        ["log_disconnections", "1"],
        ["log_lock_waits", "1"],
        // Statements of a client that has gone are not waited for, nor are transactions it forgot.
        ["idle_in_transaction_session_timeout", "300000"],
    ];
    return new ParameterGroup(
        `${name}-${args.version}`,
        {
            name: `${name}-${args.version}`,
            family: `postgres${args.version}`,
            description: "TLS only, statements counted, slow ones logged",
            parameters: settings.map(([parameter, value, applyMethod = "immediate"]) => ({
                name: parameter,
                value,
                applyMethod,
            })),
        },
        { parent },
    );
}
