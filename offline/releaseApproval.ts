import { isSamePerson } from "../core/person";
import { type ApprovalPlan, parseApprovalPlan, problemsOf, validationOf } from "../jobs/evidence";
import { type Change, isMade } from "./compare";
import { isObject, type Property } from "./property";

/**
 * Requirements of the approval gates of new releases, a sentence each: what their change records lack, or which stack
 * must have completed the image. The release history is not available offline; releases in it pass without a record.
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

/** New releases with an approver who changed the stack file, by git, regardless of their record; a sentence each. */
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

/** Values that the approval gates of new releases check. */
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
        return `The evidence gate stops ${subject}, unless the release history has it: ${problems.join("; ")}.`;
    }
    const { ticket, author, approvers = [], skip } = change;
    if (skip !== undefined) {
        return `${subject} skips the checklist: ${skip}.`;
    }
    const validation = validationOf(plan);
    const validated =
        "unvalidated" in validation
            ? `no stack must complete its image first: ${validation.unvalidated}`
            : `the evidence gate checks that ${validation.stack} completed its image`;
    return `${subject} comes with ${ticket}${author === undefined ? "" : ` by ${author}`}, approved by ${approvers.join(", ")}; ${validated}.`;
}
