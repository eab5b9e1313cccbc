import { firstOfMonthOfFive } from "../../core/calendar";
import { DATABASE_WINDOW, UPGRADE_SECONDS } from "../../core/numbers";
import { type ExpectedChange, type Procedure } from "../procedure";
import { gateOf, jobOf, runOf } from "./changes";

/** Chapter 5: scheduled maintenance. */
export const maintenance: readonly Procedure[] = [
    {
        id: "security-patches",
        sections: ["5.1"],
        title: "Security patches of the nodes",
        when:
            "Always: every Sunday from 02:00 to 04:00 of the runbook's zone (`mcp:maintenance.patches`), on the nodes that are " +
            "tagged `PatchGroup` with the namespace's name.",
        edits: [],
        changes: [],
        verify:
            "Contacts of P4 are notified when it begins, those of P3 if it fails. The output of each node is in " +
            "`/mcp/production/patches`: the node's time, its patches, its drain and its restart. A node for which " +
            "the window is too short fails, and is the next window's. What a node lacks: `aws ssm " +
            "describe-instance-patch-states-for-patch-group --patch-group mcp-production`.",
        undo:
            "A patch that must not be installed is rejected in the baseline; a node that it spoilt is replaced. A node that is not " +
            "ready after its restart stays cordoned; `kubectl uncordon NODE` gives it back.",
        rights:
            "A node is drained with its own identity of the cluster, which may cordon this node and evict the pods on it alone. " +
            "Kernels and the kubelet come with a new AMI of the node group, not with these patches.",
    },
    {
        id: "kubernetes-upgrade",
        sections: ["5.1"],
        title: "Kubernetes upgrade: plan its window",
        when:
            "Once a quarter, when its day is agreed. The cluster itself is not this stack's: the upgrade is made where the " +
            "cluster is declared.",
        edits: [
            {
                path: "mcp:maintenance.upgrade.start",
                value: "when it begins, with its zone",
                example: "2027-01-10T02:00:00+05:30",
            },
            { path: "mcp:maintenance.upgrade.version", value: "the version to come", example: "1.34" },
        ],
        changes: [
            {
                operation: "update",
                type: "kubernetes:core/v1:ResourceQuota",
                name: "mcp-production-quota",
            },
            ...[
                ["mcp:maintenance:UpgradeCheck", "mcp-upgrade-check"],
                ["kubernetes:core/v1:ServiceAccount", "mcp-upgrade-check"],
                ["mcp:identity:PodIdentity", "mcp-upgrade-check"],
                ["aws:iam/role:Role", "mcp-upgrade-check"],
                ["aws:iam/rolePolicy:RolePolicy", "mcp-upgrade-check"],
                ["aws:eks/podIdentityAssociation:PodIdentityAssociation", "mcp-upgrade-check"],
                ["kubernetes:networking.k8s.io/v1:NetworkPolicy", "mcp-upgrade-check"],
                ["kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "mcp-upgrade-check"],
                ["kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "mcp-upgrade-check"],
                ["kubernetes:core/v1:ConfigMap", "mcp-upgrade-check-program"],
                ["kubernetes:batch/v1:CronJob", "mcp-upgrade-check"],
                ["aws:iam/role:Role", "mcp-production-maintenance-upgrade-schedule"],
                ["aws:iam/rolePolicy:RolePolicy", "mcp-production-maintenance-upgrade-schedule"],
                ["aws:scheduler/schedule:Schedule", "mcp-production-maintenance-upgrade"],
                ["aws:cloudwatch/alarmMuteRule:AlarmMuteRule", "mcp-production-muted-upgrade"],
                ["aws:cloudwatch/metricAlarm:MetricAlarm", "mcp-production-upgrade-check-failed"],
            ].map(([type, name]): ExpectedChange => ({ operation: "create", type: type!, name: name! })),
            {
                operation: "update",
                type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
                name: "mcp-production-p4",
            },
        ],
        verify:
            `Contacts of P4 are notified when it begins, for ${UPGRADE_SECONDS / 3600} hours unless \`duration\` ` +
            "says otherwise. Daily at its hour, and so at its start too, a Job checks for obstacles: versions of " +
            "nodes, disruption budgets that allow no eviction, API versions that will be removed. `kubectl logs -n " +
            "mcp-production -l mcp.msil.com/task=mcp-upgrade-check` has the last findings; `kubectl create job -n " +
            "mcp-production --from=cronjob/mcp-upgrade-check upgrade-check-now` checks at once. " +
            "`upgrade-check-failed` fires while there is an obstacle.",
        undo: "Remove the values, when it is done too: the check goes with them.",
    },
    {
        id: "muted-alarms",
        sections: ["5.1"],
        title: "Alarms in the windows of maintenance",
        when:
            "Before a new year begins. What the work of a window sets off by itself is P3 and muted for just that time, " +
            "as docs/alarms.md says of each; P1 and P2 never are. The windows of patches and of an upgrade need nothing.",
        edits: [
            {
                path: "mcp:maintenance.mutedYears[]",
                parameter: "year",
                value: "a further year",
                example: "2028",
            },
        ],
        changes: firstOfMonthOfFive(DATABASE_WINDOW, 2028).map(({ day }) => ({
            operation: "create",
            type: "aws:cloudwatch/alarmMuteRule:AlarmMuteRule",
            name: `mcp-production-muted-database-2028-${day}`,
        })),
        verify:
            "`aws cloudwatch list-alarm-mute-rules`; `aws cloudwatch get-alarm-mute-rule --alarm-mute-rule-name " +
            "mcp-production-muted-patches`. An alarm that still fires when a window ends notifies then.",
        undo: "Remove the year. Nothing is muted in a year that is not in the list.",
    },
    {
        id: "manual-backup",
        sections: ["5.2 step 1"],
        title: "Backup of the database on demand",
        when: "Before maintenance of the database, or whenever somebody wants one that is kept.",
        edits: [
            {
                path: "mcp:backups.manual",
                value: "the ticket or the date it is for, which becomes part of its name",
                example: "CHG-1041",
            },
        ],
        changes: gateOf("create", "mcp-dumps", "manual"),
        verify:
            "The update waits for the dump, which is verified before and after its upload, and fails with it. " +
            "`aws s3 ls s3://msil-mcp-backups/manual/` shows it; the same value takes none a second time.",
        undo: "Nothing to undo. The value may stay; what is below `manual/` stays until somebody removes it.",
    },
    {
        id: "database-maintenance",
        sections: ["5.1", "5.2"],
        title: "Database maintenance",
        when:
            "On the first Sunday of every month from 01:00 by itself, until 05:00 at the latest, and not while " +
            "nodes or RDS are patched (02:00 to 04:00). A run that fails or is killed is resumed within the " +
            "window. Contacts of P4 are notified when it begins, and those of P3 if it is not completed. By hand " +
            "in the same hours. Outside these hours only with a reason: `{ run: CHG-2041, force: tables doubled " +
            "after the import }`.",
        edits: [{ ...runOf("databaseMaintenance"), example: "CHG-2041" }],
        changes: jobOf("create", "mcp-db-maintenance-chg-2041"),
        verify:
            "The update waits for every step and fails with the first that does: the window; the dump, verified " +
            "and uploaded below `manual/`; `VACUUM (ANALYZE)`; what an interrupted run left behind is dropped; " +
            "`REINDEX TABLE CONCURRENTLY` of each table, which blocks no writes; the ten largest tables. The table " +
            "`mcp_maintenance.steps` in the database records the completed steps; the row `finished` means that a " +
            "run is completed. At the end of the window, the running step is cancelled. `kubectl logs -n " +
            "mcp-production -l mcp.msil.com/task=mcp-db-maintenance --all-containers --tail=-1` shows the last " +
            "runs, `/mcp/production/jobs` those before, with the reasons they were forced for.",
        undo:
            "Nothing to undo: rows stay as they are. What is below `manual/` stays until somebody removes it. To end a run, delete " +
            "its Job: the server breaks off within seconds, and the next run clears away what that leaves.",
        rights: "The run itself is the application's user, who owns the database, and may upload below `manual/`.",
    },
    {
        id: "certificate-rotation",
        sections: ["5.1", "5.4"],
        title: "Certificate rotation",
        when: "Before the active certificate ends. The new pair is a secret value; the Ingress names it once it is active.",
        preparation: [
            "openssl req -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=mcp.msil.com \\\n" +
                '    -addext "subjectAltName=DNS:mcp.msil.com,DNS:admin.mcp.msil.com"   # submit server.csr to the CA',
            "pulumi config set --stack production --secret --path 'mcp:tls.mcp-tls-new.certificate' < new-chain.pem",
            "pulumi config set --stack production --secret --path 'mcp:tls.mcp-tls-new.privateKey' < server.key",
        ],
        edits: [
            {
                path: "mcp:ingress.certificates[]",
                parameter: "certificate",
                value: "the new pair's name, in addition to the old one",
                example: "mcp-tls-new",
            },
            { path: "mcp:ingress.certificate", value: "the new pair's name", example: "mcp-tls-new" },
        ],
        changes: [
            { operation: "create", type: "kubernetes:core/v1:Secret", name: "mcp-ingress-mcp-tls-new" },
            { operation: "update", type: "kubernetes:networking.k8s.io/v1:Ingress", name: "mcp-ingress" },
            {
                operation: "replace",
                type: "kubernetes:core/v1:ConfigMap",
                name: "mcp-ingress-certificate-program",
            },
            { operation: "create", type: "kubernetes:batch/v1:Job", name: "mcp-ingress-certificate-*" },
            { operation: "delete", type: "kubernetes:batch/v1:Job", name: "mcp-ingress-certificate-*" },
        ],
        verify:
            "Pair, chain and hosts are checked before anything is declared. Afterwards a gate opens TLS to every host and " +
            "fails the update unless the new certificate's serial number is served. Then the old name can be removed " +
            "from the list and its pair from `mcp:tls`. Behind an ALB the same edits import the pair into ACM, as " +
            "`aws:acm/certificate:Certificate` `mcp-ingress-mcp-tls-new`, in place of the Secret.",
        undo: "Set `certificate` back to the old name, as long as it is in the list.",
    },
    {
        id: "cache-cleanup",
        sections: ["5.3"],
        title: "Cache cleanup",
        when: "Every day at 04:30 by itself. By hand when Redis is short of memory; `{ run: INC-2041, dryRun: true }` only counts.",
        edits: [runOf("cacheCleanup")],
        changes: jobOf("create", "mcp-cache-cleanup-inc-2041"),
        verify:
            "Keys `cache:*` that were neither read nor written for 24 hours are removed in batches; the last line " +
            "counts them: `kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-cache-cleanup`.",
        undo: "Nothing to undo: the application caches the values again.",
    },
];
