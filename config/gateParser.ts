import { type z } from "zod";
import { ValidationError } from "../jobs/lib/schema";

/**
 * Parses a gate's plan with the gate's own parser, so that every plan that the gate would refuse is refused here.
 * `place` maps a path of the plan to the path of the value.
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
