import { type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { UNKNOWN_ON_THE_WIRE } from "./property";

/** The account and region of a provider. */
export interface AwsAccount {
    accountId: string;
    region: string;
}

type Inputs = Readonly<Record<string, JavaScriptValue>>;

/** The resource part of an ARN, by type. It contains the resource's name, or `<name>` for an id that AWS generates. */
const ARNS: Readonly<
    Record<string, (inputs: Inputs, name: string) => readonly [string, JavaScriptValue | undefined]>
> = {
    "aws:backup/vault:Vault": ({ name }) => ["backup:R:A:backup-vault:", name],
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ({ alarmName }) => ["cloudwatch:R:A:alarm:", alarmName],
    "aws:cloudwatch/logGroup:LogGroup": ({ name }) => ["logs:R:A:log-group:", name],
    "aws:cloudwatch/metricAlarm:MetricAlarm": ({ name }) => ["cloudwatch:R:A:alarm:", name],
    "aws:elasticache/replicationGroup:ReplicationGroup": ({ replicationGroupId }) => [
        "elasticache:R:A:replicationgroup:",
        replicationGroupId,
    ],
    "aws:iam/role:Role": ({ path = "/", name }) => [`iam::A:role${String(path)}`, name],
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": ({ name }) => [
        "firehose:R:A:deliverystream/",
        name,
    ],
    "aws:kms/key:Key": (_, name) => ["kms:R:A:key/", `<${name}>`],
    "aws:rds/instance:Instance": ({ identifier }) => ["rds:R:A:db:", identifier],
    "aws:route53/healthCheck:HealthCheck": (_, name) => ["route53:::healthcheck/", `<${name}>`],
    "aws:s3/bucket:Bucket": ({ bucket }) => ["s3:::", bucket],
    "aws:sfn/stateMachine:StateMachine": ({ name }) => ["states:R:A:stateMachine:", name],
    "aws:sns/topic:Topic": ({ name }) => ["sns:R:A:", name],
};

/** Outputs of an AWS resource that follow from its inputs, before it exists. */
export function awsOutputs(
    type: string,
    name: string,
    inputs: Inputs,
    { accountId, region }: AwsAccount,
): Record<string, JavaScriptValue> {
    const [prefix, given] = ARNS[type]?.(inputs, name) ?? [];
    // Without a name, the provider generates one; an unknown name makes the ARN unknown.
    if (prefix === undefined || typeof given !== "string" || given === UNKNOWN_ON_THE_WIRE) {
        return {};
    }
    const place = prefix.replace(":R:", `:${region}:`).replace(":A:", `:${accountId}:`);
    const secret = `arn:aws:secretsmanager:${region}:${accountId}:secret:rds!db-<${name}>`;
    return {
        arn: `arn:aws:${place}${given}`,
        // Names that RDS derives from the instance's id.
        ...(type === "aws:rds/instance:Instance" &&
            inputs["manageMasterUserPassword"] === true && {
                masterUserSecrets: [
                    { secretArn: secret, kmsKeyId: inputs["masterUserSecretKmsKeyId"] ?? "" },
                ],
            }),
    };
}

/** The account and region that an AWS provider is configured for. */
export function accountOf({ region, allowedAccountIds }: Inputs): AwsAccount | undefined {
    const ids: unknown =
        typeof allowedAccountIds === "string" ? JSON.parse(allowedAccountIds) : allowedAccountIds;
    const [accountId] = Array.isArray(ids) ? (ids as unknown[]) : [];
    return typeof region === "string" && typeof accountId === "string" ? { region, accountId } : undefined;
}
