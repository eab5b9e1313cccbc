import { z } from "zod";
import { someText } from "../config/scalars";

/** One entry of policies/exceptions.yaml. */
export const exceptionSchema = z.strictObject({
    /** Rule whose violation is accepted. */
    rule: someText,
    /** Stack it is accepted in. */
    stack: someText,
    /** Name or URN of the resource. */
    resource: someText.refine((name) => !name.includes("*"), "the name or URN of one resource, without *"),
    /** Reason. */
    reason: someText,
    /** Owner of the decision. */
    owner: someText,
    /** Reference of the decision. */
    ticket: someText,
    /** Last day of validity, in the runbook's time zone. */
    expires: z.iso.date("a date, such as 2026-12-31"),
});

/** A violation that is accepted for a time. */
export type Exception = z.output<typeof exceptionSchema>;
