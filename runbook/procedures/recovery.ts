import { type Edit, type ExpectedChange, type Procedure } from "../procedure";
import { DEPLOYMENT, gateOf, ROLLOUT } from "./changes";

/** A second instance, its user, and the checks of its data. */
const restored: readonly ExpectedChange[] = [
    { operation: "create", type: "random:index/randomId:RandomId", name: "mcp-recovery-final" },
    { operation: "create", type: "aws:cloudwatch/logGroup:LogGroup", name: "mcp-recovery-postgresql" },
    { operation: "create", type: "aws:cloudwatch/logGroup:LogGroup", name: "mcp-recovery-upgrade" },
    { operation: "create", type: "aws:rds/instance:Instance", name: "mcp-recovery" },
    { operation: "update", type: "aws:iam/rolePolicy:RolePolicy", name: "mcp-database" },
    ...["bootstrap", "verify", "compare"].flatMap((task) => gateOf("create", "mcp-recovery", task)),
];

/** AWS Backup saves and tests the instance in use. */
const savedInstead: readonly ExpectedChange[] = (
    [
        ["create", "mcp-recovery"],
        ["delete", "mcp-production"],
    ] as const
).flatMap(([operation, instance]): ExpectedChange[] => [
    {
        operation,
        type: "aws:backup/restoreTestingSelection:RestoreTestingSelection",
        name: `mcp-production-snapshots-${instance}`,
    },
    ...["hourly", "daily"].map((kind): ExpectedChange => ({
        operation,
        type: "aws:backup/selection:Selection",
        name: `mcp-production-snapshots-${kind}-${instance}`,
    })),
]);

/** The copy of a bucket. */
const bucketCopy = (kind: string): ExpectedChange[] =>
    [
        ["mcp:storage:BucketCopy", ""],
        ["mcp:storage:Replica", "-replica"],
        ["aws:iam/role:Role", ""],
        ["aws:iam/rolePolicy:RolePolicy", ""],
        ["aws:s3/bucketReplicationConfig:BucketReplicationConfig", ""],
        ["aws:kms/alias:Alias", "-replica"],
        ["aws:kms/key:Key", "-replica"],
        ...[
            "bucket:Bucket",
            "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            ...(kind === "audit" ? ["bucketObjectLockConfiguration:BucketObjectLockConfiguration"] : []),
            "bucketOwnershipControls:BucketOwnershipControls",
            "bucketPolicy:BucketPolicy",
            "bucketPublicAccessBlock:BucketPublicAccessBlock",
            "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "bucketVersioning:BucketVersioning",
        ].map((type) => [`aws:s3/${type}`, "-replica"] as const),
    ].map(([type, suffix]) => ({
        operation: "create",
        type: type!,
        name: `mcp-production-${kind}-copy${suffix}`,
    }));

/** Copies of everything, and their alarms. */
const copied: readonly ExpectedChange[] = [
    { operation: "create", type: "pulumi:providers:aws", name: "aws-copies" },
    ...[
        ["mcp:backup:SnapshotCopies", "snapshots-copies"],
        ["aws:backup/vault:Vault", "snapshots-copies-daily"],
        ["aws:backup/vault:Vault", "snapshots-copies-hourly"],
        ["aws:backup/vaultLockConfiguration:VaultLockConfiguration", "snapshots-copies-daily"],
        ["aws:kms/alias:Alias", "snapshots-copies"],
        ["aws:kms/key:Key", "snapshots-copies"],
        ["aws:cloudwatch/eventRule:EventRule", "snapshots-copied-daily"],
        ["aws:cloudwatch/eventRule:EventRule", "snapshots-copied-hourly"],
        ["aws:cloudwatch/eventRule:EventRule", "snapshots-copy-failed"],
        ["aws:cloudwatch/eventTarget:EventTarget", "snapshots-copy-failed"],
        ["aws:iam/role:Role", "snapshots-copy-failed-notice"],
        ["aws:iam/rolePolicy:RolePolicy", "snapshots-copy-failed-notice"],
        ...[
            "copy-failed-archive",
            "copy-failed-backups",
            "copy-late-archive",
            "copy-late-backups",
            "event-dropped-snapshots-copy-failed",
            "snapshot-copy-missing-daily",
            "snapshot-copy-missing-hourly",
        ].map((alarm) => ["aws:cloudwatch/metricAlarm:MetricAlarm", alarm]),
    ].map(([type, name]): ExpectedChange => ({
        operation: "create",
        type: type!,
        name: `mcp-production-${name}`,
    })),
    ...["audit", "backups"].flatMap(bucketCopy),
    { operation: "update", type: "aws:backup/plan:Plan", name: "mcp-production-snapshots-daily" },
    { operation: "update", type: "aws:backup/plan:Plan", name: "mcp-production-snapshots-hourly" },
    { operation: "update", type: "aws:cloudwatch/compositeAlarm:CompositeAlarm", name: "mcp-production-p3" },
];

const RESTORE_TIME: Edit = {
    path: "mcp:recovery.restoreTime",
    value: "the time to go back to, with its zone",
    example: "2026-01-31T10:30:00+05:30",
};

const CACHE_SNAPSHOT: Edit = {
    path: "mcp:cacheRecovery.snapshot",
    value: "name of a snapshot, or of its file in `msil-mcp-redis`, which ends in `.rdb`",
    example: "mcp-production-scheduled-20260131003000000-0001.rdb",
};

/** A second group, and the name of its final snapshot. */
const restoredCache: readonly ExpectedChange[] = [
    ...gateOf("create", "mcp-cache", "compare"),
    ...["core/v1:Secret", "core/v1:ServiceAccount", "networking.k8s.io/v1:NetworkPolicy"].map(
        (type): ExpectedChange => ({
            operation: "create",
            type: `kubernetes:${type}`,
            name: "mcp-cache-compare",
        }),
    ),
    {
        operation: "create",
        type: "random:index/randomId:RandomId",
        name: "mcp-production-cache-recovery-final",
    },
    {
        operation: "create",
        type: "aws:elasticache/replicationGroup:ReplicationGroup",
        name: "mcp-production-cache-recovery",
    },
];

/** Chapter 7: backups and recovery. */
export const recovery: readonly Procedure[] = [
    {
        id: "backup-bucket",
        sections: ["5.2 step 1", "7.1"],
        title: "Bucket for dumps and exported configurations",
        when:
            "Always: `msil-mcp-backups` keeps `daily/` 30 days, `weekly/` a year in Glacier, `kubernetes/` 90 days, and " +
            "`manual/` until somebody removes it.",
        edits: [],
        changes: [],
        verify: "`aws s3 ls s3://msil-mcp-backups/`. What was deleted or overwritten can be brought back for 7 days, by its version.",
        undo: "The bucket is protected: the engine refuses to delete it.",
    },
    {
        id: "database-snapshots",
        sections: ["7.1"],
        title: "Snapshots of PostgreSQL, hourly and daily",
        when:
            "Always, by AWS Backup: every hour into the vault `mcp-production-snapshots-hourly`, kept a day, and " +
            "at 00:00 IST into `mcp-production-snapshots-daily`, kept 30 days. AWS takes none in a window of the " +
            "instance or in the hour before it, so none is scheduled there: from 04:00 to 06:00 IST around the " +
            "daily automated backup, and on Sunday from 01:00 around the patches. Point-in-time recovery has no " +
            "such gap.",
        edits: [],
        changes: [],
        verify:
            "`aws backup list-recovery-points-by-backup-vault --backup-vault-name mcp-production-snapshots-daily`. " +
            "A failed job notifies P3, with the command that shows the reason. Every Monday at 10:00 IST the " +
            "latest daily one is restored to a separate instance, and removed within hours; P4 is notified, and P3 " +
            "if it fails. If no job ever ran, check that `aws backup describe-region-settings` has RDS opted in.",
        undo:
            "The vaults are protected. Deleting a daily snapshot before its time requires removing the vault's " +
            "lock first, which is a separate right: `backup:DeleteBackupVaultLockConfiguration`.",
    },
    {
        id: "cache-backup",
        sections: ["7.1"],
        title: "Redis every six hours",
        when:
            "Always: a snapshot at 00:00, 06:00, 12:00 and 18:00 IST is in `s3://msil-mcp-redis/` within minutes and " +
            "stays 7 days, and one day in ElastiCache itself. Before a risky change, take one more: " +
            "`aws stepfunctions start-execution --state-machine-arn arn:aws:states:REGION:ACCOUNT_ID:stateMachine:mcp-production-redis-backup`",
        edits: [],
        changes: [],
        verify:
            "`aws s3 ls s3://msil-mcp-redis/`. A failed run notifies P2, with the command that shows the reason. " +
            "To inspect a copy, [restore it to a second group](#cache-recovery).",
        undo: "Snapshots that people took are never removed. The bucket is protected: the engine refuses to delete it.",
    },
    {
        id: "database-dumps",
        sections: ["7.1"],
        title: "Daily and weekly dumps of the database",
        when:
            "Always: at 23:00 below `daily/`, on Sundays at 21:00 below `weekly/`, in the zone of the runbook and outside " +
            "of the windows of maintenance and backup. After a recovery it is the active database that is dumped.",
        edits: [],
        changes: [],
        verify:
            "Each is read back to its last byte, must hold the tables of `mcp:backups.dumps.tables` and weigh at least " +
            "`minimumSize`, and its size and checksum are compared with what S3 has; only then `DumpSucceeded` of " +
            "`MCP/production` is reported, by `Kind`. `kubectl get cronjobs -n mcp-production` and " +
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-dumps --all-containers` show the last runs.",
        undo:
            "Nothing to undo. To inspect a dump, restore it into a database of another name: `aws s3 cp " +
            "s3://msil-mcp-backups/daily/FILE . && pg_restore --dbname mcp_restored --no-owner FILE`; the object's " +
            "metadata has its SHA-256. Retrieve one in Glacier first: `aws s3api restore-object`, some hours.",
    },
    {
        id: "kubernetes-configurations",
        sections: ["7.1"],
        title: "Daily export of the Kubernetes configurations",
        when: "Always: at 22:30 below `kubernetes/`, kept for 90 days. Secrets are left out.",
        edits: [],
        changes: [],
        verify:
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-configurations --all-containers` counts the objects " +
            "of the last run; `DumpSucceeded` of `MCP/production` with `Kind` `kubernetes` follows each verified upload.",
        undo:
            "Nothing to undo. An update declares everything again; the export shows the earlier objects: `aws s3 " +
            "cp s3://msil-mcp-backups/kubernetes/FILE - | zcat | kubectl diff -f -`.",
    },
    {
        id: "audit-archive",
        sections: ["5.3", "7.1"],
        title: "Archive of the audit events",
        when: "Always: every event of `/mcp/production/audit` is in the archive within minutes, for 7 years.",
        edits: [],
        changes: [],
        verify:
            "`aws s3 ls s3://msil-mcp-audit/events/$(date +%Y/%m/%d)/`; what is fetched reads line by line: " +
            "`aws s3 cp s3://msil-mcp-audit/events/2026/01/31/FILE - | zcat`. After a year an object must be restored from " +
            "deep storage first (`aws s3api restore-object`, some hours). What could not be delivered is below `failed/`, " +
            "and `/mcp/production/audit-delivery` says why. [An export for an auditor](recovery.md#an-export-of-audit-events) has checksums: " +
            "`ARCHIVE=msil-mcp-audit bash jobs/audit/export.sh 2026-01-01 2026-01-31 audit-2026-01`.",
        undo: "Cannot be undone: in COMPLIANCE mode an event cannot be deleted before its time.",
    },
    {
        id: "audit-export",
        sections: ["7.1"],
        title: "Export of audit events for an auditor",
        when:
            "An auditor asks for the events of a period. From a checkout, with the rights to read `msil-mcp-audit` and to use its key: " +
            "`ARCHIVE=msil-mcp-audit bash jobs/audit/export.sh 2026-01-01 2026-01-31 audit-2026-01`. Objects of more than a year must be " +
            "restored from deep storage first. [Recovery](recovery.md#an-export-of-audit-events) has each step.",
        edits: [],
        changes: [],
        verify:
            "The last line counts objects and events. `sha256sum --check audit-2026-01.sha256` checks the files. If an object cannot be read " +
            "or unpacked, nothing is written.",
        undo: "Nothing to undo: it only reads the archive.",
    },
    {
        id: "copies",
        sections: ["7.1"],
        title: "Copies in a second region",
        when:
            "A region, a bucket or a key can be lost, or somebody with rights deletes what is saved. Snapshots of PostgreSQL, dumps, " +
            "exported configurations and audit events are then in a second region, too, and in a second account if " +
            "`mcp:copies.account` names one. [Recovery](recovery.md) has what is lost and how long it takes, by component, and " +
            "what copies cost. `mcp:backups.lock` locks dumps and exports at their source.",
        edits: [
            {
                path: "mcp:copies.region",
                value: "another region than the stack's",
                example: "ap-southeast-1",
            },
            {
                path: "mcp:copies.backups.bucket",
                value: "bucket there for dumps and exported configurations",
                example: "msil-mcp-backups-copy",
                parameter: "backupsBucket",
            },
            {
                path: "mcp:copies.archive.bucket",
                value: "bucket there for audit events",
                example: "msil-mcp-audit-copy",
                parameter: "archiveBucket",
            },
        ],
        changes: copied,
        verify:
            "A failed or late copy notifies P3. `aws backup list-recovery-points-by-backup-vault --region " +
            "ap-southeast-1 --backup-vault-name mcp-production-snapshots-copies-daily` lists the snapshots there. " +
            "`aws s3api head-object --bucket msil-mcp-backups --key KEY --query ReplicationStatus` says COMPLETED. " +
            "Objects from before are copied by one job of S3 Batch Replication: `aws s3control create-job`.",
        undo: "What is in the second region is protected: the engine refuses to delete it. Locked copies stay until their time is over.",
    },
    {
        id: "region-loss",
        sections: ["7.2"],
        title: "The region is lost: start in the second one",
        when:
            "AWS says that the region will not come back in time. A separate stack is declared in the second " +
            "region, from the copies. Data written after the last copy is lost: " +
            "[recovery](recovery.md#the-region-is-lost) has each step.",
        looks: [
            "aws backup list-recovery-points-by-backup-vault --region ap-southeast-1 --backup-vault-name mcp-production-snapshots-copies-hourly",
            "aws s3api list-objects-v2 --bucket msil-mcp-backups-copy --prefix daily/ --query 'Contents[].[Key,LastModified]' --output text",
        ],
        edits: [],
        changes: [],
        verify:
            "Preview the new stack before its update. The bootstrap gives the application its user, and the health " +
            "check checks every component.",
        undo: "Nothing was changed in the first region. What is written in the second one is not in the first.",
    },
    {
        id: "deleted-bucket",
        sections: ["7.2"],
        title: "A bucket or its objects were deleted",
        when:
            "Objects are hidden by a delete marker, were deleted permanently, or the bucket is gone. Objects under " +
            "Object Lock were not deleted. [Recovery](recovery.md#a-bucket-or-its-objects-are-deleted) has each " +
            "step.",
        looks: [
            "aws s3api list-object-versions --bucket msil-mcp-backups --prefix daily/ --query 'DeleteMarkers[].[Key,LastModified]' --output text",
            "aws s3api list-objects-v2 --bucket msil-mcp-backups-copy --query 'length(Contents)'",
        ],
        edits: [],
        changes: [],
        verify: "`aws s3 ls --recursive --summarize` counts the same objects in the bucket and in its copy.",
        undo: "Nothing to undo: what is copied back is a new version.",
    },
    {
        id: "database-recovery",
        sections: ["7.2 steps 1 to 4"],
        title: "Point-in-time recovery: restore and verify",
        when:
            "Data was lost or spoilt, and the time before it is known. The services go on with what they have. A time in the last " +
            "five minutes, in the future, or before `mcp:database.backupRetention` is refused; the window that RDS holds is below.",
        looks: [
            "aws rds describe-db-instance-automated-backups --db-instance-identifier mcp-production --query 'DBInstanceAutomatedBackups[].RestoreWindow'",
        ],
        edits: [RESTORE_TIME],
        changes: restored,
        verify:
            "One update restores `mcp-recovery` beside `mcp-production`, with the same network, parameters and zones, " +
            "waits until it is available, gives the application its user, runs the queries of `mcp:database.checks` (one that " +
            "counts less than it must fails the update), and counts the rows of each table that only one of both has. " +
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-database` shows them. RDS restores without backup and " +
            "maintenance windows, retention and Performance Insights: the command updates a second time, which changes `mcp-recovery` " +
            "alone and sets them. By hand, run `pulumi up --stack production --policy-pack policies` once more. The settings gate of " +
            "[the switch](#database-switch) checks them.",
        updatesTwice: true,
        undo:
            "Removing it takes two updates, because it is protected: one after `pulumi config set --stack " +
            "production --path mcp:recovery.protect false`, one after `pulumi config rm --stack production " +
            "mcp:recovery`. A final snapshot stays. To keep it permanently, set `mcp:recovery.keep true`: then no " +
            "update compares its restore time any more.",
    },
    {
        id: "database-switch",
        sections: ["7.2 steps 5 and 6"],
        title: "Point-in-time recovery: switch the services over",
        when:
            "The restored instance has been verified and updated a second time. In an emergency both edits go into one update: the " +
            "services are switched, and the update then fails until the second one has set the windows, the retention and " +
            "Performance Insights of `mcp-recovery`. What was written to `mcp-production` after the restore time is lost to the " +
            "services; the comparison before the switch names it, table by table.",
        edits: [
            { ...RESTORE_TIME, keeps: true, implied: true },
            {
                path: "mcp:database.active",
                value: "`recovery`, or `primary` to go back",
                example: "recovery",
            },
        ],
        changes: [
            ...restored,
            ...gateOf("create", "mcp-recovery", "settings"),
            ...savedInstead,
            { operation: "update", type: "kubernetes:core/v1:Secret", name: "mcp-db-secret" },
            // Alarms follow the instance in use.
            ...["connections", "memory", "silent", "storage", "transaction-ids"].map(
                (alarm): ExpectedChange => ({
                    operation: "update",
                    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
                    name: `mcp-production-database-${alarm}`,
                }),
            ),
            // The dashboard shows the instance in use.
            { operation: "update", type: "aws:cloudwatch/dashboard:Dashboard", name: "mcp-production" },
            ...["blue", "green"].map((colour): ExpectedChange => ({
                operation: "update",
                type: DEPLOYMENT,
                name: `mcp-server-${colour}`,
            })),
        ],
        verify: `\`mcp-db-secret\` is written only after the verification has passed, and the pods are replaced one by one. ${ROLLOUT}. No release gate runs, because the release stays the same. From then on the snapshots are those of \`mcp-recovery\`. [Count once more](#database-compare) what is lost, when the last pod has been replaced.`,
        undo:
            "Set `active` back to `primary`. What was written to the one is not in the other: the update compares both before it " +
            "switches. To stay, [keep the restored instance](recovery.md#after-a-recovery).",
    },
    {
        id: "database-compare",
        sections: ["7.2 step 4"],
        title: "Point-in-time recovery: count what is lost",
        when: "`mcp-recovery` exists, and somebody must know what the services lose with either instance: before and after a switch.",
        from: [`${RESTORE_TIME.path}=${RESTORE_TIME.example}`],
        edits: [
            { ...RESTORE_TIME, keeps: true, implied: true },
            {
                path: "mcp:recovery.compare",
                value: "a text that it has not had before: the ticket, or the date",
                example: "INC-2041",
                parameter: "ticket",
            },
        ],
        changes: [
            { operation: "delete", type: "kubernetes:batch/v1:Job", name: "mcp-recovery-compare-*" },
            { operation: "create", type: "kubernetes:batch/v1:Job", name: "mcp-recovery-compare-*" },
        ],
        verify:
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-database --all-containers` has a line for each table, and at the " +
            "end the rows that are lost with each instance. Tables of more than 500,000 rows are counted only.",
        undo: "Nothing to undo: it only looks.",
    },
    {
        id: "cache-recovery",
        sections: ["7.1"],
        title: "Redis: restore a snapshot",
        when:
            "Keys or sessions were lost or spoilt, and a snapshot from before is there: for a day in ElastiCache, for a week " +
            "in the bucket. The services go on with what they have.",
        looks: [
            "aws elasticache describe-snapshots --replication-group-id mcp-production --query 'Snapshots[].SnapshotName'",
            "aws s3api list-objects-v2 --bucket msil-mcp-redis --query 'Contents[].[Key,LastModified,Size]' --output text",
        ],
        edits: [CACHE_SNAPSHOT],
        changes: restoredCache,
        verify:
            "The update waits until `mcp-production-recovery` is available, with the token, network and zones of the first group. " +
            "`aws elasticache describe-replication-groups --replication-group-id mcp-production-recovery` shows it; " +
            "The Job `mcp-cache-compare` counts the keys of both groups, and fails the update if the restored one has " +
            "fewer than `mcp:cacheRecovery.atLeast`, 1 by default.",
        undo:
            "Removing it takes two updates, because it is protected: one after `pulumi config set --stack production --path " +
            "mcp:cacheRecovery.protect false`, one after `pulumi config rm --stack production mcp:cacheRecovery`. A last snapshot stays.",
    },
    {
        id: "cache-switch",
        sections: ["7.1"],
        title: "Redis: switch the services over",
        when: "The restored group is available. What was written to Redis after the snapshot, sessions among it, is not in it.",
        edits: [
            { ...CACHE_SNAPSHOT, keeps: true, implied: true },
            { path: "mcp:cache.active", value: "`recovery`, or `primary` to go back", example: "recovery" },
        ],
        changes: [
            ...restoredCache,
            { operation: "update", type: "kubernetes:core/v1:Secret", name: "mcp-cache-secret" },
            // Backups and alarms follow the group in use.
            {
                operation: "update",
                type: "aws:sfn/stateMachine:StateMachine",
                name: "mcp-production-redis-backup",
            },
            ...["evictions", "memory", "silent"].flatMap((alarm) =>
                ["001", "002"].map((node): ExpectedChange => ({
                    operation: "update",
                    type: "aws:cloudwatch/metricAlarm:MetricAlarm",
                    name: `mcp-production-cache-${alarm}-${node}`,
                })),
            ),
            { operation: "update", type: "aws:cloudwatch/dashboard:Dashboard", name: "mcp-production" },
            ...["blue", "green"].map((colour): ExpectedChange => ({
                operation: "update",
                type: DEPLOYMENT,
                name: `mcp-server-${colour}`,
            })),
        ],
        verify: `The keys of both groups are counted before \`mcp-cache-secret\` is written. The pods are replaced one by one. ${ROLLOUT}. No release gate runs, because the release stays the same. From then on the snapshots are those of \`mcp-production-recovery\`.`,
        undo: "Set `active` back to `primary`. What was written to the one is not in the other.",
    },
];
