import {
    ADMIN_API,
    ESCALATION_MATRIX,
    EXTERNAL_CONTACTS,
    LEVELS,
    SCALE_UP_REPLICAS,
    SEVERITIES,
} from "../../core/numbers";
import { type Procedure } from "../procedure";
import { DEPLOYMENT, operationOf, ROLLOUT, runOf, workloadsOf } from "./changes";

const levels = LEVELS.map((level) => {
    const { role, contact, minutes } = ESCALATION_MATRIX[level];
    return `${level} ${role} (${contact}) for ${minutes} minutes`;
}).join(", then ");

const externalContacts = Object.entries(EXTERNAL_CONTACTS)
    .map(([who, { support, priority }]) => `${who} (${support}; ${priority})`)
    .join(", ");

/** Chapters 4 and 8: contacts and remedies. */
export const incidents: readonly Procedure[] = [
    {
        id: "severity-topics",
        sections: ["4.1", "8.1"],
        title: "Who is notified of an incident",
        when: "An address must be added to, or taken from, a severity's notifications.",
        parameters: [{ name: "severity", meaning: "P1 to P4", example: "P1", choices: () => SEVERITIES }],
        edits: [
            {
                path: "mcp:incident.contacts.{severity}[]",
                parameter: "address",
                value: "a further address",
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
    {
        id: "incident",
        sections: ["4.2", "8.2"],
        title: "Incident: acknowledge, resolve, post-mortem",
        when:
            "An alarm of P1 or P2 fires: it opens an OpsItem with the response time, the notified levels, and " +
            `external support: ${externalContacts}.`,
        looks: [
            "aws ssm describe-ops-items --ops-item-filters \\\n" +
                "    Key=Status,Values=Open,Operator=Equal Key=Title,Values=mcp-production,Operator=Contains",
            "aws ssm get-ops-item --ops-item-id OPS_ITEM",
        ],
        edits: [],
        changes: [],
        verify:
            "Acknowledge it to end the escalation: `aws ssm update-ops-item --ops-item-id OPS_ITEM --status " +
            "InProgress`. When it is over: the same with `Resolved`; the OpsItem then says that a post-mortem is " +
            "due ([template](post-mortem.md)). Resolve it: as long as it is not, the same alarm opens no other. " +
            "Open an incident without an alarm by hand: `aws ssm create-ops-item --source people --severity 1 " +
            "--title 'mcp-production: …' --description '…'`.",
        undo: "`--status Open` opens it again; it is not escalated a second time.",
    },
    {
        id: "escalation",
        sections: ["4.1", "8.1"],
        title: "Who is called about a P1 or P2",
        when: `Somebody else is to be called at a level. As the runbook has it: ${levels}.`,
        parameters: [{ name: "level", meaning: "L1 to L4", example: "L1", choices: () => LEVELS }],
        edits: [
            {
                path: "mcp:incident.escalation.{level}.contacts[]",
                parameter: "address",
                value: "a further address",
                example: "platform-lead@nagarro.com",
            },
        ],
        changes: [
            {
                operation: "create",
                type: "aws:sns/topicSubscription:TopicSubscription",
                name: "mcp-production-escalation-l1-platform-lead@nagarro.com",
            },
        ],
        verify:
            "The new address confirms the subscription by the link it is sent; until then it is not called. Try it with an " +
            "incident opened by hand: each step is written on it.",
        undo: "Remove the address from the list.",
    },
    {
        id: "notices",
        sections: ["4.1"],
        title: "A message that AWS could not deliver",
        when:
            "An alarm event-dropped-… rings, or a message did not come that should have: a snapshot failed, patches began, " +
            "an OpsItem was not escalated.",
        looks: [
            "aws cloudwatch get-metric-statistics --namespace AWS/Events --metric-name FailedInvocations --statistics Sum " +
                "--period 300 --dimensions Name=RuleName,Value=RULE --start-time $(date -ud '1 day ago' +%FT%TZ) --end-time $(date -u +%FT%TZ)",
        ],
        edits: [],
        changes: [],
        verify:
            "After the first installation, and after each change of a role, a topic or a key, send one by each path: " +
            "`aws cloudwatch set-alarm-state --alarm-name mcp-production-escalation-failed --state-value ALARM " +
            "--state-reason drill` (CloudWatch to a topic), and `aws stepfunctions start-execution --input '{}' " +
            "--state-machine-arn …:mcp-production-escalation-incidents` (its execution fails, EventBridge to a topic). Both " +
            "messages arrive within five minutes.",
        undo: "Nothing was changed.",
    },
    {
        id: "alarms",
        sections: ["4.1", "4.2"],
        title: "Limits of the alarms",
        when:
            "An alarm fires too early or too late. docs/alarms.md describes all alarms, as their descriptions do. " +
            "The runbook's limits are no values: they are in `core/numbers.ts`.",
        edits: [
            {
                path: "mcp:alarms.cache.memory",
                value: "the limit, here in percent of the memory",
                example: "70",
            },
        ],
        changes: ["001", "002"].map((node) => ({
            operation: "update",
            type: "aws:cloudwatch/metricAlarm:MetricAlarm",
            name: `mcp-production-cache-memory-${node}`,
        })),
        verify: "`aws cloudwatch describe-alarms --alarm-name-prefix mcp-production-` shows limits and states.",
        undo: "Set the value it had.",
    },
    {
        id: "disable-tool",
        sections: ["4.3.1 step 5"],
        title: "Disable a tool",
        when:
            "One tool fails or does harm, and the others work: it stays disabled while its name is in the list, " +
            "even if it is enabled by hand.",
        preparation: [
            `export ${ADMIN_API.tokenFile}=FILE   # holds the token of the admin API, and nothing else`,
        ],
        edits: [
            {
                path: "mcp:disabledTools[]",
                parameter: "tool",
                value: "its name",
                example: "affected_tool",
            },
        ],
        changes: [
            { operation: "create", type: "mcp:operations:DisabledTools", name: "mcp-tools" },
            { operation: "create", type: "pulumi:providers:pulumi-nodejs", name: "mcp-tools" },
            {
                operation: "create",
                type: "pulumi-nodejs:dynamic/operations:DisabledTool",
                name: "affected_tool",
            },
        ],
        verify:
            "The admin API has disabled it, or the update fails with the reason; transient errors are retried for " +
            "up to a minute. `pulumi preview --refresh` shows whether it was enabled by hand; `pulumi up " +
            "--refresh` disables it again.",
        undo:
            "Take its name out of the list and update, which enables it: `pulumi config rm --stack production --path " +
            "'mcp:disabledTools[N]'`, where N is its place, from 0.",
        rights: `A token of the admin API that may switch tools, in the file that \`${ADMIN_API.tokenFile}\` names where the update runs.`,
    },
    {
        id: "restart",
        sections: ["4.3.2 step 4", "4.3.3 step 5"],
        title: "Graceful restart",
        when: "Connections or memory leak, and fresh pods help until the cause is found.",
        parameters: [
            {
                name: "workload",
                meaning: "the service",
                example: "mcp-server",
                default: "mcp-server",
                choices: workloadsOf(),
            },
        ],
        edits: [
            {
                path: "mcp:workloads.{workload}.restart",
                value: "a text that it has not had before: the ticket",
                example: "INC-2041",
            },
        ],
        changes: ["blue", "green"].map((colour) => ({
            operation: "update",
            type: DEPLOYMENT,
            name: `mcp-server-${colour}`,
        })),
        verify: `${ROLLOUT}; pods are replaced one by one and finish their requests first. No release gate runs, because the release stays the same.`,
        undo: "Nothing to undo. The value may stay.",
    },
    {
        id: "scale-up",
        sections: ["4.3.3 step 3"],
        title: "Manual scale-up",
        when: "Memory or CPU is exhausted and the autoscaler is too slow or does not see the cause.",
        parameters: [
            {
                name: "workload",
                meaning: "the service",
                example: "mcp-server",
                default: "mcp-server",
                choices: workloadsOf(),
            },
        ],
        edits: [
            {
                path: "mcp:workloads.{workload}.scaling.min",
                value: "the fewest replicas wanted, at most scaling.max",
                example: String(SCALE_UP_REPLICAS),
            },
        ],
        revertible: true,
        changes: ["blue", "green"].map((colour) => ({
            operation: "update",
            type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            name: `mcp-server-${colour}`,
        })),
        verify:
            "`kubectl get hpa -n mcp-production`: the replicas reach the new minimum within seconds. While a " +
            "release soaks, its update has the stack's lock: `--abort-soak` aborts the release and goes on, " +
            "`--wait` waits. By hand, during the update: `kubectl patch hpa mcp-server-blue -n mcp-production -p " +
            '\'{"spec":{"minReplicas":6}}\'` for the colour that has the traffic; then set the same value here ' +
            "when the release has ended.",
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
        id: "clear-jwks-cache",
        sections: ["4.3.4 step 4"],
        title: "Clear the JWKS cache",
        when: "Tokens that are valid are refused, and the pods' `/debug/jwks-status` holds keys that Azure AD no longer uses.",
        edits: [runOf("clearJwksCache")],
        changes: operationOf("create", "JwksCacheClearing", "mcp-jwks-cache", "inc-2041"),
        verify:
            "Every running pod is called directly; the update fails if one refuses. The next request fetches " +
            "the keys again.",
        undo: "Nothing to undo. Removing the value takes its rights away.",
    },
];
