import { type Output } from "@pulumi/pulumi/output";
import { getOwn } from "../../core/getOwn";
import { ASKING_TASKS } from "../../core/labels";
import { CACHE, DATABASE, HEALTH_MATRIX } from "../../core/numbers";
import { required } from "../../core/required";
import { type SmokeRequest } from "../../jobs/release/smokeRequests";
import { workloadAt } from "../edge";
import { pinned, releaseReference } from "../images";
import { soakSettings } from "../soak";
import { type StackValues } from "../stack";
import { type BlueGreenValues, type ReleaseValues, STORES, type WorkloadValues } from "../workload";

/** A store of the stack whose URL is one of a workload's secrets. */
export type Store = (typeof STORES)[number];

const STORE_PORTS: Readonly<Record<Store, number>> = { database: DATABASE.port, cache: CACHE.port };

/** A workload, ready to declare. */
export type ResolvedWorkload = ReturnType<typeof resolveWorkload>;

/** Every workload by its name. */
export function resolveWorkloads(values: StackValues): Record<string, ResolvedWorkload> {
    return Object.fromEntries(
        Object.entries(values.workloads).map(([name, workload]) => [
            name,
            resolveWorkload(values, name, workload),
        ]),
    );
}

function resolveWorkload(values: StackValues, name: string, workload: WorkloadValues) {
    const { smoke } = workload;
    const common = {
        ...workload,
        ...resolveSecrets(values, name, workload),
        network: resolveNetwork(values, name, workload),
        alb: albOf(values, name, workload),
        smoke: { ...smoke, image: smoke.image && pinned(values.images, smoke.image) },
        /** AWS rights of the pods, and the EKS cluster for which they hold. Default: none. */
        identity:
            workload.awsPermissions.length === 0
                ? undefined
                : {
                      cluster: required(values.kubernetes.cluster, "mcp:kubernetes.cluster"),
                      permissions: workload.awsPermissions,
                  },
    };
    return workload.strategy === "rolling"
        ? {
              ...common,
              strategy: workload.strategy,
              release: resolveRelease(values, workload, workload.release),
          }
        : { ...common, ...resolveBlueGreen(values, name, workload) };
}

/** One release of a workload: its image pinned, its environment merged over the workload's. */
function resolveRelease(values: StackValues, { image, config }: WorkloadValues, release: ReleaseValues) {
    return {
        ...release,
        image: pinned(values.images, releaseReference(values, image, release.version)),
        config: { ...config, ...release.config },
    };
}

/** Arguments specific to the blue-green strategy. */
function resolveBlueGreen(values: StackValues, name: string, workload: BlueGreenValues) {
    const { strategy, releases, live, stage, standby, soak, smoke, health, port } = workload;
    return {
        strategy,
        active: live,
        stage,
        standby,
        releases: {
            blue: releases.blue && resolveRelease(values, workload, releases.blue),
            green: releases.green && resolveRelease(values, workload, releases.green),
        },
        soak: {
            ...soakSettings(soak, { port, health, region: values.aws?.region }),
            baselineSeconds: soak.baseline.duration,
            syntheticSeconds: soak.synthetic.interval,
            publicRoutes: soak.synthetic.publicHosts ? publicRoutes(values, name, smoke.requests) : [],
        },
        /** AWS rights of the gates, and the EKS cluster for which they hold. Default: none. */
        gateIdentity: Object.values(soak.metrics).some(({ cloudwatch }) => cloudwatch !== undefined)
            ? {
                  cluster: required(values.kubernetes.cluster, "mcp:kubernetes.cluster"),
                  // CloudWatch grants reading metrics for all namespaces or none.
                  permissions: [{ actions: ["cloudwatch:GetMetricData"], resources: ["*"] }],
              }
            : undefined,
    };
}

/** Requests of the soak gate through public hosts, by host: those whose path the ingress routes to the workload. */
function publicRoutes({ ingress }: StackValues, name: string, requests: readonly SmokeRequest[]) {
    return (ingress?.hosts ?? []).flatMap(({ host, paths }) => {
        const led = requests.filter(
            ({ path, soak }) => soak !== false && workloadAt(paths, path.replace(/\?.*$/, "")) === name,
        );
        return led.length === 0 ? [] : [{ target: `https://${host}`, optional: true, requests: led }];
    });
}

/** Whether the pods are targets of an ALB, and whether it switches their traffic by weights. */
function albOf(
    { ingress }: StackValues,
    name: string,
    { strategy }: WorkloadValues,
): { weights: boolean } | undefined {
    const routed = ingress?.hosts.some(({ paths }) => paths.some(({ workload }) => workload === name));
    return ingress?.alb === undefined || !routed
        ? undefined
        : { weights: strategy === "blueGreen" && ingress.alb.switch !== "selector" };
}

/** Sources that may call a workload, and destinations that it may call. */
function resolveNetwork(values: StackValues, name: string, workload: WorkloadValues) {
    const { workloads, observability, kubernetes } = values;
    const { secrets, awsPermissions } = workload;
    const { ingress, calls, egress } = workload.network;
    const ports = STORES.filter((store) => Object.values(secrets).includes(store)).map(
        (store) => STORE_PORTS[store],
    );
    return {
        outside: ingress ? outsideOf(values) : undefined,
        callers: Object.entries(workloads).flatMap(([caller, { network }]) =>
            network.calls.includes(name) ? [caller] : [],
        ),
        calls: calls.map((app) => ({
            app,
            port: required(getOwn(workloads, app), `mcp:workloads.${app}`).port,
        })),
        egress: [...(ports.length === 0 ? [] : [{ cidr: kubernetes.vpc, except: [], ports }]), ...egress],
        awsIdentity: awsPermissions.length > 0,
        scraped: observability?.metrics.workloads.includes(name) ?? false,
        tasks: askingTasks(values, name),
    };
}

/** Sources of requests from outside the stack. */
function outsideOf({ ingress, kubernetes }: StackValues) {
    return ingress?.alb === undefined
        ? { namespace: required(kubernetes.ingressNamespace, "mcp:kubernetes.ingressNamespace") }
        : { cidrs: ingress.alb.subnets.map(({ cidr }) => cidr) };
}

/** Tasks that call a service: its health and, if it has metrics, its metrics and debug pages. */
function askingTasks({ health }: StackValues, name: string): string[] {
    return [
        ...(health === undefined ? [] : [ASKING_TASKS.health]),
        ...(getOwn(HEALTH_MATRIX, name)?.metrics === undefined
            ? []
            : [ASKING_TASKS.diagnostics, ASKING_TASKS.jwksCache]),
    ];
}

/** Secrets of a workload by name: the value, or the time of its rotation if it is generated. URLs of stores are separate. */
function resolveSecrets(values: StackValues, name: string, workload: WorkloadValues) {
    const secrets: Record<string, Output<string> | { rotated: string | undefined }> = {};
    const stores: Record<string, Store> = {};
    for (const [key, origin] of Object.entries(workload.secrets)) {
        if (origin === "generated") {
            secrets[key] = { rotated: getOwn(getOwn(values.rotation?.workloads ?? {}, name) ?? {}, key) };
        } else if (origin === "supplied") {
            const supplied = getOwn(getOwn(values.secrets, name) ?? {}, key);
            secrets[key] = required(supplied, `mcp:secrets.${name}.${key}`);
        } else {
            stores[key] = origin;
        }
    }
    return { secrets, stores };
}
