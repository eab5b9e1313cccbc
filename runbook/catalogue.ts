import { ROLLOUT_TIMEOUT_SECONDS, SCALE_UP_REPLICAS, SOAK_SECONDS } from "./numbers";
import { type Edit, type ExpectedChange, type Procedure } from "./procedure";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

/** What comes or goes with one gate of a colour. */
const gateOf = (operation: "create" | "delete", name: string, gate: string): ExpectedChange[] => [
    { operation, type: "kubernetes:batch/v1:Job", name: `${name}-${gate}-*` },
    { operation, type: "kubernetes:core/v1:ConfigMap", name: `${name}-${gate}-program` },
];

/** Traffic moves from one colour to the other; each has its three gates as long as it is live. */
const switchOf = (workload: string, from: string, to: string): ExpectedChange[] => [
    { operation: "update", type: DEPLOYMENT, name: `${workload}-${to}` },
    { operation: "update", type: "kubernetes:core/v1:Service", name: workload },
    { operation: "update", type: DEPLOYMENT, name: `${workload}-${from}` },
    ...["capacity", "smoke", "soak"].flatMap((gate) => [
        ...gateOf("create", `${workload}-${to}`, gate),
        ...gateOf("delete", `${workload}-${from}`, gate),
    ]),
];

/** A new image replaces the pods and, because it was not asked before, the gate and what it runs. */
const releaseOf = (workload: string): ExpectedChange[] => [
    { operation: "update", type: DEPLOYMENT, name: workload },
    { operation: "replace", type: "kubernetes:core/v1:ConfigMap", name: `${workload}-smoke-program` },
    { operation: "create", type: "kubernetes:batch/v1:Job", name: `${workload}-smoke-*` },
    { operation: "delete", type: "kubernetes:batch/v1:Job", name: `${workload}-smoke-*` },
];

/** A second instance, its user, and the checks that tell whether it is whole. */
const restored: readonly ExpectedChange[] = [
    { operation: "create", type: "random:index/randomId:RandomId", name: "mcp-recovery-final" },
    { operation: "create", type: "aws:rds/instance:Instance", name: "mcp-recovery" },
    { operation: "update", type: "aws:iam/rolePolicy:RolePolicy", name: "mcp-database" },
    ...["bootstrap", "verify"].flatMap((task) => gateOf("create", "mcp-recovery", task)),
];

const RESTORE_TIME: Edit = {
    path: "mcp:recovery.restoreTime",
    value: "the time to go back to, with its zone",
    example: "2026-01-31T10:30:00+05:30",
};

const ROLLOUT = `The update waits ${ROLLOUT_TIMEOUT_SECONDS} seconds for the rollout`;

/** Every procedure of the runbook that is a stack update or a declared resource. */
export const catalogue: readonly Procedure[] = [
    {
        id: "health-checks",
        sections: ["2.1"],
        title: "Health checks of the services",
        when: "Always: the health matrix is declared as the probes of each pod.",
        edits: [],
        changes: [],
        verify:
            "Kubernetes asks the live path every 10 seconds and the ready path every 5. A pod that fails readiness " +
            "leaves its Service, one that fails liveness is restarted.",
        undo: "Nothing to undo.",
    },
    {
        id: "standard-deployment",
        sections: ["3.2"],
        title: "Standard deployment",
        when: "A new version of a service has been approved for the environment.",
        edits: [
            {
                path: "mcp:workloads.chat-ui.release.version",
                value: "the version's image tag",
                example: "v1.5.0",
            },
        ],
        pinsImages: true,
        changes: releaseOf("chat-ui"),
        verify: `${ROLLOUT} and then for the smoke gate, which asks the service from inside the cluster; its lines are in the update's output and in \`kubectl logs\` of the Job.`,
        undo: "Rollback: set the version before it.",
    },
    {
        id: "blue-green-stage",
        sections: ["3.3"],
        title: "Blue-green deployment: try a release without traffic",
        when: "A release of MCP Server is to run and be tested in the environment before anybody depends on it.",
        edits: [{ path: "mcp:workloads.mcp-server.stage", value: "the idle colour", example: "green" }],
        changes: [
            { operation: "update", type: DEPLOYMENT, name: "mcp-server-green" },
            ...gateOf("create", "mcp-server-green", "smoke"),
        ],
        verify:
            `${ROLLOUT} and for the smoke gate, which asks \`http://mcp-server-green:8000\`. That Service stays for ` +
            "validation tests of your own; users' traffic does not change.",
        undo: "Remove the value: the idle colour is scaled to 0 again.",
    },
    {
        id: "blue-green-release",
        sections: ["3.3"],
        title: "Blue-green deployment: release",
        when: "A new version of MCP Server has been approved. The idle colour's release names it.",
        edits: [{ path: "mcp:workloads.mcp-server.live", value: "the other colour", example: "green" }],
        pinsImages: true,
        changes: switchOf("mcp-server", "blue", "green"),
        verify:
            "One update does it all: rollout of the idle colour, capacity gate (as many ready pods as the live one), " +
            `smoke gate, switch of the Service, soak gate (${SOAK_SECONDS / 60} minutes of error rate, restarts and ` +
            "readiness), and only then the old colour is scaled to 0. A gate that fails ends the update where it stands. " +
            "To stop a soak: `kubectl patch configmap mcp-releases -n mcp-production --type merge -p " +
            '\'{"data":{"mcp-server.abort":"v2.1.0"}}\'` with the release\'s version.',
        undo: "Rollback: set the colour before it.",
    },
    {
        id: "blue-green-rollback",
        sections: ["3.3", "3.4"],
        title: "Rollback of a blue-green deployment",
        when: "The release that has the traffic misbehaves, or its soak failed. Set `live` to the colour before it.",
        edits: [
            {
                path: "mcp:workloads.mcp-server.live",
                value: "the colour before it",
                example: "green",
            },
        ],
        changes: switchOf("mcp-server", "blue", "green"),
        verify:
            "The gates ask the ledger: a release that once passed is not tested again, so the switch takes as long as " +
            "its pods need to start, and seconds where they still run (`standby: warm`, or a soak that failed). " +
            "An earlier revision: `npm run releases -- restore --revision N` sets it on the idle colour first.",
        undo: "Set the other colour again.",
    },
    {
        id: "rollback",
        sections: ["3.4"],
        title: "Rollback of a rolling deployment",
        when: "A version misbehaves, or its smoke gate failed.",
        edits: [
            {
                path: "mcp:workloads.chat-ui.release.version",
                value: "the version to go back to, any earlier one",
                example: "v1.4.1",
            },
        ],
        pinsImages: true,
        changes: releaseOf("chat-ui"),
        verify: `${ROLLOUT} and for the smoke gate of the version it goes back to. The pin of a version that ran before is still in the stack file.`,
        undo: "Set the newer version again.",
    },
    {
        id: "restart",
        sections: ["4.3.2 step 4", "4.3.3 step 5"],
        title: "Graceful restart",
        when: "Connections or memory leak, and fresh pods help until the cause is found.",
        edits: [
            {
                path: "mcp:workloads.mcp-server.restart",
                value: "anything it has not been before, such as the ticket",
                example: "INC-2041",
            },
        ],
        changes: ["blue", "green"].map((colour) => ({
            operation: "update",
            type: DEPLOYMENT,
            name: `mcp-server-${colour}`,
        })),
        verify: `${ROLLOUT}; pods are replaced one by one and finish their requests first. No gate runs: it is the same release.`,
        undo: "Nothing to undo. The value may stay.",
    },
    {
        id: "scale-up",
        sections: ["4.3.3 step 3"],
        title: "Manual scale-up",
        when: "Memory or CPU is exhausted and the autoscaler is too slow or does not see the cause.",
        edits: [
            {
                path: "mcp:workloads.mcp-server.scaling.min",
                value: "the fewest replicas wanted, at most scaling.max",
                example: String(SCALE_UP_REPLICAS),
            },
        ],
        changes: ["blue", "green"].map((colour) => ({
            operation: "update",
            type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            name: `mcp-server-${colour}`,
        })),
        verify: "`kubectl get hpa -n mcp-production`: the replicas reach the new minimum within seconds.",
        undo: "Set the value it had; the autoscaler takes the replicas away after five calm minutes.",
    },
    {
        id: "autoscaling",
        sections: ["4.3.3 step 4"],
        title: "Horizontal autoscaling",
        when: "Always: an autoscaler is declared for every service, within `scaling.min` and `scaling.max`.",
        edits: [],
        changes: [],
        verify: "`kubectl get hpa -n mcp-production` shows current and wanted use, bounds and replicas.",
        undo: "Nothing to undo.",
    },
    {
        id: "certificate-rotation",
        sections: ["5.4"],
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
                path: "mcp:ingress.certificates[1]",
                value: "the new pair's name, beside the old one",
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
            "from the list and its pair from `mcp:tls`.",
        undo: "Set `certificate` back to the old name, as long as it is in the list.",
    },
    {
        id: "database-recovery",
        sections: ["7.2 steps 1 to 4"],
        title: "Point-in-time recovery: restore and verify",
        when: "Data was lost or spoilt, and the time before it is known. The services go on with what they have.",
        edits: [RESTORE_TIME],
        changes: restored,
        verify:
            "One update restores `mcp-recovery` beside `mcp-production`, with the same network, parameters and zones, " +
            "waits until it is available, gives the application its user, and runs the queries of `mcp:database.checks`: " +
            "one that counts less than it must fails the update. `kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-database` shows them.",
        undo:
            "Removing it takes two updates, because it is protected: `pulumi config set --path mcp:recovery.protect false`, " +
            "then `pulumi config rm mcp:recovery`. A last snapshot stays. To keep it for good, set `mcp:recovery.keep true`: " +
            "its restore time is history then, and no update compares it any more.",
    },
    {
        id: "database-switch",
        sections: ["7.2 steps 5 and 6"],
        title: "Point-in-time recovery: switch the services over",
        when: "The restored instance has been verified. In an emergency both edits go into one update.",
        edits: [
            RESTORE_TIME,
            {
                path: "mcp:database.active",
                value: "`recovery`, or `primary` to go back",
                example: "recovery",
            },
        ],
        changes: [
            ...restored,
            { operation: "update", type: "kubernetes:core/v1:Secret", name: "mcp-db-secret" },
            ...["blue", "green"].map((colour): ExpectedChange => ({
                operation: "update",
                type: DEPLOYMENT,
                name: `mcp-server-${colour}`,
            })),
        ],
        verify: `\`mcp-db-secret\` is written only after the verification has passed, and the pods are replaced one by one. ${ROLLOUT}. No gate runs: it is the same release.`,
        undo: "Set `active` back to `primary`. What was written to the one is not in the other.",
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
            "and `/mcp/production/audit-delivery` says why.",
        undo: "Nothing can be undone: in COMPLIANCE mode no one deletes an event before its time.",
    },
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
        id: "severity-topics",
        sections: ["4.1", "8.1"],
        title: "Who is told about an incident",
        when: "An address must be added to, or taken from, a severity's notifications.",
        edits: [
            {
                path: "mcp:incident.contacts.P1[1]",
                value: "an address beside the ones that are there",
                example: "platform-lead@nagarro.com",
            },
        ],
        changes: [
            {
                operation: "create",
                type: "aws:sns/topicSubscription:TopicSubscription",
                name: "mcp-production-incidents-p1-platform-lead@nagarro.com",
            },
        ],
        verify: "The new address confirms the subscription by the link it is sent; until then it receives nothing.",
        undo: "Remove the address from the list.",
    },
];
