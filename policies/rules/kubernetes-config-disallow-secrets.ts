import { eachContainer, isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Texts with the form of credentials. */
const CREDENTIALS: readonly (readonly [what: string, form: RegExp])[] = [
    ["an access key of AWS", /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
    ["a private key", /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40}/],
    ["a token of GitHub", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b/],
    ["a token of Slack", /\bxox[abprs]-[A-Za-z0-9-]{20,}/],
    ["a signed token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
    ["a password in a URL", /[a-z0-9+.-]:\/\/[^\s/:@"'`${}]+:[^\s/:@"'`${}]+@[\w.-]/i],
];

/** Names of secrets. Names of files and addresses have other endings. */
const NAMES =
    /(^|[_.-])(pass(word|wd|phrase)?|secret|token|api[_-]?key|(private|access|subscription|signing)[_-]?key|credentials?)$/i;

/** Kind of secret that a value is; undefined for none. The value is not quoted. */
function secretIn(name: string, value: unknown): string | undefined {
    if (typeof value !== "string") {
        return undefined;
    }
    const [what] = CREDENTIALS.find(([, form]) => form.test(value)) ?? [];
    // A path to a secret is no secret.
    return (
        what ??
        (NAMES.test(name) && value !== "" && !value.startsWith("/") ? "a secret by its name" : undefined)
    );
}

const inContainers = eachContainer((container, report) => {
    for (const { name, value } of (container["env"] ?? []) as Properties[]) {
        const what = secretIn(String(name), value);
        if (what !== undefined) {
            report(`the value of ${name} is ${what}`);
        }
    }
});

export const rule: Rule = {
    name: "kubernetes-config-disallow-secrets",
    description: "ConfigMaps and the environment of containers contain no credentials as text.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_K8S_35", "CIS-EKS-4.4.1"],
    remediation:
        "Move it into secrets of the workload, set it with pulumi config set --secret, and replace it where it was used.",
    resource(resource, verdict) {
        if (!isKind(resource, "core", "ConfigMap")) {
            inContainers(resource, verdict);
            return;
        }
        const data: Properties = resource.props["data"] ?? {};
        for (const key of Object.keys(data)) {
            verdict.attempt(() => {
                const what = secretIn(key, data[key]);
                if (what !== undefined) {
                    verdict.report(`data.${key} is or has ${what}`);
                }
            });
        }
    },
};
