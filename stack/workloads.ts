import { type ComponentResource, type Output, type Resource } from "@pulumi/pulumi";
import { ASKING_TASKS, LEDGER } from "../core/labels";
import { PodIdentity } from "../components/identity/podIdentity";
import { BlueGreenWorkload } from "../components/workload/blueGreenWorkload";
import { type ReleaseApproval } from "../components/workload/releaseApproval";
import { RollingWorkload } from "../components/workload/rollingWorkload";
import { type StackValues, type WorkloadValues } from "../config";
import { pinned } from "../config/images";
import { albOf, blueGreenOf, connectionsOf, networkOf, releaseOf, secretsOf } from "../config/joins";
import { HEALTH_MATRIX } from "../core/numbers";
import { type Data } from "./data";
import { INGRESS } from "./edge";
import { type PlatformContext } from "./platform";

/** The services by name, each with its gates; blue-green ones before their switch. */
export interface Workloads {
    services: Record<string, RollingWorkload | BlueGreenWorkload>;
    /** What must be done before the Ingress moves traffic: for the workloads whose traffic it moves. */
    readyForTraffic: readonly Resource[];
    /** URLs inside the cluster. */
    urls: Record<string, string>;
}

/** Declares the services up to the switch of those that are blue-green. Sections 3.1 to 3.4. */
export function declareWorkloads(
    context: PlatformContext,
    data: Data,
    approval: ReleaseApproval | undefined,
): Workloads {
    const services = Object.fromEntries(
        Object.entries(context.values.workloads).map(([name, workload]) => [
            name,
            declareWorkload(context, data, approval, name, workload),
        ]),
    );
    return {
        services,
        readyForTraffic: Object.entries(services).flatMap(([name, workload]) =>
            workload instanceof BlueGreenWorkload && albOf(context.values, name)?.weights
                ? workload.readyForTraffic
                : [],
        ),
        urls: Object.fromEntries(Object.entries(services).map(([name, { url }]) => [name, url])),
    };
}

/**
 * Declares the switch of the blue-green services, and what follows it. Section 3.3.
 *
 * @param ingress What precedes the switch, where the Ingress moves the traffic.
 * @returns the images that run, by service, once they have passed every gate.
 */
export function promoteWorkloads(
    { values }: PlatformContext,
    { services }: Workloads,
    ingress: readonly Resource[],
): Record<string, Output<string>> {
    return Object.fromEntries(
        Object.entries(services).map(([name, service]) => [
            name,
            service instanceof BlueGreenWorkload
                ? service.promote(albOf(values, name)?.weights ? ingress : [])
                : service.completed,
        ]),
    );
}

function declareWorkload(
    { values, providers: { aws, kubernetes, random }, name: prefix, labels, namespace }: PlatformContext,
    data: Data,
    approval: ReleaseApproval | undefined,
    name: string,
    workload: WorkloadValues,
): RollingWorkload | BlueGreenWorkload {
    const after: ComponentResource[] = [namespace];
    if (workload.awsPermissions.length > 0) {
        // Before the pods, which get their credentials when they are created.
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
    const { smoke, health } = workload;
    const alb = albOf(values, name);
    const common = {
        ...workload,
        namespace: namespace.namespace,
        labels,
        after,
        dumps: data.dumps,
        approval,
        probes: { liveness: health.live, readiness: health.ready },
        nodeImage: pinned(values.images, values.jobs.images.node),
        secrets: secretsOf(values, name),
        connections: connectionsOf(values, name, data),
        network: { ...networkOf(values, name), tasks: askingTasks(values, name) },
        alb: alb && (alb.weights ? { weightedBy: INGRESS } : {}),
        smoke: { ...smoke, image: smoke.image && pinned(values.images, smoke.image) },
    };
    const opts = { providers: { kubernetes, random } };
    return workload.strategy === "rolling"
        ? new RollingWorkload(
              name,
              { ...common, release: releaseOf(values, workload, workload.release) },
              opts,
          )
        : new BlueGreenWorkload(
              name,
              { ...common, ...blueGreenOf(values, workload), releaseHistory: LEDGER },
              opts,
          );
}

/** Tasks that call a service: the health checks and, where it has metrics, what reads those and its debug pages. */
function askingTasks({ health }: StackValues, name: string): string[] {
    return [
        ...(health === undefined ? [] : [ASKING_TASKS.health]),
        ...(HEALTH_MATRIX[name]?.metrics === undefined
            ? []
            : [ASKING_TASKS.diagnostics, ASKING_TASKS.jwksCache]),
    ];
}
