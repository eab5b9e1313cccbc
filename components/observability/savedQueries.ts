import { type LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { QueryDefinition } from "@pulumi/aws/cloudwatch/queryDefinition";
import { type ComponentResource } from "@pulumi/pulumi";
import { SLOW_REQUEST_MILLISECONDS, TOOL_EXECUTION } from "../../core/numbers";

/** A saved query. CloudWatch does not save its time range. */
export interface SavedQuery {
    /** Description. */
    title: string;
    /** The query in the language of Logs Insights, one command a line. */
    lines: readonly string[];
}

/** First line of each query, because a saved query has no time range. Section 6.2. */
const TIME_RANGE = "# Set the time range in the console: one hour, as in section 6.2.";

/** Example user of the activity query, to be replaced by the reader. Section 6.2. */
const EXAMPLE_USER = "user@msil.com";

/** The runbook's queries of MCP Server's log, by their saved names. Sections 6.2 and 6.3. */
export function serverQueries({ statusField }: { statusField: string }) {
    const newest = ["sort @timestamp desc", "limit 200"];
    return {
        errors: {
            title: "Errors",
            lines: ["fields @timestamp, @message, @logStream", "filter @message like /ERROR/", ...newest],
        },
        "failed-tools": {
            title: "Failed tool executions",
            lines: [
                "fields @timestamp, user_id, duration_ms, @message",
                `filter status = "error" and event_type = "${TOOL_EXECUTION}"`,
                ...newest,
            ],
        },
        "slow-requests": {
            title: `Requests slower than ${SLOW_REQUEST_MILLISECONDS / 1000} s`,
            lines: [
                "fields @timestamp, duration_ms, event_type, user_id, @message",
                `filter duration_ms > ${SLOW_REQUEST_MILLISECONDS}`,
                "sort duration_ms desc",
                "limit 200",
            ],
        },
        "user-activity": {
            title: "Activity of a user",
            lines: [
                "# Put the user's address in place of this one.",
                "fields @timestamp, event_type, status, duration_ms, @message",
                `filter user_id = "${EXAMPLE_USER}"`,
                ...newest,
            ],
        },
        statuses: {
            title: "Answers by status",
            lines: [
                `filter ispresent(${statusField})`,
                `stats count(*) as answers by ${statusField}, bin(5m)`,
                "sort answers desc",
            ],
        },
        memory: {
            title: "Memory",
            lines: [
                "fields @timestamp, @logStream, @message",
                "filter @message like /(?i)memory/",
                ...newest,
            ],
        },
        durations: {
            title: "Durations",
            lines: [
                "filter ispresent(duration_ms)",
                "stats count(*) as requests, avg(duration_ms) as mean, pct(duration_ms, 95) as p95, " +
                    "pct(duration_ms, 99) as p99 by bin(5m)",
            ],
        },
    } satisfies Record<string, SavedQuery>;
}

/** A query in the format of Logs Insights. */
export function queryString({ lines }: SavedQuery): string {
    const [comments, commands] = [true, false].map((isComment) =>
        lines.filter((line) => line.startsWith("#") === isComment),
    );
    return [...comments!, commands!.join("\n| ")].join("\n");
}

/** Saves queries of a log group in a folder of the console. */
export function declareQueries(
    name: string,
    { group, folder, queries }: { group: LogGroup; folder: string; queries: Record<string, SavedQuery> },
    parent: ComponentResource,
): void {
    for (const [key, query] of Object.entries(queries)) {
        new QueryDefinition(
            `${name}-${key}`,
            {
                name: `${folder}/${query.title}`,
                logGroupNames: [group.name],
                queryString: `${TIME_RANGE}\n${queryString(query)}`,
            },
            { parent },
        );
    }
}
