import { type Rule } from "../rule";
import { rule as deploymentRolloutTimeout } from "./kubernetes-deployment-require-rollout-timeout";
import { rule as containerPrivileged } from "./kubernetes-pod-container-disallow-privileged";
import { rule as podNetworkPolicy } from "./kubernetes-pod-require-network-policy";

/** Every rule of the pack. */
export const rules: readonly Rule[] = [containerPrivileged, podNetworkPolicy, deploymentRolloutTimeout];
