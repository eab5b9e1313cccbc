import { type PolicyResource } from "./rule";
import { findOf, known, leadsTo, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is a bucket. */
export const isBucket = ofType("aws:s3/bucket:Bucket");

const nameOf = known("bucket");

/** ARN of a bucket, which its name tells before it exists. */
export function bucketArnOf(bucket: PolicyResource): string {
    return `arn:aws:s3:::${nameOf(bucket)}`;
}

/** What a resource of its own sets of a bucket: `settingOf(bucket, "Versioning", resources)`. */
export function settingOf(
    bucket: PolicyResource,
    kind: string,
    resources: readonly PolicyResource[],
): PolicyResource | undefined {
    const settings = resources.filter(ofType(`aws:s3/bucket${kind}:Bucket${kind}`));
    return findOf(settings, (setting) => leadsTo(setting, "bucket", bucket, nameOf));
}

/** The rules in force of a bucket's lifecycle. */
export function lifecycleOf(bucket: PolicyResource, resources: readonly PolicyResource[]): Properties[] {
    const rules: Properties[] = settingOf(bucket, "LifecycleConfiguration", resources)?.props["rules"] ?? [];
    return rules.filter(({ status }) => status === "Enabled");
}

/** The prefix that a rule of a lifecycle holds below; empty for the whole bucket. */
export function prefixOf({ filter, prefix }: Properties): string {
    return filter?.prefix ?? prefix ?? "";
}

/** How long the stack keeps what is below a prefix of its buckets, and in which storage classes. */
export function retentionBelow(
    prefix: string,
    resources: readonly PolicyResource[],
): { days: number | undefined; storageClasses: string[] } | undefined {
    const [rule] = resources
        .filter(isBucket)
        .flatMap((bucket) => lifecycleOf(bucket, resources))
        .filter((candidate) => prefixOf(candidate) === prefix);
    const transitions: Properties[] = rule?.["transitions"] ?? [];
    return (
        rule && {
            days: rule["expiration"]?.days,
            storageClasses: transitions.map(({ storageClass }) => storageClass),
        }
    );
}

/** The bucket that the events of a log group are archived in: by its subscription, and the stream that leads to. */
export function archiveOf(
    group: PolicyResource,
    resources: readonly PolicyResource[],
): PolicyResource | undefined {
    const subscriptions = resources.filter(
        ofType("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"),
    );
    const streams = resources.filter(ofType("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"));
    const stream = findOf(streams, (candidate) =>
        subscriptions.some(
            (subscription) =>
                leadsTo(subscription, "logGroup", group, known("name")) &&
                leadsTo(subscription, "destinationArn", candidate),
        ),
    );
    return (
        stream &&
        findOf(resources.filter(isBucket), (bucket) =>
            leadsTo(stream, "extendedS3Configuration.bucketArn", bucket, bucketArnOf),
        )
    );
}
