import { isCredentialHeader, secretIn } from "../../core/credentials";
import { eachContainer, isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Secrets in a ConfigMap's value, and in the JSON that it may be, by their paths. */
function* secretsIn(key: string, value: unknown, path = key): Generator<[path: string, what: string]> {
    if (typeof value === "object" && value !== null) {
        for (const [inner, each] of Object.entries(value)) {
            yield* secretsIn(inner, each, `${path}.${inner}`);
        }
        return;
    }
    const what =
        secretIn(key, value) ??
        (/\.headers\.[^.]+$/.test(path) && isCredentialHeader(key)
            ? "a credential by its header"
            : undefined);
    const json = key.endsWith(".json") && typeof value === "string" ? parsed(value) : undefined;
    if (json !== undefined) {
        yield* secretsIn(key, json, path);
    } else if (what !== undefined) {
        yield [path, what];
    }
}

/** The object that a text is as JSON; undefined for another text. */
function parsed(text: string): object | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null ? value : undefined;
    } catch {
        return undefined;
    }
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
                for (const [path, what] of secretsIn(key, data[key])) {
                    verdict.report(`data.${path} is or has ${what}`);
                }
            });
        }
    },
};
