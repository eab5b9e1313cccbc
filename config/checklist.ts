import { z } from "zod";
import { isSamePerson } from "../core/person";
import { addresses, someText, text, typedText, versionTag } from "./scalars";

/** Settings of the pre-deployment checklist for the whole stack. Section 3.1. */
export const checklistSchema = z
    .strictObject({
        /** Stack that must complete an image before it is released here. Default: none; required in production. */
        validatedBy: text(
            /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
            "a stack's full name, such as organization/mcp/staging",
        ).optional(),
        /** Reason for having no such stack. The release history stores it with each release. Default: none. */
        unvalidated: someText.optional(),
        /**
         * Addresses that are notified when a release begins and when it is completed. Default: none; required in
         * production.
         */
        stakeholders: addresses("at least one address, or the reason to have none in unannounced").optional(),
        /** Reason for notifying no stakeholders. The release history stores it with each release. Default: none. */
        unannounced: someText.optional(),
    })
    .superRefine(({ validatedBy, unvalidated, stakeholders, unannounced }, context) => {
        const problem = (path: string, message: string) =>
            context.addIssue({ code: "custom", path: [path], message });
        if (validatedBy !== undefined && unvalidated !== undefined) {
            problem("unvalidated", "nothing, because validatedBy names a stack");
        }
        if (stakeholders !== undefined && unannounced !== undefined) {
            problem("unannounced", "nothing, because stakeholders are set");
        }
    });

/** Rule of the checklist that depends on other values of the stack. */
export function checkChecklist(
    {
        checklist: { stakeholders },
        kubernetes,
    }: { checklist: z.output<typeof checklistSchema>; kubernetes: { cluster?: string | undefined } },
    context: z.core.$RefinementCtx,
): void {
    if (stakeholders !== undefined && kubernetes.cluster === undefined) {
        context.addIssue({
            code: "custom",
            path: ["checklist", "stakeholders"],
            message:
                "mcp:kubernetes.cluster, because pods have AWS rights on EKS only; or set unannounced instead",
        });
    }
}

/** Fields that are required unless `skip` is set. */
const RECORD = ["ticket", "approvers", "rollbackPlan"] as const;

/** A text with a letter or a digit: blanks and dots approve nothing. */
const withWords = (expected: string) =>
    someText.refine((text) => /[\p{L}\p{N}]/u.test(text), { error: expected });

/**
 * Change record of a release. Production requires one before the first pod of a release that is not in the release
 * history. A rollback to a version in the history needs none.
 */
export const changeSchema = z
    .strictObject({
        /** The release's version, so that a record cannot approve another version. */
        version: versionTag,
        /** Id of the change request. */
        ticket: typedText(withWords("the id of a change request")).optional(),
        /** Author of the change: a name, an address, or `Name <address>`. Default: unknown; the review asks git. */
        author: typedText(someText).optional(),
        /** Approvers, other than the author. */
        approvers: z
            .array(withWords("a name"), { error: "a list of names" })
            .min(1, "at least one name")
            .optional(),
        /** Rollback plan. */
        rollbackPlan: withWords("the steps of the rollback").optional(),
        /**
         * Reason for releasing the version without a record and without validation. Excludes all other fields. Default:
         * none.
         */
        skip: someText.optional(),
        /** Reason for releasing the image without validation by another stack. Default: none. */
        unvalidated: someText.optional(),
    })
    .superRefine((change, context) => {
        const problem = (path: string, message: string) =>
            context.addIssue({ code: "custom", path: [path], message });
        const { author, approvers = [] } = change;
        approvers.forEach((approver, index) => {
            if (author !== undefined && isSamePerson(approver, author)) {
                context.addIssue({
                    code: "custom",
                    path: ["approvers", index],
                    message: `a person other than the author, ${author}`,
                });
            }
        });
        if (change.skip === undefined) {
            for (const key of RECORD) {
                if (change[key] === undefined) {
                    problem(key, "a value, or a reason to omit it in skip");
                }
            }
            return;
        }
        // Must be removed with the version: a skip that stays would disable the checklist for the next version.
        const beside = [...RECORD, "author" as const, "unvalidated" as const].filter(
            (key) => change[key] !== undefined,
        );
        if (beside.length > 0) {
            problem(
                "skip",
                `nothing, because the record also has ${beside.join(", ")}; skip excludes other fields`,
            );
        }
    });
