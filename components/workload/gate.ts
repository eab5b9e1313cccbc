import { Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import {
    all,
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    type Resource,
} from "@pulumi/pulumi";
import { bundledJob } from "../../jobs/bundle";
import { type SmokePlan } from "../../jobs/smoke";
import { contentHash } from "../hash";
import { GATE_LABEL } from "../labels";
import { containerResources, type Resources, restrictedContainer, restrictedPod } from "./pod";

/** What a gate's container may use. */
export const GATE_RESOURCES: Resources = {
    cpu: { request: "50m", limit: "500m" },
    memory: { request: "64Mi", limit: "256Mi" },
};

/** Time for the gate's pod to be scheduled and its image pulled, in seconds, beside its own deadline. */
const START_SECONDS = 120;

const GATE_PATH = "/opt/gate";

/** Arguments of {@link SmokeGate}. */
export interface SmokeGateArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Workload under test: its `app` label, and its port. */
    app: string;
    port: number;
    /** Names what is checked: the gate runs once for each hash. */
    releaseHash: string;
    /** Names of the workload's Secrets: a new one is a change that the release hash cannot tell. */
    secrets: readonly Input<string>[];
    /** Requests and what must come back. */
    plan: SmokePlan;
    /** Node image the gate runs on. */
    nodeImage: string;
    /** What must be done before the gate asks. A component's `dependsOn` would not reach its Job. */
    after: readonly Resource[];
    /** Image with tests of the user's own, run beside the requests. Default: none. */
    testImage?: string | undefined;
}

/**
 * Smoke tests after a rollout (section 3.2 steps 4 and 5): a Job that asks the Service from inside the cluster.
 * The update waits for it and fails with it; the pods it found wanting stay as they are until the version is
 * set back. A gate that passed is not run again until the release changes.
 */
export class SmokeGate extends ComponentResource {
    /** Name of the Job, for `kubectl logs`. */
    public readonly job: Input<string>;

    constructor(name: string, args: SmokeGateArgs, opts?: ComponentResourceOptions) {
        super("mcp:workload:SmokeGate", name, {}, opts);
        const parent = { parent: this };
        const podLabels = { ...args.labels, [GATE_LABEL]: args.app };
        const metadata = { namespace: args.namespace, labels: podLabels };

        const data = {
            "smoke.js": bundledJob("smoke"),
            "plan.json": JSON.stringify(args.plan, undefined, 2),
        };
        const program = new ConfigMap(
            `${name}-program`,
            { metadata: { ...metadata, name: `${name}-${contentHash(data)}` }, immutable: true, data },
            parent,
        );

        const account = new ServiceAccount(
            name,
            { metadata: { ...metadata, name }, automountServiceAccountToken: false },
            parent,
        );

        const network = new NetworkPolicy(
            name,
            {
                metadata: { ...metadata, name },
                spec: {
                    podSelector: { matchLabels: { [GATE_LABEL]: args.app } },
                    policyTypes: ["Ingress", "Egress"],
                    egress: [
                        {
                            to: [{ podSelector: { matchLabels: { app: args.app } } }],
                            ports: [{ protocol: "TCP", port: args.port }],
                        },
                    ],
                },
            },
            parent,
        );

        const container = {
            resources: containerResources(GATE_RESOURCES),
            securityContext: restrictedContainer,
        };
        const limit = args.plan.deadlineSeconds + START_SECONDS;
        const job = new Job(
            `${name}-${args.releaseHash}`,
            {
                metadata: {
                    ...metadata,
                    // A failed Job never becomes ready: without this the next update would wait for it again.
                    annotations: { "pulumi.com/replaceUnready": "true" },
                },
                spec: {
                    backoffLimit: 0,
                    activeDeadlineSeconds: limit,
                    template: {
                        metadata: {
                            labels: podLabels,
                            annotations: {
                                "mcp.msil.com/secrets": all([...args.secrets]).apply((names) =>
                                    names.join(" "),
                                ),
                            },
                        },
                        spec: {
                            ...restrictedPod,
                            serviceAccountName: account.metadata.name,
                            restartPolicy: "Never",
                            containers: [
                                {
                                    name: "smoke",
                                    image: args.nodeImage,
                                    imagePullPolicy: "IfNotPresent",
                                    command: ["node", `${GATE_PATH}/smoke.js`, `${GATE_PATH}/plan.json`],
                                    volumeMounts: [{ name: "gate", mountPath: GATE_PATH, readOnly: true }],
                                    ...container,
                                },
                                ...(args.testImage === undefined
                                    ? []
                                    : [
                                          {
                                              name: "tests",
                                              image: args.testImage,
                                              imagePullPolicy: "IfNotPresent",
                                              env: [{ name: "TARGET_URL", value: args.plan.target }],
                                              ...container,
                                          },
                                      ]),
                            ],
                            volumes: [{ name: "gate", configMap: { name: program.metadata.name } }],
                        },
                    },
                },
            },
            {
                parent: this,
                dependsOn: [network, ...args.after],
                // Longer than the Job's own limit, so that it is the Job that gives up and says why.
                customTimeouts: { create: `${limit + 30}s` },
            },
        );
        this.job = job.metadata.name;

        this.registerOutputs({ job: this.job });
    }
}
