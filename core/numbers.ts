/**
 * The runbook's numbers, each with its section. All other code imports them from here, so that a number is changed in
 * one place. This module imports nothing.
 */

/** One row of the health matrix. Section 2.1, ports from 2.2. */
export interface HealthRow {
    /** Name in the matrix. */
    readonly title: string;
    /** Port the service listens on. */
    readonly port: number;
    /** Path that answers 200 while the process is alive. */
    readonly live: string;
    /** Path that answers 200 while the service can handle traffic. */
    readonly ready: string;
    /** Path of the Prometheus metrics, if the service has them. Section 4.3.1 step 4. */
    readonly metrics?: string;
}

/** The service of most of the runbook's procedures. Chapters 3, 4 and 6. */
export const SERVER = "mcp-server";

/** Health check matrix of the three services. Section 2.1. */
export const HEALTH_MATRIX: Readonly<Record<string, HealthRow>> = {
    "mcp-server": {
        title: "MCP Server",
        port: 8000,
        live: "/health",
        ready: "/ready",
        metrics: "/metrics",
    },
    "admin-portal": { title: "Admin Portal", port: 3001, live: "/api/health", ready: "/api/health" },
    "chat-ui": { title: "Chat UI", port: 3000, live: "/", ready: "/" },
};

/** External dependencies. Sections 4.3.1 step 3 and 4.3.4 steps 1 and 3. */
export const EXTERNAL = {
    apim: "https://apim.msil.com/health",
    login: "login.microsoftonline.com",
    /** Path at that host, with a placeholder for the tenant. */
    openid: "/{tenant}/.well-known/openid-configuration",
} as const;

/** Limit of a rollout, in seconds. Then the update fails. Section 3.2 step 2. */
export const ROLLOUT_TIMEOUT_SECONDS = 300;

/** Colours of a blue-green deployment. Section 3.3. */
export const COLOURS = ["blue", "green"] as const;

/** Colour of a blue-green deployment. Section 3.3. */
export type Colour = (typeof COLOURS)[number];

/** How long a release is measured after the switch, in seconds. Section 3.3. */
export const SOAK_SECONDS = 600;

/** Share of failed requests that counts as a high error rate, in percent. Section 4.3.1. */
export const HIGH_ERROR_RATE_PERCENT = 5;

/** Share of failed requests that is a major degradation, in percent. Section 4.1. */
export const MAJOR_ERROR_RATE_PERCENT = 50;

/** Replicas of the manual scale-up under memory or CPU exhaustion. Section 4.3.3 step 3. */
export const SCALE_UP_REPLICAS = 6;

/** Severities of an incident, most severe first. Section 4.1. */
export const SEVERITIES = ["P1", "P2", "P3", "P4"] as const;

/** Severity of an incident. Section 4.1. */
export type Severity = (typeof SEVERITIES)[number];

/** Impact and response time, in minutes, of each severity. Section 4.1. */
export const SEVERITY_MATRIX: Readonly<Record<Severity, { impact: string; responseMinutes: number }>> = {
    P1: { impact: "Complete outage", responseMinutes: 15 },
    P2: { impact: "Major degradation", responseMinutes: 30 },
    P3: { impact: "Partial impact", responseMinutes: 2 * 60 },
    P4: { impact: "Minor issue", responseMinutes: 24 * 60 },
};

/** Levels of the escalation, in the order of calls. Section 8.1. */
export const LEVELS = ["L1", "L2", "L3", "L4"] as const;

/** Level of the escalation. Section 8.1. */
export type Level = (typeof LEVELS)[number];

/** Role of each level, and minutes to acknowledge before the next level is called. Section 8.1. */
export const ESCALATION_MATRIX: Readonly<Record<Level, { role: string; contact: string; minutes: number }>> =
    {
        L1: { role: "On-call Engineer", contact: "oncall@nagarro.com", minutes: 15 },
        L2: { role: "Platform Lead", contact: "platform-lead@nagarro.com", minutes: 30 },
        L3: { role: "Architect", contact: "architect@nagarro.com", minutes: 60 },
        L4: { role: "VP Engineering", contact: "vp-eng@nagarro.com", minutes: 2 * 60 },
    };

/** External support: how to reach it, and on which terms. Section 8.2. */
export const EXTERNAL_CONTACTS: Readonly<Record<string, { support: string; priority: string }>> = {
    "AWS Support": { support: "AWS Console", priority: "Business/Enterprise" },
    "Azure AD": { support: "Microsoft Support", priority: "Premium Support" },
    Nagarro: { support: "support@nagarro.com", priority: "+91-xxx-xxx-xxxx" },
};

/** Time zone of the runbook. Section 5.1. */
export const TIME_ZONE = "Asia/Kolkata";

/** Offset of that zone from UTC, in minutes. It has no daylight saving time. */
export const ZONE_OFFSET_MINUTES = 5 * 60 + 30;

/** Weekly window of the security patches. Section 5.1. */
export const PATCH_WINDOW = { weekday: "sun", start: "02:00", end: "04:00" } as const;

/** Window of the database maintenance, on the first such day of each month. Section 5.1. */
export const DATABASE_WINDOW = { weekday: "sun", start: "01:00", end: "05:00" } as const;

/** Length of a quarterly certificate rotation, in minutes. Section 5.1. */
export const CERTIFICATE_MINUTES = 60;

/** Length of a quarterly Kubernetes upgrade, in seconds. Section 5.1. */
export const UPGRADE_SECONDS = 8 * 3600;

/**
 * Names of the database: its instance, the restored instance, their subnet group, the Secret with the URL. Section 7.2.
 */
export const DATABASE = {
    identifier: "mcp-production",
    recovery: "mcp-recovery",
    subnetGroup: "mcp-db-subnet",
    secret: "mcp-db-secret",
    /** Key of that Secret. */
    secretKey: "url",
    name: "mcp",
    user: "mcp",
    /** Only the bootstrap uses it. RDS generates, stores and rotates its password. */
    administrator: "mcp_admin",
    port: 5432,
} as const;

/** Redis: the Secret with its URL. Section 2.2. */
export const CACHE = {
    secret: "mcp-cache-secret",
    /** Key of that Secret. */
    secretKey: "url",
    port: 6379,
} as const;

/** Keys of the cache that the cleanup removes, and their idle time. Section 5.3. The runbook names no time of day. */
export const CACHE_CLEANUP = { pattern: "cache:*", idleHours: 24, schedule: "30 4 * * *" } as const;

/** Service whose pods have debug pages, and the paths of the Azure AD keys. Section 4.3.4 steps 2 and 4. */
export const DEBUG = {
    app: "mcp-server",
    jwksStatus: "/debug/jwks-status",
    clearJwksCache: "/debug/clear-jwks-cache",
} as const;

/** The admin API. Section 4.3.1 step 5. */
export const ADMIN_API = {
    /** Service that has it. */
    app: "admin-portal",
    /** Path of the tools, followed by the tool's name. */
    tools: "/api/admin/tools",
    /**
     * Environment variable of the update with the path of the file that holds the runbook's `$TOKEN`. The runbook does
     * not name it.
     */
    tokenFile: "MCP_ADMIN_TOKEN_FILE",
} as const;

/** Backups: interval and retention of each. Section 7.1; `manual` is section 5.2 step 1. */
export const BACKUPS = {
    postgresql: {
        hourly: { everyHours: 1, retentionDays: 1 },
        daily: { everyDays: 1, retentionDays: 30 },
        weekly: { everyDays: 7, retentionDays: 365 },
    },
    redis: { everyHours: 6, retentionDays: 7 },
    kubernetes: { everyDays: 1, retentionDays: 90 },
    audit: { retentionYears: 7 },
} as const;

/** Duration above which a request is slow, in milliseconds. Section 6.2. */
export const SLOW_REQUEST_MILLISECONDS = 5000;

/** Event that MCP Server logs for an executed tool. Section 6.2. */
export const TOOL_EXECUTION = "tool_execution";

/** How long log groups stay searchable, in days. Section 5.3. */
export const LOG_RETENTION_DAYS = 365;

/** The same outside production, for which the runbook has no number. */
export const TRIAL_LOG_RETENTION_DAYS = 30;
