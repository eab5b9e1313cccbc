import { type Rule } from "../rule";
import { rule as iamPolicyWildcard } from "./aws-iam-policy-disallow-wildcard";
import { rule as iamRoleNarrowTrust } from "./aws-iam-role-require-narrow-trust";
import { rule as kmsKeyRotation } from "./aws-kms-key-require-rotation";
import { rule as snsTopicEncryption } from "./aws-sns-topic-require-encryption";
import { rule as snsTopicSeverity } from "./aws-sns-topic-require-severity";
import { rule as autoscalerStaticReplicas } from "./kubernetes-autoscaler-disallow-static-replicas";
import { rule as autoscalerMinimum } from "./kubernetes-autoscaler-require-minimum";
import { rule as autoscalerTarget } from "./kubernetes-autoscaler-require-target";
import { rule as cronJobDeadline } from "./kubernetes-cronjob-require-deadline";
import { rule as deploymentDisruptionBudget } from "./kubernetes-deployment-require-disruption-budget";
import { rule as deploymentProgressDeadline } from "./kubernetes-deployment-require-progress-deadline";
import { rule as deploymentRollingUpdate } from "./kubernetes-deployment-require-rolling-update";
import { rule as deploymentRolloutTimeout } from "./kubernetes-deployment-require-rollout-timeout";
import { rule as deploymentZoneSpread } from "./kubernetes-deployment-require-zone-spread";
import { rule as disruptionBudgetEviction } from "./kubernetes-disruption-budget-require-eviction";
import { rule as ingressExpiringCertificate } from "./kubernetes-ingress-disallow-expiring-certificate";
import { rule as ingressTls } from "./kubernetes-ingress-require-tls";
import { rule as jobDeadline } from "./kubernetes-job-require-deadline";
import { rule as networkPolicyPods } from "./kubernetes-network-policy-require-pods";
import { rule as objectDefaultNamespace } from "./kubernetes-object-disallow-default-namespace";
import { rule as podContainerHostPort } from "./kubernetes-pod-container-disallow-host-port";
import { rule as podContainerPrivilegeEscalation } from "./kubernetes-pod-container-disallow-privilege-escalation";
import { rule as podContainerPrivileged } from "./kubernetes-pod-container-disallow-privileged";
import { rule as podContainerSecretEnv } from "./kubernetes-pod-container-disallow-secret-env";
import { rule as podContainerDistinctProbes } from "./kubernetes-pod-container-require-distinct-probes";
import { rule as podContainerDroppedCapabilities } from "./kubernetes-pod-container-require-dropped-capabilities";
import { rule as podContainerHighIds } from "./kubernetes-pod-container-require-high-ids";
import { rule as podContainerImageDigest } from "./kubernetes-pod-container-require-image-digest";
import { rule as podContainerImageTag } from "./kubernetes-pod-container-require-image-tag";
import { rule as podContainerLivenessProbe } from "./kubernetes-pod-container-require-liveness-probe";
import { rule as podContainerNonRoot } from "./kubernetes-pod-container-require-non-root";
import { rule as podContainerReadOnlyRoot } from "./kubernetes-pod-container-require-read-only-root";
import { rule as podContainerReadinessProbe } from "./kubernetes-pod-container-require-readiness-probe";
import { rule as podContainerResources } from "./kubernetes-pod-container-require-resources";
import { rule as podContainerSeccomp } from "./kubernetes-pod-container-require-seccomp";
import { rule as podHostIpc } from "./kubernetes-pod-disallow-host-ipc";
import { rule as podHostNetwork } from "./kubernetes-pod-disallow-host-network";
import { rule as podHostPid } from "./kubernetes-pod-disallow-host-pid";
import { rule as podTokenMount } from "./kubernetes-pod-disallow-token-mount";
import { rule as podUnsafeVolumes } from "./kubernetes-pod-disallow-unsafe-volumes";
import { rule as podLivenessPath } from "./kubernetes-pod-require-liveness-path";
import { rule as podNetworkPolicy } from "./kubernetes-pod-require-network-policy";
import { rule as podReadinessPath } from "./kubernetes-pod-require-readiness-path";
import { rule as podServiceAccount } from "./kubernetes-pod-require-service-account";
import { rule as serviceNodePort } from "./kubernetes-service-disallow-node-port";
import { rule as servicePods } from "./kubernetes-service-require-pods";

/** Every rule of the pack: pods, availability, network, AWS. */
export const rules: readonly Rule[] = [
    podContainerPrivileged,
    podHostPid,
    podHostIpc,
    podHostNetwork,
    podContainerPrivilegeEscalation,
    podContainerNonRoot,
    podContainerHighIds,
    podContainerDroppedCapabilities,
    podContainerSeccomp,
    podContainerReadOnlyRoot,
    podUnsafeVolumes,
    podContainerHostPort,
    podContainerResources,
    podContainerImageTag,
    podContainerImageDigest,
    objectDefaultNamespace,
    podServiceAccount,
    podTokenMount,
    podContainerSecretEnv,
    podContainerLivenessProbe,
    podContainerReadinessProbe,
    podContainerDistinctProbes,
    podLivenessPath,
    podReadinessPath,
    autoscalerMinimum,
    deploymentRollingUpdate,
    deploymentZoneSpread,
    deploymentDisruptionBudget,
    disruptionBudgetEviction,
    autoscalerTarget,
    autoscalerStaticReplicas,
    deploymentProgressDeadline,
    deploymentRolloutTimeout,
    cronJobDeadline,
    jobDeadline,
    podNetworkPolicy,
    networkPolicyPods,
    servicePods,
    serviceNodePort,
    ingressTls,
    ingressExpiringCertificate,
    snsTopicSeverity,
    iamPolicyWildcard,
    iamRoleNarrowTrust,
    kmsKeyRotation,
    snsTopicEncryption,
];
