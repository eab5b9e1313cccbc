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
    /** Whether the engine refuses to delete it. Default: true. Section 7.2. */
    protect: z.boolean({ error: "true or false" }).default(true),
});

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
    } else if (age > database.backupRetention * 86_400_000) {
        problem(
            `a time of the last ${database.backupRetention} days (mcp:database.backupRetention), ` +
                "or mcp:recovery.keep if the instance was restored before",
        );
    }
}
