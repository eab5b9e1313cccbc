import { dueBy, hoursLeftOut, isPlan, type SnapshotKind } from "../backups";
import { isInstance, isServing } from "../databases";
import { type PolicyResource, type Rule } from "../rule";
import { timeOfWeek } from "../schedules";
import { eachOf, findOf, isTrial, known, leadsTo, ofType } from "../selectors";
import { asList } from "../statements";
import { orElse } from "../unknown";

export const rule: Rule = {
    name: "aws-rds-instance-require-backup",
    description:
        "Outside of trials, AWS Backup saves the database of the services every day, and every hour in which it can.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: [],
    remediation:
        "Declare a Selection with the ARN of the instance for an hourly and for a daily Plan. The hourly one may leave out the windows of the instance, the hour before each, and the hour of the daily one.",
    runbook: "7.1",
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        if (isTrial(instance) || !isServing(instance, resources)) {
            return;
        }
        const plans = resources.filter(isPlan);
        const selections = resources.filter(ofType("aws:backup/selection:Selection"));
        const due = (kind: SnapshotKind): number[] => {
            const saving = findOf(
                plans,
                (plan) =>
                    dueBy(plan, kind).length > 0 &&
                    findOf(
                        selections,
                        (candidate) =>
                            selects(candidate, instance) && leadsTo(candidate, "planId", plan, known("id")),
                    ) !== undefined,
            );
            return saving === undefined ? [] : dueBy(saving, kind);
        };
        attempt(() => {
            const hourly = due("hourly");
            if (hourly.length === 0) {
                report("no hourly plan of AWS Backup saves it");
                return;
            }
            const [first, ...others] = hoursLeftOut(instance, hourly, () => due("daily"));
            if (first !== undefined) {
                const more = others.length === 0 ? "" : `, and ${others.length} more hours of the week`;
                report(`its hourly plan leaves out ${timeOfWeek(first)}${more}`);
            }
        });
        attempt(() => {
            if (due("daily").length === 0) {
                report("no daily plan of AWS Backup saves it");
            }
        });
    }),
};

/** By the name of the instance, the end of its ARN: the ARN may be built before the instance exists. */
function selects(selection: PolicyResource, instance: PolicyResource): boolean {
    return orElse(
        () =>
            asList(selection.props["resources"]).some((arn) =>
                String(arn).endsWith(`:db:${known("identifier")(instance)}`),
            ),
        () => leadsTo(selection, "resources", instance),
    );
}
