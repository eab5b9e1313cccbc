import { isPlan, kindOf, SNAPSHOTS } from "../backups";
import { isInstance, isServing } from "../databases";
import { type PolicyResource, type Rule } from "../rule";
import { eachOf, findOf, isStaging, known, leadsTo, ofType } from "../selectors";
import { asList } from "../statements";
import { orElse, type Properties } from "../unknown";

export const rule: Rule = {
    name: "aws-rds-instance-require-backup",
    description:
        "Outside of staging, AWS Backup saves the database of the services, every hour and every day.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: [],
    remediation: "Declare a Selection with the ARN of the instance for an hourly and for a daily Plan.",
    runbook: "7.1",
    stack: eachOf(isInstance, (instance, resources, { report, attempt }) => {
        if (isStaging(instance) || !isServing(instance, resources)) {
            return;
        }
        const planned = resources.filter(isPlan);
        const selections = resources.filter(ofType("aws:backup/selection:Selection"));
        for (const kind of Object.keys(SNAPSHOTS)) {
            attempt(() => {
                const plans = planned.filter(({ props }) =>
                    (props["rules"] ?? []).some((each: Properties) => kindOf(each) === kind),
                );
                const selection = findOf(
                    selections,
                    (candidate) =>
                        selects(candidate, instance) &&
                        plans.some((plan) => leadsTo(candidate, "planId", plan, known("id"))),
                );
                if (selection === undefined) {
                    report(`no ${kind} plan of AWS Backup saves it`);
                }
            });
        }
    }),
};

/** By the name of the instance, which its ARN ends in: before the instance exists the ARN may be written already. */
function selects(selection: PolicyResource, instance: PolicyResource): boolean {
    return orElse(
        () =>
            asList(selection.props["resources"]).some((arn) =>
                String(arn).endsWith(`:db:${known("identifier")(instance)}`),
            ),
        () => leadsTo(selection, "resources", instance),
    );
}
