import { GateError } from "../lib/gate";
import { ApiError, type EndpointSlice, type Ingress, isReady, type Service } from "../lib/kubernetes";
import { podsOf, type ReleaseContext } from "./context";
import { type GateBase, type SoakPlan } from "./plan";

/** The pods that the Service sends traffic to, if there is a Service. */
export async function liveColour(
    { app }: GateBase,
    { cluster, signal }: ReleaseContext,
): Promise<string | undefined> {
    try {
        const { spec } = await cluster.get<Service>({ resource: "services", name: app }, signal);
        return spec.selector?.["version"];
    } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
    }
}

/** Waits until all traffic goes to ready pods of the colour. */
export async function waitForEndpoints(plan: SoakPlan, ctx: ReleaseContext): Promise<void> {
    const { log, now, signal, sleep, pollSeconds, settleSeconds } = ctx;
    const start = now();
    for (let last = ""; ;) {
        const wrong = await misrouting(plan, ctx);
        if (wrong === undefined) return;
        if (now() - start >= settleSeconds * 1000)
            throw new GateError(`${wrong}, even after ${settleSeconds} s`);
        if (wrong !== last) log(`  ${wrong}: waiting for up to ${settleSeconds} s`);
        last = wrong;
        await sleep(Math.min(1, pollSeconds), signal);
    }
}

/** Describes wrong targets of the traffic. */
async function misrouting(plan: SoakPlan, ctx: ReleaseContext): Promise<string | undefined> {
    const { app, colour } = plan;
    const mismatch = await selectorMismatch(plan, ctx);
    if (mismatch !== undefined) return mismatch;

    const endpoints = await endpointsOf(plan, ctx);
    if (endpoints.length === 0) return `Service ${app} has no endpoints`;
    const ready = new Set((await podsOf(plan, colour, ctx)).filter(isReady).map((pod) => pod.metadata.name));
    const other = endpoints.find(
        ({ conditions, targetRef }) => conditions?.ready === false || !ready.has(targetRef?.name ?? ""),
    );
    return (
        other && `Service ${app} holds ${other.targetRef?.name ?? "an address"}, no ready pod of ${colour}`
    );
}

/** Targets of the Service. Terminating endpoints get traffic only if there are no others. */
export async function endpointsOf({ app }: GateBase, { cluster, signal }: ReleaseContext) {
    const labels = { "kubernetes.io/service-name": app };
    const slices = await cluster.list<EndpointSlice>("endpointslices", labels, signal);
    return slices
        .flatMap((slice) => slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.terminating !== true);
}

/** Annotation of an Ingress with an ALB's action for a workload. */
const ACTION = "alb.ingress.kubernetes.io/actions.";

/** Describes what selects pods of another colour: the Service, or the Ingress. */
export async function selectorMismatch(
    { app, colour, ingress }: SoakPlan,
    { cluster, signal }: ReleaseContext,
): Promise<string | undefined> {
    const { spec } = await cluster.get<Service>({ resource: "services", name: app }, signal);
    const selected = spec.selector?.["version"];
    if (selected !== colour) {
        return `Service ${app} selects ${selected === undefined ? "no version" : `version=${selected}`}, not ${colour}`;
    }
    if (ingress === undefined) return undefined;
    const { metadata } = await cluster.get<Ingress>({ resource: "ingresses", name: ingress }, signal);
    const services = weighted(metadata.annotations?.[`${ACTION}${app}`] ?? "");
    return services.length === 1 && services[0] === `${app}-${colour}`
        ? undefined
        : `Ingress ${ingress} sends the traffic to ${services.join(" and ") || "no Service"}, not to ${app}-${colour}`;
}

/** Services that an ALB action sends traffic to. */
function weighted(action: string): (string | undefined)[] {
    try {
        const { forwardConfig } = JSON.parse(action) as ForwardAction;
        return (forwardConfig?.targetGroups ?? [])
            .filter(({ weight }) => weight !== 0)
            .map(({ serviceName }) => serviceName);
    } catch {
        return [];
    }
}

/** The fields that are read; the annotation may contain anything. */
interface ForwardAction {
    forwardConfig?: { targetGroups?: { serviceName?: string; weight?: number }[] };
}
