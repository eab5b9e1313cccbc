import { type Rule } from "../rule";
import { rule as backupPlanRetention } from "./aws-backup-plan-require-retention";
import { rule as backupVaultEncryption } from "./aws-backup-vault-require-encryption";
import { rule as alarmActions } from "./aws-cloudwatch-alarm-require-actions";
import { rule as alarmErrorRate } from "./aws-cloudwatch-alarm-require-error-rate";
import { rule as alarmSeverity } from "./aws-cloudwatch-alarm-require-severity";
import { rule as eventTargetFreeText } from "./aws-cloudwatch-event-target-disallow-free-text";
import { rule as eventTargetRole } from "./aws-cloudwatch-event-target-require-role";
import { rule as logGroupEncryption } from "./aws-cloudwatch-log-group-require-encryption";
import { rule as logGroupRetention } from "./aws-cloudwatch-log-group-require-retention";
import { rule as eksClusterControlPlaneLogs } from "./aws-eks-cluster-require-control-plane-logs";
import { rule as eksClusterPrivateEndpoint } from "./aws-eks-cluster-require-private-endpoint";
import { rule as eksClusterSecretEncryption } from "./aws-eks-cluster-require-secret-encryption";
import { rule as replicationGroupEncryption } from "./aws-elasticache-replication-group-require-encryption";
import { rule as replicationGroupMultiAz } from "./aws-elasticache-replication-group-require-multi-az";
import { rule as replicationGroupSnapshotRetention } from "./aws-elasticache-replication-group-require-snapshot-retention";
import { rule as replicationGroupSnapshots } from "./aws-elasticache-replication-group-require-snapshots";
import { rule as iamPolicyEscalation } from "./aws-iam-policy-disallow-escalation";
import { rule as iamPolicyWildcard } from "./aws-iam-policy-disallow-wildcard";
import { rule as iamRoleNarrowTrust } from "./aws-iam-role-require-narrow-trust";
import { rule as kmsKeyRotation } from "./aws-kms-key-require-rotation";
import { rule as rdsInstancePublicAccess } from "./aws-rds-instance-disallow-public-access";
import { rule as rdsInstanceBackup } from "./aws-rds-instance-require-backup";
import { rule as rdsInstanceDeletionProtection } from "./aws-rds-instance-require-deletion-protection";
import { rule as rdsInstanceDumps } from "./aws-rds-instance-require-dumps";
import { rule as rdsInstanceEncryption } from "./aws-rds-instance-require-encryption";
import { rule as rdsInstanceMaintenanceWindow } from "./aws-rds-instance-require-maintenance-window";
import { rule as rdsInstanceMultiAz } from "./aws-rds-instance-require-multi-az";
import { rule as rdsInstanceQueryLogs } from "./aws-rds-instance-require-query-logs";
import { rule as rdsInstanceTls } from "./aws-rds-instance-require-tls";
import { rule as bucketEarlyExpiry } from "./aws-s3-bucket-disallow-early-expiry";
import { rule as bucketPublicAccess } from "./aws-s3-bucket-disallow-public-access";
import { rule as bucketComplianceLock } from "./aws-s3-bucket-require-compliance-lock";
import { rule as bucketEncryption } from "./aws-s3-bucket-require-encryption";
import { rule as bucketTls } from "./aws-s3-bucket-require-tls";
import { rule as scheduleEncryption } from "./aws-scheduler-schedule-require-encryption";
import { rule as scheduleTimeZone } from "./aws-scheduler-schedule-require-time-zone";
import { rule as securityGroupPublicIngress } from "./aws-security-group-disallow-public-ingress";
import { rule as stateMachineLogs } from "./aws-sfn-state-machine-require-logs";
import { rule as snsTopicEncryption } from "./aws-sns-topic-require-encryption";
import { rule as snsTopicSeverity } from "./aws-sns-topic-require-severity";
import { rule as autoscalerStaticReplicas } from "./kubernetes-autoscaler-disallow-static-replicas";
import { rule as autoscalerMinimum } from "./kubernetes-autoscaler-require-minimum";
import { rule as autoscalerTarget } from "./kubernetes-autoscaler-require-target";
import { rule as configSecrets } from "./kubernetes-config-disallow-secrets";
import { rule as cronJobDeadline } from "./kubernetes-cronjob-require-deadline";
import { rule as cronJobTimeZone } from "./kubernetes-cronjob-require-time-zone";
import { rule as deploymentDisruptionBudget } from "./kubernetes-deployment-require-disruption-budget";
import { rule as deploymentProgressDeadline } from "./kubernetes-deployment-require-progress-deadline";
import { rule as deploymentRollingUpdate } from "./kubernetes-deployment-require-rolling-update";
import { rule as deploymentRolloutTimeout } from "./kubernetes-deployment-require-rollout-timeout";
import { rule as deploymentZoneSpread } from "./kubernetes-deployment-require-zone-spread";
import { rule as disruptionBudgetEviction } from "./kubernetes-disruption-budget-require-eviction";
import { rule as ingressExpiringCertificate } from "./kubernetes-ingress-disallow-expiring-certificate";
import { rule as ingressSnippets } from "./kubernetes-ingress-disallow-snippets";
import { rule as ingressModernTls } from "./kubernetes-ingress-require-modern-tls";
import { rule as ingressTls } from "./kubernetes-ingress-require-tls";
import { rule as jobDeadline } from "./kubernetes-job-require-deadline";
import { rule as namespaceBackup } from "./kubernetes-namespace-require-backup";
import { rule as networkPolicyEverything } from "./kubernetes-network-policy-disallow-everything";
import { rule as networkPolicyMetadataService } from "./kubernetes-network-policy-disallow-metadata-service";
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
import { rule as podContainerKnownRegistry } from "./kubernetes-pod-container-require-known-registry";
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
import { rule as roleBindingClusterAdmin } from "./kubernetes-role-binding-disallow-cluster-admin";
import { rule as roleBindingEverybody } from "./kubernetes-role-binding-disallow-everybody";
import { rule as roleEscalation } from "./kubernetes-role-disallow-escalation";
import { rule as roleWildcard } from "./kubernetes-role-disallow-wildcard";
import { rule as serviceNodePort } from "./kubernetes-service-disallow-node-port";
import { rule as servicePods } from "./kubernetes-service-require-pods";

/**
 * All rules of the pack: pods, availability, network, rights, EKS, RDS, Redis, S3, logs and alarms, the rest of AWS.
 */
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
    podContainerKnownRegistry,
    objectDefaultNamespace,
    podServiceAccount,
    podTokenMount,
    podContainerSecretEnv,
    configSecrets,
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
    cronJobTimeZone,
    podNetworkPolicy,
    networkPolicyPods,
    networkPolicyEverything,
    networkPolicyMetadataService,
    servicePods,
    serviceNodePort,
    ingressModernTls,
    ingressTls,
    ingressSnippets,
    ingressExpiringCertificate,
    roleWildcard,
    roleEscalation,
    roleBindingClusterAdmin,
    roleBindingEverybody,
    eksClusterPrivateEndpoint,
    eksClusterControlPlaneLogs,
    eksClusterSecretEncryption,
    securityGroupPublicIngress,
    rdsInstanceEncryption,
    rdsInstancePublicAccess,
    rdsInstanceMultiAz,
    rdsInstanceDeletionProtection,
    rdsInstanceQueryLogs,
    rdsInstanceTls,
    rdsInstanceMaintenanceWindow,
    rdsInstanceBackup,
    rdsInstanceDumps,
    replicationGroupEncryption,
    replicationGroupMultiAz,
    replicationGroupSnapshots,
    replicationGroupSnapshotRetention,
    bucketPublicAccess,
    bucketEncryption,
    bucketTls,
    bucketComplianceLock,
    bucketEarlyExpiry,
    logGroupRetention,
    logGroupEncryption,
    alarmActions,
    alarmErrorRate,
    alarmSeverity,
    eventTargetRole,
    eventTargetFreeText,
    snsTopicSeverity,
    iamPolicyWildcard,
    iamPolicyEscalation,
    iamRoleNarrowTrust,
    kmsKeyRotation,
    snsTopicEncryption,
    stateMachineLogs,
    scheduleEncryption,
    scheduleTimeZone,
    backupVaultEncryption,
    backupPlanRetention,
    namespaceBackup,
];
