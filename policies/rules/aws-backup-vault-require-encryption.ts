import { type Rule } from "../rule";
import { eachOf, namesOwnKey, ofType } from "../selectors";

export const rule: Rule = {
    name: "aws-backup-vault-require-encryption",
    description: "Vaults of backups are encrypted under a key of the account.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_166"],
    remediation: "Set kmsKeyArn to a key of the stack.",
    stack: eachOf(ofType("aws:backup/vault:Vault"), (vault, _resources, { report }) => {
        if (!namesOwnKey(vault, "kmsKeyArn")) {
            report("is not encrypted under a key of the account");
        }
    }),
};
