import { z } from "zod";
import { type Tier } from "../core/labels";
import { BACKUPS } from "../core/numbers";
import { dumpsSchema } from "./dumps";
import { bucketName, text, wholeNumber } from "./scalars";
import { isProduction } from "./tier";
import { dailyStart } from "./windows";

/** Modes of Object Lock, weaker first. */
export const LOCK_MODES = ["GOVERNANCE", "COMPLIANCE"] as const;

/**
 * COMPLIANCE: before the retention ends, an object cannot be deleted and the retention cannot be shortened, not even by
 * the account's root user. GOVERNANCE: users with a special right can do both.
 */
export const lockMode = z.enum(LOCK_MODES, { error: "COMPLIANCE or GOVERNANCE" });

/** Retention of the archive: in years, or in days in a trial. */
export const archiveRetention = z.union(
    [z.strictObject({ years: wholeNumber(1, 100) }), z.strictObject({ days: wholeNumber(1, 30) })],
    { error: "{ years: 1 to 100 } or { days: 1 to 30 }" },
);

/** A retention in days; a year has 365. */
export function daysOf(retention: z.output<typeof archiveRetention>): number {
    return "years" in retention ? retention.years * 365 : retention.days;
}

/** Dumps of the database and configurations of the cluster. Sections 5.2 and 7.1. */
export const backupsSchema = z.strictObject({
    /** Bucket; its name is globally unique. */
    bucket: bucketName,
    dumps: dumpsSchema.prefault({}),
    /**
     * Object Lock of objects below `daily/`, `weekly/` and `kubernetes/` for the retention of section 7.1, and below
     * `manual/` for the shortest of those. Default: none; a deleted object can be restored for a week.
     */
    lock: lockMode.optional(),
    /** Start of the daily export of the namespace's objects. Default: 22:30. Section 7.1. */
    configurations: dailyStart.prefault("30 22 * * *"),
    /**
     * Names a dump on demand, by a ticket or a date. The update that finds a new value takes a dump and waits for it.
     * Section 5.2 step 1. Default: none.
     */
    manual: text(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/,
        "a ticket or a date of at most 40 letters, digits, dots and hyphens, such as CHG-1041",
    ).optional(),
});

/** See {@link backupsSchema}. */
export type BackupsValues = z.output<typeof backupsSchema>;

/** Immutable archive of audit events. Sections 5.3 and 7.1. */
export const archiveSchema = z.strictObject({
    /** Bucket of the archive. */
    bucket: bucketName,
    mode: lockMode,
    /** Retention: in years, or in days in a trial. */
    retention: archiveRetention,
});

/** See {@link archiveSchema}. */
export type ArchiveValues = z.output<typeof archiveSchema>;

/** Rules of the buckets that depend on other values of the stack. */
export function checkStorage(
    {
        backups,
        archive,
        environment,
        tier,
    }: {
        backups?: BackupsValues | undefined;
        archive?: ArchiveValues | undefined;
        environment: string;
        tier?: Tier | undefined;
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    const production = isProduction({ environment, tier });
    if (!production && backups?.lock === "COMPLIANCE") {
        problem(["backups", "lock"], "GOVERNANCE outside production: COMPLIANCE cannot be undone");
    }
    if (archive === undefined) {
        return;
    }
    if (archive.bucket === backups?.bucket) {
        problem(["archive", "bucket"], "another bucket than mcp:backups.bucket");
    }
    const { retentionYears } = BACKUPS.audit;
    const years = "years" in archive.retention ? archive.retention.years : 0;
    if (production) {
        if (archive.mode !== "COMPLIANCE") {
            problem(["archive", "mode"], "COMPLIANCE in production (section 7.1)");
        }
        if (years < retentionYears) {
            problem(
                ["archive", "retention"],
                `at least { years: ${retentionYears} } in production (section 7.1)`,
            );
        }
    } else {
        if (archive.mode === "COMPLIANCE") {
            problem(["archive", "mode"], "GOVERNANCE outside production: COMPLIANCE cannot be undone");
        }
        if (years > 0) {
            problem(["archive", "retention"], "days outside production, such as { days: 7 }");
        }
    }
}
