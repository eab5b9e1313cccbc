/** Label that tells an object's environment. */
export const ENVIRONMENT_LABEL = "mcp.msil.com/environment";

/** How strict a stack is. The rules of production hold for every stack that does not say that it is a trial. */
export const TIERS = ["production", "trial"] as const;

/** See {@link TIERS}. */
export type Tier = (typeof TIERS)[number];

/** Label by which policies know the Kubernetes objects of a trial. Production's do not have it. */
export const TIER_LABEL = "mcp.msil.com/tier";

/** Tag by which policies know the AWS resources of a trial. Production's do not have it. */
export const TIER_TAG = "mcp:tier";

/** Annotation of a namespace with the registries that its images come from, by which policies know them. */
export const REGISTRIES_ANNOTATION = "mcp.msil.com/registries";

/** Label of a gate's pods: its value is the workload they check. */
export const GATE_LABEL = "mcp.msil.com/gate";

/** Label of a task's pods: its value is the task. */
export const TASK_LABEL = "mcp.msil.com/task";

/** The tasks that ask services or their pods, by their label. */
export const ASKING_TASKS = {
    health: "mcp-health",
    diagnostics: "mcp-diagnostics",
    jwksCache: "mcp-jwks-cache",
} as const;

/** ConfigMap that remembers the releases which passed their gates. */
export const LEDGER = "mcp-releases";

/** Name of the collector of the services' metrics, and its `app` label, by which their NetworkPolicies know it. */
export const COLLECTOR = "mcp-metrics";

/** Annotation of the pods that read the logs of their node; its value is the reason. */
export const READS_NODE_LOGS = "mcp.msil.com/reads-node-logs";

/** Labels on every Kubernetes object of the stack. */
export function commonLabels(environment: string, production: boolean): Record<string, string> {
    return {
        "app.kubernetes.io/part-of": "mcp",
        "app.kubernetes.io/managed-by": "pulumi",
        [ENVIRONMENT_LABEL]: environment,
        ...(production ? {} : { [TIER_LABEL]: "trial" satisfies Tier }),
    };
}
