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

/** Arguments of {@link Database}. */
export interface DatabaseArgs {
    /** Name of the instance. */
    identifier: string;
    /** That the instance was made by hand and taken over, by its name: what cannot change stays as it is. Default: none. */
    adopted?: string | undefined;
    /** Name of its subnet group. */
    subnetGroup: string;
    /** Account that administers the key. */
    accountId: string;
    region: string;
    /** Retention of the instance's logs, in days. */
    logDays: number;
    /** Network of the cluster. */
    vpcId: Input<string>;
    /** Security group of the cluster's nodes and pods, the only allowed clients. */
    clusterSecurityGroup: Input<string>;
    /** Private subnets, in different zones. */
    subnets: readonly string[];
    /** RDS snapshot from which a new instance is created. Default: none, an empty database. */
    snapshot?: string | undefined;
    instanceClass: string;
    /** Major version of PostgreSQL, such as 17. */
    version: string;
    /** Disk size in GiB: initial, and the maximum to which RDS extends it. */
    storage: { initial: number; max: number };
    multiAz: boolean;
    /** How far back a recovery can go, in days. */
    backupRetention: number;
    /** UTC, as `sat:20:30-sat:22:30`. */
    maintenanceWindow: string;
    /** UTC, as `23:30-00:30`. */
    backupWindow: string;
    /** Statements slower than this are logged. In seconds. */
    slowQuery: number;
    /** Account that snapshots are copied to, which then needs the key. Default: none. */
    copyAccountId?: string | undefined;
    /** Refuses to delete the instance and its key. */
    protect: boolean;
    /** A second instance, restored from the first. Default: none. */
    recovery?: RecoveryArgs | undefined;
}

/** The instance that a recovery creates. Section 7.2 step 2. */
export interface RecoveryArgs {
    /** Name of the instance. */
    identifier: string;
    /** Point in time of the restore, with its zone. */
    restoreTime: string;
    /** Keep the instance: the time of its restore is no longer compared. */
    keep: boolean;
    protect: boolean;
}

/** What a client of an instance needs. */
export interface DatabaseInstance {
    /** Name of the instance. */
    identifier: string;
    host: Output<string>;
    /** Secret of the administrator's password. */
    administrator: Output<string>;
    /** What must exist before a client can connect. */
    ready: readonly Resource[];
    arn: Output<string>;
    /**
     * Settings that a restored instance must have, as DescribeDBInstances names them: a restore by RDS does not set
     * them.
     */
    settings: Readonly<Record<string, string>>;
}

/** Logs that RDS sends to CloudWatch, including slow statements. */
const LOG_EXPORTS = ["postgresql", "upgrade"] as const;

/** Prefix of RDS's log groups, before the names of the instance and the log. */
const LOG_GROUPS = "/aws/rds/instance/";

/** Inputs of an instance that was taken over, which RDS cannot change. */
const KEPT = ["dbName", "dbSubnetGroupName", "kmsKeyId", "username"];

/** Timeout for restoring a large instance, or for creating one in two zones. */
const TIMEOUTS = { create: "6h", update: "3h", delete: "2h" };

/**
 * PostgreSQL on RDS (sections 2.1 and 7): private, its own encryption key, TLS only, recoverable to any second of the
 * retention. A recovery is a second instance with the same network, parameters and zones. It does not change the first.
 */
export class Database extends ComponentResource {
    public readonly primary: DatabaseInstance;
    /** The restored instance, if there is one. */
    public readonly recovered: DatabaseInstance | undefined;
    /** ARN of the encryption key. */
    public readonly keyArn: Output<string>;
    /** Name of the subnet group and id of the security group of every instance. */
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

        // Settings that a restored instance must have too: a restore by hand does not set them.
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
            // RDS generates the password and rotates it weekly.
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
            // Changes that need a restart are applied in the maintenance window.
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
            // A new name each time, because the final snapshot of an earlier instance may still exist.
            const suffix = new RandomId(
                `${identifier}-final`,
                { byteLength: 4, keepers: { identifier } },
                { parent: this },
            );
            // Declared before the instance, because RDS would create them without a key and without retention.
            const logs = LOG_EXPORTS.map(
                (log) =>
                    new LogGroup(
                        `${identifier}-${log}`,
                        {
                            name: `${LOG_GROUPS}${identifier}/${log}`,
                            retentionInDays: args.logDays,
                            kmsKeyId: key.arn,
                            // Keeps the audit trail after the instance is deleted.
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
                    // What waits for a restart or for the maintenance window.
                    "PendingModifiedValues.keys(@).length(@)": "0",
                },
            };
        };

        this.primary = declare(
            args.identifier,
            {
                // Only the major version: RDS installs minor versions in the window. An edit upgrades it.
                engineVersion: args.version,
                allowMajorVersionUpgrade: true,
                allocatedStorage: args.storage.initial,
                storageEncrypted: true,
                ...(args.snapshot === undefined
                    ? {
                          engine: "postgres",
                          kmsKeyId: key.arn,
                          dbName: DATABASE.name,
                          username: DATABASE.administrator,
                      }
                    : // A restored instance inherits these, including the key.
                      { snapshotIdentifier: args.snapshot }),
            },
            args.protect,
            args.adopted === undefined ? [] : KEPT,
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
                    // Inherited from the first, and stated so that a policy can check it.
                    storageEncrypted: true,
                },
                recovery.protect,
                recovery.keep ? ["restoreToPointInTime"] : [],
            );

        this.registerOutputs({ host: this.primary.host });
    }
}

/** Lets another account copy snapshots under a key, as the guide of AWS Backup describes. */
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

/** Parameters of PostgreSQL. Sections 4.3.2 and 6.3. */
function declareParameters(name: string, args: DatabaseArgs, parent: ComponentResource): ParameterGroup {
    const settings: [string, string, applyMethod?: "pending-reboot"][] = [
        ["rds.force_ssl", "1"],
        ["password_encryption", "scram-sha-256"],
        ["shared_preload_libraries", "pg_stat_statements", "pending-reboot"],
        ["pg_stat_statements.track", "all"],
        ["log_min_duration_statement", String(args.slowQuery * 1000)],
        // Logs connections, disconnections and lock waits, for diagnosis.
        ["log_connections", "1"],
        ["log_disconnections", "1"],
        ["log_lock_waits", "1"],
        // Ends statements of disconnected clients and idle transactions.
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
