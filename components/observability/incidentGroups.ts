/** A group of alarms that come from one cause: together they are one incident. Sections 4.1 and 4.2. */
export interface IncidentGroup {
    /** What the incident is about. */
    readonly title: string;
    /** Id of the procedure to follow. */
    readonly procedure: string;
    /** Groups that explain it: while one of them rings that is as severe or more, this one escalates nothing. */
    readonly explainedBy: readonly string[];
    /** The same of groups that must be more severe: whoever works on them looks at this as well. */
    readonly coveredBy: readonly string[];
}

/**
 * Every incident, by a stable name. No two explain each other, not even by way of others: both would be silent. What users
 * meet from outside waits for nothing.
 */
export const INCIDENTS = {
    entrance: {
        title: "Users do not reach the platform from outside",
        procedure: "health-matrix",
        // Of P2 alone, where nothing is heard of the cluster: what is seen from outside is P1, and waits for nothing.
        explainedBy: ["checks"],
        coveredBy: ["database", "server"],
    },
    database: {
        title: "PostgreSQL is down, not reached, or soon full",
        procedure: "database-connections",
        explainedBy: [],
        coveredBy: [],
    },
    server: {
        title: "MCP Server is down, or its requests fail",
        procedure: "high-error-rate",
        explainedBy: ["database", "entrance", "backend", "sign-in", "cache"],
        coveredBy: [],
    },
    backend: {
        title: "APIM is down or not reached",
        procedure: "high-error-rate",
        explainedBy: [],
        coveredBy: ["server", "entrance"],
    },
    "sign-in": {
        title: "Users cannot sign in",
        procedure: "authentication-failures",
        explainedBy: [],
        coveredBy: ["server", "entrance"],
    },
    cache: {
        title: "Redis is down or not reached",
        procedure: "redis-memory",
        explainedBy: [],
        coveredBy: ["server", "entrance"],
    },
    services: {
        title: "Chat UI or another service is down",
        procedure: "health-matrix",
        explainedBy: [],
        coveredBy: ["entrance"],
    },
    certificates: {
        title: "A certificate ends, or is refused",
        procedure: "certificate-rotation",
        explainedBy: [],
        coveredBy: ["entrance"],
    },
    checks: {
        title: "The health is not checked: other alarms may be silent",
        procedure: "health-matrix",
        explainedBy: [],
        coveredBy: ["entrance"],
    },
    notices: {
        title: "Messages to the contacts of P3 are not delivered",
        procedure: "notices",
        explainedBy: [],
        coveredBy: [],
    },
    archive: {
        title: "Audit events are lost to the archive",
        procedure: "audit-archive",
        explainedBy: [],
        coveredBy: [],
    },
} as const satisfies Record<string, IncidentGroup>;

/** Name of an incident. */
export type IncidentName = keyof typeof INCIDENTS;
