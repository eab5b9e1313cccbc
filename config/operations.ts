import { z } from "zod";
import { text } from "./scalars";

/** Names one run; it becomes part of the Job's name, so case does not tell two apart. */
const run = text(
    /^[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?$/,
    "a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041",
).transform((ticket) => ticket.toLowerCase());

/**
 * What is done once, by the update that finds a new value here: the ticket it is done for, or the date. The update
 * waits for it and fails with it. The same value does nothing again, except that what failed is done again.
 */
export const operationsSchema = z.strictObject({
    /** The health check, beside the scheduled ones. Section 2.2. */
    healthCheck: run.optional(),
});

/** See {@link operationsSchema}. */
export type OperationsValues = z.output<typeof operationsSchema>;

/** Rules of the operations that need the rest of the stack's values. */
export function checkOperations(
    { operations, health }: { operations: OperationsValues; health?: object | undefined },
    context: z.core.$RefinementCtx,
): void {
    const problem = (operation: keyof OperationsValues, message: string) =>
        context.addIssue({ code: "custom", path: ["operations", operation], message });
    if (operations.healthCheck !== undefined && health === undefined) {
        problem("healthCheck", "mcp:health beside it, which says what is asked");
    }
}
