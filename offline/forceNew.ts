import { type RecordedResource } from "./record";

/**
 * Inputs whose change replaces the resource. Kubernetes: the provider's own table (pulumi-kubernetes v4.32,
 * provider/pkg/provider/diff.go). AWS and random: the inputs that the providers' schemas mark as replacing. The table
 * is written by hand, because the providers' npm packages contain no schema. For a type that is missing here, it is
 * unknown offline whether a change replaces it.
 */
const IMMUTABLE_INPUTS: Readonly<Record<string, readonly string[]>> = {
    "kubernetes:apps/v1:DaemonSet": ["spec.selector"],
    "kubernetes:apps/v1:Deployment": ["spec.selector"],
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": [],
    "kubernetes:batch/v1:CronJob": [],
    "kubernetes:batch/v1:Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
    "kubernetes:core/v1:ConfigMap": ["binaryData", "data"],
    "kubernetes:core/v1:Namespace": [],
    "kubernetes:core/v1:ResourceQuota": ["spec.scopes"],
    "kubernetes:core/v1:Secret": ["type"],
    "kubernetes:core/v1:Service": ["spec.clusterIP"],
    "kubernetes:core/v1:ServiceAccount": [],
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": [],
    "kubernetes:networking.k8s.io/v1:Ingress": [],
    "kubernetes:policy/v1:PodDisruptionBudget": [],
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": [],
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ["roleRef"],
    "kubernetes:rbac.authorization.k8s.io/v1:Role": [],
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ["roleRef"],
    // The program's own option (components/platform/namespace.ts).
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": ["preemptionPolicy", "value"],
    "aws:acm/certificate:Certificate": [
        "certificateAuthorityArn",
        "domainName",
        "keyAlgorithm",
        "subjectAlternativeNames",
        "validationMethod",
        "validationOptions",
    ],
    "aws:backup/plan:Plan": ["name"],
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": ["name"],
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": [
        "name",
        "protectedResourceType",
        "restoreTestingPlanName",
    ],
    "aws:backup/selection:Selection": [
        "conditions",
        "iamRoleArn",
        "name",
        "notResources",
        "planId",
        "resources",
        "selectionTags",
    ],
    "aws:backup/vault:Vault": ["kmsKeyArn", "name"],
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": [
        "backupVaultName",
        "changeableForDays",
        "maxRetentionDays",
        "minRetentionDays",
    ],
    "aws:backup/vaultPolicy:VaultPolicy": ["backupVaultName"],
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": [],
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": [],
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": ["name"],
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ["alarmName"],
    "aws:cloudwatch/dashboard:Dashboard": ["dashboardName"],
    "aws:cloudwatch/eventRule:EventRule": ["eventBusName", "name", "namePrefix"],
    "aws:cloudwatch/eventTarget:EventTarget": ["eventBusName", "rule", "targetId"],
    "aws:cloudwatch/logGroup:LogGroup": ["logGroupClass", "name", "namePrefix"],
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ["logGroupName", "name"],
    "aws:cloudwatch/logStream:LogStream": ["logGroupName", "name"],
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": ["destinationArn", "logGroup", "name"],
    "aws:cloudwatch/metricAlarm:MetricAlarm": ["name"],
    "aws:cloudwatch/queryDefinition:QueryDefinition": [],
    "aws:ec2/securityGroup:SecurityGroup": ["description", "name", "namePrefix", "vpcId"],
    "aws:eks/addon:Addon": ["addonName", "clusterName", "namespaceConfig"],
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": ["clusterName", "namespace", "serviceAccount"],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
        "atRestEncryptionEnabled",
        "dataTieringEnabled",
        "globalReplicationGroupId",
        "kmsKeyId",
        "networkType",
        "port",
        "replicationGroupId",
        "securityGroupNames",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    ],
    "aws:elasticache/subnetGroup:SubnetGroup": ["name"],
    "aws:iam/role:Role": ["name", "namePrefix", "path"],
    "aws:iam/rolePolicy:RolePolicy": ["name", "namePrefix", "role"],
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ["policyArn", "role"],
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": ["destination", "name"],
    "aws:kms/alias:Alias": ["name", "namePrefix"],
    "aws:kms/key:Key": ["customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId", "xksKeyId"],
    "aws:rds/instance:Instance": [
        "availabilityZone",
        "backupTarget",
        "characterSetName",
        "dbName",
        "engine",
        "kmsKeyId",
        "ncharCharacterSetName",
        "restoreToPointInTime",
        "s3Import",
        "snapshotIdentifier",
        "storageEncrypted",
        "timezone",
        "username",
    ],
    "aws:rds/parameterGroup:ParameterGroup": ["description", "family", "name", "namePrefix"],
    "aws:rds/subnetGroup:SubnetGroup": ["name", "namePrefix"],
    "aws:route53/healthCheck:HealthCheck": [
        "measureLatency",
        "referenceName",
        "requestInterval",
        "routingControlArn",
        "type",
    ],
    "aws:s3/bucket:Bucket": ["bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"],
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ["bucket", "expectedBucketOwner"],
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": ["bucket", "expectedBucketOwner"],
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ["bucket"],
    "aws:s3/bucketPolicy:BucketPolicy": ["bucket"],
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ["bucket"],
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ["bucket"],
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": [
        "bucket",
        "expectedBucketOwner",
    ],
    "aws:s3/bucketVersioning:BucketVersioning": ["bucket", "expectedBucketOwner"],
    "aws:scheduler/schedule:Schedule": ["groupName", "name", "namePrefix"],
    "aws:sfn/stateMachine:StateMachine": ["name", "namePrefix", "type"],
    "aws:sns/topic:Topic": ["fifoTopic", "name", "namePrefix"],
    "aws:sns/topicPolicy:TopicPolicy": ["arn"],
    "aws:sns/topicSubscription:TopicSubscription": ["endpoint", "protocol", "topic"],
    "aws:ssm/document:Document": ["documentType", "name"],
    "aws:ssm/maintenanceWindow:MaintenanceWindow": [],
    "aws:ssm/maintenanceWindowTarget:MaintenanceWindowTarget": ["resourceType", "windowId"],
    "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask": ["taskType", "windowId"],
    "aws:ssm/patchBaseline:PatchBaseline": ["operatingSystem"],
    "aws:ssm/patchGroup:PatchGroup": ["baselineId", "patchGroup"],
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ["securityGroupId"],
    // The program's own provider (components/operations/toolProvider.ts).
    "pulumi-nodejs:dynamic/operations:DisabledTool": ["tool"],
    "random:index/randomBytes:RandomBytes": ["keepers", "length"],
    "random:index/randomId:RandomId": ["byteLength", "keepers", "prefix"],
    "random:index/randomPassword:RandomPassword": [
        "keepers",
        "length",
        "lower",
        "number",
        "numeric",
        "special",
        "upper",
    ],
};

/** Inputs of a type whose change replaces a resource, as far as they are known offline; without the names. */
export function immutableInputs(type: string): readonly string[] {
    return IMMUTABLE_INPUTS[type] ?? [];
}

/** Whether changing `path` replaces a resource of this type; undefined if unknown offline. */
export function replaces(
    { type, inputs }: Pick<RecordedResource, "type" | "inputs">,
    path: string,
): boolean | undefined {
    const own = IMMUTABLE_INPUTS[type];
    if (own === undefined) {
        return undefined;
    }
    // The provider is configured to update Secrets in place, except those with `immutable`.
    const sealed =
        type === "kubernetes:core/v1:Secret" && inputs["immutable"] === true ? ["data", "stringData"] : [];
    const named = type.startsWith("kubernetes:") ? ["metadata.name", "metadata.namespace"] : [];
    const all = [...own, ...sealed, ...named];
    return all.some(
        (immutable) =>
            path === immutable || path.startsWith(`${immutable}.`) || path.startsWith(`${immutable}[`),
    );
}
