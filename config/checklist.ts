import { z } from "zod";
import { isSamePerson } from "../core/person";
import { addresses, someText, text, typedText, versionTag } from "./scalars";

/** What the pre-deployment checklist asks for once a stack. Section 3.1. */
export const checklistSchema = z
    .strictObject({
        /** Stack that has completed an image before it is released here. Default: none; production has one. */
        validatedBy: text(
            /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
            "a stack's full name, such as organization/mcp/staging",
        ).optional(),
        /** Reason why no stack does so, which the ledger keeps with each release. Default: none. */
        unvalidated: someText.optional(),
        /** Addresses that are told when a release begins and when it is done. Default: none; production has some. */
        stakeholders: addresses(
            "at least one address, or the reason to do without in unannounced",
        ).optional(),
        /** Reason why nobody is told, which the ledger keeps with each release. Default: none. */
        unannounced: someText.optional(),
    })
    .superRefine(({ validatedBy, unvalidated, stakeholders, unannounced }, context) => {
        const problem = (path: string, message: string) =>
            context.addIssue({ code: "custom", path: [path], message });
        if (validatedBy !== undefined && unvalidated !== undefined) {
            problem("unvalidated", "nothing, because validatedBy names a stack");
        }
        if (stakeholders !== undefined && unannounced !== undefined) {
            problem("unannounced", "nothing, because stakeholders are told");
        }
    });

/** Rule of the checklist that needs the rest of the stack's values. */
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
                "mcp:kubernetes.cluster, because pods have rights on AWS on EKS only; or unannounced instead",
        });
    }
}

/** What a record brings, unless it skips all of it. */
const RECORD = ["ticket", "approvers", "rollbackPlan"] as const;

/**
 * Record of the change that brings a release. Production asks for one before the first pod of a release that its
 * ledger does not know. Whether it is of this release is not judged here: a version that is set back is known to
 * the ledger, and waits for no record.
 */
export const changeSchema = z
    .strictObject({
        /** The release's version, so that the record of an earlier one approves nothing. */
        version: versionTag,
        /** Change request. */
        ticket: typedText(someText).optional(),
        /** Who makes the change: a name, an address, or `Name <address>`. Default: not known here; the review asks git. */
        author: typedText(someText).optional(),
        /** Who approved it: not the author. */
        approvers: z.array(someText, { error: "a list of names" }).min(1, "at least one name").optional(),
        /** How it is taken back. */
        rollbackPlan: someText.optional(),
        /** Reason why the version comes without all that, and unvalidated; then it stands alone. Default: none. */
        skip: someText.optional(),
        /** Reason why no other stack has completed the image before. Default: none. */
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
                    message: `somebody other than the author, ${author}`,
                });
            }
        });
        if (change.skip === undefined) {
            for (const key of RECORD) {
                if (change[key] === undefined) {
                    problem(key, "a value, or the reason to do without in skip");
                }
            }
            return;
        }
        // Left behind by an earlier version's record, a skip would switch the checklist off for this one.
        const beside = [...RECORD, "author" as const, "unvalidated" as const].filter(
            (key) => change[key] !== undefined,
        );
        if (beside.length > 0) {
            problem("skip", `nothing, because the record has ${beside.join(", ")}; a skip stands alone`);
        }
    });
