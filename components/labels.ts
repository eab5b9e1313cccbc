/** Label that tells an object's environment; production's stricter policies follow it. */
export const ENVIRONMENT_LABEL = "mcp.msil.com/environment";

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

/** Labels on every Kubernetes object of the stack. */
export function commonLabels(environment: string): Record<string, string> {
    return {
        "app.kubernetes.io/part-of": "mcp",
        "app.kubernetes.io/managed-by": "pulumi",
        [ENVIRONMENT_LABEL]: environment,
    };
}
