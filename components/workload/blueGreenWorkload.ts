import { type Deployment } from "@pulumi/kubernetes/apps/v1";
import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { type CapacityPlan, type GateBase, type ReleaseSmokePlan, type SoakPlan } from "../../jobs/release";
import { type Colour, COLOURS } from "../../core/numbers";
import { ALB_SWITCH_SECONDS } from "../edge/alb";
import { namespaceEgress } from "../platform/namespace";
import { declareGate, declareGateAccess, type GateAccess, type GateArgs } from "./gate";
import {
    declareAccount,
    declareAutoscaler,
    declareBudget,
    declareConfiguration,
    declareDeployment,
    declareDump,
    declareNetworkPolicy,
    declareSecrets,
    declareSecretValues,
    declareService,
    type Release,
    releaseHash,
    WORKLOAD_TYPE,
    type WorkloadArgs,
} from "./parts";

/** Time the capacity gate gives the target's pods to become ready, in seconds. */
const CAPACITY_SECONDS = 300;

/** Time the soak gate needs beside its watch, in seconds. */
const SOAK_MARGIN_SECONDS = 180;

/** Arguments of {@link BlueGreenWorkload}. Times are in seconds. */
export interface BlueGreenWorkloadArgs extends WorkloadArgs {
    /** What each colour runs; a colour without a release is not declared. */
    releases: { [colour in Colour]?: Release | undefined };
    /** The colour that has the traffic. */
    live: Colour;
    /** An idle colour that is deployed and tested without switching. Default: none. */
    stage?: Colour | undefined;
    /** Whether the idle colour keeps its pods (`warm`) or is scaled to 0 (`cold`). */
    standby: "cold" | "warm";
    /** What the soak gate watches once traffic has moved. */
    soak: Pick<
        SoakPlan,
        "durationSeconds" | "maxErrorPercent" | "minimumRequests" | "allowNoData" | "metrics"
    >;
    /** Name of the namespace, for the gates. */
    namespaceName: string;
    /** Name of the ConfigMap that remembers the releases that passed. */
    ledger: string;
    /** Where the gates reach the Kubernetes API. */
    apiServer: { cidr: string; port: number };
}

/**
 * A service with two sets of pods, of which one has the traffic (section 3.3). Changing `live` is the release: in
 * one update the target gets as many ready pods as the live colour, is smoke-tested on a Service of its own, takes
 * the traffic over, and is watched; only then the old colour is scaled away. A gate that fails ends the update
 * where it stands: before the switch nothing has changed for users, after it the old colour is still at full size.
 * Setting `live` back is the rollback; a release that once passed is not tested again, except by tests of the user's
 * own, which know no ledger. Where there is a checklist, a new release has to bring what that asks for before its first
 * pod starts (section 3.1).
 */
export class BlueGreenWorkload extends ComponentResource {
    /** What must be there, and have been tested, before an Ingress moves the traffic. */
    public readonly readyForTraffic: readonly Resource[];
    /** Address of the Service inside the cluster. */
    public readonly url: string;
    /** Image that has the traffic, once it has passed every gate. */
    public readonly completed: Output<string>;

    constructor(name: string, args: BlueGreenWorkloadArgs, opts?: ComponentResourceOptions) {
        super(WORKLOAD_TYPE, name, {}, opts);
        const { live, stage, standby, alb } = args;
        const weights = alb?.weights;
        this.url = `http://${name}:${args.port}`;

        const account = declareAccount(name, args, this);
        const network = declareNetworkPolicy(name, args, this);
        const secretValues = declareSecretValues(name, args, this);
        const { checklist } = args;
        const evidence = (colour: Colour, release: Release): Resource[] => {
            const occasion = { app: name, colour, release, staged: colour !== live };
            return checklist === undefined
                ? []
                : [checklist.declareEvidence(`${name}-${colour}`, occasion, this)];
        };

        const declareColour = (
            colour: Colour,
            release: Release,
            dependsOn: readonly Resource[],
        ): Deployment => {
            const own = `${name}-${colour}`;
            const selector = { app: name, version: colour };
            const deployment = declareDeployment(
                own,
                args,
                {
                    app: name,
                    release,
                    selector,
                    versionLabel: colour,
                    configMap: declareConfiguration(own, name, args, release.config, this).metadata.name,
                    secrets: declareSecrets(own, name, args, secretValues, this),
                    serviceAccount: account.metadata.name,
                    scaledToZero: colour !== live && colour !== stage && standby === "cold",
                    dependsOn: [
                        network,
                        ...(args.after ?? []),
                        ...declareDump(own, name, args, release, this),
                        ...dependsOn,
                    ],
                },
                this,
            );
            declareBudget(own, name, args, selector, this);
            return deployment;
        };
        // Stable addresses of the colours, whether or not they have traffic.
        const services = COLOURS.filter((colour) => args.releases[colour] !== undefined).map((colour) =>
            declareService(
                `${name}-${colour}`,
                args,
                {
                    app: name,
                    selector: { app: name, version: colour },
                    await: false,
                    dependsOn: [],
                },
                this,
            ),
        );

        const access = declareReleaseAccess(name, args, this);
        const gate = (
            colour: Colour,
            release: Release,
            plan: GatePlan,
            after: readonly Resource[],
            tests?: GateArgs["tests"],
        ) =>
            declareGate(
                `${name}-${colour}-${plan.gate}`,
                {
                    access,
                    program: "release",
                    plan: { ...gateBase(name, colour, release, args), ...plan },
                    hash: releaseHash(release),
                    nodeImage: args.nodeImage,
                    after: [...services, ...access.ready, ...after],
                    tests,
                },
                this,
            );
        const smokeGate = (colour: Colour, release: Release, after: readonly Resource[]) => {
            const target = `http://${name}-${colour}:${args.port}`;
            const { deadline: deadlineSeconds, requests, image } = args.smoke;
            const subject = `${name} ${release.version} (${colour})`;
            const smoke = { subject, target, deadlineSeconds, requests };
            const tests = image === undefined ? undefined : { image, target };
            return gate(colour, release, { gate: "smoke", deadlineSeconds, smoke }, after, tests);
        };

        const target = releaseOf(args, live);
        const deployment = declareColour(live, target, evidence(live, target));
        const autoscaler = declareAutoscaler(`${name}-${live}`, name, args, deployment, this);
        const capacity = gate(live, target, { gate: "capacity", deadlineSeconds: CAPACITY_SECONDS }, [
            deployment,
            autoscaler,
        ]);
        const smoke = smokeGate(live, target, [capacity]);
        this.readyForTraffic = [...services, smoke];
        const service = declareService(
            name,
            args,
            {
                app: name,
                selector: { app: name, version: live },
                await: false,
                // Those outside first: those inside follow without delay.
                dependsOn: [smoke, ...(weights === undefined ? [] : [weights.declared])],
            },
            this,
        );
        const soak = gate(
            live,
            target,
            {
                gate: "soak",
                deadlineSeconds: args.soak.durationSeconds + SOAK_MARGIN_SECONDS,
                ...args.soak,
                ...(alb === undefined ? {} : { lingerSeconds: ALB_SWITCH_SECONDS }),
                ...(weights === undefined ? {} : { ingress: weights.name }),
            },
            [service],
        );
        checklist?.declareNotice(`${name}-${live}`, { app: name, colour: live, release: target }, soak, this);

        this.completed = soak.id.apply(() => target.image);

        const idle = live === "blue" ? "green" : "blue";
        const other = args.releases[idle];
        if (other !== undefined) {
            // A staged colour waits for nothing: it is tested while the live one goes on.
            const before = stage === idle ? evidence(idle, other) : [soak];
            const idleDeployment = declareColour(idle, other, before);
            const idleAutoscaler = declareAutoscaler(`${name}-${idle}`, name, args, idleDeployment, this);
            if (stage === idle) {
                smokeGate(idle, other, [idleDeployment, idleAutoscaler]);
            }
        }

        this.registerOutputs({ url: this.url });
    }
}

/** What one gate is told beside what all of them are. */
type GatePlan =
    | Omit<CapacityPlan, keyof CommonPlan>
    | Omit<ReleaseSmokePlan, keyof CommonPlan>
    | Omit<SoakPlan, keyof CommonPlan>;
type CommonPlan = Omit<GateBase, "deadlineSeconds">;

function gateBase(app: string, colour: Colour, release: Release, args: BlueGreenWorkloadArgs): CommonPlan {
    const { version, image, change } = release;
    const ticket = change?.ticket;
    return {
        subject: `${app} ${version} (${colour})`,
        namespace: args.namespaceName,
        app,
        colour,
        release: { hash: releaseHash(release), version, image, ...(ticket === undefined ? {} : { ticket }) },
        ledger: args.ledger,
    };
}

function releaseOf({ releases }: BlueGreenWorkloadArgs, colour: Colour): Release {
    const release = releases[colour];
    if (release === undefined) {
        throw new Error(`${colour} is live but has no release`);
    }
    return release;
}

/** Namespace in the URL of a Service. */
function namespaceOf(url: string): string {
    return new URL(url).hostname.split(".")[1]!;
}

/** Exactly what the gates read, the scale of the two Deployments, and the one ledger. */
function declareReleaseAccess(
    name: string,
    args: BlueGreenWorkloadArgs,
    parent: ComponentResource,
): GateAccess {
    const colours = COLOURS.map((colour) => `${name}-${colour}`);
    const tcp = (port: number) => ({ protocol: "TCP", port });
    const { metrics } = args.soak;
    return declareGateAccess(
        `${name}-gate`,
        {
            namespace: args.namespace,
            labels: args.labels,
            subject: name,
            egress: [
                { to: [{ podSelector: { matchLabels: { app: name } } }], ports: [tcp(args.port)] },
                { to: [{ ipBlock: { cidr: args.apiServer.cidr } }], ports: [tcp(args.apiServer.port)] },
                ...("prometheus" in metrics ? [namespaceEgress(namespaceOf(metrics.prometheus))] : []),
            ],
            rules: [
                { apiGroups: [""], resources: ["services"], resourceNames: [name], verbs: ["get"] },
                { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
                { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
                {
                    apiGroups: ["apps"],
                    resources: ["deployments"],
                    resourceNames: colours,
                    verbs: ["get"],
                },
                {
                    apiGroups: ["apps"],
                    resources: ["deployments/scale"],
                    resourceNames: colours,
                    verbs: ["patch"],
                },
                {
                    apiGroups: ["autoscaling"],
                    resources: ["horizontalpodautoscalers"],
                    resourceNames: colours,
                    verbs: ["get"],
                },
                {
                    apiGroups: [""],
                    resources: ["configmaps"],
                    resourceNames: [args.ledger],
                    verbs: ["get", "patch"],
                },
                ...(args.alb?.weights === undefined
                    ? []
                    : [
                          {
                              apiGroups: ["networking.k8s.io"],
                              resources: ["ingresses"],
                              resourceNames: [args.alb.weights.name],
                              verbs: ["get"],
                          },
                      ]),
            ],
        },
        parent,
    );
}
