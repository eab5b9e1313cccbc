import { type StackValues, type WorkloadValues } from "../../config";
import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { type Edit, type ExpectedChange } from "../procedure";

export const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

export const ROLLOUT = `The update waits ${ROLLOUT_TIMEOUT_SECONDS} seconds for the rollout`;

/** A diagnosis has nothing to undo. */
export const ONLY_LOOKS = { edits: [], changes: [], undo: "Nothing to undo: it only looks." } as const;

/** Names of the stack's workloads. Default: of any strategy. */
export const workloadsOf =
    (strategy?: WorkloadValues["strategy"]) =>
    ({ workloads }: StackValues): string[] =>
        Object.keys(workloads).filter(
            (name) => strategy === undefined || workloads[name]!.strategy === strategy,
        );

/** Resources that come or go with one gate of a colour. */
export const gateOf = (operation: "create" | "delete", name: string, gate: string): ExpectedChange[] => [
    { operation, type: "kubernetes:batch/v1:Job", name: `${name}-${gate}-*` },
    { operation, type: "kubernetes:core/v1:ConfigMap", name: `${name}-${gate}-program` },
];

/** Resources that come or go with one run of a task. */
export const jobOf = (operation: "create" | "delete", name: string): ExpectedChange[] => [
    { operation, type: "kubernetes:batch/v1:Job", name },
    { operation, type: "kubernetes:core/v1:ConfigMap", name: `${name}-program` },
];

/** Resources that come or go with an operation whose rights exist only while a value requests it. */
export const operationOf = (
    operation: "create" | "delete",
    component: string,
    name: string,
    run: string,
): ExpectedChange[] => [
    { operation, type: `mcp:operations:${component}`, name },
    ...jobOf(operation, `${name}-${run}`),
    { operation, type: "kubernetes:core/v1:ServiceAccount", name },
    { operation, type: "kubernetes:networking.k8s.io/v1:NetworkPolicy", name },
    { operation, type: "kubernetes:rbac.authorization.k8s.io/v1:Role", name },
    { operation, type: "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", name },
];

/** How to request an operation. */
export const runOf = (operation: string): Edit => ({
    path: `mcp:operations.${operation}`,
    value: "a text that it has not had before: the ticket, or the date",
    example: "INC-2041",
    parameter: "ticket",
});
