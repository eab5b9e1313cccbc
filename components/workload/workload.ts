import { type Input, type Output, type Resource } from "@pulumi/pulumi";
import { type Colour } from "../../core/numbers";
import { type GateBase, type SoakPlan, type SyntheticRoute } from "../../jobs/release/plan";
import { type SmokeRequest } from "../../jobs/release/smokeRequests";
import { type DatabaseDumps } from "../backup/databaseDumps";
import { type Connection } from "../data/connection";
import { ALB_DEREGISTRATION_SECONDS } from "../edge/alb";
import { type Resources } from "../kubernetes/pod";
import { type Release } from "./release";
import { type ReleaseApproval } from "./releaseApproval";

/** Both strategies have one type: a workload keeps its URN, and its objects, when its strategy changes. */
export const WORKLOAD_TYPE = "mcp:workload:Workload";

/** Time for the cluster's proxies to remove a pod from its Service, in seconds. */
const DEREGISTRATION_SECONDS = 5;

/** A secret that the stack makes. */
export interface GeneratedSecret {
    /** Another value makes another secret: the time of its rotation. Default: it was never rotated. */
    rotated?: string | undefined;
}

/** Arguments common to all workloads. Times are in seconds. */
export interface WorkloadArgs {
    /** Namespace of every object. */
    namespace: Input<string>;
    /** Name of the namespace, for the gates. */
    namespaceName: string;
    /** Labels of every object, in addition to `app`. Default: none. */
    labels?: Record<string, string>;
    /** Port of the container and of the Service. */
    port: number;
    /** Paths of the liveness and the readiness probe. */
    probes: { liveness: string; readiness: string };
    /** Bounds of the autoscaler, and its target utilization, in percent of the request. */
    scaling: { min: number; max: number; cpu: number; memory?: number | undefined };
    /** CPU and memory of one pod. */
    resources: Resources;
    /** PriorityClass of the pods. Default: the cluster's default. */
    priorityClass?: Input<string> | undefined;
    /** Secrets of the container by name: the operator's value, or one that the stack makes. Default: none. */
    secrets?: Record<string, Output<string> | GeneratedSecret>;
    /**
     * Stores of the pods, by the name of the secret with the URL. Not part of a release: another store replaces the
     * pods, and no gate runs again. Section 7.2 steps 5 and 6. Default: none.
     */
    connections?: Readonly<Record<string, Connection>>;
    /** Any new value restarts the pods one by one. Default: none. */
    restart?: string | undefined;
    /** Time for a pod to finish its requests, in seconds. Default: 30. */
    gracePeriod?: number;
    /** Allowed connections to and from the pods. All other traffic is denied. Default: only the gates may connect. */
    network?: WorkloadNetwork;
    /** The ALB whose targets the pods are. Default: none. */
    alb?: AlbTarget | undefined;
    /** Requests of the smoke gate, its deadline, and the image of the user's own tests. */
    smoke: { requests: SmokeRequest[]; deadline: number; image?: string | undefined };
    /** Image reference of Node, on which the gates run. */
    nodeImage: string;
    /** Name of the ConfigMap with the releases that passed their gates. */
    releaseHistory: string;
    /** Address range of the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    /** What must exist before the pods start. Default: nothing. */
    after?: readonly Resource[];
    /**
     * Takes the dump before a release that migrates the database. Default: none; then a release must not set
     * `databaseChange`.
     */
    dumps?: DatabaseDumps | undefined;
    /** Approval that a release needs before its pods start. Default: none. */
    approval?: ReleaseApproval | undefined;
}

/** Settings of the soak gate, and of the baseline measurement before the switch. */
export interface SoakArgs extends Omit<
    SoakPlan,
    keyof GateBase | "gate" | "synthetic" | "lingerSeconds" | "ingress"
> {
    /** How long the capacity gate measures the active colour, in seconds. Default: 60. */
    baselineSeconds?: number;
    /** Time between two rounds of the gate's own requests, in seconds. Default: 10. */
    syntheticSeconds?: number;
    /** Public hosts for these requests, in addition to the Service. Default: none. */
    publicRoutes?: readonly SyntheticRoute[];
}

/** Arguments of a blue-green workload. Times are in seconds. */
export interface BlueGreenWorkloadArgs extends WorkloadArgs {
    /** Release of each colour. A colour without one is not declared. */
    releases: { [colour in Colour]?: Release | undefined };
    /** The active colour, which gets the traffic. */
    active: Colour;
    /** An idle colour that is deployed and tested without a switch. Default: none. */
    stage?: Colour | undefined;
    /** Whether the idle colour keeps its pods (`warm`) or is scaled to 0 (`cold`). Default: cold. */
    standby?: "cold" | "warm";
    /** Settings of the soak gate, which measures the release after the switch. */
    soak: SoakArgs;
}

/** How an ALB balances the pods. */
export interface AlbTarget {
    /** Name of the Ingress that moves traffic by the weights of two colours. Default: the Service's selector moves it. */
    weightedBy?: string | undefined;
}

/** Allowed connections of a workload's pods. DNS is always allowed; the rest is denied. */
export interface WorkloadNetwork {
    /**
     * Source of requests from outside the stack: the namespace of the ingress controller, or the ranges of the ALB's
     * subnets. Default: denied.
     */
    outside?: { namespace: string } | { cidrs: readonly string[] } | undefined;
    /** Names of the workloads that call this one. Default: none. */
    callers?: readonly string[];
    /** Tasks that call its pods, by their label. Default: none. */
    tasks?: readonly string[];
    /** Names and ports of the workloads it calls. Default: none. */
    calls?: readonly { app: string; port: number }[];
    /** Addresses outside the namespace it may connect to. Default: none. */
    egress?: readonly { cidr: string; except: string[]; ports: number[] }[];
    /** Whether the pods have AWS rights, and so need the Pod Identity agent of their node. Default: false. */
    awsIdentity?: boolean;
    /** Whether the metrics collector scrapes the pods. Default: false. */
    scraped?: boolean;
}

/** Time for a pod to finish its requests, in seconds. */
export function gracePeriodOf({ gracePeriod = 30 }: WorkloadArgs): number {
    return gracePeriod;
}

/** Metadata of an object of a workload. */
export function metadataOf(name: string, app: string, { namespace, labels }: WorkloadArgs) {
    return { name, namespace, labels: { ...labels, app } };
}

/** Time from a pod's removal from its Service to the signal that stops its process, in seconds. */
export function deregistrationSeconds({ alb }: WorkloadArgs): number {
    return alb === undefined ? DEREGISTRATION_SECONDS : ALB_DEREGISTRATION_SECONDS;
}
