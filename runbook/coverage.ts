import type * as numbers from "../core/numbers";

/** One command, table row or threshold of the runbook, and what implements it. */
export interface Item {
    /** Section of the runbook. */
    section: string;
    /** Description, in our own words. */
    item: string;
    /** Ids of the procedures that implement it. */
    procedures: readonly string[];
    /** The test: a file below test/, without `.test.ts`, and a part of its title. */
    shownBy: { readonly file: string; readonly words: string };
    /** Whether people do it, while the program shows what to do and records it. Default: false. */
    byPeople?: boolean;
    /** The decision on a difference from the runbook: name of a file in docs/decisions. Default: none. */
    decision?: string;
    /** Its numbers, by their names in `core/numbers.ts`. Default: none. */
    numbers?: readonly (keyof typeof numbers)[];
}

type Rest = Pick<Item, "byPeople" | "decision" | "numbers">;

/** The items of one section: description, procedures, `file: words` of its test, and further fields. */
function section(
    number: string,
    ...items: [item: string, procedures: string, test: string, rest?: Rest][]
): Item[] {
    return items.map(([item, procedures, test, rest]) => {
        const [file = "", ...words] = test.split(": ");
        const shownBy = { file, words: words.join(": ") };
        return { section: number, item, procedures: procedures.split(" "), shownBy, ...rest };
    });
}

/** How an item is implemented. */
export function verdictOf({ byPeople = false, decision }: Item): string {
    return byPeople ? "by people" : decision === undefined ? "as written" : "otherwise";
}

/** All requirements of the runbook, by section. A test fails for an item without implementation. */
export const coverage: readonly Item[] = [
    ...section(
        "2.1",
        [
            "MCP Server answers /health with 200",
            "health-checks health-matrix",
            "program/workload: is probed on the paths and port of the health matrix",
            { numbers: ["HEALTH_MATRIX", "SERVER"] },
        ],
        [
            "MCP Server answers /ready with 200",
            "health-checks health-matrix",
            "program/workload: is probed on the paths and port of the health matrix",
        ],
        [
            "Admin Portal answers /api/health with 200",
            "health-checks health-matrix",
            "program/workload: is probed on the paths and port of the health matrix",
        ],
        [
            "Chat UI answers / with 200",
            "health-checks health-matrix",
            "program/workload: is probed on the paths and port of the health matrix",
        ],
        [
            "PostgreSQL accepts connections",
            "health-matrix",
            "jobs/health: is well when a real server takes the password over TLS and answers, and only then",
        ],
        [
            "Redis answers PONG",
            "health-matrix",
            "program/health: asks all six rows of section 2.1",
            { numbers: ["CACHE"] },
        ],
    ),
    ...section(
        "2.2",
        [
            "Check MCP Server, with a line for its health",
            "health-check",
            "jobs/health: prints the lines of section 2.2",
        ],
        ["Check Admin Portal", "health-check", "jobs/health: prints the lines of section 2.2"],
        ["Ask Chat UI", "health-check", "jobs/health: prints the lines of section 2.2"],
        [
            "Run a query in PostgreSQL",
            "health-check",
            "jobs/health: is what pg_isready said to the step before",
        ],
        ["Ping Redis", "health-check", "jobs/health: prints the lines of section 2.2"],
    ),
    ...section(
        "3.1",
        [
            "Review the change request and its approvals",
            "standard-deployment blue-green-release",
            "jobs/evidence: refuses a release that its author approves, and keeps an author who does not",
            { decision: "evidence-is-asked-for-once" },
        ],
        [
            "See that the tests in staging passed",
            "standard-deployment blue-green-release",
            "jobs/evidence: refuses an image where the other stack",
        ],
        [
            "Know the metrics it is measured against",
            "blue-green-release",
            "jobs/release: compares with what was measured before the switch",
        ],
        [
            "Have a plan to roll back",
            "standard-deployment blue-green-release",
            "jobs/evidence: says what is gone, and how it comes back",
        ],
        [
            "Notify the stakeholders when it begins and when it is completed",
            "standard-deployment blue-green-release",
            "jobs/notices: is that a release begins, and that it is done, each once",
            { decision: "stakeholders-are-told-by-the-gates" },
        ],
        [
            "Have a backup, where the database changes",
            "database-change",
            "program/dumps: waits for a separate dump before its Deployment changes",
        ],
        [
            "Have the dashboard at hand",
            "standard-deployment blue-green-release",
            "program/observability: is an output, beside the queries",
        ],
    ),
    ...section(
        "3.2",
        [
            "Set the image of a deployment",
            "standard-deployment",
            "engine/life: follows the runbook",
            { decision: "image-pins", numbers: ["COLOURS"] },
        ],
        [
            "Wait for the rollout, 300 seconds at most",
            "standard-deployment",
            "program/workload: leaves its replicas to the autoscaler and awaits its rollout for 300 seconds",
            { numbers: ["ROLLOUT_TIMEOUT_SECONDS"] },
        ],
        [
            "See that its pods are ready",
            "standard-deployment",
            "program/workload: is gated after its rollout, its Service and its autoscaler",
        ],
        [
            "Check its health endpoint",
            "standard-deployment",
            "jobs/smoke: passes when every answer is as planned",
        ],
        [
            "Run the smoke tests",
            "standard-deployment",
            "cluster/stacks: passes its gates with exactly the rights they have",
        ],
    ),
    ...section(
        "3.3",
        [
            "Deploy to the green side",
            "blue-green-stage blue-green-release",
            "program/blueGreen: stages the idle colour: its pods run and are smoke-tested, and traffic stays",
            { decision: "one-type-for-both-strategies" },
        ],
        [
            "Wait until green is healthy",
            "blue-green-stage blue-green-release",
            "jobs/release: passes with as many ready pods as the live colour has",
        ],
        [
            "Validate green before it has traffic",
            "blue-green-release",
            "program/blueGreen: runs the tests of the user's own image against the target",
        ],
        [
            "Switch the traffic by the Service's selector",
            "blue-green-release",
            "program/blueGreen: takes a release by one edit, and says so in words",
        ],
        [
            "Watch for ten minutes",
            "blue-green-release",
            "jobs/release: fails early when it is more than twice the limit",
            { numbers: ["SOAK_SECONDS"] },
        ],
        [
            "Take blue down when all went well",
            "blue-green-release",
            "program/blueGreen: switches only behind rollout, capacity and smoke, and scales away only behind the soak",
            { decision: "bounds-are-asked-for" },
        ],
    ),
    ...section(
        "3.4",
        [
            "Go back at once",
            "rollback blue-green-rollback",
            "program/blueGreen: is rolled back by the opposite edit, which undoes exactly what the release did",
            { decision: "rollback-is-an-edit" },
        ],
        [
            "Go back to a certain revision",
            "rollback blue-green-rollback",
            "unit/releases: writes the release and its pin, and says so",
        ],
        [
            "See that the rollback has ended well",
            "rollback blue-green-rollback",
            "jobs/release: passes at once when the release was completed before",
        ],
    ),
    ...section(
        "4.1",
        [
            "P1: complete outage, answered within 15 minutes",
            "alarms severity-topics escalation notices",
            "program/alarms: do what their severity says, and tell when they are over",
            { decision: "only-p1-and-p2-escalate", numbers: ["SEVERITIES", "SEVERITY_MATRIX"] },
        ],
        [
            "P2: major degradation, more than half of the requests failing; 30 minutes",
            "alarms severity-topics escalation",
            "program/alarms: judge by shares, of enough requests alone, and the worse the sooner",
            { numbers: ["MAJOR_ERROR_RATE_PERCENT"] },
        ],
        [
            "P3: partial impact; 2 hours",
            "alarms severity-topics",
            "program/workload: has one topic a severity, with the matrix's response time and its contacts",
        ],
        [
            "P4: minor issue; 24 hours",
            "alarms severity-topics",
            "program/workload: has one topic a severity, with the matrix's response time and its contacts",
        ],
    ),
    ...section(
        "4.2",
        [
            "An alert triggers",
            "alarms",
            "program/alarms: each watch what something emits, judge silence rightly, and lead to a procedure",
        ],
        [
            "An incident is created, and people are notified",
            "incident",
            "stateMachine/incident: is escalated under its own name, with what its reader needs",
            { decision: "incidents-are-opsitems" },
        ],
        [
            "The fix is applied, and the incident resolved",
            "incident",
            "jobs/acknowledge: by the command of the message ends the escalation at the level that ran it",
            { byPeople: true },
        ],
        [
            "A post-mortem is written",
            "incident",
            "stateMachine/incident: that is resolved gets its post-mortem, once",
            { byPeople: true },
        ],
    ),
    ...section(
        "4.3.1",
        [
            "More than 5 % of the requests fail: look for the error lines of the last 100",
            "high-error-rate diagnostics",
            "jobs/operations: Error lines of the last 100 of each pod (4.3.1)",
            { numbers: ["HIGH_ERROR_RATE_PERCENT"] },
        ],
        [
            "Look at the pods' CPU and memory",
            "high-error-rate diagnostics",
            "jobs/operations: Pods by memory, with CPU (4.3.3)",
        ],
        [
            "Check that APIM is reachable",
            "high-error-rate diagnostics",
            "jobs/operations: APIM (4.3.1, 4.3.4, 6.3)",
            { numbers: ["EXTERNAL"] },
        ],
        [
            "Look at the circuit breaker",
            "high-error-rate diagnostics",
            "jobs/operations: Circuit breaker, pool, requests and errors of each pod (4.3.1, 4.3.2, 6.3)",
        ],
        [
            "Disable the tools that fail",
            "disable-tool",
            "jobs/toolProvider: disables a tool, asks for what the runbook asks for, and keeps no more than that",
            { decision: "tools-are-switched-by-the-update", numbers: ["ADMIN_API"] },
        ],
    ),
    ...section(
        "4.3.2",
        [
            "Check that PostgreSQL accepts connections",
            "database-connections",
            "jobs/database: hands on what pg_isready says and how long it took, and never fails",
        ],
        [
            "Look at the connection pool",
            "database-connections diagnostics",
            "jobs/operations: Circuit breaker, pool, requests and errors of each pod (4.3.1, 4.3.2, 6.3)",
        ],
        [
            "Count the idle connections",
            "database-connections diagnostics",
            "jobs/database: counts those that do nothing",
        ],
        ["Restart the pods gracefully", "restart", "cluster/load: a restart of green"],
    ),
    ...section(
        "4.3.3",
        [
            "Look at the pods by memory",
            "resource-exhaustion diagnostics",
            "jobs/operations: Pods by memory, with CPU (4.3.3)",
        ],
        [
            "Look for lines about memory",
            "resource-exhaustion diagnostics",
            "jobs/operations: Lines about memory (4.3.3)",
        ],
        [
            "Scale up to six replicas",
            "scale-up",
            "engine/life: the autoscaler follows its new minimum",
            { numbers: ["SCALE_UP_REPLICAS"] },
        ],
        [
            "Look at the autoscaler",
            "autoscaling resource-exhaustion diagnostics",
            "jobs/operations: Autoscalers (4.3.3)",
        ],
        ["Restart the pods where one leaks", "restart", "cluster/load: a restart of green"],
    ),
    ...section(
        "4.3.4",
        [
            "Fetch Azure AD's OpenID configuration",
            "authentication-failures diagnostics",
            "jobs/health: finds an issuer's configuration and its keys",
        ],
        [
            "Look at the cache of the signing keys",
            "authentication-failures diagnostics",
            "jobs/operations: JWKS cache of each pod (4.3.4)",
            { numbers: ["DEBUG"] },
        ],
        [
            "Look at the certificate of the login host",
            "authentication-failures diagnostics",
            "jobs/health: finds a certificate that has ended, is not trusted or is for others",
        ],
        [
            "Clear the cache of the signing keys",
            "clear-jwks-cache",
            "jobs/operations: asks every running pod itself, ready or not, and no other",
            { decision: "operations-are-values" },
        ],
    ),
    ...section(
        "5.1",
        [
            "Security patches: weekly, Sunday 02:00 to 04:00 in India, 2 hours",
            "security-patches muted-alarms",
            "program/maintenance: install security patches on the tagged nodes, one at a time, and stop at the first that fails",
            {
                decision: "windows-in-the-runbooks-zone",
                numbers: ["PATCH_WINDOW", "TIME_ZONE", "ZONE_OFFSET_MINUTES"],
            },
        ],
        [
            "Database maintenance: first Sunday of the month, 01:00 to 05:00, 4 hours",
            "database-maintenance muted-alarms",
            "jobs/maintenance: is open once a month in ten years, on its first Sunday from 01:00 to 05:00 in India",
            { decision: "muted-alarms", numbers: ["DATABASE_WINDOW"] },
        ],
        [
            "Kubernetes upgrade: every quarter in a planned window of 8 hours",
            "kubernetes-upgrade muted-alarms",
            "jobs/upgrade: passes without obstacles, and prints what it checked",
            { decision: "upgrades-are-made-elsewhere", numbers: ["UPGRADE_SECONDS"] },
        ],
        [
            "Certificate rotation: every quarter, before expiry, 1 hour",
            "certificate-rotation",
            "program/maintenance: of the certificates are announced each quarter",
            { numbers: ["CERTIFICATE_MINUTES"] },
        ],
    ),
    ...section(
        "5.2",
        [
            "Dump the database first, and put it below manual/ in the bucket",
            "manual-backup database-maintenance backup-bucket",
            "program/databaseMaintenance: looks at the window, dumps below manual/ as every dump is made, only then maintains, and reports",
            { decision: "dump-is-read-back" },
        ],
        [
            "Vacuum and analyse",
            "database-maintenance",
            "jobs/maintenance: reports each step, gives back what was bloat, and knows its tables afterwards",
        ],
        [
            "Reindex",
            "database-maintenance",
            "jobs/maintenance: drops what an interrupted run left behind, and nothing that only looks like it",
            { decision: "maintenance-locks-nobody-out" },
        ],
        [
            "List the ten largest tables",
            "database-maintenance",
            "jobs/database: tells idle connections, slow statements and large tables",
        ],
    ),
    ...section(
        "5.3",
        [
            "Audit events older than 365 days stay in the archive",
            "audit-archive",
            "program/storage: grows colder with time and never expires",
        ],
        [
            "Remove keys of the cache that are older than 24 hours",
            "cache-cleanup",
            "jobs/operations: removes what has been idle for a day, and nothing else",
            { decision: "cache-idle-time", numbers: ["CACHE_CLEANUP"] },
        ],
        [
            "MCP Server's log can be searched for 365 days",
            "log-retention",
            "program/observability: may be kept longer, but for MCP Server's, of which the runbook speaks",
            { numbers: ["LOG_RETENTION_DAYS", "TRIAL_LOG_RETENTION_DAYS"] },
        ],
    ),
    ...section(
        "5.4",
        [
            "Have a new certificate made",
            "certificate-rotation",
            "config/certificates: are missing until an operator sets them, a part at a time",
            { byPeople: true },
        ],
        [
            "Put it into a separate Secret",
            "certificate-rotation database-rotation database-rotation-end cache-rotation cache-rotation-end " +
                "secret-rotation managed-rotation",
            "program/ingress: rotates in three edits",
        ],
        [
            "Have the Ingress use the new Secret",
            "certificate-rotation",
            "program/ingress: rotates in three edits",
        ],
        [
            "See which certificate is served, and until when",
            "certificate-rotation",
            "jobs/certificate: waits while another one is served, and passes once it is replaced",
        ],
    ),
    ...section(
        "6.1",
        [
            "401: token expired; refresh it",
            "authentication-failures",
            "runbook/catalogue: lead on from every symptom of section 6.1",
            { byPeople: true },
        ],
        [
            "403: permissions missing; look at the roles",
            "refused-requests",
            "runbook/catalogue: lead on from every symptom of section 6.1",
            { byPeople: true },
        ],
        [
            "429: too many requests; wait, or have the limit raised",
            "refused-requests",
            "runbook/catalogue: lead on from every symptom of section 6.1",
            { byPeople: true },
        ],
        [
            "500: backend failed; look at the logs and the backend",
            "high-error-rate",
            "runbook/catalogue: lead on from every symptom of section 6.1",
        ],
        [
            "503: circuit breaker open; wait",
            "high-error-rate",
            "runbook/catalogue: lead on from every symptom of section 6.1",
        ],
        [
            "Slow responses: resources used up; scale up, look at the database",
            "slow-responses",
            "runbook/catalogue: lead on from every symptom of section 6.1",
        ],
    ),
    ...section(
        "6.2",
        [
            "Search for errors of the last hour",
            "log-search",
            "observability/serverLog: is searched with the runbook's own patterns",
        ],
        [
            "Search for tools that failed",
            "log-search",
            "observability/serverLog: is searched with the runbook's own patterns",
            { numbers: ["TOOL_EXECUTION"] },
        ],
        [
            "Search for requests over 5 seconds",
            "log-search",
            "observability/serverLog: is searched with the runbook's own patterns",
            { numbers: ["SLOW_REQUEST_MILLISECONDS"] },
        ],
        [
            "Search for what one user did",
            "log-search",
            "observability/serverLog: shows a user's activity, with an address to be put in place of another",
        ],
    ),
    ...section(
        "6.3",
        [
            "Look at the metrics of requests and errors",
            "slow-responses diagnostics dashboard",
            "program/observability: ## What MCP Server says of itself (6.3)",
        ],
        [
            "List the ten queries that take the most time",
            "slow-responses diagnostics",
            "jobs/database: Statements by total time (6.3)",
        ],
        [
            "Look at the memory of Redis",
            "redis-memory diagnostics",
            "jobs/operations: look at everything, once",
        ],
        [
            "Time a request to the backend",
            "slow-responses diagnostics",
            "jobs/operations: APIM (4.3.1, 4.3.4, 6.3)",
        ],
    ),
    ...section(
        "7.1",
        [
            "PostgreSQL every hour, for 24 hours, as snapshots",
            "database-snapshots",
            "program/databaseSnapshots: have separate plans, kept as long as the runbook says, in its zone",
            { decision: "database-snapshots", numbers: ["BACKUPS"] },
        ],
        [
            "PostgreSQL every day, for 30 days, as snapshots and in S3",
            "database-snapshots database-dumps copies",
            "program/dumps: are taken every day and every week, in the zone of the runbook, one after the other's end",
        ],
        [
            "PostgreSQL every week, for a year, in Glacier",
            "database-dumps backup-bucket",
            "program/storage: keep backups as long as the runbook's table says, and the weekly ones in Glacier",
            { decision: "retentions-by-prefix" },
        ],
        [
            "Redis every 6 hours, for 7 days, in S3",
            "cache-backup cache-recovery cache-switch",
            "stateMachine/cacheSnapshots: are taken, awaited, copied, and looked for in the bucket",
            { decision: "redis-snapshots" },
        ],
        [
            "Kubernetes configurations every day, for 90 days, in S3",
            "kubernetes-configurations",
            "jobs/export: holds every kind that is declared, and no Secret",
            { decision: "secrets-are-not-exported" },
        ],
        [
            "Audit events continuously, for 7 years, where nobody can change them",
            "audit-archive audit-export copies",
            "program/storage: keeps every event for seven years in production",
            { decision: "worm-archive" },
        ],
    ),
    ...section(
        "7.2",
        [
            "Say which moment to go back to",
            "database-recovery region-loss deleted-bucket",
            "config/database: accept a restore time as the engine passes it if it is unquoted",
        ],
        [
            "Restore next to the production instance, in its subnets",
            "database-recovery",
            "program/database: is restored with the same network, parameters and zones, and protected",
            { decision: "recovery-is-protected", numbers: ["DATABASE"] },
        ],
        [
            "Wait until it is available",
            "database-recovery",
            "program/database: is switched over only after what was restored has been verified",
        ],
        [
            "Count the rows of tools",
            "database-recovery database-compare",
            "jobs/recoveryDrill: restores every row before the time and none after it",
        ],
        [
            "Put its connection string into the Secret",
            "database-switch",
            "program/database: is switched over only after what was restored has been verified",
            { decision: "database-user" },
        ],
        [
            "Restart the services",
            "database-switch",
            "program/database: is switched back by the opposite edit, which compares, and changes the Secret and the pods alone",
        ],
    ),
    ...section(
        "8.1",
        [
            "L1 On-call Engineer, 15 minutes",
            "escalation severity-topics",
            "stateMachine/escalation: ends when L1 answers",
            { numbers: ["LEVELS", "ESCALATION_MATRIX"] },
        ],
        [
            "L2 Platform Lead, 30 minutes",
            "escalation",
            "stateMachine/escalation: makes one call after the other, each once",
        ],
        ["L3 Architect, 1 hour", "escalation", "stateMachine/escalation: ends when L3 answers"],
        [
            "L4 VP Engineering, 2 hours",
            "escalation",
            "stateMachine/escalation: calls every level when none acknowledges, and fails at the end with a report",
        ],
    ),
    ...section(
        "8.2",
        [
            "AWS Support",
            "incident",
            "program/incidents: record the external support on the incident",
            { byPeople: true, numbers: ["EXTERNAL_CONTACTS"] },
        ],
        [
            "Azure AD: Microsoft Support",
            "incident",
            "program/incidents: record the external support on the incident",
            { byPeople: true },
        ],
        [
            "Nagarro's support",
            "incident",
            "program/incidents: record the external support on the incident",
            { byPeople: true },
        ],
    ),
];

/** The page of all items (docs/coverage.md). */
export function renderCoverage(): string {
    const verdicts = coverage.map(verdictOf);
    const count = (verdict: string) => verdicts.filter((each) => each === verdict).length;
    return [
        "# What carries out the runbook",
        "",
        "Generated from `runbook/coverage.ts` by `npm run docs`: every command, table row and threshold of the runbook, the",
        "procedure that carries it out, and the test that shows it. Each line has a verdict:",
        "",
        `- **as written** (${count("as written")}): the program does what the runbook says.`,
        `- **otherwise** (${count("otherwise")}): the program does it in another way; the decision says why.`,
        `- **by people** (${count("by people")}): people do it; the program says what to do, and records or watches it.`,
        "",
        "A test finds each test by the words that are given here.",
        "",
        "| Section | Requirement of the runbook | Verdict | Procedure | Test | Decision |",
        "| --- | --- | --- | --- | --- | --- |",
        ...coverage.map((each) => {
            const { section, item, procedures, shownBy, decision } = each;
            return [
                "",
                section,
                item,
                verdictOf(each),
                procedures.map((id) => `[${id}](runbook.md#${id})`).join(", "),
                `[${shownBy.file}](../test/${shownBy.file}.test.ts): ${shownBy.words}`,
                decision === undefined ? "" : `[${decision}](decisions/${decision}.md)`,
                "",
            ]
                .join(" | ")
                .trim();
        }),
        "",
    ].join("\n");
}
