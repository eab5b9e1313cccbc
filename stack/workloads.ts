import { type ComponentResource, type Output, type Resource } from "@pulumi/pulumi";
import { LEDGER } from "../core/labels";
import { required } from "../core/required";
import { PodIdentity } from "../components/identity/podIdentity";
import { type PodResources } from "../components/kubernetes/pod";
import { gatePod } from "../components/tasks/gate";
import { taskPods } from "../components/tasks/task";
import { BlueGreenWorkload } from "../components/workload/blueGreenWorkload";
import { podsOfWorkload } from "../components/workload/deployment";
import { type ReleaseApproval } from "../components/workload/releaseApproval";
import { RollingWorkload } from "../components/workload/rollingWorkload";
import { type ResolvedStack, type ResolvedWorkload } from "../config/resolve";
import { type Data } from "./data";
import { INGRESS } from "./edge";
import { type PlatformContext } from "./platform";

/** The services by name, with their gates; blue-green ones before the switch. */
export interface Workloads {
    services: Record<string, RollingWorkload | BlueGreenWorkload>;
    /** What the Ingress waits for before it moves traffic: the workloads whose traffic it moves. */
    readyForTraffic: readonly Resource[];
    /** URLs inside the cluster. */
    urls: Record<string, string>;
}

/** Maximum number of pods at the same time, including the dump before a release of each and the watch beside it. */
export function workloadPods({ workloads, backups, releaseApproval }: ResolvedStack): PodResources[] {
    const isWatched = releaseApproval !== undefined && "addresses" in releaseApproval.stakeholders;
    return Object.values(workloads).flatMap((workload) => [
        ...(isWatched ? [gatePod({ tests: false })] : []),
        ...podsOfWorkload(workload, workload.strategy === "blueGreen" ? 2 : 1),
        ...(backups?.dumps === undefined ? [] : taskPods(1)),
    ]);
}

/** Declares the services, blue-green ones up to the switch. Sections 3.1 to 3.4. */
export function declareWorkloads(
    context: PlatformContext,
    data: Data,
    approval: ReleaseApproval | undefined,
): Workloads {
    const { workloads } = context.stack;
    const services = Object.fromEntries(
        Object.entries(workloads).map(([name, workload]) => [
            name,
            declareWorkload(context, data, approval, name, workload),
        ]),
    );
    return {
        services,
        readyForTraffic: Object.entries(services).flatMap(([name, workload]) =>
            workload instanceof BlueGreenWorkload && workloads[name]?.alb?.weights
                ? workload.readyForTraffic
                : [],
        ),
        urls: Object.fromEntries(Object.entries(services).map(([name, { url }]) => [name, url])),
    };
}

/**
 * Declares the switch of the blue-green services, and the steps after it. Section 3.3.
 *
 * @param ingress What precedes the switch, if the Ingress moves the traffic.
 * @returns the active images by service, once they have passed every gate.
 */
export function promoteWorkloads(
    { stack }: PlatformContext,
    { services }: Workloads,
    ingress: readonly Resource[],
): Record<string, Output<string>> {
    return Object.fromEntries(
        Object.entries(services).map(([name, service]) => [
            name,
            service instanceof BlueGreenWorkload
                ? service.promote(stack.workloads[name]?.alb?.weights ? ingress : [])
                : service.completed,
        ]),
    );
}

function declareWorkload(
    { stack, providers, labels, namespace }: PlatformContext,
    data: Data,
    approval: ReleaseApproval | undefined,
    name: string,
    workload: ResolvedWorkload,
): RollingWorkload | BlueGreenWorkload {
    const after: ComponentResource[] = [namespace];
    if (workload.identity !== undefined) {
        // Before the pods: credentials are injected when they are created.
        const identity = new PodIdentity(
            `${stack.name}-${name}`,
            { ...workload.identity, namespace: namespace.namespace, serviceAccount: name },
            { providers: { aws: providers.aws } },
        );
        after.push(identity);
    }
    if (workload.strategy === "blueGreen" && workload.gateIdentity !== undefined) {
        const identity = new PodIdentity(
            `${stack.name}-${name}-gate`,
            { ...workload.gateIdentity, namespace: namespace.namespace, serviceAccount: `${name}-gate` },
            { providers: { aws: providers.aws } },
        );
        after.push(identity);
    }
    const { alb, health } = workload;
    const common = {
        namespace: namespace.namespace,
        labels,
        after,
        priorityClass: namespace.priorityClass,
        dumps: data.dumps,
        approval,
        probes: { liveness: health.live, readiness: health.ready },
        nodeImage: stack.nodeImage,
        namespaceName: stack.name,
        apiServer: stack.kubernetes.apiServer,
        releaseHistory: LEDGER,
        connections: Object.fromEntries(
            Object.entries(workload.stores).map(([secret, store]) => [
                secret,
                required(data[store], `mcp:${store}`).connection,
            ]),
        ),
        alb: alb && (alb.weights ? { weightedBy: INGRESS } : {}),
    };
    const opts = { providers: { kubernetes: providers.kubernetes, random: providers.random } };
    return workload.strategy === "rolling"
        ? new RollingWorkload(name, { ...workload, ...common }, opts)
        : new BlueGreenWorkload(name, { ...workload, ...common }, opts);
}
