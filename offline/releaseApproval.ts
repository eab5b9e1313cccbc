import { isSamePerson } from "../core/person";
import { type ApprovalPlan, parseApprovalPlan, problemsOf, validationOf } from "../jobs/evidence";
import { type Change, isMade } from "./compare";
import { isObject, type Property } from "./property";

/**
 * What the evidence gates of new releases ask for, a sentence each: what their change records lack, or who must have
 * completed the image. What the ledger knows nobody knows offline, and a release in there is not asked.
 */
export function describeEvidence(changes: readonly Change[]): string[] {
    return plansOf(changes).map(sentenceOf);
}

/** New releases that their gate stops, or that skip the checklist, a sentence each. */
export function unapproved(changes: readonly Change[]): string[] {
    return plansOf(changes)
        .filter((plan) => problemsOf(plan, []).length > 0 || plan.change?.skip !== undefined)
        .map(sentenceOf);
}

/** New releases with an approver who has changed the stack file, by git, whatever their record says; a sentence each. */
export function selfApproved(changes: readonly Change[], authors: readonly string[]): string[] {
    return plansOf(changes).flatMap(({ subject, change }) =>
        (change?.approvers ?? []).flatMap((approver) => {
            const author = authors.find((each) => isSamePerson(each, approver));
            return author === undefined
                ? []
                : [`${subject} is approved by ${approver}, an author of this change (${author}).`];
        }),
    );
}

/** What the evidence gates of new releases look at. */
function plansOf(changes: readonly Change[]): ApprovalPlan[] {
    const programs = new Map<string, Property | undefined>(
        changes
            .filter(({ resource: { type } }) => type === "kubernetes:core/v1:ConfigMap")
            .map(({ resource: { name, inputs } }) => [name, inputs["data"]]),
    );
    return changes.filter(isMade).flatMap(({ resource: { type, name } }) => {
        const [, gate] = /^(.+-evidence)-[0-9a-f]{8}$/.exec(name) ?? [];
        const data = programs.get(`${gate}-program`);
        const plan = isObject(data) ? data["plan.json"] : undefined;
        return type === "kubernetes:batch/v1:Job" && typeof plan === "string"
            ? [parseApprovalPlan(JSON.parse(plan))]
            : [];
    });
}

function sentenceOf(plan: ApprovalPlan): string {
    const { subject, change } = plan;
    const problems = problemsOf(plan, []);
    if (change === undefined || problems.length > 0) {
        return `Evidence stops ${subject}, unless the ledger knows it, because ${problems.join("; ")}.`;
    }
    const { ticket, author, approvers = [], skip } = change;
    if (skip !== undefined) {
        return `${subject} skips the checklist: ${skip}.`;
    }
    const validation = validationOf(plan);
    const validated =
        "unvalidated" in validation
            ? `nobody need have completed its image: ${validation.unvalidated}`
            : `evidence asks whether ${validation.stack} has completed its image`;
    return `${subject} comes with ${ticket}${author === undefined ? "" : ` by ${author}`}, approved by ${approvers.join(", ")}; ${validated}.`;
}
