import { ROLLOUT_TIMEOUT_SECONDS } from "../numbers";
import { type ExpectedChange } from "../procedure";

export const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

export const ROLLOUT = `The update waits ${ROLLOUT_TIMEOUT_SECONDS} seconds for the rollout`;

/** What comes or goes with one gate of a colour. */
export const gateOf = (operation: "create" | "delete", name: string, gate: string): ExpectedChange[] => [
    { operation, type: "kubernetes:batch/v1:Job", name: `${name}-${gate}-*` },
    { operation, type: "kubernetes:core/v1:ConfigMap", name: `${name}-${gate}-program` },
];

/** What comes or goes with one run of a task. */
export const jobOf = (operation: "create" | "delete", name: string): ExpectedChange[] => [
    { operation, type: "kubernetes:batch/v1:Job", name },
    { operation, type: "kubernetes:core/v1:ConfigMap", name: `${name}-program` },
];
