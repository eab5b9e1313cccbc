import { EXTERNAL, HEALTH_MATRIX } from "../../core/numbers";
import { type Probe } from "../../jobs/lib/probes";
import { type HealthValues, isAskedAt, isAskedFromOutside, outsidePath } from "../health";
import { type StackValues } from "../stack";

/** Limit of one probe, in seconds. */
const PROBE_SECONDS = 10;

/** A service at a host of the ingress, as users reach it. */
export interface PublicEndpoint {
    /** Unique id, and name of the file with the result for the probe. */
    id: string;
    host: string;
    path: string;
    /** Title of the service: "Chat UI". */
    title: string;
    /** Title of the probe: "Chat UI at mcp.msil.com". */
    name: string;
}

/** All targets of the health check, those of the matrix first. */
export function resolveProbes(values: StackValues, health: HealthValues): Probe[] {
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

/** External dependencies of the platform. Sections 4.3.1 step 3 and 4.3.4 steps 1 to 3. */
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

/** Probes from outside: each service at each host of the ingress that routes its path to it. Section 2.1. */
export function publicEndpoints(values: StackValues): PublicEndpoint[] {
    const { health, ingress, workloads } = values;
    if (!isAskedFromOutside(values)) {
        return [];
    }
    return (ingress?.hosts ?? []).flatMap(({ host, paths }) =>
        [...new Set(paths.map(({ workload }) => workload))].flatMap((workload) => {
            const { live } = workloads[workload]!.health;
            const path = outsidePath(health, workload, live);
            const title = HEALTH_MATRIX[workload]?.title ?? workload;
            return isAskedAt(paths, health, workload, live)
                ? [{ title, name: `${title} at ${host}`, host, path, id: `${workload}.${host}` }]
                : [];
        }),
    );
}

/** Results of the probes from outside. */
function outsideProbes(values: StackValues): Probe[] {
    return publicEndpoints(values).map(({ name, id }) => ({
        name,
        kind: "outside",
        timeoutSeconds: PROBE_SECONDS,
        file: id,
    }));
}

/** Certificates of the stack's own hosts, which may be issued by a private authority. Section 5.4. */
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
