import { LOG_RETENTION_DAYS, SLOW_REQUEST_MILLISECONDS, TOOL_EXECUTION } from "../../core/numbers";
import { type Procedure } from "../procedure";
import { ONLY_LOOKS } from "./changes";

/** A query of MCP Server's log from a shell. */
const search = (pattern: string, more: readonly string[] = []) =>
    [
        "aws logs filter-log-events --log-group-name /mcp/production/server",
        ...more,
        `--filter-pattern ${pattern}`,
    ].join(" \\\n    ");

/** Sections 5.3, 6.2 and 6.3: logs, metrics and queries. */
export const logs: readonly Procedure[] = [
    {
        id: "log-retention",
        sections: ["5.3"],
        title: "Retention of the logs",
        when:
            `Always: \`/mcp/production/server\` can be searched for ${LOG_RETENTION_DAYS} days, and so can the logs of the ` +
            "other services and of jobs, unless they are to be kept longer than that. What is older is gone; audit events " +
            "are in their archive by then.",
        edits: [
            {
                path: "mcp:observability.retention",
                value: "a time that CloudWatch takes, such as 400d, 545d or 731d; never less than the runbook's",
                example: "731d",
            },
        ],
        changes: ["admin-portal", "chat-ui", "jobs"].map((group) => ({
            operation: "update",
            type: "aws:cloudwatch/logGroup:LogGroup",
            name: `mcp-production-logs-${group}`,
        })),
        verify:
            "`aws logs describe-log-groups --log-group-name-prefix /mcp/production/ --query " +
            "'logGroups[].[logGroupName,retentionInDays]'`. MCP Server's own stays at what section 5.3 says.",
        undo: "Set the previous value. Older events are then deleted permanently.",
        revertible: false,
    },
    {
        id: "log-search",
        sections: ["6.2"],
        title: "Search of MCP Server's log",
        when:
            "Something failed, and the log has the details. The same searches are saved in Logs Insights, in the " +
            "folder `mcp-production` (`pulumi stack output savedQueries --stack production` leads there); replace " +
            "the user's address in the query of a user's activity.",
        looks: [
            search('"ERROR"', ['--start-time $(date -d "1 hour ago" +%s000)']),
            search(`'{ $.status = "error" && $.event_type = "${TOOL_EXECUTION}" }'`),
            search(`'{ $.duration_ms > ${SLOW_REQUEST_MILLISECONDS} }'`),
            search(`'{ $.user_id = "user@msil.com" }'`),
        ],
        ...ONLY_LOOKS,
        verify:
            "The first three are counted all the time as well, as `ErrorLines`, `FailedToolExecutions` and `SlowRequests` " +
            "in the namespace `MCP/production`.",
    },
    {
        id: "dashboard",
        sections: ["4.3", "6.3"],
        title: "Dashboard",
        when: "Before and after a deployment, and first of all in an incident: one page for what chapters 4 and 6.3 look at.",
        looks: ["pulumi stack output dashboard --stack production"],
        ...ONLY_LOOKS,
        verify:
            "A row for each playbook: traffic and errors, the database and its connections, memory and CPU, sign-in and " +
            "backend. Below them are the newest errors, failed tools and slow requests.",
    },
];
