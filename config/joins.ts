import { type Output } from "@pulumi/pulumi/output";
import { type OutsideEndpoint } from "../components/observability/healthChecks";
import { type Probe } from "../jobs/lib/probes";
import { CACHE, DATABASE, EXTERNAL, HEALTH_MATRIX } from "../core/numbers";
import { workloadAt } from "./edge";
import { type HealthValues } from "./health";
import { pinned, releaseReference } from "./images";
import { type StackValues } from "./stack";
import { type BlueGreenValues, type ReleaseValues, STORES, type WorkloadValues } from "./workload";

const STORE_PORTS = { database: DATABASE.port, cache: CACHE.port };

/** Namespace of the ingress controller; undefined where there is none, as behind an ALB. */
export function controllerNamespace({ ingress, kubernetes }: StackValues): string | undefined {
    return ingress?.alb === undefined ? kubernetes.ingressNamespace : undefined;
}

/** Whether a workload's pods are targets of an ALB, and whether that moves its traffic by weights. */
export function albOf({ ingress, workloads }: StackValues, name: string): { weights: boolean } | undefined {
    const routed = ingress?.hosts.some(({ paths }) => paths.some(({ workload }) => workload === name));
    return ingress?.alb === undefined || !routed
        ? undefined
        : { weights: workloads[name]!.strategy === "blueGreen" && ingress.alb.switch !== "selector" };
}

/** Who may reach a workload and what it may reach, with the names of the values resolved. */
export function networkOf(values: StackValues, name: string) {
    const { workloads, observability } = values;
    const { network, awsPermissions } = workloads[name]!;
    const { ingress, calls, egress } = network;
    return {
        outside: ingress ? outsideOf(values) : undefined,
        callers: Object.keys(workloads).filter((other) => workloads[other]!.network.calls.includes(name)),
        calls: calls.map((app) => ({ app, port: workloads[app]!.port })),
        egress: [...egressToStores(values, name), ...egress],
        awsIdentity: awsPermissions.length > 0,
        scraped: observability?.metrics.workloads.includes(name) ?? false,
    };
}

/** The way to the stores whose URLs are among a workload's secrets: who has one is to get there. */
function egressToStores({ workloads, kubernetes }: StackValues, name: string) {
    const origins = Object.values(workloads[name]!.secrets);
    const ports = STORES.flatMap((store) => (origins.includes(store) ? STORE_PORTS[store] : []));
    return ports.length === 0 ? [] : [{ cidr: kubernetes.vpc, except: [], ports }];
}

/** Where requests from outside the stack come from. */
function outsideOf(values: StackValues) {
    const { ingress } = values;
    return ingress?.alb === undefined
        ? { namespace: values.kubernetes.ingressNamespace! }
        : { cidrs: ingress.alb.subnets.map(({ cidr }) => cidr) };
}

/** Secrets of a workload by name: the operator's value, or `generated`. */
export function secretsOf(
    { workloads, secrets }: StackValues,
    name: string,
): Record<string, Output<string> | "generated"> {
    const found: Record<string, Output<string> | "generated"> = {};
    for (const [key, origin] of Object.entries(workloads[name]!.secrets)) {
        if (origin === "generated") {
            found[key] = origin;
        } else if (origin === "supplied") {
            found[key] = secrets[name]![key]!;
        }
    }
    return found;
}

/** Connections of a workload to the stack's own stores, by the name of the secret that is their URL. */
export function connectionsOf<T>(
    { workloads }: StackValues,
    name: string,
    stores: Readonly<Record<(typeof STORES)[number], { connection: T } | undefined>>,
): Record<string, T> {
    return Object.fromEntries(
        Object.entries(workloads[name]!.secrets).flatMap(([key, origin]) =>
            origin === "supplied" || origin === "generated" ? [] : [[key, stores[origin]!.connection]],
        ),
    );
}

/** One release of a workload, ready to run: its image pinned, its configuration over the workload's own. */
export function releaseOf(values: StackValues, { image, config }: WorkloadValues, release: ReleaseValues) {
    return {
        version: release.version,
        image: pinned(values.images, releaseReference(values, image, release.version)),
        config: { ...config, ...release.config },
        change: release.change,
        databaseChange: release.databaseChange,
    };
}

/** What the blue-green strategy needs beside what every workload does. */
export function blueGreenOf(values: StackValues, workload: BlueGreenValues) {
    const { releases, live, stage, standby, soak, health, port } = workload;
    const { counters, prometheus } = soak;
    return {
        releases: {
            blue: releases.blue && releaseOf(values, workload, releases.blue),
            green: releases.green && releaseOf(values, workload, releases.green),
        },
        active: live,
        stage,
        standby,
        soak: {
            durationSeconds: soak.duration,
            maxErrorPercent: soak.maxErrorRate,
            minimumRequests: soak.minimumRequests,
            allowNoData: soak.onNoData === "pass",
            metrics: prometheus
                ? { prometheus: prometheus.url, requests: prometheus.requests, errors: prometheus.errors }
                : {
                      path: health.metrics,
                      port,
                      requests: { counter: counters.requests },
                      errors: { counter: counters.errors, labels: { [counters.label]: counters.pattern } },
                  },
        },
        namespaceName: values.kubernetes.namespace,
        apiServer: values.kubernetes.apiServer,
    };
}

/** Names of the database's instances and subnet group: the runbook's own in production. Section 7.2. */
export function databaseNames({ environment, kubernetes: { namespace } }: StackValues) {
    return environment === "production"
        ? DATABASE
        : {
              identifier: namespace,
              recovery: `${namespace}-recovery`,
              subnetGroup: `${namespace}-db-subnet`,
          };
}

/** Limit of one probe, in seconds. */
const PROBE_SECONDS = 10;

/** Everything that the health check asks: the matrix first. */
export function healthProbes(values: StackValues, health: HealthValues): Probe[] {
    return [
        ...matrixProbes(values),
        ...outsideProbes(values),
        ...externalProbes(health),
        ...certificateProbes(values),
    ];
}

/** Rows of the health check matrix (section 2.1), in its order: the services, and the stores that the stack has. */
function matrixProbes({ workloads, database, cache }: StackValues): Probe[] {
    const timeoutSeconds = PROBE_SECONDS;
    return [
        ...Object.entries(workloads).flatMap(([name, { port, health }]): Probe[] => {
            const title = HEALTH_MATRIX[name]?.title ?? name;
            const asked = (path: string) => ({ timeoutSeconds, url: `http://${name}:${port}${path}` });
            return [
                { name: title, kind: "http", ...asked(health.live) },
                ...(health.ready === health.live
                    ? []
                    : [{ name: `${title} Ready`, kind: "http" as const, ...asked(health.ready) }]),
            ];
        }),
        ...(database ? [{ name: "PostgreSQL", kind: "postgres" as const, timeoutSeconds }] : []),
        ...(cache ? [{ name: "Redis", kind: "redis" as const, timeoutSeconds, secrets: "cache" }] : []),
    ];
}

/** What the platform depends on outside of it. Sections 4.3.1 step 3 and 4.3.4 steps 1 to 3. */
export function externalProbes({ apim, azureTenant }: HealthValues): Probe[] {
    const timeoutSeconds = PROBE_SECONDS;
    const openid = `https://${EXTERNAL.login}${EXTERNAL.openid.replace("{tenant}", azureTenant)}`;
    return [
        { name: "APIM", kind: "http", timeoutSeconds, url: apim },
        { name: "Azure AD", kind: "openid", timeoutSeconds, url: openid },
        { name: "JWKS", kind: "jwks", timeoutSeconds, url: openid },
        {
            name: "Login certificate",
            kind: "certificate",
            timeoutSeconds,
            host: EXTERNAL.login,
            trust: "public",
        },
    ];
}

/** A service where everybody reaches it. */
export interface PublicEndpoint extends OutsideEndpoint {
    /** What the service is called: "Chat UI". */
    title: string;
    /** What asking for it there is called: "Chat UI at mcp.msil.com". */
    name: string;
}

/**
 * What is asked from outside: each service at each host of the ingress that leads to its health path. MCP Server's is
 * below none, and nobody outside is to have it. Section 2.1.
 */
export function publicEndpoints({ health, ingress, environment, workloads }: StackValues): PublicEndpoint[] {
    if (!(health?.outside ?? (environment === "production" && ingress?.alb?.scheme !== "internal"))) {
        return [];
    }
    return (ingress?.hosts ?? []).flatMap(({ host, paths }) =>
        [...new Set(paths.map(({ workload }) => workload))].flatMap((workload) => {
            const path = workloads[workload]!.health.live;
            const title = HEALTH_MATRIX[workload]?.title ?? workload;
            return workloadAt(paths, path) === workload
                ? [{ title, name: `${title} at ${host}`, host, path, id: `${workload}.${host}` }]
                : [];
        }),
    );
}

/** What those who ask from outside have found. */
function outsideProbes(values: StackValues): Probe[] {
    return publicEndpoints(values).map(({ name, id }) => ({
        name,
        kind: "outside",
        timeoutSeconds: PROBE_SECONDS,
        file: id,
    }));
}

/** Certificates of the stack's own hosts, which an authority of the company's own may vouch for. Section 5.4. */
function certificateProbes({ ingress }: StackValues): Probe[] {
    return (ingress?.hosts ?? []).map(({ host }) => ({
        name: `Certificate ${host}`,
        kind: "certificate",
        timeoutSeconds: PROBE_SECONDS,
        host,
        address: ingress?.address,
        trust: "any",
    }));
}
