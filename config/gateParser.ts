import { type z } from "zod";
import { ValidationError } from "../jobs/lib/schema";

/**
 * The gate itself is the judge of its plan: what it would refuse in the cluster is refused here, at the value that
 * `place` makes of the plan's path.
 */
export function judgedByGate(
    parse: () => unknown,
    place: (path: string) => PropertyKey[],
    context: z.core.$RefinementCtx,
): void {
    try {
        parse();
    } catch (error) {
        if (!(error instanceof ValidationError)) {
            throw error;
        }
        for (const { path, expected } of error.problems) {
            context.addIssue({ code: "custom", path: place(path), message: expected });
        }
    }
}
