import { type Job } from "@pulumi/kubernetes/batch/v1";
import { type ComponentResource, type Resource } from "@pulumi/pulumi";
import {
    type CapacityPlan,
    type GateBase,
    type ReleaseSmokePlan,
    SOAK_MARGIN_SECONDS,
    type SoakPlan,
    type SyntheticRoute,
} from "../../jobs/release/plan";
import { type Colour, COLOURS } from "../../core/numbers";
import { ALB_SWITCH_SECONDS } from "../edge/alb";
import { IDENTITY_AGENT_EGRESS } from "../identity/podIdentity";
import { namespaceEgress } from "../platform/namespace";
import {
    declareGateAccess,
    egressToNetwork,
    egressToPods,
    HTTPS_EGRESS,
    type JobAccess,
} from "../tasks/access";
import { declareGate, type GateArgs } from "../tasks/gate";
import { recordedRelease, type Release, releaseHash } from "./release";
import { type BlueGreenWorkloadArgs, type SoakArgs } from "./workload";

/** Time for the target's pods to become ready in the capacity gate, in seconds. */
const CAPACITY_SECONDS = 300;

/** Arguments common to the gates of one release. */
type CommonPlan = Omit<GateBase, "deadlineSeconds"> & { colour: Colour };

/** Gate-specific settings. */
type GatePlan =
    | Omit<CapacityPlan, keyof CommonPlan>
    | Omit<ReleaseSmokePlan, keyof CommonPlan>
    | Omit<SoakPlan, keyof CommonPlan>;

/** The gates of a workload with two colours, and their rights. Section 3.3. */
export class ReleaseGates {
    private readonly access: JobAccess;

    /** @param services Services that the gates connect to, which each gate waits for. */
    constructor(
        private readonly app: string,
        private readonly args: BlueGreenWorkloadArgs,
        private readonly services: readonly Resource[],
        private readonly parent: ComponentResource,
    ) {
        this.access = declareReleaseAccess(app, args, parent);
    }

    /** Declares the gate that waits until a colour has at least as many ready pods as the active one. */
    capacity(colour: Colour, release: Release, after: readonly Resource[]): Job {
        const { baselineSeconds = 60, metrics } = this.args.soak;
        const plan = {
            gate: "capacity" as const,
            deadlineSeconds: CAPACITY_SECONDS + baselineSeconds,
            baseline: { seconds: baselineSeconds, metrics, routes: this.routes() },
        };
        return this.declare(colour, release, plan, after);
    }

    /** Declares the gate that tests a colour at its own Service. */
    smoke(colour: Colour, release: Release, after: readonly Resource[]): Job {
        const target = `http://${this.app}-${colour}:${this.args.port}`;
        const { deadline: deadlineSeconds, requests, image } = this.args.smoke;
        const smoke = { subject: this.subject(colour, release), target, deadlineSeconds, requests };
        const tests = image === undefined ? undefined : { image, target };
        return this.declare(colour, release, { gate: "smoke", deadlineSeconds, smoke }, after, tests);
    }

    /** Declares the gate that measures a colour after the switch. */
    soak(colour: Colour, release: Release, after: readonly Resource[]): Job {
        const { soak, alb } = this.args;
        const { durationSeconds, maxErrorPercent, minimumRequests, allowNoData, metrics } = soak;
        const { maxErrorIncrease, latency, watched, syntheticSeconds = 10 } = soak;
        return this.declare(
            colour,
            release,
            {
                gate: "soak",
                deadlineSeconds: durationSeconds + SOAK_MARGIN_SECONDS,
                ...{ durationSeconds, maxErrorPercent, minimumRequests, allowNoData },
                ...{ metrics, maxErrorIncrease, latency, watched },
                synthetic: { everySeconds: syntheticSeconds, routes: this.routes() },
                ...(alb === undefined ? {} : { lingerSeconds: ALB_SWITCH_SECONDS }),
                ...(alb?.weightedBy === undefined ? {} : { ingress: alb.weightedBy }),
            },
            after,
        );
    }

    /** Targets of the soak gate's own requests. */
    private routes(): SyntheticRoute[] {
        const { port, smoke, soak } = this.args;
        const requests = smoke.requests.filter(({ soak }) => soak !== false);
        const target = `http://${this.app}:${port}`;
        return [
            ...(requests.length === 0 ? [] : [{ target, optional: false, requests }]),
            ...(soak.publicRoutes ?? []),
        ];
    }

    private declare(
        colour: Colour,
        release: Release,
        plan: GatePlan,
        after: readonly Resource[],
        tests?: GateArgs["tests"],
    ): Job {
        const common: CommonPlan = {
            subject: this.subject(colour, release),
            namespace: this.args.namespaceName,
            app: this.app,
            colour,
            release: recordedRelease(release),
            ledger: this.args.releaseHistory,
        };
        return declareGate(
            `${this.app}-${colour}-${plan.gate}`,
            {
                access: this.access,
                program: "release",
                plan: { ...common, ...plan },
                hash: releaseHash(release),
                nodeImage: this.args.nodeImage,
                after: [...this.services, ...after],
                tests,
            },
            this.parent,
        );
    }

    private subject(colour: Colour, { version }: Release): string {
        return `${this.app} ${version} (${colour})`;
    }
}

/** The objects that the gates read, the scale of the two Deployments, and the release history. */
function declareReleaseAccess(
    app: string,
    args: BlueGreenWorkloadArgs,
    parent: ComponentResource,
): JobAccess {
    const deployments = COLOURS.map((colour) => `${app}-${colour}`);
    const rule = (apiGroup: string, resource: string, verbs: string[], resourceNames?: string[]) => ({
        apiGroups: [apiGroup],
        resources: [resource],
        ...(resourceNames && { resourceNames }),
        verbs,
    });
    const { soak, alb } = args;
    return declareGateAccess(
        `${app}-gate`,
        {
            namespace: args.namespace,
            labels: args.labels ?? {},
            subject: app,
            egress: [
                egressToPods({ app, port: args.port }),
                egressToNetwork(args.apiServer),
                ...prometheusNamespaces(soak).map(namespaceEgress),
                // Any address: a public host resolves to a load balancer.
                ...((soak.publicRoutes ?? []).length > 0 || asksCloudWatch(soak) ? [HTTPS_EGRESS] : []),
                ...(asksCloudWatch(soak) ? [IDENTITY_AGENT_EGRESS] : []),
            ],
            rules: [
                rule("", "services", ["get"], [app]),
                rule("", "pods", ["list"]),
                rule("discovery.k8s.io", "endpointslices", ["list"]),
                rule("apps", "deployments", ["get"], deployments),
                rule("apps", "deployments/scale", ["patch"], deployments),
                rule("autoscaling", "horizontalpodautoscalers", ["get"], deployments),
                rule("", "configmaps", ["get", "patch"], [args.releaseHistory]),
                ...(alb?.weightedBy === undefined
                    ? []
                    : [rule("networking.k8s.io", "ingresses", ["get"], [alb.weightedBy])]),
            ],
        },
        parent,
    );
}

/** Whether the soak gate queries CloudWatch, for which its pods need AWS rights. */
export function asksCloudWatch({ watched = [] }: SoakArgs): boolean {
    return watched.some((metric) => !("prometheus" in metric));
}

/** Namespaces of every Prometheus that the soak gate queries: the second part of a Service's host. */
function prometheusNamespaces({ metrics, watched = [] }: SoakArgs): string[] {
    const urls = [metrics, ...watched].flatMap((source) =>
        "prometheus" in source ? [source.prometheus] : [],
    );
    return [...new Set(urls.map((url) => new URL(url).hostname.split(".")[1]!))];
}
