import { SEVERITIES, type Severity } from "../../../core/numbers";
import { type Alarm, formatMinutes } from "../alarm";
import { INCIDENTS } from "../incidentGroups";
import { incidentsOf, WAIT_SECONDS } from "../incidents";

/** A cause of failure, and the ids of production's alarms that it triggers. */
export interface Cause {
    cause: string;
    rings: readonly string[];
}

const REQUESTS_FAIL = [
    "error-rate-major",
    "error-rate-high",
    "status-500",
    "application-errors-major",
    "application-errors",
];
const TOOLS_FAIL = ["all-tools-failing", ...REQUESTS_FAIL];
const NOT_COLLECTED = ["circuit-breaker", "connection-pool", "requests-uncounted"];
const UNREACHABLE = [
    "mcp-server-at-mcp.msil.com-unreachable",
    "chat-ui-at-mcp.msil.com-unreachable",
    "admin-portal-at-admin.mcp.msil.com-unreachable",
];
const HOSTS_FAIL = [
    ...UNREACHABLE,
    "certificate-mcp.msil.com-unhealthy",
    "certificate-admin.mcp.msil.com-unhealthy",
    "no-traffic",
];
const BURNS = ["slo-mcp-server-availability-fast", "slo-mcp-server-availability-fast-5m"];

/** Causes of failure and their symptoms. A test checks that each notifies people and that none escalates twice. */
export const CAUSES: readonly Cause[] = [
    {
        cause: "The database is down",
        rings: [
            "database-silent",
            "postgresql-unhealthy",
            "mcp-server-ready-unhealthy",
            ...TOOLS_FAIL,
            ...BURNS,
        ],
    },
    {
        cause: "The pods do not reach the database: password, network",
        rings: ["postgresql-unhealthy", "mcp-server-ready-unhealthy", ...TOOLS_FAIL, ...BURNS],
    },
    { cause: "The database's disk is nearly full", rings: ["database-storage"] },
    {
        cause: "Connections to the database leak",
        rings: ["database-connections", "database-idle-connections", "connection-pool"],
    },
    { cause: "Autovacuum is blocked for weeks", rings: ["database-transaction-ids"] },
    { cause: "The database has too little memory", rings: ["database-memory"] },
    {
        cause: "Redis is down",
        rings: ["redis-unhealthy", "cache-silent-001", "cache-silent-002", "error-rate-high"],
    },
    { cause: "A node of Redis is replaced", rings: ["cache-silent-002"] },
    { cause: "Redis is full", rings: ["cache-memory-001", "cache-evictions-001"] },
    {
        cause: "The ingress is dead",
        rings: HOSTS_FAIL,
    },
    {
        cause: "DNS of the public hosts is dead",
        rings: HOSTS_FAIL,
    },
    {
        cause: "The cluster is gone",
        rings: [...UNREACHABLE, "health-check-silent", "no-traffic", ...NOT_COLLECTED, "dump-missing-daily"],
    },
    {
        cause: "MCP Server is down",
        rings: [
            "mcp-server-at-mcp.msil.com-unreachable",
            "mcp-server-unhealthy",
            "mcp-server-ready-unhealthy",
            ...NOT_COLLECTED,
            "no-traffic",
            "mcp-server-blue-restarts",
        ],
    },
    { cause: "MCP Server is not ready, and answers", rings: ["mcp-server-ready-unhealthy"] },
    {
        cause: "A release of MCP Server fails more than half of its requests",
        rings: [...REQUESTS_FAIL, ...BURNS],
    },
    { cause: "A release of MCP Server fails every tool", rings: [...TOOLS_FAIL, ...BURNS] },
    { cause: "One tool fails", rings: ["error-rate-high", "status-500", "application-errors"] },
    {
        cause: "A release fails one request in a hundred",
        rings: ["slo-mcp-server-availability-slow", "slo-mcp-server-availability-slow-30m"],
    },
    { cause: "MCP Server is slow", rings: ["slow-requests", "request-duration"] },
    {
        cause: "Chat UI is down",
        rings: ["chat-ui-at-mcp.msil.com-unreachable", "chat-ui-unhealthy", "chat-ui-restarts"],
    },
    {
        cause: "Admin Portal is down",
        rings: [
            "admin-portal-at-admin.mcp.msil.com-unreachable",
            "admin-portal-unhealthy",
            "admin-portal-restarts",
        ],
    },
    {
        cause: "APIM is down",
        rings: ["apim-unhealthy", "circuit-breaker", "status-503", ...TOOLS_FAIL, ...BURNS],
    },
    { cause: "APIM is slow", rings: ["apim-slow", "slow-requests"] },
    {
        cause: "Azure AD is down",
        rings: ["azure-ad-unhealthy", "jwks-unhealthy", "status-401", "status-401-partial"],
    },
    {
        cause: "The keys of Azure AD are not taken over",
        rings: ["status-401", "status-401-partial"],
    },
    { cause: "A certificate has expired", rings: ["certificate-mcp.msil.com-unhealthy"] },
    {
        cause: "A certificate is forgotten",
        rings: [
            "certificate-mcp.msil.com-30-days",
            "certificate-mcp.msil.com-14-days",
            "certificate-mcp.msil.com-7-days",
        ],
    },
    { cause: "The log shipper is dead", rings: ["no-traffic"] },
    { cause: "The collector of metrics is dead", rings: NOT_COLLECTED },
    {
        cause: "The NAT gateway is lost: AWS, APIM and Azure AD are unreachable, and observations cannot be sent",
        rings: ["health-check-silent", "no-traffic", ...NOT_COLLECTED, "dump-missing-daily"],
    },
    {
        cause: "The scheduler or the API server of the cluster is dead: what runs goes on, and no Job begins",
        rings: [
            "health-check-silent",
            "dump-missing-daily",
            "configurations-missing",
            "database-maintenance-failed",
        ],
    },
    {
        cause: "The key of the database is disabled",
        rings: [
            "database-silent",
            "postgresql-unhealthy",
            "mcp-server-ready-unhealthy",
            ...TOOLS_FAIL,
            ...BURNS,
        ],
    },
    { cause: "The key of the log groups is disabled", rings: ["no-traffic", ...NOT_COLLECTED] },
    {
        cause: "The clock of one node of three is wrong: its pods refuse valid tokens",
        rings: ["status-401-partial"],
    },
    { cause: "The endpoint of P3's contacts refuses messages", rings: ["undelivered-incidents-p3"] },
    { cause: "The endpoint of L1 refuses messages", rings: ["undelivered-escalation-l1"] },
    { cause: "The health check does not run", rings: ["health-check-silent"] },
    { cause: "The check from outside does not run", rings: ["outside-check-silent"] },
    { cause: "A node is lost", rings: ["node-failed"] },
    {
        cause: "The nodes have no room: pods are killed for their memory",
        rings: ["chat-ui-restarts", "chat-ui-memory"],
    },
    { cause: "A snapshot of the database fails", rings: ["database-backup-failed-daily"] },
    { cause: "Dumps no longer come", rings: ["dump-missing-daily"] },
    { cause: "The backup of Redis no longer runs", rings: ["cache-backup-missing"] },
    {
        cause: "The role that copies to the second region was changed",
        rings: ["copy-failed-backups", "copy-late-backups"],
    },
    {
        cause: "The vault in the second region is gone",
        rings: ["snapshot-copy-missing-daily", "snapshot-copy-missing-hourly"],
    },
    { cause: "The role of the audit archive was changed", rings: ["archive-delivery", "archive-delay"] },
    { cause: "The subscription of the audit log was removed", rings: ["archive-gap"] },
    { cause: "Audit events are refused", rings: ["archive-subscription"] },
    { cause: "A message of EventBridge is dropped", rings: ["event-dropped-snapshots-failed"] },
    { cause: "No level answers an escalation", rings: ["escalation-failed"] },
    { cause: "A password, token or secret is never rotated", rings: ["credential-age"] },
    { cause: "The maintenance of the database fails", rings: ["database-maintenance-failed"] },
];

/** Causes that no alarm reports, and what is known of them. */
const UNWATCHED = [
    "## Causes without an alarm",
    "",
    "| Cause | What people learn, and why there is no alarm |",
    "| --- | --- |",
    "| The key of the severity topics is disabled | SNS drops the messages of alarms without a metric. P1 and P2 are called: " +
        "their OpsItems start the escalation, whose topics have another key. P3 and P4 leave their OpsItems. The hourly " +
        "reminder reads the state of the key, and notifies L1 |",
    "| That key and the one of the escalation are disabled | OpsItems alone. A rule on CloudTrail would need a trail, " +
        "which the account may not have |",
    "| The ingress controller answers a part of the requests with 5xx itself | The checks from outside report a host whose " +
        "health path fails, within two minutes. Errors of a part are not counted: each controller names its metrics differently, " +
        "and none is collected |",
    "| A certificate is revoked | Nothing: neither Route 53 nor the health check asks the authority for revocations. The " +
        "authority announces them to its account: rotate the certificate (section 5.4) |",
    "| Secrets Manager throttles or refuses | The update fails, and names the Job: only the bootstrap of the database reads " +
        "a secret there. Services read their secrets from the cluster |",
    "",
];

/** A notification about a cause. */
export interface Notification {
    severity: Severity;
    /** Incident or alarm that sends it, by its id. */
    id: string;
    /** Maximum time until it is sent, in minutes. */
    minutes: number;
    /** Whether it escalates until someone acknowledges. */
    escalates: boolean;
}

const span = ({ minutes, periods = 1 }: Alarm) => minutes * periods;

const notification = (
    { id, severity }: { id: string; severity: Severity },
    minutes: number,
): Notification => ({
    severity,
    id,
    minutes,
    // Alarms outside incidents are P3 or P4.
    escalates: severity === "P1" || severity === "P2",
});

/** Notifications about a cause and their times, from the declared alarms. */
export function notificationsOf({ rings }: Cause, alarms: readonly Alarm[]): Notification[] {
    const ringing = alarms.filter(({ id }) => rings.includes(id));
    const since = new Map<string, number>();
    const incidents = incidentsOf(alarms).flatMap(
        ({ id, severity, members, suppressors }): Notification[] => {
            const times = members
                .filter((member) => ringing.includes(member))
                .map((member) => {
                    const confirming = ringing.find((alarm) => alarm.id === member.confirmedBy);
                    return member.confirmedBy !== undefined && confirming === undefined
                        ? Infinity
                        : span(member);
                });
            const begins = Math.min(...times);
            if (begins === Infinity) {
                return [];
            }
            since.set(id, begins);
            const wait = suppressors.length === 0 ? 0 : WAIT_SECONDS / 60;
            const isExplained = suppressors.some((other) => (since.get(other) ?? Infinity) <= begins + wait);
            return isExplained ? [] : [notification({ id, severity }, begins + wait)];
        },
    );
    const others = ringing
        .filter(({ incident }) => incident === undefined)
        .map((alarm) => notification(alarm, span(alarm)));
    return [...incidents, ...others].sort(
        (one, other) =>
            SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
            one.minutes - other.minutes,
    );
}

/** The page of all causes (docs/causes.md). */
export function renderCauses(alarms: readonly Alarm[]): string {
    return [
        "# From cause to people",
        "",
        "Generated from `components/observability/alarms/causes.ts` by `npm run docs`, with the alarms and the values of",
        "production. Alarms with one cause form one incident: it notifies its severity's contacts, opens one " +
            "OpsItem and, for P1",
        "and P2, calls L1 to L4 until someone acknowledges. While an incident fires, the ones it explains are " +
            "silent. Alarms of",
        "P3 and P4 without an incident notify their contacts directly, and open an OpsItem as a record. A test " +
            "checks that",
        "each cause notifies people and that none escalates twice.",
        "",
        "| Cause | Escalation | Notification | Alarms that fire |",
        "| --- | --- | --- | --- |",
        ...CAUSES.map((cause) => {
            const found = notificationsOf(cause, alarms);
            const line = (escalates: boolean) =>
                found
                    .filter((each) => each.escalates === escalates)
                    .map(({ severity, id, minutes }) => `${severity} ${id}, within ${formatMinutes(minutes)}`)
                    .join("; ") || "–";
            const rings = cause.rings.map((id) => `[${id}](alarms.md#${id})`).join(", ");
            return `| ${cause.cause} | ${line(true)} | ${line(false)} | ${rings} |`;
        }),
        "",
        ...UNWATCHED,
        "## Incidents",
        "",
        "| Incident | What it is about | Silent while one of these rings | Procedure |",
        "| --- | --- | --- | --- |",
        ...incidentsOf(alarms).map(({ id, name, suppressors }) => {
            const { title, procedure } = INCIDENTS[name];
            return `| ${id} | ${title} | ${suppressors.join(", ") || "–"} | [${procedure}](runbook.md#${procedure}) |`;
        }),
        "",
    ].join("\n");
}
