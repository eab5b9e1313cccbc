import type * as numbers from "../core/numbers";

/** One command, table row or threshold of the runbook, and what carries it out. */
export interface Item {
    /** Section of the runbook. */
    section: string;
    /** What is there, in our own words. */
    item: string;
    /** Ids of the procedures that carry it out. */
    procedures: readonly string[];
    /** The decision that says why it is done otherwise than written: name of a file in docs/decisions. Default: it is not. */
    decision?: string;
    /** The numbers it gives, as `core/numbers.ts` names them. Default: none. */
    numbers?: readonly (keyof typeof numbers)[];
}

type Rest = Pick<Item, "decision" | "numbers">;

/** The items of one section: what is there, who carries it out, and what else there is to say. */
function section(number: string, ...items: [item: string, procedures: string, rest?: Rest][]): Item[] {
    return items.map(([item, procedures, rest]) => ({
        section: number,
        item,
        procedures: procedures.split(" "),
        ...rest,
    }));
}

/** Everything the runbook asks for, section by section. A test fails on an item that nothing carries out. */
export const coverage: readonly Item[] = [
    ...section(
        "2.1",
        [
            "MCP Server answers /health with 200",
            "health-checks health-matrix",
            { numbers: ["HEALTH_MATRIX", "SERVER"] },
        ],
        ["MCP Server answers /ready with 200", "health-checks health-matrix"],
        ["Admin Portal answers /api/health with 200", "health-checks health-matrix"],
        ["Chat UI answers / with 200", "health-checks health-matrix"],
        ["PostgreSQL accepts connections", "health-matrix"],
        ["Redis answers PONG", "health-matrix", { numbers: ["CACHE"] }],
    ),
    ...section(
        "2.2",
        ["Ask MCP Server, with a line that says how it is", "health-check"],
        ["Ask Admin Portal", "health-check"],
        ["Ask Chat UI", "health-check"],
        ["Run a query in PostgreSQL", "health-check"],
        ["Ping Redis", "health-check"],
    ),
    ...section(
        "3.1",
        [
            "Review the change request and its approvals",
            "standard-deployment blue-green-release",
            { decision: "evidence-is-asked-for-once" },
        ],
        ["See that the tests in staging passed", "standard-deployment blue-green-release"],
        ["Know the metrics it is measured against", "blue-green-release"],
        ["Have a plan to roll back", "standard-deployment blue-green-release"],
        [
            "Tell the stakeholders when it begins and when it is done",
            "standard-deployment blue-green-release",
            { decision: "stakeholders-are-told-by-the-gates" },
        ],
        ["Have a backup, where the database changes", "database-change"],
        ["Have the dashboard at hand", "standard-deployment blue-green-release"],
    ),
    ...section(
        "3.2",
        [
            "Set the image of a deployment",
            "standard-deployment",
            { decision: "image-pins", numbers: ["COLOURS"] },
        ],
        [
            "Wait for the rollout, 300 seconds at most",
            "standard-deployment",
            { numbers: ["ROLLOUT_TIMEOUT_SECONDS"] },
        ],
        ["See that its pods are ready", "standard-deployment"],
        ["Ask its health endpoint", "standard-deployment"],
        ["Run the smoke tests", "standard-deployment"],
    ),
    ...section(
        "3.3",
        [
            "Deploy to the green side",
            "blue-green-stage blue-green-release",
            { decision: "one-type-for-both-strategies" },
        ],
        ["Wait until green is healthy", "blue-green-stage blue-green-release"],
        ["Validate green before it has traffic", "blue-green-release"],
        ["Switch the traffic by the Service's selector", "blue-green-release"],
        ["Watch for ten minutes", "blue-green-release", { numbers: ["SOAK_SECONDS"] }],
        ["Take blue down when all went well", "blue-green-release", { decision: "bounds-are-asked-for" }],
    ),
    ...section(
        "3.4",
        ["Go back at once", "rollback blue-green-rollback", { decision: "rollback-is-an-edit" }],
        ["Go back to a certain revision", "rollback blue-green-rollback"],
        ["See that the rollback has ended well", "rollback blue-green-rollback"],
    ),
    ...section(
        "4.1",
        [
            "P1: complete outage, answered within 15 minutes",
            "alarms severity-topics escalation notices",
            { decision: "only-p1-and-p2-escalate", numbers: ["SEVERITIES", "SEVERITY_MATRIX"] },
        ],
        [
            "P2: major degradation, more than half of the requests failing; 30 minutes",
            "alarms severity-topics escalation",
            { numbers: ["MAJOR_ERROR_RATE_PERCENT"] },
        ],
        ["P3: partial impact; 2 hours", "alarms severity-topics"],
        ["P4: minor issue; 24 hours", "alarms severity-topics"],
    ),
    ...section(
        "4.2",
        ["An alert triggers", "alarms"],
        ["An incident is created, and somebody is told", "incident", { decision: "incidents-are-opsitems" }],
        ["The fix is applied, and the incident resolved", "incident"],
        ["A post-mortem is written", "incident"],
    ),
    ...section(
        "4.3.1",
        [
            "More than 5 % of the requests fail: look for the error lines of the last 100",
            "high-error-rate diagnostics",
            { numbers: ["HIGH_ERROR_RATE_PERCENT"] },
        ],
        ["Look at the pods' CPU and memory", "high-error-rate diagnostics"],
        ["Ask APIM whether it is reached", "high-error-rate diagnostics", { numbers: ["EXTERNAL"] }],
        ["Look at the circuit breaker", "high-error-rate diagnostics"],
        [
            "Disable the tools that fail",
            "disable-tool",
            { decision: "tools-are-switched-by-the-update", numbers: ["ADMIN_API"] },
        ],
    ),
    ...section(
        "4.3.2",
        ["Ask PostgreSQL whether it accepts connections", "database-connections"],
        ["Look at the connection pool", "database-connections diagnostics"],
        ["Count the idle connections", "database-connections diagnostics"],
        ["Restart the pods gracefully", "restart"],
    ),
    ...section(
        "4.3.3",
        ["Look at the pods by memory", "resource-exhaustion diagnostics"],
        ["Look for lines about memory", "resource-exhaustion diagnostics"],
        ["Scale up to six replicas", "scale-up", { numbers: ["SCALE_UP_REPLICAS"] }],
        ["Look at the autoscaler", "autoscaling resource-exhaustion diagnostics"],
        ["Restart the pods where one leaks", "restart"],
    ),
    ...section(
        "4.3.4",
        ["Ask Azure AD for its openid configuration", "authentication-failures diagnostics"],
        [
            "Look at the cache of the signing keys",
            "authentication-failures diagnostics",
            { numbers: ["DEBUG"] },
        ],
        ["Look at the certificate of the login host", "authentication-failures diagnostics"],
        ["Clear the cache of the signing keys", "clear-jwks-cache", { decision: "operations-are-values" }],
    ),
    ...section(
        "5.1",
        [
            "Security patches: weekly, Sunday 02:00 to 04:00 in India, 2 hours",
            "security-patches muted-alarms",
            {
                decision: "windows-in-the-runbooks-zone",
                numbers: ["PATCH_WINDOW", "TIME_ZONE", "ZONE_OFFSET_MINUTES"],
            },
        ],
        [
            "Database maintenance: first Sunday of the month, 01:00 to 05:00, 4 hours",
            "database-maintenance muted-alarms",
            { decision: "muted-alarms", numbers: ["DATABASE_WINDOW"] },
        ],
        [
            "Kubernetes upgrade: every quarter in a planned window of 8 hours",
            "kubernetes-upgrade muted-alarms",
            { decision: "upgrades-are-made-elsewhere", numbers: ["UPGRADE_SECONDS"] },
        ],
        [
            "Certificate rotation: every quarter, before expiry, 1 hour",
            "certificate-rotation",
            { numbers: ["CERTIFICATE_MINUTES"] },
        ],
    ),
    ...section(
        "5.2",
        [
            "Dump the database first, and put it below manual/ in the bucket",
            "manual-backup database-maintenance backup-bucket",
            { decision: "dump-is-read-back" },
        ],
        ["Vacuum and analyse", "database-maintenance"],
        ["Reindex", "database-maintenance", { decision: "maintenance-locks-nobody-out" }],
        ["List the ten largest tables", "database-maintenance"],
    ),
    ...section(
        "5.3",
        ["Audit events older than 365 days stay in the archive", "audit-archive"],
        [
            "Remove keys of the cache that are older than 24 hours",
            "cache-cleanup",
            { decision: "cache-idle-time", numbers: ["CACHE_CLEANUP"] },
        ],
        [
            "MCP Server's log can be searched for 365 days",
            "log-retention",
            { numbers: ["LOG_RETENTION_DAYS", "TRIAL_LOG_RETENTION_DAYS"] },
        ],
    ),
    ...section(
        "5.4",
        ["Have a new certificate made", "certificate-rotation"],
        ["Put it into a Secret of its own", "certificate-rotation"],
        ["Have the Ingress use the new Secret", "certificate-rotation"],
        ["See which certificate is served, and until when", "certificate-rotation"],
    ),
    ...section(
        "6.1",
        ["401: token expired; refresh it", "authentication-failures"],
        ["403: permissions missing; look at the roles", "refused-requests"],
        ["429: too many requests; wait, or have the limit raised", "refused-requests"],
        ["500: backend failed; look at the logs and the backend", "high-error-rate"],
        ["503: circuit breaker open; wait", "high-error-rate"],
        ["Slow responses: resources used up; scale up, look at the database", "slow-responses"],
    ),
    ...section(
        "6.2",
        ["Search for errors of the last hour", "log-search"],
        ["Search for tools that failed", "log-search", { numbers: ["TOOL_EXECUTION"] }],
        ["Search for requests over 5 seconds", "log-search", { numbers: ["SLOW_REQUEST_MILLISECONDS"] }],
        ["Search for what one user did", "log-search"],
    ),
    ...section(
        "6.3",
        ["Look at the metrics of requests and errors", "slow-responses diagnostics dashboard"],
        ["List the ten queries that take the most time", "slow-responses diagnostics"],
        ["Look at the memory of Redis", "redis-memory diagnostics"],
        ["Time a request to the backend", "slow-responses diagnostics"],
    ),
    ...section(
        "7.1",
        [
            "PostgreSQL every hour, for 24 hours, as snapshots",
            "database-snapshots",
            { decision: "database-snapshots", numbers: ["BACKUPS"] },
        ],
        [
            "PostgreSQL every day, for 30 days, as snapshots and in S3",
            "database-snapshots database-dumps copies",
        ],
        [
            "PostgreSQL every week, for a year, in Glacier",
            "database-dumps backup-bucket",
            { decision: "retentions-by-prefix" },
        ],
        [
            "Redis every 6 hours, for 7 days, in S3",
            "cache-backup cache-recovery cache-switch",
            { decision: "redis-snapshots" },
        ],
        [
            "Kubernetes configurations every day, for 90 days, in S3",
            "kubernetes-configurations",
            { decision: "secrets-are-not-exported" },
        ],
        [
            "Audit events continuously, for 7 years, where nobody can change them",
            "audit-archive copies",
            { decision: "worm-archive" },
        ],
    ),
    ...section(
        "7.2",
        ["Say which moment to go back to", "database-recovery region-loss deleted-bucket"],
        [
            "Restore beside the production instance, in its subnets",
            "database-recovery",
            { decision: "recovery-is-protected", numbers: ["DATABASE"] },
        ],
        ["Wait until it is available", "database-recovery"],
        ["Count the rows of tools", "database-recovery database-compare"],
        ["Put its connection string into the Secret", "database-switch", { decision: "database-user" }],
        ["Restart the services", "database-switch"],
    ),
    ...section(
        "8.1",
        [
            "L1 On-call Engineer, 15 minutes",
            "escalation severity-topics",
            { numbers: ["LEVELS", "ESCALATION_MATRIX"] },
        ],
        ["L2 Platform Lead, 30 minutes", "escalation"],
        ["L3 Architect, 1 hour", "escalation"],
        ["L4 VP Engineering, 2 hours", "escalation"],
    ),
    ...section(
        "8.2",
        ["AWS Support", "incident", { numbers: ["EXTERNAL_CONTACTS"] }],
        ["Azure AD: Microsoft Support", "incident"],
        ["Nagarro's support", "incident"],
    ),
];

/** What carries out each item, as a page (docs/coverage.md). */
export function renderCoverage(): string {
    return [
        "# What carries out the runbook",
        "",
        "Generated from `runbook/coverage.ts` by `npm run docs`: every command, table row and threshold of the runbook, the",
        "procedure that carries it out, and the decision where it is done otherwise than written.",
        "",
        "| Section | What the runbook asks for | Procedure | Decision |",
        "| --- | --- | --- | --- |",
        ...coverage.map(({ section, item, procedures, decision }) =>
            [
                "",
                section,
                item,
                procedures.map((id) => `[${id}](runbook.md#${id})`).join(", "),
                decision === undefined ? "" : `[${decision}](decisions/${decision}.md)`,
                "",
            ]
                .join(" | ")
                .trim(),
        ),
        "",
    ].join("\n");
}
