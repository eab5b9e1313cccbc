/** Alarms with a common cause, which form one incident. Sections 4.1 and 4.2. */
export interface IncidentGroup {
    /** Subject of the incident. */
    readonly title: string;
    /** Id of the procedure to follow. */
    readonly procedure: string;
    /**
     * Groups that explain this one: while an incident of theirs with the same or a higher severity fires, this one does
     * not escalate.
     */
    readonly explainedBy: readonly string[];
    /** The same, only with a higher severity: its responders see this group too. */
    readonly coveredBy: readonly string[];
}

/**
 * All incidents, by stable names. No two explain each other, directly or indirectly: both would be silent. Incidents
 * that users notice from outside are never suppressed.
 */
export const INCIDENTS = {
    entrance: {
        title: "Users do not reach the platform from outside",
        procedure: "health-matrix",
        // P2 only, for missing data of the whole cluster: what is visible from outside is P1, and is never suppressed.
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
