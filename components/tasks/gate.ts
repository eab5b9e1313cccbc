import { type types } from "@pulumi/kubernetes";
import { type Job } from "@pulumi/kubernetes/batch/v1";
import { all, type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { bundledJob } from "../../jobs/bundle.cjs";
import {
    containerResources,
    type PodResources,
    pulledImage,
    type Resources,
    restrictedContainer,
} from "../kubernetes/pod";
import { type JobAccess } from "./access";
import { declareFiles, declareJob, jobSpec } from "./job";

/** Resources of a gate's container. */
const GATE_RESOURCES: Resources = {
    cpu: { request: "50m", limit: "500m" },
    memory: { request: "64Mi", limit: "256Mi" },
};

/** The pod of a gate, alone or beside the user's own tests. */
export function gatePod({ tests }: { tests: boolean }): PodResources {
    return tests ? [GATE_RESOURCES, GATE_RESOURCES] : [GATE_RESOURCES];
}

/** Time for the pod to be scheduled and its image pulled, in seconds, in addition to the gate's deadline. */
const START_SECONDS = 120;

/** How often a Job that the update does not wait for is tried again. */
const WATCH_RETRIES = 3;

const GATE_PATH = "/opt/gate";

/** Where Kubernetes mounts a pod's token, unless something else is mounted there. */
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Arguments of {@link declareGate}. */
export interface GateArgs {
    access: JobAccess;
    /** Program in `jobs/` that the gate runs. */
    program: string;
    /** Arguments of the program; after `deadlineSeconds` it gives up by itself. */
    plan: { readonly deadlineSeconds: number; readonly [key: string]: unknown };
    /** Names what is checked: the gate runs once for each hash. */
    hash: string;
    /** Image reference of Node, on which the gate runs. */
    nodeImage: string;
    /** What must be done before the gate runs. */
    after: readonly Resource[];
    /** Names or checksums of Secrets: a new one runs the gate again under the same hash. Default: none. */
    secrets?: readonly Input<string>[];
    /** Whether the update waits for it and fails with it. Otherwise it goes on beside the update. Default: true. */
    awaited?: boolean;
    /** Image reference of the user's own tests, run beside the program, and the URL they test. Default: none. */
    tests?: { image: string; target: string } | undefined;
}

/**
 * Declares a check that the update waits for and fails with: a Job that runs a program of `jobs/` inside the cluster.
 * A gate that passed runs again only under another hash; the next update runs a failed one again.
 */
export function declareGate(name: string, args: GateArgs, parent: ComponentResource): Job {
    const { access, program, plan, secrets, awaited = true, tests } = args;
    const files = declareFiles(
        name,
        access,
        { [`${program}.js`]: bundledJob(program), "plan.json": JSON.stringify(plan, undefined, 2) },
        parent,
    );
    const container = { resources: containerResources(GATE_RESOURCES), securityContext: restrictedContainer };
    const gate: types.input.core.v1.Container = {
        name: "gate",
        ...pulledImage(args.nodeImage),
        command: ["node", `${GATE_PATH}/${program}.js`, `${GATE_PATH}/plan.json`],
        volumeMounts: [{ name: "gate", mountPath: GATE_PATH, readOnly: true }],
        ...container,
    };
    // An image of the user's own must not have the gate's rights.
    const hidesToken = tests !== undefined && access.hasToken;
    const spec = jobSpec(access, {
        limitSeconds: plan.deadlineSeconds + START_SECONDS,
        // A Job beside the update fails nothing, and is retried after a fault.
        ...(!awaited && { retries: WATCH_RETRIES }),
        tokenReason: "reads the release it judges, and keeps the ledger",
        annotations:
            secrets === undefined
                ? {}
                : { "mcp.msil.com/secrets": all([...secrets]).apply((names) => names.join(" ")) },
        pod: {
            containers: [
                gate,
                ...(tests === undefined
                    ? []
                    : [
                          {
                              name: "tests",
                              ...pulledImage(tests.image),
                              env: [{ name: "TARGET_URL", value: tests.target }],
                              ...(hidesToken && {
                                  volumeMounts: [{ name: "no-token", mountPath: TOKEN_PATH }],
                              }),
                              ...container,
                          },
                      ]),
            ],
            volumes: [
                { name: "gate", configMap: { name: files } },
                ...(hidesToken ? [{ name: "no-token", emptyDir: {} }] : []),
            ],
        },
    });
    return declareJob(name, { access, hash: args.hash, spec, after: args.after, awaited }, parent);
}
