import { utcWeekly } from "../../core/calendar";
import { PATCH_WINDOW } from "../../core/numbers";
import { isInstance } from "../databases";
import { type Rule } from "../rule";

/** AWS uses UTC. */
const EXPECTED = utcWeekly(PATCH_WINDOW);

export const rule: Rule = {
    name: "aws-rds-instance-require-maintenance-window",
    description: `AWS patches databases in the runbook's window, which is ${EXPECTED} in UTC.`,
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: `Set maintenanceWindow to ${EXPECTED}.`,
    runbook: "5.1",
    resource(resource, { report }) {
        if (!isInstance(resource)) {
            return;
        }
        const found = resource.props["maintenanceWindow"];
        if (String(found).toLowerCase() !== EXPECTED) {
            report(`maintenanceWindow is ${found ?? "not set"}, expected ${EXPECTED}`);
        }
    },
};
