import { quotaOf } from "../components/platform/quota";
import { type Quota } from "../components/platform/namespace";
import { type ResolvedStack } from "../config/resolve";
import { dataPods } from "./data";
import { edgePods } from "./edge";
import { healthPods } from "./health";
import { maintenancePods } from "./maintenance";
import { observabilityPods } from "./observability";
import { operationsPods } from "./operations";
import { workloadPods } from "./workloads";

/** Quota of the namespace: room for the maximum pods of each concern at the same time. */
export function stackQuota(stack: ResolvedStack): Quota {
    const concerns = [
        workloadPods,
        edgePods,
        dataPods,
        healthPods,
        maintenancePods,
        observabilityPods,
        operationsPods,
    ];
    return quotaOf(concerns.flatMap((pods) => pods(stack)));
}
