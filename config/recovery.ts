import { z } from "zod";
import { now } from "../core/clock";
import { instant, text, wholeNumber } from "./scalars";

/** Queries that tell whether a database is whole, and the least each must count. Section 7.2 step 4. */
export const checksSchema = z
    .array(
        z.strictObject({
            /** One query that gives one number. */
            query: text(/^select\s[^;\t\n]+$/i, "a SELECT of one number, on one line and without semicolon"),
            /** The least it must give. Default: 1. */
            atLeast: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(1),
        }),
    )
    .min(1, "at least one check")
    .default([{ query: "SELECT COUNT(*) FROM tools", atLeast: 1 }]);

/** A second instance, restored from the first as it was at some time. Section 7.2. */
export const recoverySchema = z.strictObject({
    /** The time, with its zone. The instance is made once: another time would replace it, and is refused. */
    restoreTime: instant,
    /**
     * The instance exists and is there to stay: its restore time is history, and neither checked against the
     * clock nor compared any more. Default: false.
     */
    keep: z.boolean({ error: "true or false" }).default(false),
    /**
     * Names a count of the rows that one instance has and the other has not, by a ticket or a date: any new value counts
     * again, and the update waits for it. Each update that restores or switches counts by itself. Default: none.
     */
    compare: text(
        /^[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?$/,
        "a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041",
    ).optional(),
    /** Whether the engine refuses to delete it. Default: true. Section 7.2. */
    protect: z.boolean({ error: "true or false" }).default(true),
});

/** RDS saves the log of what was written so often, in seconds: a later time cannot be restored yet. */
const SAVED_AFTER_SECONDS = 300;

/** See {@link recoverySchema}. */
export type RecoveryValues = z.output<typeof recoverySchema>;

/** Whether the database can be taken back to the time that is asked for. */
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
            `a time of the last ${database.backupRetention} days (mcp:database.backupRetention), ` +
                "or mcp:recovery.keep if the instance was restored before",
        );
    }
}
