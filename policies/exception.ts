import { z } from "zod";
import { someText } from "../config/scalars";

/** One entry of policies/exceptions.yaml. */
export const exceptionSchema = z.strictObject({
    /** Rule whose violation is accepted. */
    rule: someText,
    /** Stack it is accepted in. */
    stack: someText,
    /** Name or URN of the one resource. */
    resource: someText.refine((name) => !name.includes("*"), "the name or URN of one resource, without *"),
    /** Why it is accepted. */
    reason: someText,
    /** Who answers for it. */
    owner: someText,
    /** Where it was decided. */
    ticket: someText,
    /** Last day it holds, in the zone of the runbook. */
    expires: z.iso.date("a date, such as 2026-12-31"),
});

/** A violation that the team accepts for a time. */
export type Exception = z.output<typeof exceptionSchema>;
