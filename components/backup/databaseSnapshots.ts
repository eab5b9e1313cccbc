import { Plan } from "@pulumi/aws/backup/plan";
import { RestoreTestingPlan } from "@pulumi/aws/backup/restoreTestingPlan";
import { RestoreTestingSelection } from "@pulumi/aws/backup/restoreTestingSelection";
import { Selection } from "@pulumi/aws/backup/selection";
import { EventRule } from "@pulumi/aws/cloudwatch/eventRule";
import { Vault } from "@pulumi/aws/backup/vault";
import { VaultLockConfiguration } from "@pulumi/aws/backup/vaultLockConfiguration";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    jsonStringify,
    type Output,
    type Resource,
} from "@pulumi/pulumi";
import { BACKUPS, TIME_ZONE } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareKey } from "../encryption";
import { declareServiceRole } from "../identity/serviceRole";

/** Arguments of {@link DatabaseSnapshots}. */
export interface DatabaseSnapshotsArgs {
    accountId: string;
    region: string;
    /** The instance in use, and the resources that must exist before a snapshot. */
    instance: { identifier: string; ready: readonly Resource[] };
    /** Network of the restore test's instance. */
    network: { subnetGroup: Input<string>; securityGroup: Input<string> };
    /** Start of the jobs, as six fields of AWS's cron in the runbook's time zone, by the name of the rule. */
    hourly: { rules: Record<string, string>; retentionDays: number };
    daily: { rules: Record<string, string>; retentionDays: number };
    /** Start of the restore test of the latest daily snapshot. */
    restoreTest: string;
    /** ARNs of the vaults in a second region, and how long a daily copy is kept. Default: no copies. */
    copies?:
        { vaults: Readonly<Record<"hourly" | "daily", Input<string>>>; retentionDays: number } | undefined;
    /** How long after its scheduled time a job may start, and how long it may take from that time, in minutes. */
    startWindow: number;
    completionWindow: number;
    /** Topics for failed jobs and for restored snapshots, and their key. */
    topics: { failure: Input<string>; restore: Input<string>; keyArn: Input<string> };
    /** Refuses to delete the vaults and their key, and locks the daily vault. */
    protect: boolean;
}

/** Maximum age of the snapshot of a restore test, in days. An older one is not last night's. */
const TEST_WINDOW_DAYS = 2;

/** Hours within which a restore test starts, and after which its instance is removed. */
const TEST_START_HOURS = 1;
const TEST_VALIDATION_HOURS = 1;

const SERVICE = "backup.amazonaws.com";

/**
 * Snapshots of PostgreSQL by AWS Backup (section 7.1). Hourly and daily snapshots have separate plans and vaults; the
 * daily vault is locked. A weekly test restores the latest daily snapshot to a separate instance.
 */
export class DatabaseSnapshots extends ComponentResource {
    /** Names of the vaults with recovery points. */
    public readonly vaults: Readonly<Record<"hourly" | "daily", Output<string>>>;

    constructor(name: string, args: DatabaseSnapshotsArgs, opts?: ComponentResourceOptions) {
        super("mcp:backup:DatabaseSnapshots", name, {}, opts);
        const { accountId, region, instance, protect, topics } = args;
        const instanceArn = `arn:aws:rds:${region}:${accountId}:db:${instance.identifier}`;
        const key = declareKey(
            name,
            { description: "Vaults of the database's snapshots", accountId, protect },
            this,
        );
        const role = declareServiceRole(
            name,
            // AWS updates these policies with the service.
            { service: SERVICE, managed: ["AWSBackupServiceRolePolicyForBackup"] },
            this,
        );

        const declareKind = (kind: "hourly" | "daily"): Vault => {
            const own = `${name}-${kind}`;
            const { rules, retentionDays } = args[kind];
            const vault = new Vault(
                own,
                { name: own, kmsKeyArn: key.arn, forceDestroy: !protect },
                { parent: this, protect },
            );
            const plan = new Plan(
                own,
                {
                    name: own,
                    rules: Object.entries(rules).map(([ruleName, cron]) => ({
                        ruleName,
                        targetVaultName: vault.name,
                        schedule: `cron(${cron})`,
                        scheduleExpressionTimezone: TIME_ZONE,
                        startWindow: args.startWindow,
                        completionWindow: args.completionWindow,
                        lifecycle: { deleteAfter: retentionDays },
                        ...(args.copies && {
                            copyActions: [
                                {
                                    destinationVaultArn: args.copies.vaults[kind],
                                    lifecycle: {
                                        deleteAfter:
                                            kind === "daily" ? args.copies.retentionDays : retentionDays,
                                    },
                                },
                            ],
                        }),
                    })),
                },
                { parent: this },
            );
            new Selection(
                `${own}-${instance.identifier}`,
                {
                    name: instance.identifier,
                    planId: plan.id,
                    iamRoleArn: role.arn,
                    resources: [instanceArn],
                },
                { parent: this, dependsOn: [...role.ready, ...instance.ready], deleteBeforeReplace: true },
            );
            return vault;
        };
        const hourly = declareKind("hourly");
        const daily = declareKind("daily");
        this.vaults = { hourly: hourly.name, daily: daily.name };

        if (protect) {
            new VaultLockConfiguration(
                `${name}-daily`,
                {
                    backupVaultName: daily.name,
                    // Without changeableForDays: governance mode, which a special right can remove.
                    minRetentionDays: BACKUPS.postgresql.daily.retentionDays,
                },
                { parent: this, protect, deleteBeforeReplace: true },
            );
        }
        this.declareRestoreTest(name, args, instanceArn, daily.arn);

        declareNotice(
            `${name}-failed`,
            {
                description: "A snapshot of PostgreSQL was not taken",
                pattern: {
                    source: ["aws.backup"],
                    "detail-type": ["Backup Job State Change"],
                    detail: {
                        backupVaultName: [`${name}-hourly`, `${name}-daily`],
                        state: ["FAILED", "ABORTED", "EXPIRED"],
                    },
                },
                topic: { arn: topics.failure, keyArn: topics.keyArn },
                accountId,
                region,
                parts: {
                    state: "$.detail.state",
                    vault: "$.detail.backupVaultName",
                    job: "$.detail.backupJobId",
                },
                sentence:
                    "PostgreSQL snapshot <state> while being copied to <vault>. Reason: aws backup " +
                    "describe-backup-job --backup-job-id <job>. Point-in-time recovery is not affected.",
            },
            this,
        );
        if (args.copies !== undefined) {
            this.watchCopies(name, args);
        }
        this.registerOutputs({ vaults: [hourly.name, daily.name] });
    }

    /** Reports failed copies, and counts finished ones for the alarms on missing copies. */
    private watchCopies(name: string, { accountId, region, topics }: DatabaseSnapshotsArgs): void {
        const copyJobs = (vaults: readonly string[], state: string[]) => ({
            source: ["aws.backup"],
            "detail-type": ["Copy Job State Change"],
            detail: {
                sourceBackupVaultArn: vaults.map(
                    (vault) => `arn:aws:backup:${region}:${accountId}:backup-vault:${vault}`,
                ),
                state,
            },
        });
        declareNotice(
            `${name}-copy-failed`,
            {
                description: "A snapshot of PostgreSQL was not copied to the second region",
                pattern: copyJobs([`${name}-hourly`, `${name}-daily`], ["FAILED", "PARTIAL"]),
                topic: { arn: topics.failure, keyArn: topics.keyArn },
                accountId,
                region,
                parts: { state: "$.detail.state", job: "$.detail.copyJobId" },
                sentence:
                    "Copy of a PostgreSQL snapshot to the second region <state>. Why: aws backup describe-copy-job " +
                    "--copy-job-id <job>.",
            },
            this,
        );
        for (const kind of ["hourly", "daily"]) {
            const own = `${name}-copied-${kind}`;
            // The rule has no target: an alarm reads how often it matched.
            new EventRule(
                own,
                {
                    name: own,
                    description: `A ${kind} snapshot of PostgreSQL has come to the second region`,
                    eventPattern: JSON.stringify(copyJobs([`${name}-${kind}`], ["COMPLETED"])),
                },
                { parent: this },
            );
        }
    }

    private declareRestoreTest(
        name: string,
        { instance, network, restoreTest, topics, accountId, region }: DatabaseSnapshotsArgs,
        instanceArn: string,
        vaultArn: Output<string>,
    ): void {
        const role = declareServiceRole(
            `${name}-restore`,
            { service: SERVICE, managed: ["AWSBackupServiceRolePolicyForRestores"] },
            this,
        );
        // Names of restore testing plans may not contain hyphens.
        const underscored = (text: string) => text.replaceAll("-", "_");
        const plan = new RestoreTestingPlan(
            name,
            {
                name: underscored(name),
                scheduleExpression: `cron(${restoreTest})`,
                scheduleExpressionTimezone: TIME_ZONE,
                startWindowHours: TEST_START_HOURS,
                recoveryPointSelection: {
                    algorithm: "LATEST_WITHIN_WINDOW",
                    includeVaults: [vaultArn],
                    recoveryPointTypes: ["SNAPSHOT"],
                    selectionWindowDays: TEST_WINDOW_DAYS,
                },
            },
            { parent: this },
        );
        new RestoreTestingSelection(
            // One name for each instance, because the provider does not update the selection when another instance is
            // in use.
            `${name}-${instance.identifier}`,
            {
                name: underscored(instance.identifier),
                restoreTestingPlanName: plan.name,
                protectedResourceType: "RDS",
                protectedResourceArns: [instanceArn],
                iamRoleArn: role.arn,
                validationWindowHours: TEST_VALIDATION_HOURS,
                // Without this, the test would use the default network and its default security group.
                restoreMetadataOverrides: {
                    dbSubnetGroupName: network.subnetGroup,
                    vpcSecurityGroupIds: jsonStringify([network.securityGroup]),
                },
            },
            { parent: this, dependsOn: [...role.ready, ...instance.ready] },
        );
        const declareRestoreNotice = (
            suffix: string,
            description: string,
            topicArn: Input<string>,
            status: readonly string[],
        ) => {
            declareNotice(
                `${name}-${suffix}`,
                {
                    description,
                    pattern: {
                        source: ["aws.backup"],
                        "detail-type": ["Restore Job State Change"],
                        detail: { resourceType: ["RDS"], status },
                    },
                    topic: { arn: topicArn, keyArn: topics.keyArn },
                    accountId,
                    region,
                    parts: { status: "$.detail.status", job: "$.detail.restoreJobId" },
                    sentence:
                        "Restoring a PostgreSQL snapshot <status>. Details: aws backup describe-restore-job --restore-job-id <job>",
                },
                this,
            );
        };
        declareRestoreNotice("restore", "A snapshot of PostgreSQL is restored", topics.restore, [
            "RUNNING",
            "COMPLETED",
        ]);
        declareRestoreNotice(
            "restore-failed",
            "A snapshot of PostgreSQL could not be restored",
            topics.failure,
            ["FAILED", "ABORTED"],
        );
    }
}
