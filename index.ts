import { type ComponentResource } from "@pulumi/pulumi";
import { PodIdentity } from "./components/identity/podIdentity";
import { SeverityTopics } from "./components/incident/severityTopics";
import { commonLabels } from "./components/labels";
import { PlatformNamespace } from "./components/platform/namespace";
import { quotaFor } from "./components/platform/quota";
import { configureProviders } from "./components/providers";
import { RollingWorkload } from "./components/workload/rollingWorkload";
import { loadStack } from "./config";
import { pinned, releaseReference } from "./config/images";
import { networkOf, secretsOf } from "./config/joins";

const values = loadStack();
const { aws, kubernetes, random } = configureProviders(values);
const labels = commonLabels(values.environment);

const platform = new PlatformNamespace(
    values.kubernetes.namespace,
    {
        namespace: values.kubernetes.namespace,
        labels,
        quota: quotaFor(Object.values(values.workloads)),
        protect: values.environment === "production",
    },
    { providers: { kubernetes } },
);

const services = Object.entries(values.workloads).map(([name, workload]) => {
    const { version } = workload.release;
    const after: ComponentResource[] = [platform];
    if (workload.awsPermissions.length > 0) {
        // Before the pods: they are given their credentials when they are created.
        const identity = new PodIdentity(
            `${values.kubernetes.namespace}-${name}`,
            {
                cluster: values.kubernetes.cluster!,
                namespace: platform.namespace,
                serviceAccount: name,
                permissions: workload.awsPermissions,
            },
            { providers: { aws } },
        );
        after.push(identity);
    }
    const { url } = new RollingWorkload(
        name,
        {
            ...workload,
            namespace: platform.namespace,
            labels,
            after,
            version,
            image: pinned(values.images, releaseReference(values, workload.image, version)),
            nodeImage: pinned(values.images, values.jobs.images.node),
            secrets: secretsOf(values, name),
            network: networkOf(values, name),
            smoke: {
                ...workload.smoke,
                image: workload.smoke.image && pinned(values.images, workload.smoke.image),
            },
        },
        { providers: { kubernetes, random } },
    );
    return [name, { version, url }] as const;
});

const severities = new SeverityTopics(
    `${values.kubernetes.namespace}-incidents`,
    { accountId: values.aws.accountId, contacts: values.incident.contacts },
    { providers: { aws } },
);

export const namespace = platform.namespace;
export const workloads = Object.fromEntries(services);
export const severityTopics = severities.arns;
