import { ApiError, type Deployment, type Kubernetes, type ResourceRef, type Service } from "./kubernetes";

interface Context {
    cluster: Kubernetes;
    signal: AbortSignal;
}

/** Label of a pod with the version that it runs. */
export const VERSION_LABEL = "app.kubernetes.io/version";

/** The version that has the traffic, by the label of its pods: `v2.0.3 (blue)`. Undefined where there is none. */
export async function runningVersion(
    { app, colour }: { app: string; colour?: "blue" | "green" | undefined },
    ctx: Context,
): Promise<string | undefined> {
    const service = colour && (await getIfThere<Service>({ resource: "services", name: app }, ctx));
    const live = service?.spec.selector?.["version"];
    if (colour !== undefined && live === undefined) return undefined;
    const name = live === undefined ? app : `${app}-${live}`;
    const deployment = await getIfThere<Deployment>({ resource: "deployments", name }, ctx);
    const version = deployment && versionOf(deployment);
    return version === undefined || live === undefined ? version : `${version} (${live})`;
}

/** The version that a Deployment's pods are to run. */
export function versionOf({ spec }: Deployment): string | undefined {
    return spec.template?.metadata?.labels?.[VERSION_LABEL];
}

/** The object; undefined where there is none. */
export async function getIfThere<T>(
    place: ResourceRef,
    { cluster, signal }: Context,
): Promise<T | undefined> {
    try {
        return await cluster.get<T>(place, signal);
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
    }
}
