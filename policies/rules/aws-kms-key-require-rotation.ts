import { type Rule } from "../rule";
import { asList, isConditional, isForAnyone, statementsOf } from "../statements";

/** The maximum, and AWS's default. */
const DELETION_DAYS = 30;

export const rule: Rule = {
    name: "aws-kms-key-require-rotation",
    description:
        "KMS keys are rotated, have a deletion window of 30 days, and admit only named principals of the account.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_7", "CKV_AWS_33"],
    remediation: `Set enableKeyRotation to true and deletionWindowInDays to ${DELETION_DAYS}, and name the principals of the key policy.`,
    resource({ type, props }, { report, attempt }) {
        if (type !== "aws:kms/key:Key") {
            return;
        }
        attempt(() => {
            // AWS rotates symmetric keys only.
            const isSymmetric =
                (props["customerMasterKeySpec"] ?? "SYMMETRIC_DEFAULT") === "SYMMETRIC_DEFAULT";
            if (isSymmetric && props["enableKeyRotation"] !== true) {
                report("is not rotated");
            }
        });
        attempt(() => {
            const found = props["deletionWindowInDays"] ?? DELETION_DAYS;
            if (found !== DELETION_DAYS) {
                report(`deletionWindowInDays is ${found}, expected ${DELETION_DAYS}`);
            }
        });
        const allowing = statementsOf(props["policy"], "Allow");
        const accounts = allowing.flatMap(({ Principal }) =>
            asList(Principal?.AWS).flatMap((name) => /\b\d{12}\b/.exec(String(name)) ?? []),
        );
        if (new Set(accounts).size > 1) {
            report(`is shared between the accounts ${[...new Set(accounts)].sort().join(", ")}`);
        }
        for (const statement of allowing) {
            if (isForAnyone(statement) && !isConditional(statement)) {
                report("lets anybody use the key");
            }
        }
    },
};
