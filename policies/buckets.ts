import { podOf } from "./pods";
import { type PolicyResource } from "./rule";
import { findOf, known, leadsTo, ofType } from "./selectors";
import { type Properties } from "./unknown";

/** Whether a resource is a bucket. */
export const isBucket = ofType("aws:s3/bucket:Bucket");

/** Name of a bucket. */
const nameOfBucket = known("bucket");

/** ARN of a bucket, built from its name before it exists. */
export function bucketArnOf(bucket: PolicyResource): string {
    return `arn:aws:s3:::${nameOfBucket(bucket)}`;
}

/** A setting of a bucket in a separate resource: `settingOf(bucket, "Versioning", resources)`. */
export function settingOf(
    bucket: PolicyResource,
    kind: string,
    resources: readonly PolicyResource[],
): PolicyResource | undefined {
    const settings = resources.filter(ofType(`aws:s3/bucket${kind}:Bucket${kind}`));
    return findOf(settings, (setting) => leadsTo(setting, "bucket", bucket, nameOfBucket));
}

/** The enabled rules of a bucket's lifecycle. */
export function lifecycleOf(bucket: PolicyResource, resources: readonly PolicyResource[]): Properties[] {
    const rules: Properties[] = settingOf(bucket, "LifecycleConfiguration", resources)?.props["rules"] ?? [];
    return rules.filter(({ status }) => status === "Enabled");
}

/** Prefix of a lifecycle rule; empty for the whole bucket. */
export function prefixOf({ filter, prefix }: Properties): string {
    return filter?.prefix ?? prefix ?? "";
}

/** The stack's bucket with objects below a prefix, and the lifecycle rule that keeps them. */
export function keptBelow(
    prefix: string,
    resources: readonly PolicyResource[],
): { bucket: PolicyResource; rule: Properties } | undefined {
    return resources
        .filter(isBucket)
        .flatMap((bucket) => lifecycleOf(bucket, resources).map((rule) => ({ bucket, rule })))
        .find(({ rule }) => prefixOf(rule) === prefix);
}

/** Schedule of an active CronJob that uploads below a prefix of a bucket, in its own notation. */
export function uploadSchedule(
    prefix: string,
    bucket: PolicyResource,
    jobs: readonly PolicyResource[],
): string | undefined {
    const job = findOf(
        jobs,
        (candidate) => candidate.props["spec"]?.suspend !== true && uploads(candidate, bucket, prefix),
    );
    return job?.props["spec"].schedule;
}

/** Reads the variables of jobs/backup/upload.sh: BUCKET, and KIND for the prefix. */
function uploads(job: PolicyResource, bucket: PolicyResource, prefix: string): boolean {
    const containers: Properties[] = podOf(job)?.spec["containers"] ?? [];
    const told = containers.flatMap(({ env = [] }, index) => {
        const variables: Properties[] = env;
        const [target, kind] = ["BUCKET", "KIND"].map((wanted) =>
            variables.findIndex(({ name }) => name === wanted),
        ) as [number, number];
        return target < 0 || kind < 0 ? [] : [{ index, target, kind: variables[kind]! }];
    });
    const found = findOf(
        told,
        ({ index, target, kind }) =>
            `${kind["value"]}/` === prefix &&
            leadsTo(
                job,
                `spec.jobTemplate.spec.template.spec.containers.${index}.env.${target}.value`,
                bucket,
                nameOfBucket,
            ),
    );
    return found !== undefined;
}

/** The bucket that archives the events of a log group: by its subscription and that one's stream. */
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
