/** Label with an object's environment. */
export const ENVIRONMENT_LABEL = "mcp.msil.com/environment";

/** Tiers of a stack. Production's rules hold unless the values declare a trial. */
export const TIERS = ["production", "trial"] as const;

/** See {@link TIERS}. */
export type Tier = (typeof TIERS)[number];

/** Label of a trial's Kubernetes objects, which policies read. Production's objects do not have it. */
export const TIER_LABEL = "mcp.msil.com/tier";

/** Tag of a trial's AWS resources, which policies read. Production's resources do not have it. */
export const TIER_TAG = "mcp:tier";

/** Annotation of a namespace with its allowed registries, which policies read. */
export const REGISTRIES_ANNOTATION = "mcp.msil.com/registries";

/** Label of a gate's pods: its value is the workload they check. */
export const GATE_LABEL = "mcp.msil.com/gate";

/** Label of a task's pods: its value is the task. */
export const TASK_LABEL = "mcp.msil.com/task";

/** Tasks that call services or their pods, by their label. */
export const ASKING_TASKS = {
    health: "mcp-health",
    diagnostics: "mcp-diagnostics",
    jwksCache: "mcp-jwks-cache",
} as const;

/** ConfigMap with the release history: the releases that passed their gates. */
export const LEDGER = "mcp-releases";

/** Name of the metrics collector, and its `app` label, which NetworkPolicies select. */
export const COLLECTOR = "mcp-metrics";

/** Annotation of pods that may read their node's logs; its value is the reason. */
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
