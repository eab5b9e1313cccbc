import { type types } from "@pulumi/kubernetes";
import { type Input } from "@pulumi/pulumi";
import {
    containerResources,
    pulledImage,
    type Resources,
    restrictedContainer,
    restrictedPod,
} from "../kubernetes/pod";

/** A Secret, and the environment variable that names the file with the value of each of its keys. */
export interface MountedSecret {
    name: Input<string>;
    /** Key to variable, without its `_FILE`. */
    files: Readonly<Record<string, string>>;
}

/** Arguments of {@link workloadPod}. */
export interface WorkloadPodArgs {
    /** Name of the workload, its container and its `app` label. */
    app: string;
    /** Image reference. */
    image: Input<string>;
    /** Labels of the pod, `app` and `version` among them. */
    labels: Record<string, Input<string>>;
    port: number;
    probes: { liveness: string; readiness: string };
    resources: Resources;
    /** ConfigMap whose keys become the environment. */
    configMap: Input<string>;
    /** Secrets whose keys become files. */
    secrets: readonly MountedSecret[];
    /** A text that changes with the stores, and then replaces the pods. Default: none. */
    connections?: Input<string> | undefined;
    serviceAccount: Input<string>;
    /** PriorityClass. Default: the cluster's default. */
    priorityClass?: Input<string> | undefined;
    /** Time between the pod leaving its Service and the signal that stops its process, in seconds. */
    deregistrationSeconds: number;
    /** Time to finish running requests after that, in seconds. */
    gracePeriodSeconds: number;
    /** Any new value replaces the pods. Sections 4.3.2 step 4 and 4.3.3 step 5. */
    restart?: string | undefined;
}

const SECRETS_PATH = "/run/secrets/mcp";

/** The pod of a workload: probes (section 2.1), restricted profile, spread over zones and hosts. */
export function workloadPod(args: WorkloadPodArgs): types.input.core.v1.PodTemplateSpec {
    const probe = (path: string) => ({ httpGet: { path, port: "http" } });
    const selector = { matchLabels: { app: args.app } };
    return {
        metadata: {
            labels: args.labels,
            annotations: {
                ...(args.restart === undefined ? {} : { "mcp.msil.com/restart": args.restart }),
                ...(args.connections === undefined ? {} : { "mcp.msil.com/connections": args.connections }),
            },
        },
        spec: {
            ...restrictedPod,
            serviceAccountName: args.serviceAccount,
            ...(args.priorityClass && { priorityClassName: args.priorityClass }),
            terminationGracePeriodSeconds: args.deregistrationSeconds + args.gracePeriodSeconds,
            topologySpreadConstraints: [
                // Counts a rollout's old and new pods separately: otherwise the new ones would fill one zone.
                {
                    maxSkew: 1,
                    topologyKey: "topology.kubernetes.io/zone",
                    whenUnsatisfiable: "ScheduleAnyway",
                    labelSelector: selector,
                    matchLabelKeys: ["pod-template-hash"],
                },
                {
                    maxSkew: 1,
                    topologyKey: "kubernetes.io/hostname",
                    whenUnsatisfiable: "ScheduleAnyway",
                    labelSelector: selector,
                    matchLabelKeys: ["pod-template-hash"],
                },
            ],
            containers: [
                {
                    name: args.app,
                    ...pulledImage(args.image),
                    ports: [{ name: "http", containerPort: args.port }],
                    envFrom: [{ configMapRef: { name: args.configMap } }],
                    env: args.secrets
                        .flatMap(({ files }) => Object.values(files))
                        .map((variable) => ({
                            name: `${variable}_FILE`,
                            value: `${SECRETS_PATH}/${variable}`,
                        })),
                    // Up to two minutes to start; until then the other probes wait.
                    startupProbe: { ...probe(args.probes.liveness), periodSeconds: 2, failureThreshold: 60 },
                    livenessProbe: {
                        ...probe(args.probes.liveness),
                        periodSeconds: 10,
                        timeoutSeconds: 3,
                        failureThreshold: 3,
                    },
                    // Faster than liveness: an unhealthy pod leaves the Service before it is restarted.
                    readinessProbe: {
                        ...probe(args.probes.readiness),
                        periodSeconds: 5,
                        timeoutSeconds: 3,
                        failureThreshold: 2,
                    },
                    lifecycle: { preStop: { sleep: { seconds: args.deregistrationSeconds } } },
                    resources: containerResources(args.resources),
                    securityContext: restrictedContainer,
                    volumeMounts: [
                        { name: "tmp", mountPath: "/tmp" },
                        ...(args.secrets.length > 0
                            ? [{ name: "secrets", mountPath: SECRETS_PATH, readOnly: true }]
                            : []),
                    ],
                },
            ],
            volumes: [
                { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
                ...(args.secrets.length > 0
                    ? [{ name: "secrets", projected: secretFiles(args.secrets) }]
                    : []),
            ],
        },
    };
}

function secretFiles(secrets: WorkloadPodArgs["secrets"]): types.input.core.v1.ProjectedVolumeSource {
    return {
        defaultMode: 0o440,
        sources: secrets.map(({ name, files }) => ({
            secret: { name, items: Object.entries(files).map(([key, path]) => ({ key, path })) },
        })),
    };
}
