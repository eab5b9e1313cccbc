import { type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { displayed } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";

/* Every path by which a message or a call travels between services of AWS in a recorded stack, as the requests that AWS
 * evaluates: who asks, for what, with which context keys. The recording must know the ARNs (see `outputsOf`). */

export const ACCOUNT = "000000000000";
export const REGION = "ap-south-1";
const OTHER_ACCOUNT = "999999999999";
/** Where copies are. */
export const COPIES_ACCOUNT = "222222222222";
const COPIES_REGION = "ap-southeast-1";

/** A service of AWS that asks in its own name, and the context keys that it sends with the request. */
interface Sender {
    service: string;
    /** By the ARN of the resource that it acts for. Empty: its guide documents none. */
    keys: (source: string) => Record<string, string>;
    /** Where AWS says so. */
    source: string;
}

const sourceOf = (source: string) => ({
    "aws:SourceAccount": source.split(":")[4] || ACCOUNT,
    "aws:SourceArn": source,
});
const none = () => ({});

/** What each service sends. A condition on any other key never holds, and AWS drops the message without a word. */
const SENDERS = {
    alarm: {
        service: "cloudwatch.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
    },
    // To a topic with a customer key it sends none; taking a role on, it names its rule.
    rule: {
        service: "events.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html",
    },
    schedule: {
        service: "scheduler.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html",
    },
    stateMachine: {
        service: "states.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html",
    },
    subscription: {
        service: "logs.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html",
    },
    logGroup: {
        service: `logs.${REGION}.amazonaws.com`,
        keys: (source: string) => ({ "kms:EncryptionContext:aws:logs:arn": source }),
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    },
    stream: {
        service: "firehose.amazonaws.com",
        keys: (source: string) => ({ "sts:ExternalId": source.split(":")[4]! }),
        source: "https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html",
    },
    window: {
        service: "ssm.amazonaws.com",
        keys: none,
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/configuring-maintenance-window-permissions-console.html",
    },
    backup: {
        service: "backup.amazonaws.com",
        keys: none,
        source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html",
    },
    replication: {
        service: "s3.amazonaws.com",
        keys: none,
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html",
    },
    elastiCache: {
        service: `${REGION}.elasticache-snapshot.amazonaws.com`,
        keys: none,
        source: "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-exporting.html",
    },
    chat: {
        service: "chatbot.amazonaws.com",
        keys: sourceOf,
        source: "https://docs.aws.amazon.com/chatbot/latest/adminguide/cross-service-confused-deputy-prevention.html",
    },
    pods: {
        service: "pods.eks.amazonaws.com",
        keys: (source: string) => {
            const [cluster, namespace, serviceAccount] = source.split("/");
            return {
                "aws:RequestTag/eks-cluster-name": cluster!,
                "aws:RequestTag/kubernetes-namespace": namespace!,
                "aws:RequestTag/kubernetes-service-account": serviceAccount!,
            };
        },
        source: "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html",
    },
} as const satisfies Record<string, Sender>;

/** One request, and the policies that decide on it. */
export interface Request {
    /** Service, or ARN of a role's session. */
    principal: string;
    action: string;
    resource: string;
    context: Record<string, string>;
    /** Policies of the role; none for a service. */
    identity: object[];
    /** Policy of the resource. Default: none. */
    policy: object | undefined;
    /** Account of the resource. Default: the stack's. */
    owner?: string;
}

/** One path: its requests must all be allowed, and each of its imitations denied. */
export interface Path {
    /** `event mcp-production-snapshots-failed`. */
    name: string;
    /** URNs of the resources that the path shows to be of use. */
    covers: string[];
    requests: Request[];
    imitations: { what: string; request: Request }[];
}

/** What the provider gives out of a resource, as far as policies name it. */
export function outputsOf(type: string, name: string): Record<string, JavaScriptValue> {
    const arn = arnOf(type, name);
    return {
        ...(arn !== undefined && { arn }),
        ...(type === "aws:rds/instance:Instance" && {
            masterUserSecrets: [
                { secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`, kmsKeyId: "" },
            ],
        }),
    };
}

/** ARN of a resource, of those that a path begins, passes or ends at. */
export function arnOf(type: string, name: string): string | undefined {
    const regional = (service: string, resource: string) =>
        `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
    switch (type) {
        case "aws:iam/role:Role":
            return `arn:aws:iam::${ACCOUNT}:role/${name}`;
        case "aws:sns/topic:Topic":
            return regional("sns", name);
        case "aws:kms/key:Key":
            return regional("kms", `key/${name}`);
        case "aws:sfn/stateMachine:StateMachine":
            return regional("states", `stateMachine:${name}`);
        case "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream":
            return regional("firehose", `deliverystream/${name}`);
        case "aws:route53/healthCheck:HealthCheck":
            return `arn:aws:route53:::healthcheck/${name}`;
        default:
            return undefined;
    }
}

/** Instance, OpsItem and the like that a path ends at, of which there is one only at run time. */
const ANY = "0123456789";

/** What each call of a state machine asks for: resources by its arguments. */
const CALLS: Readonly<
    Record<string, (args: Record<string, string>) => [action: string, resource: string][]>
> = {
    // One of several, by an expression.
    "sns:publish": ({ TopicArn }) =>
        TopicArn!.match(/arn:aws:sns:[\w:-]+/g)!.map((topic) => ["sns:Publish", topic]),
    "aws-sdk:ssm:getOpsItem": () => [["ssm:GetOpsItem", ssm(`opsitem/oi-${ANY}`)]],
    "aws-sdk:ssm:updateOpsItem": () => [["ssm:UpdateOpsItem", ssm(`opsitem/oi-${ANY}`)]],
    "aws-sdk:ssm:createOpsItem": () => [["ssm:CreateOpsItem", ssm("*")]],
    "aws-sdk:ssm:describeOpsItems": () => [["ssm:DescribeOpsItems", "*"]],
    "aws-sdk:cloudwatch:describeAlarms": () => [
        ["cloudwatch:DescribeAlarms", `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:mcp-production-any`],
    ],
    "aws-sdk:cloudwatch:putMetricData": () => [["cloudwatch:PutMetricData", "*"]],
    "aws-sdk:route53:getHealthCheckStatus": () => [
        [
            "route53:GetHealthCheckStatus",
            "arn:aws:route53:::healthcheck/mcp-production-outside-chat-ui.mcp.msil.com",
        ],
    ],
    // By its alias; AWS evaluates the right on the key.
    "aws-sdk:kms:describeKey": ({ KeyId }) => [
        ["kms:DescribeKey", `arn:aws:kms:${REGION}:${ACCOUNT}:${KeyId!.replace("alias/", "key/")}`],
    ],
    "aws-sdk:sfn:startExecution": ({ StateMachineArn }) => [["states:StartExecution", StateMachineArn!]],
    "aws-sdk:elasticache:createSnapshot": ({ ReplicationGroupId }) => [
        ["elasticache:CreateSnapshot", cache(`replicationgroup:${ReplicationGroupId}`)],
        ["elasticache:CreateSnapshot", cache(`snapshot:${ReplicationGroupId}-scheduled-${ANY}`)],
    ],
    "aws-sdk:elasticache:describeSnapshots": () => [
        ["elasticache:DescribeSnapshots", cache(`snapshot:any-${ANY}`)],
    ],
    "aws-sdk:elasticache:copySnapshot": ({ TargetBucket }) => [
        ["s3:GetBucketLocation", `arn:aws:s3:::${TargetBucket}`],
        ["s3:PutObject", `arn:aws:s3:::${TargetBucket}/any`],
    ],
    "aws-sdk:elasticache:deleteSnapshot": () => [],
    "aws-sdk:s3:listObjectsV2": ({ Bucket }) => [["s3:ListBucket", `arn:aws:s3:::${Bucket}`]],
};

const ssm = (resource: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:${resource}`;
const cache = (resource: string) => `arn:aws:elasticache:${REGION}:${ACCOUNT}:${resource}`;

/** Parts of an event that are codes or names of AWS, and never free text. */
export const CODES = new Set([
    "$.detail.backupJobId",
    "$.detail.backupVaultName",
    "$.detail.copyJobId",
    "$.detail.error",
    "$.detail.executionArn",
    "$.detail.restoreJobId",
    "$.detail.start-time",
    "$.detail.state",
    "$.detail.stateMachineArn",
    "$.detail.status",
    "$.detail.window-execution-id",
    "$.detail.window-id",
]);

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */

/** Every path of a stack. A type of call that is not known here throws: it needs a row. */
export function pathsOf(recording: Recording): Path[] {
    const stack = new Resources(recording);
    const paths: Path[] = [];

    const add = (name: string, covers: RecordedResource[], ...parts: Part[]) =>
        paths.push({
            name,
            covers: covers.map(({ urn }) => urn),
            requests: parts.flatMap(({ request }) => request),
            imitations: parts.flatMap(({ imitations }) => imitations),
        });

    for (const target of stack.of("aws:cloudwatch/eventTarget:EventTarget")) {
        const { rule, arn } = stack.inputs(target);
        const source = `arn:aws:events:${REGION}:${ACCOUNT}:rule/${rule}`;
        const role = stack.leadsTo(target, "roleArn");
        add(
            `event ${target.name}`,
            [target, ...role],
            ...(role.length === 0
                ? stack.publishAs(SENDERS.rule, source, arn)
                : [stack.assume(role[0]!, SENDERS.rule, source), ...stack.send(role[0]!, arn)]),
        );
    }
    for (const schedule of stack.of("aws:scheduler/schedule:Schedule")) {
        const { target, kmsKeyArn } = stack.inputs(schedule);
        const [role] = stack.leadsTo(schedule, "target", "aws:iam/role:Role");
        add(
            `schedule ${schedule.name}`,
            [schedule, role!],
            stack.assume(
                role!,
                SENDERS.schedule,
                `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/default`,
            ),
            ...stack.send(role!, target.arn),
            stack.asRole(role!, "kms:Decrypt", kmsKeyArn, stack.keyPolicy(kmsKeyArn)),
        );
    }
    const actions = new Set(
        [
            ...stack.of("aws:cloudwatch/metricAlarm:MetricAlarm"),
            ...stack.of("aws:cloudwatch/compositeAlarm:CompositeAlarm"),
        ].flatMap((alarm) => {
            const { alarmActions = [], okActions = [] } = stack.inputs(alarm);
            return [...alarmActions, ...okActions];
        }),
    );
    for (const action of actions) {
        if (action.startsWith("arn:aws:sns:")) {
            const source = `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:any`;
            add(`alarms to ${action}`, [], ...stack.publishAs(SENDERS.alarm, source, action));
        } else if (!action.startsWith("arn:aws:ssm:")) {
            // OpsItems are opened by a role that CloudWatch makes and keeps itself: AWSServiceRoleForCloudWatchAlarms_ActionSSM.
            throw new Error(`No path for the action ${action} of an alarm`);
        }
    }
    for (const machine of stack.of("aws:sfn/stateMachine:StateMachine")) {
        const { definition, name } = stack.inputs(machine);
        const context = { "cloudwatch:namespace": "MCP/production" };
        const [role] = stack.leadsTo(machine, "roleArn");
        const source = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;
        add(
            `state machine ${machine.name}`,
            [machine, role!],
            stack.assume(role!, SENDERS.stateMachine, source),
            ...callsOf(JSON.parse(definition).States).flatMap(({ Resource, Arguments }) => {
                const call = Resource.replace("arn:aws:states:::", "");
                const requests = CALLS[call];
                if (requests === undefined) {
                    throw new Error(`No path for the call ${call} of ${machine.name}`);
                }
                return [
                    ...requests(Arguments).flatMap(([action, resource]) =>
                        action === "sns:Publish" || action === "states:StartExecution"
                            ? stack.send(role!, resource)
                            : [
                                  stack.asRole(
                                      role!,
                                      action,
                                      resource,
                                      action.startsWith("kms:") ? stack.keyPolicy(resource) : undefined,
                                      context,
                                  ),
                              ],
                    ),
                    ...(call === "aws-sdk:elasticache:copySnapshot"
                        ? stack.exportSnapshot(role!, Arguments.TargetBucket)
                        : []),
                ];
            }),
        );
    }
    for (const group of stack.of("aws:cloudwatch/logGroup:LogGroup")) {
        const { name, kmsKeyId } = stack.inputs(group);
        if (kmsKeyId !== undefined) {
            const source = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}`;
            add(
                `log group ${name}`,
                [group],
                ...["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"].map((action) =>
                    stack.asService(SENDERS.logGroup, source, action, kmsKeyId, stack.keyPolicy(kmsKeyId)),
                ),
            );
        }
    }
    for (const subscription of stack.of("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter")) {
        const { logGroup, destinationArn } = stack.inputs(subscription);
        const [role] = stack.leadsTo(subscription, "roleArn");
        const source = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${logGroup}`;
        add(
            `subscription ${subscription.name}`,
            [subscription, role!],
            stack.assume(role!, SENDERS.subscription, source),
            stack.assume(role!, SENDERS.subscription, `${source}:*`),
            stack.asRole(role!, "firehose:PutRecordBatch", destinationArn),
        );
    }
    for (const stream of stack.of("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream")) {
        const { extendedS3Configuration: to, serverSideEncryption: own, name } = stack.inputs(stream);
        const [role] = stack.leadsTo(stream, "extendedS3Configuration", "aws:iam/role:Role");
        const { logGroupName, logStreamName } = to.cloudwatchLoggingOptions;
        const group = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${logGroupName}:log-stream:${logStreamName}`;
        add(
            `stream ${name}`,
            [stream, role!],
            stack.assume(
                role!,
                SENDERS.stream,
                `arn:aws:firehose:${REGION}:${ACCOUNT}:deliverystream/${name}`,
            ),
            stack.asRole(
                role!,
                "s3:PutObject",
                `${to.bucketArn}/events/any`,
                stack.bucketPolicy(to.bucketArn),
            ),
            stack.asRole(role!, "logs:PutLogEvents", group),
            ...[to.kmsKeyArn, own.keyArn].flatMap((key) => stack.useKey(role!, key)),
        );
    }
    for (const task of stack.of("aws:ssm/maintenanceWindowTask:MaintenanceWindowTask")) {
        const { taskArn, taskType } = stack.inputs(task);
        const [role] = stack.leadsTo(task, "serviceRoleArn");
        const [window] = stack.leadsTo(task, "windowId");
        const tags = { "ssm:resourceTag/PatchGroup": stack.patchGroup() };
        add(
            `window ${window!.name}, ${task.name}`,
            [task, role!],
            stack.assume(role!, SENDERS.window, ssm(`maintenancewindow/mw-${ANY}`)),
            ...(taskType === "RUN_COMMAND"
                ? [
                      stack.asRole(role!, "ssm:SendCommand", ssm(`document/${taskArn}`)),
                      stack.asRole(
                          role!,
                          "ssm:SendCommand",
                          `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-${ANY}`,
                          undefined,
                          tags,
                      ),
                  ]
                : stack.send(role!, taskArn)),
        );
    }
    for (const type of [
        "aws:backup/selection:Selection",
        "aws:backup/restoreTestingSelection:RestoreTestingSelection",
    ]) {
        for (const selection of stack.of(type)) {
            const [role] = stack.leadsTo(selection, "iamRoleArn");
            // What it may do is a policy that AWS keeps.
            add(`backup ${selection.name}`, [selection, role!], stack.assume(role!, SENDERS.backup, ""));
        }
    }
    for (const type of [
        "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
        "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
    ]) {
        for (const channel of stack.of(type)) {
            const { configurationName } = stack.inputs(channel);
            const [role] = stack.leadsTo(channel, "iamRoleArn");
            const source = `arn:aws:chatbot::${ACCOUNT}:chat-configuration/any/${configurationName}`;
            add(`chat ${channel.name}`, [channel, role!], stack.assume(role!, SENDERS.chat, source));
        }
    }
    for (const replication of stack.of("aws:s3/bucketReplicationConfig:BucketReplicationConfig")) {
        const { bucket, rules } = stack.inputs(replication);
        const [role] = stack.leadsTo(replication, "role", "aws:iam/role:Role");
        add(
            `copies of ${bucket}`,
            [replication, role!],
            stack.assume(role!, SENDERS.replication, `arn:aws:s3:::${bucket}`),
            ...stack.replicate(role!, bucket, rules[0].destination),
        );
    }
    for (const policy of stack.of("aws:backup/vaultPolicy:VaultPolicy")) {
        const [role] = stack
            .of("aws:iam/role:Role")
            .filter(({ name }) => name === "mcp-production-snapshots");
        const document = JSON.parse(stack.inputs(policy).policy);
        const part = stack.asRole(role!, "backup:CopyIntoBackupVault", "*", document);
        // The managed policy of the role allows it.
        const identity = [
            { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "backup:*", Resource: "*" }] },
        ];
        const imitations = part.imitations.map(({ what, request }) => ({
            what,
            request: { ...request, identity, owner: COPIES_ACCOUNT },
        }));
        add(`vault ${policy.name}`, [policy], {
            request: { ...part.request, identity, owner: COPIES_ACCOUNT },
            imitations,
        });
    }
    for (const association of stack.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")) {
        const { clusterName, namespace, serviceAccount } = stack.inputs(association);
        const [role] = stack.leadsTo(association, "roleArn");
        const source = `${clusterName}/${namespace}/${serviceAccount}`;
        const topics = stack.granted(role!, "sns:Publish");
        add(
            `pods ${association.name}`,
            [association, role!],
            stack.assume(role!, SENDERS.pods, source),
            stack.assume(role!, SENDERS.pods, source, "sts:TagSession"),
            ...topics.flatMap((topic) => stack.send(role!, topic)),
        );
    }
    return paths;
}

/** A request with its imitations. */
interface Part {
    request: Request;
    imitations: Path["imitations"];
}

/** All task states, those of maps too. */
function callsOf(states: Record<string, any>): { Resource: string; Arguments: any }[] {
    return Object.values(states).flatMap((state) => [
        ...(state.Type === "Task" ? [state] : []),
        ...(state.Type === "Map" ? callsOf(state.ItemProcessor.States) : []),
    ]);
}

/** The resources of a recording, by what leads to what. */
class Resources {
    private readonly byUrn: Map<string, RecordedResource>;

    constructor(private readonly recording: Recording) {
        this.byUrn = new Map(recording.resources.map((resource) => [resource.urn, resource]));
    }

    of(type: string): RecordedResource[] {
        return this.recording.resources.filter((resource) => resource.type === type);
    }

    inputs({ inputs }: RecordedResource): any {
        return displayed(inputs as never);
    }

    /** Resources that a property is made of. */
    leadsTo({ propertyDependencies }: RecordedResource, property: string, type?: string): RecordedResource[] {
        return (propertyDependencies[property] ?? [])
            .map((urn) => this.byUrn.get(urn)!)
            .filter((resource) => type === undefined || resource.type === type);
    }

    /** A service takes a role on. */
    assume(role: RecordedResource, sender: Sender, source: string, action = "sts:AssumeRole"): Part {
        const { assumeRolePolicy } = this.inputs(role);
        const arn = arnOf(role.type, role.name)!;
        return this.asService(sender, source, action, arn, JSON.parse(assumeRolePolicy));
    }

    /** A service asks in its own name. */
    asService(sender: Sender, source: string, action: string, resource: string, policy: object): Part {
        const request = (service: string, of: string): Request => ({
            principal: service,
            action,
            resource,
            context: { ...sender.keys(of), "aws:SecureTransport": "true" },
            identity: [],
            policy,
        });
        const [keys] = [Object.keys(sender.keys(source))];
        return {
            request: request(sender.service, source),
            imitations: [
                { what: "another service", request: request("lambda.amazonaws.com", source) },
                ...(keys.length === 0
                    ? []
                    : [
                          {
                              what: "another account",
                              request: request(
                                  sender.service,
                                  source.replace(ACCOUNT, OTHER_ACCOUNT).replace(/^mcp-\w+\//, "other/"),
                              ),
                          },
                      ]),
                ...(sender === SENDERS.rule || sender === SENDERS.subscription || sender === SENDERS.pods
                    ? [
                          {
                              what: "another resource",
                              request: request(
                                  sender.service,
                                  source.replace(/(:\*)?$/, "").replace(/[^:/]+$/, "other"),
                              ),
                          },
                      ]
                    : []),
            ],
        };
    }

    /** A role asks. */
    asRole(
        role: RecordedResource,
        action: string,
        resource: string,
        policy?: object,
        context: Record<string, string> = {},
    ): Part {
        const session = `arn:aws:sts::${ACCOUNT}:assumed-role/${role.name}/session`;
        const request: Request = {
            principal: session,
            action,
            resource,
            context: { ...context, "aws:SecureTransport": "true" },
            identity: this.policiesOf(role),
            policy,
        };
        const wide =
            resource.endsWith("*") || this.granted(role, action).some((each) => /(^|:)\*$/.test(each));
        return {
            request,
            imitations: [
                ...(wide
                    ? []
                    : [{ what: "another resource", request: { ...request, resource: otherThan(resource) } }]),
                ...(policy === undefined
                    ? []
                    : [
                          {
                              what: "another account",
                              request: {
                                  ...request,
                                  principal: session.replace(ACCOUNT, OTHER_ACCOUNT),
                              },
                          },
                      ]),
            ],
        };
    }

    /** A role publishes to a topic, or starts a state machine. */
    send(role: RecordedResource, arn: string): Part[] {
        if (!arn.startsWith("arn:aws:sns:")) {
            return [this.asRole(role, "states:StartExecution", arn)];
        }
        const { key, policy } = this.topic(arn);
        return [this.asRole(role, "sns:Publish", arn, policy), ...this.useKey(role, key)];
    }

    useKey(role: RecordedResource, key: string): Part[] {
        return ["kms:Decrypt", "kms:GenerateDataKey"].map((action) =>
            this.asRole(role, action, key, this.keyPolicy(key)),
        );
    }

    /** S3 copies an object of a bucket, in the account of the copy if that is another one. */
    replicate(role: RecordedResource, bucket: string, destination: any): Part[] {
        const source = `arn:aws:s3:::${bucket}`;
        const sourceKey = this.keyOf(bucket);
        const copy = destination.bucket;
        const copyKey = destination.encryptionConfiguration.replicaKmsKeyId;
        const copyPolicy = this.bucketPolicy(copy);
        const through = (region: string) => ({ "kms:ViaService": `s3.${region}.amazonaws.com` });
        const there = (part: Part): Part => {
            const own = { owner: copyPolicy.Statement.length > 1 ? COPIES_ACCOUNT : ACCOUNT };
            // The role's name ends in what the provider puts there.
            const principal = `arn:aws:sts::${ACCOUNT}:assumed-role/${role.name}-0123abc/session`;
            const context = { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:role/${role.name}-0123abc` };
            return {
                request: {
                    ...part.request,
                    ...own,
                    principal,
                    context: { ...part.request.context, ...context },
                },
                imitations: part.imitations.map(({ what, request }) => ({
                    what,
                    request: {
                        ...request,
                        ...own,
                        context: { ...request.context, "aws:PrincipalArn": request.principal },
                    },
                })),
            };
        };
        return [
            this.asRole(role, "s3:GetReplicationConfiguration", source),
            this.asRole(role, "s3:ListBucket", source),
            ...["GetObjectVersionForReplication", "GetObjectRetention", "GetObjectLegalHold"].map((action) =>
                this.asRole(role, `s3:${action}`, `${source}/any`),
            ),
            this.asRole(role, "kms:Decrypt", sourceKey, this.keyPolicy(sourceKey), through(REGION)),
            there(this.asRole(role, "s3:ReplicateObject", `${copy}/any`, copyPolicy)),
            there(this.asRole(role, "s3:ReplicateTags", `${copy}/any`, copyPolicy)),
            ...["kms:Encrypt", "kms:GenerateDataKey"].map((action) =>
                there(this.asRole(role, action, copyKey, this.keyPolicy(copyKey), through(COPIES_REGION))),
            ),
        ];
    }

    /** The key that a bucket's objects are encrypted with. */
    keyOf(bucket: string): string {
        const found = this.of(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        ).find((each) => this.inputs(each).bucket === bucket)!;
        return this.inputs(found).rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId;
    }

    /** ElastiCache copies a snapshot, which is under the key of the group, to a bucket for a role. */
    exportSnapshot(role: RecordedResource, bucket: string): Part[] {
        const arn = `arn:aws:s3:::${bucket}`;
        const policy = this.bucketPolicy(arn);
        const key = this.inputs(this.of("aws:elasticache/replicationGroup:ReplicationGroup")[0]!).kmsKeyId;
        return [
            this.asRole(role, "kms:DescribeKey", key, this.keyPolicy(key)),
            this.asRole(role, "kms:CreateGrant", key, this.keyPolicy(key), {
                "kms:GrantIsForAWSResource": "true",
            }),
            ...[
                ["s3:GetBucketAcl", arn],
                ["s3:ListBucket", arn],
                ["s3:ListBucketMultipartUploads", arn],
                ["s3:ListMultipartUploadParts", `${arn}/any`],
                ["s3:PutObject", `${arn}/any`],
                // It restores a copy from there, too.
                ["s3:GetObject", `${arn}/any`],
            ].map(([action, resource]) =>
                this.asService(SENDERS.elastiCache, arn, action!, resource!, policy),
            ),
        ];
    }

    /** A service publishes to a topic in its own name. */
    publishAs(sender: Sender, source: string, arn: string): Part[] {
        const { key, policy } = this.topic(arn);
        return [
            this.asService(sender, source, "sns:Publish", arn, policy),
            ...["kms:Decrypt", "kms:GenerateDataKey"].map((action) =>
                this.asService(sender, source, action, key, this.keyPolicy(key)),
            ),
        ];
    }

    topic(arn: string): { key: string; policy: object } {
        const topic = this.of("aws:sns/topic:Topic").find(({ type, name }) => arnOf(type, name) === arn)!;
        const policy = this.of("aws:sns/topicPolicy:TopicPolicy").find(
            (each) => this.inputs(each).arn === arn,
        )!;
        return {
            key: this.inputs(topic).kmsMasterKeyId,
            policy: JSON.parse(this.inputs(policy).policy),
        };
    }

    keyPolicy(arn: string): object {
        const key = this.of("aws:kms/key:Key").find(({ type, name }) => arnOf(type, name) === arn)!;
        return JSON.parse(this.inputs(key).policy);
    }

    bucketPolicy(arn: string): any {
        const bucket = arn.split(":").at(-1);
        const policy = this.of("aws:s3/bucketPolicy:BucketPolicy").find(
            (each) => this.inputs(each).bucket === bucket,
        )!;
        return JSON.parse(this.inputs(policy).policy);
    }

    patchGroup(): string {
        return this.inputs(this.of("aws:ssm/patchGroup:PatchGroup")[0]!).patchGroup;
    }

    /** Resources that a role is granted an action on. */
    granted(role: RecordedResource, action: string): string[] {
        return this.policiesOf(role)
            .flatMap(({ Statement }: any) => Statement)
            .filter(({ Action }: any) => Action.includes(action))
            .flatMap(({ Resource }: any) => Resource);
    }

    private policiesOf(role: RecordedResource): any[] {
        return this.of("aws:iam/rolePolicy:RolePolicy")
            .filter((policy) => this.leadsTo(policy, "role").includes(role))
            .map((policy) => JSON.parse(this.inputs(policy).policy));
    }
}

/** An ARN of the same kind that no policy here names. */
function otherThan(arn: string): string {
    const parts = arn.split(":");
    if (parts[2] === "s3") {
        return arn.replace(/^(arn:aws:s3:::)[^/]+/, "$1another-bucket");
    }
    if (parts[2] === "logs") {
        parts[6] = "another";
        return parts.join(":");
    }
    if (parts[2] === "ssm" || parts[2] === "ec2") {
        parts[4] = parts[4] === "" ? "" : OTHER_ACCOUNT;
    }
    return parts.join(":").replace(/[^:/]+$/, "another");
}
