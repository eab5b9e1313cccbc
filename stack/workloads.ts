import { type ComponentResource, type Output, type Resource } from "@pulumi/pulumi";
import { ASKING_TASKS, LEDGER } from "../core/labels";
import { PodIdentity } from "../components/identity/podIdentity";
import { BlueGreenWorkload } from "../components/workload/blueGreenWorkload";
import { type ReleaseApproval } from "../components/workload/releaseApproval";
import { type WeightsIngress } from "../components/workload/parts";
import { RollingWorkload } from "../components/workload/rollingWorkload";
import { type StackValues, type WorkloadValues } from "../config";
import { pinned } from "../config/images";
import { albOf, blueGreenOf, connectionsOf, networkOf, releaseOf, secretsOf } from "../config/joins";
import { HEALTH_MATRIX } from "../core/numbers";
import { type Data } from "./data";
import { type PlatformContext } from "./platform";

/** What the services are to others, by name. */
export interface Workloads {
    /** Addresses inside the cluster. */
    urls: Record<string, string>;
    /** Images, once they have passed every gate. */
    completed: Record<string, Output<string>>;
    /** What must have been tested before the Ingress moves traffic: of those workloads whose traffic it moves. */
    readyForTraffic: Resource[];
}

/** Declares the services, each with its gates. Sections 3.1 to 3.4. */
export function declareWorkloads(
    context: PlatformContext,
    data: Data,
    checklist: ReleaseApproval | undefined,
    ingress: WeightsIngress,
): Workloads {
    const declared = Object.entries(context.values.workloads).map(
        ([name, workload]) =>
            [name, declareWorkload(context, data, checklist, ingress, name, workload)] as const,
    );
    return {
        urls: Object.fromEntries(declared.map(([name, { url }]) => [name, url])),
        completed: Object.fromEntries(declared.map(([name, { completed }]) => [name, completed])),
        readyForTraffic: declared.flatMap(([name, workload]) =>
            workload instanceof BlueGreenWorkload && albOf(context.values, name)?.weights
                ? workload.readyForTraffic
                : [],
        ),
    };
}

function declareWorkload(
    { values, providers: { aws, kubernetes, random }, name: prefix, labels, namespace }: PlatformContext,
    data: Data,
    checklist: ReleaseApproval | undefined,
    ingress: WeightsIngress,
    name: string,
    workload: WorkloadValues,
) {
    const after: ComponentResource[] = [namespace];
    if (workload.awsPermissions.length > 0) {
        // Before the pods: they are given their credentials when they are created.
        const identity = new PodIdentity(
            `${prefix}-${name}`,
            {
                cluster: values.kubernetes.cluster!,
                namespace: namespace.namespace,
                serviceAccount: name,
                permissions: workload.awsPermissions,
            },
            { providers: { aws } },
        );
        after.push(identity);
    }
    const { smoke } = workload;
    const alb = albOf(values, name);
    const common = {
        ...workload,
        namespace: namespace.namespace,
        labels,
        after,
        dumps: data.dumps,
        checklist,
        nodeImage: pinned(values.images, values.jobs.images.node),
        secrets: secretsOf(values, name),
        connections: connectionsOf(values, name, data),
        network: { ...networkOf(values, name), tasks: askingTasks(values, name) },
        alb: alb && (alb.weights ? { weights: ingress } : {}),
        smoke: { ...smoke, image: smoke.image && pinned(values.images, smoke.image) },
    };
    const opts = { providers: { kubernetes, random } };
    return workload.strategy === "rolling"
        ? new RollingWorkload(
              name,
              { ...common, release: releaseOf(values, workload, workload.release) },
              opts,
          )
        : new BlueGreenWorkload(name, { ...common, ...blueGreenOf(values, workload), ledger: LEDGER }, opts);
}

/** Tasks that ask a service: whether it is well and, where it has metrics, what they and its pods' debug pages say. */
function askingTasks({ health }: StackValues, name: string): string[] {
    return [
        ...(health === undefined ? [] : [ASKING_TASKS.health]),
        ...(HEALTH_MATRIX[name]?.metrics === undefined
            ? []
            : [ASKING_TASKS.diagnostics, ASKING_TASKS.jwksCache]),
    ];
}
