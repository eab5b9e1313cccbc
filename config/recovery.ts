import { z } from "zod";
import { now } from "../core/clock";
import { instant, text, wholeNumber } from "./scalars";

/** Queries that check a restored database, and the minimum result of each. Section 7.2 step 4. */
export const checksSchema = z
    .array(
        z.strictObject({
            /** A query that returns one number. */
            query: text(/^select\s[^;\t\n]+$/i, "a SELECT of one number, on one line and without semicolon"),
            /** Minimum result. Default: 1. */
            atLeast: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(1),
        }),
    )
    .min(1, "at least one check")
    .default([{ query: "SELECT COUNT(*) FROM tools", atLeast: 1 }]);

/** A second instance, restored from the first at a point in time. Section 7.2. */
export const recoverySchema = z.strictObject({
    /**
     * The point in time, with its zone. Refused if it changes after the instance exists, because that would replace the
     * instance.
     */
    restoreTime: instant,
    /**
     * Keep the instance: `restoreTime` is no longer checked against the clock, and the rows are no longer compared.
     * Default: false.
     */
    keep: z.boolean({ error: "true or false" }).default(false),
    /**
     * Names a comparison that counts the rows that only one of the two instances has, by a ticket or a date. The update
     * that finds a new value counts and waits. Updates that restore or switch always count. Default: none.
     */
    compare: text(
        /^[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?$/,
        "a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041",
    ).optional(),
    /** Whether the engine refuses to delete it. Default: true. Section 7.2. */
    protect: z.boolean({ error: "true or false" }).default(true),
});

/** Interval in which RDS saves transaction logs, in seconds. A later time cannot be restored yet. */
const SAVED_AFTER_SECONDS = 300;

/** See {@link recoverySchema}. */
export type RecoveryValues = z.output<typeof recoverySchema>;

/** Checks that the database can be restored to this time. */
export function checkRecovery(
    {
        recovery,
        database,
    }: { recovery?: RecoveryValues | undefined; database?: { backupRetention: number } | undefined },
    context: z.core.$RefinementCtx,
): void {
    if (recovery === undefined || database === undefined || recovery.keep) {
        return;
    }
    const problem = (message: string) =>
        context.addIssue({ code: "custom", path: ["recovery", "restoreTime"], message });
    const age = now().getTime() - Date.parse(recovery.restoreTime);
    if (age < 0) {
        problem("a time in the past");
    } else if (age < SAVED_AFTER_SECONDS * 1000) {
        problem("a time more than 5 minutes ago: RDS saves what was written every 5 minutes");
    } else if (age > database.backupRetention * 86_400_000) {
        problem(
            `a time of the last ${database.backupRetention} days (mcp:database.backupRetention), or ` +
                "mcp:recovery.keep if the instance was restored before",
        );
    }
}
