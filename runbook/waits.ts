import { ROLLOUT_TIMEOUT_SECONDS, SOAK_SECONDS } from "../core/numbers";
import { type Procedure } from "./procedure";

/** A wait of an update. */
export interface Wait {
    readonly what: string;
    /** Timeout of the update, in seconds. */
    readonly seconds: number;
    /** Purpose. */
    readonly meaning: string;
}

/** Waits in the order of an update, by type and name of the resource. A test compares the limits. */
const WAITS: readonly (Wait & { of: RegExp })[] = [
    {
        of: /^aws:rds\/instance:Instance /,
        what: "restore",
        seconds: 6 * 3600,
        meaning: "the instance is available",
    },
    {
        of: /^aws:elasticache\/replicationGroup:ReplicationGroup .*-cache$/,
        what: "token",
        seconds: 2400,
        meaning: "each node of Redis takes the token",
    },
    {
        of: /^aws:elasticache\/replicationGroup:ReplicationGroup .*-recovery$/,
        what: "restore",
        seconds: 3600,
        meaning: "the group is available",
    },
    {
        of: /:Job .*-settings-\*$/,
        what: "settings gate",
        seconds: 810,
        meaning: "the instance has its windows, retention and Performance Insights",
    },
    {
        of: /:Job .*-bootstrap-\*$/,
        what: "bootstrap gate",
        seconds: 810,
        meaning: "the application has its user",
    },
    { of: /:Job .*-verify-\*$/, what: "verify gate", seconds: 810, meaning: "the queries count enough" },
    {
        of: /:Job mcp-cache-compare-\*$/,
        what: "compare gate",
        seconds: 270,
        meaning: "the keys of both groups are counted",
    },
    {
        of: /:Job .*-recovery-compare-\*$/,
        what: "compare gate",
        seconds: 810,
        meaning: "rows that one instance alone has are counted",
    },
    {
        of: /:Job .*-evidence-\*$/,
        what: "evidence gate",
        seconds: 270,
        meaning: "the change has its record, and the image its digest",
    },
    {
        of: /:Job .*-(?:dump|manual)-\*$/,
        what: "dump",
        seconds: 3810,
        meaning: "the database is dumped, verified and uploaded",
    },
    {
        of: /:Deployment /,
        what: "rollout",
        seconds: ROLLOUT_TIMEOUT_SECONDS,
        meaning: "the pods are ready",
    },
    {
        of: /:Job .*-capacity-\*$/,
        what: "capacity gate",
        seconds: 510,
        meaning: "as many ready pods as the active colour has",
    },
    {
        of: /:Job .*-smoke-\*$/,
        what: "smoke gate",
        seconds: 270,
        meaning: "requests from inside the cluster are answered",
    },
    {
        of: /:Job .*-soak-\*$/,
        what: "soak gate",
        seconds: 990,
        meaning: `errors, restarts and readiness, for ${SOAK_SECONDS / 60} minutes with traffic`,
    },
    {
        of: /:Job .*-notice-\*$/,
        what: "notice",
        seconds: 270,
        meaning: "the stakeholders know that it is done",
    },
    {
        of: /:Job .*-certificate-\*$/,
        what: "certificate gate",
        seconds: 330,
        meaning: "each host serves the new certificate",
    },
    { of: /:Job mcp-health-/, what: "health check", seconds: 270, meaning: "each component is checked" },
    { of: /:Job mcp-diagnostics-/, what: "diagnostics", seconds: 390, meaning: "each step is looked at" },
    { of: /:Job mcp-jwks-cache-/, what: "clearing", seconds: 330, meaning: "each pod is called" },
    {
        of: /:Job mcp-db-maintenance-/,
        what: "maintenance",
        seconds: 14_610,
        meaning: "dump, vacuum and reindex, within the window",
    },
    { of: /:Job mcp-cache-cleanup-/, what: "cleanup", seconds: 2010, meaning: "all keys are looked at" },
];

/** When an update gives up, in seconds, by what it waits for. */
export const WAIT_SECONDS: Readonly<Record<string, number>> = Object.fromEntries(
    WAITS.map(({ what, seconds }) => [what, seconds]),
);

/** Waits of the update of a procedure's example, in order. */
export function waitsOf({ changes }: Procedure): Wait[] {
    const made = changes.filter(({ operation }) => operation !== "delete");
    return WAITS.filter(({ of }) => made.some(({ type, name }) => of.test(`${type} ${name}`)));
}

/** A duration as text: `4 min 30 s`, `6 h`. */
export function timeOf(seconds: number): string {
    const parts = [
        [Math.floor(seconds / 3600), "h"],
        [Math.floor((seconds % 3600) / 60), "min"],
        [seconds % 60, "s"],
    ] as const;
    return parts
        .filter(([number]) => number > 0)
        .map(([number, unit]) => `${number} ${unit}`)
        .join(" ");
}
