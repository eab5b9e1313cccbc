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
    /** The instance the services use, and what must exist before it is saved. */
    instance: { identifier: string; ready: readonly Resource[] };
    /** Where a restore test puts its instance. */
    network: { subnetGroup: Input<string>; securityGroup: Input<string> };
    /** When a job is due, as six fields of AWS's cron in the zone of the runbook, by the name of the rule. */
    hourly: { rules: Record<string, string>; retentionDays: number };
    daily: { rules: Record<string, string>; retentionDays: number };
    /** When the latest daily one is restored, as a test. */
    restoreTest: string;
    /** ARNs of the vaults in a second region that each is copied to, and how long a daily copy is kept. Default: none. */
    copies?:
        { vaults: Readonly<Record<"hourly" | "daily", Input<string>>>; retentionDays: number } | undefined;
    /** How long after its time a job may start, and how long it may take from its time on, in minutes. */
    startWindow: number;
    completionWindow: number;
    /** Topics of the messages that a job has failed, and that a snapshot is restored; and the key of both. */
    topics: { failure: Input<string>; restore: Input<string>; keyArn: Input<string> };
    /** Refuses to delete the vaults and their key, and locks the daily one. */
    protect: boolean;
}

/** How far back a restore test looks for a snapshot, in days: an older one would be none of last night's. */
const TEST_WINDOW_DAYS = 2;

/** A restore test starts within this time, and its instance is removed after that one. In hours. */
const TEST_START_HOURS = 1;
const TEST_VALIDATION_HOURS = 1;

const SERVICE = "backup.amazonaws.com";

/**
 * Snapshots of PostgreSQL by AWS Backup (section 7.1): hourly and daily by plans of their own, each into a vault of
 * its own, the daily one locked; once a week the latest is restored beside the database, to see that it can be.
 */
export class DatabaseSnapshots extends ComponentResource {
    /** Names of the vaults that recovery points are found in. */
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
            // AWS keeps them in step with what the service asks for.
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
                    // Without changeableForDays: those with a right of its own can take it away.
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
                    "PostgreSQL snapshot <state> on its way to <vault>. Why: aws backup describe-backup-job " +
                    "--backup-job-id <job>. Point-in-time recovery does not depend on it.",
            },
            this,
        );
        if (args.copies !== undefined) {
            this.watchCopies(name, args);
        }
        this.registerOutputs({ vaults: [hourly.name, daily.name] });
    }

    /** Tells of a copy that fails, and counts those that come, for the alarms on those that do not. */
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
            // It has no target: an alarm looks at how often it matched.
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
        // These names know no hyphens.
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
            // A name for each instance: the provider does not update the one when the other is used.
            `${name}-${instance.identifier}`,
            {
                name: underscored(instance.identifier),
                restoreTestingPlanName: plan.name,
                protectedResourceType: "RDS",
                protectedResourceArns: [instanceArn],
                iamRoleArn: role.arn,
                validationWindowHours: TEST_VALIDATION_HOURS,
                // Else it would be restored into the default network, with the default rules.
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
