import { PLACEHOLDER_DIGEST } from "../../core/placeholderDigest";
import { type Properties, UNKNOWN } from "../../policies/unknown";
import { edited } from "./edit";
import { type Case, DIGEST, IMAGE, REGISTRY, selector, SOUND } from "./compliantStack";

const SPEC = "deployment props spec";
const LABELS = `${SPEC} template metadata labels`;
const POD = `${SPEC} template spec`;
const CONTAINER = `${POD} containers 0`;
const SECURITY = `${CONTAINER} securityContext`;
const HPA = "autoscaler props spec";
const PDB = "budget props spec";
const NETWORK = "network props spec";
const CRON = "cron props spec";
const INGRESS = "ingress props spec";
const ALB = "ingress props metadata annotations alb.ingress.kubernetes.io";
const NOT_BEFORE = "ingress props metadata annotations mcp.msil.com/certificate-not-before";
const NOT_AFTER = "ingress props metadata annotations mcp.msil.com/certificate-not-after";
const REGISTRIES = "namespace props metadata annotations mcp.msil.com/registries";
const C = "deployment: container mcp-server:";

/** What runs pods that end by themselves. */
const TASKS = ["job", "cron", "dailyDump", "weeklyDump", "export"];

/** What a rule says of a value that is not known, at the Kubernetes path of the deployment. */
const unknown = (path: string) => `? deployment: ${path} is known only after the update`;
const inPod = (path: string) => unknown(`spec.template.spec.${path}`);
const inContainer = (path: string) => inPod(`containers.0.${path}`);
const copy = (name: string, path = "", value?: unknown) =>
    path === "" ? SOUND[name] : (edited(SOUND[name], path, value) as Properties);

const uncovered = (...hosts: string[]) =>
    hosts.map((host) => `ingress: host ${host}: no entry of tls with a certificate covers it`);

const sharesHost = (key: string, what: string): Case[] => [
    [{ [`${POD} host${key}`]: true }, [`deployment: shares the ${what} namespace of its node`]],
    [{ [`${POD} host${key}`]: false }],
    [{ [`${POD} host${key}`]: UNKNOWN }, [inPod(`host${key}`)]],
];

const probed = (probe: "liveness" | "readiness"): Case[] => [
    [{ [`${CONTAINER} ${probe}Probe`]: undefined }, [`${C} has no ${probe}Probe`]],
    [{ [`${CONTAINER} ${probe}Probe`]: UNKNOWN }, [inContainer(`${probe}Probe`)]],
    // Neither init containers nor Jobs serve.
    [
        {
            [`${POD} initContainers`]: [{ name: "init" }],
            [`job props spec template spec containers`]: [{ name: "x" }],
        },
    ],
];

const onMatrix = (probe: "liveness" | "readiness", path: string): Case[] => {
    const asks = (found: string) => [
        `deployment: ${probe}Probe of mcp-server requests ${found}, expected :8000${path}`,
    ];
    const get = `${CONTAINER} ${probe}Probe httpGet`;
    return [
        [{ [`${get} path`]: "/healthz" }, asks(":8000/healthz")],
        [{ [`${get} path`]: undefined }, asks(":8000/")],
        [{ [`${get} port`]: 8001 }, asks(`:8001${path}`)],
        [{ [`${get} port`]: "http" }],
        [{ [`${get} port`]: "metrics" }, asks(`:metrics${path}`)],
        [{ [`${get} port`]: "http", [`${CONTAINER} ports 0 containerPort`]: 9000 }, asks(`:9000${path}`)],
        [{ [`${CONTAINER} ${probe}Probe`]: { exec: { command: ["true"] } } }, asks("nothing over HTTP")],
        [{ [`${CONTAINER} ${probe}Probe`]: undefined }, asks("nothing over HTTP")],
        [{ [`${get} path`]: UNKNOWN }, [inContainer(`${probe}Probe.httpGet.path`)]],
        [{ [`${LABELS} app`]: "elsewhere", [`${get} path`]: "/healthz" }],
        [{ [`${CONTAINER} name`]: "main", [`${get} path`]: "/healthz" }, asks(":8000/healthz")],
        // The sidecar has another path.
        [
            {
                [`${POD} containers 1`]: {
                    name: "sidecar",
                    [`${probe}Probe`]: { httpGet: { path: "/", port: 9 } },
                },
            },
        ],
    ];
};

/** What the rules of Kubernetes find in changed stacks, by rule. */
export const KUBERNETES_CASES: Record<string, Case[]> = {
    "kubernetes-pod-container-disallow-privileged": [
        [{ [`${SECURITY} privileged`]: true }, [`${C} is privileged`]],
        [{ [`${SECURITY} privileged`]: false }],
        [{ [`${SECURITY} privileged`]: UNKNOWN }, [inContainer("securityContext.privileged")]],
        [
            { [`${POD} initContainers`]: [{ name: "init", securityContext: { privileged: true } }] },
            ["deployment: container init: is privileged"],
        ],
        [
            {
                cron: {
                    type: "kubernetes:batch/v1:CronJob",
                    props: {
                        spec: {
                            jobTemplate: {
                                spec: {
                                    template: {
                                        spec: {
                                            containers: [
                                                { name: "dump", securityContext: { privileged: true } },
                                            ],
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
            ["cron: container dump: is privileged"],
        ],
        [
            {
                bare: {
                    type: "kubernetes:core/v1:Pod",
                    props: { spec: { containers: [{ name: "x", securityContext: { privileged: true } }] } },
                },
            },
            ["bare: container x: is privileged"],
        ],
        [{ bare: { type: "kubernetes:apps/v1:Deployment", props: {} } }],
        // What is unknown of one container leaves the finding on the other standing, whichever comes first.
        [
            {
                [`${POD} containers 0`]: UNKNOWN,
                [`${POD} containers 1`]: { name: "sidecar", securityContext: { privileged: true } },
                [`${POD} containers 2`]: { name: "proxy", securityContext: UNKNOWN },
            },
            [
                inPod("containers.0"),
                "deployment: container sidecar: is privileged",
                inPod("containers.2.securityContext"),
            ],
        ],
        [
            {
                [`${POD} initContainers`]: UNKNOWN,
                [`${SECURITY} privileged`]: true,
            },
            [inPod("initContainers"), `${C} is privileged`],
        ],
    ],
    "kubernetes-pod-disallow-host-pid": sharesHost("PID", "process"),
    "kubernetes-pod-disallow-host-ipc": sharesHost("IPC", "IPC"),
    "kubernetes-pod-disallow-host-network": sharesHost("Network", "network"),
    "kubernetes-pod-container-disallow-privilege-escalation": [
        [{ [`${SECURITY} allowPrivilegeEscalation`]: true }, [`${C} allows privilege escalation`]],
        [{ [SECURITY]: undefined }, [`${C} allows privilege escalation`]],
        [
            { [`${SECURITY} allowPrivilegeEscalation`]: UNKNOWN },
            [inContainer("securityContext.allowPrivilegeEscalation")],
        ],
    ],
    "kubernetes-pod-container-require-non-root": [
        [{ [`${POD} securityContext`]: undefined }, [`${C} runAsNonRoot is not set, expected true`]],
        [{ [`${SECURITY} runAsNonRoot`]: false }, [`${C} runAsNonRoot is false, expected true`]],
        [{ [`${POD} securityContext runAsNonRoot`]: undefined, [`${SECURITY} runAsNonRoot`]: true }],
        [{ [`${SECURITY} runAsNonRoot`]: UNKNOWN }, [inContainer("securityContext.runAsNonRoot")]],
    ],
    "kubernetes-pod-container-require-high-ids": [
        [{ [`${POD} securityContext runAsUser`]: 9999 }, [`${C} runAsUser is 9999, expected 10000 or more`]],
        [{ [`${POD} securityContext runAsUser`]: 10_000 }],
        [{ [`${SECURITY} runAsGroup`]: 0 }, [`${C} runAsGroup is 0, expected 10000 or more`]],
        [
            { [`${POD} securityContext`]: undefined },
            [
                `${C} runAsUser is not set, expected 10000 or more`,
                `${C} runAsGroup is not set, expected 10000 or more`,
            ],
        ],
        [{ [`${POD} securityContext runAsUser`]: UNKNOWN }, [inPod("securityContext.runAsUser")]],
    ],
    "kubernetes-pod-container-require-dropped-capabilities": [
        [{ [`${SECURITY} capabilities drop 0`]: "NET_RAW" }, [`${C} does not drop ALL capabilities`]],
        [{ [`${SECURITY} capabilities`]: undefined }, [`${C} does not drop ALL capabilities`]],
        [{ [`${SECURITY} capabilities add`]: ["NET_BIND_SERVICE"] }],
        [{ [`${SECURITY} capabilities add`]: ["SYS_TIME"] }, [`${C} adds the capability SYS_TIME`]],
        [{ [`${SECURITY} capabilities drop`]: UNKNOWN }, [inContainer("securityContext.capabilities.drop")]],
    ],
    "kubernetes-pod-container-require-seccomp": [
        [
            { [`${POD} securityContext seccompProfile`]: undefined },
            [`${C} seccompProfile is not set, expected RuntimeDefault`],
        ],
        [
            { [`${SECURITY} seccompProfile`]: { type: "Unconfined" } },
            [`${C} seccompProfile is Unconfined, expected RuntimeDefault`],
        ],
        [{ [`${POD} securityContext seccompProfile`]: UNKNOWN }, [inPod("securityContext.seccompProfile")]],
    ],
    "kubernetes-pod-container-require-read-only-root": [
        [{ [`${SECURITY} readOnlyRootFilesystem`]: undefined }, [`${C} can write to its root filesystem`]],
        [
            { [`${SECURITY} readOnlyRootFilesystem`]: UNKNOWN },
            [inContainer("securityContext.readOnlyRootFilesystem")],
        ],
    ],
    "kubernetes-pod-disallow-unsafe-volumes": [
        [
            { [`${POD} volumes 1`]: { name: "host", hostPath: { path: "/" } } },
            ["deployment: volume host: is of type hostPath"],
        ],
        [{ [`${POD} volumes 0`]: { name: "tmp", emptyDir: UNKNOWN } }],
        [
            {
                [`${POD} volumes 0`]: { name: "a", hostPath: UNKNOWN },
                [`${POD} volumes 1`]: { name: "b", nfs: { server: "x" } },
            },
            [inPod("volumes.0.hostPath"), "deployment: volume b: is of type nfs"],
        ],
        [{ [`${POD} volumes`]: undefined }],
    ],
    "kubernetes-pod-container-disallow-host-port": [
        [{ [`${CONTAINER} ports 0 hostPort`]: 80 }, [`${C} takes port 80 of its node`]],
        [{ [`${CONTAINER} ports 0 hostPort`]: 0 }],
        [{ [`${CONTAINER} ports 0 hostPort`]: UNKNOWN }, [inContainer("ports.0.hostPort")]],
    ],
    "kubernetes-pod-container-require-resources": [
        [
            { [`${CONTAINER} resources`]: { requests: { cpu: "1" } } },
            [
                `${C} resources.requests.memory is not set`,
                `${C} resources.limits.cpu is not set`,
                `${C} resources.limits.memory is not set`,
            ],
        ],
        [{ [`${CONTAINER} resources limits`]: UNKNOWN }, [inContainer("resources.limits")]],
    ],
    "kubernetes-pod-container-require-image-tag": [
        [
            { [`${CONTAINER} image`]: "app:latest" },
            [`${C} image app:latest is the latest, whichever that is`],
        ],
        [
            { [`${CONTAINER} image`]: `app:latest@${DIGEST}` },
            [`${C} image app:latest is the latest, whichever that is`],
        ],
        [{ [`${CONTAINER} image`]: "registry:5000/app" }, [`${C} image registry:5000/app has no tag`]],
        [{ [`${CONTAINER} image`]: "app" }, [`${C} image app has no tag`]],
        [{ [`${CONTAINER} image`]: IMAGE }],
        [{ [`${CONTAINER} image`]: `app@${DIGEST}` }],
        [{ [`${CONTAINER} image`]: UNKNOWN }, [inContainer("image")]],
    ],
    "kubernetes-pod-container-require-image-digest": [
        [{ [`${CONTAINER} image`]: IMAGE }, [`${C} image ${IMAGE} has no digest`]],
        [{ [`${CONTAINER} image`]: `${IMAGE}@sha256:abc` }, [`${C} image ${IMAGE}@sha256:abc has no digest`]],
        [
            { [`${CONTAINER} image`]: `${IMAGE}@${PLACEHOLDER_DIGEST}` },
            ["? deployment: the image digest is a placeholder until npm run images -- pin"],
        ],
        [{ [`${CONTAINER} image`]: UNKNOWN }, [inContainer("image")]],
        [
            {
                [`${CONTAINER} image`]: IMAGE,
                "deployment props metadata labels mcp.msil.com/tier": "trial",
            },
        ],
        // An object that does not say where it runs is judged as production's.
        [
            { [`${CONTAINER} image`]: IMAGE, "deployment props metadata labels": undefined },
            [`${C} image ${IMAGE} has no digest`],
        ],
    ],
    "kubernetes-object-disallow-default-namespace": [
        [{ "deployment props metadata namespace": "default" }, ["deployment: is in the default namespace"]],
        [{ "service props metadata": undefined }, ["service: is in the default namespace"]],
        [
            { "service props metadata namespace": UNKNOWN },
            ["? service: metadata.namespace is known only after the update"],
        ],
        [{ namespace: { type: "kubernetes:core/v1:Namespace", props: { metadata: { name: "mcp" } } } }],
    ],
    "kubernetes-pod-require-service-account": [
        [
            { [`${POD} serviceAccountName`]: undefined },
            ["deployment: runs as the default ServiceAccount of its namespace"],
        ],
        [
            { [`${POD} serviceAccountName`]: "default" },
            ["deployment: runs as the default ServiceAccount of its namespace"],
        ],
        [{ [`${POD} serviceAccountName`]: UNKNOWN }, [inPod("serviceAccountName")]],
    ],
    "kubernetes-pod-disallow-token-mount": [
        [
            { [`${POD} automountServiceAccountToken`]: undefined },
            ["deployment: mounts a token for the Kubernetes API and gives no reason"],
        ],
        [
            {
                [`${POD} automountServiceAccountToken`]: true,
                [`${SPEC} template metadata annotations mcp.msil.com/needs-token`]: "",
            },
            ["deployment: mounts a token for the Kubernetes API and gives no reason"],
        ],
        [
            {
                [`${POD} automountServiceAccountToken`]: true,
                [`${SPEC} template metadata annotations mcp.msil.com/needs-token`]: "scales the other colour",
            },
        ],
        [{ [`${POD} automountServiceAccountToken`]: UNKNOWN }, [inPod("automountServiceAccountToken")]],
        // Unknown labels do not matter.
        [{ [`${SPEC} template metadata`]: UNKNOWN }],
    ],
    "kubernetes-pod-container-disallow-secret-env": [
        [
            { [`${CONTAINER} envFrom 1`]: { secretRef: { name: "s" } } },
            [`${C} takes its environment from a Secret`],
        ],
        [
            { [`${CONTAINER} env 1`]: { name: "URL", valueFrom: { secretKeyRef: { name: "s", key: "k" } } } },
            [`${C} takes URL from a Secret`],
        ],
        ...["DB_PASSWORD", "CLIENT_SECRET", "TOKEN", "APIKEY", "X_API_KEY"].map((name): Case => [
            { [`${CONTAINER} env 1`]: { name, value: "hunter2" } },
            [`${C} sets ${name} to a literal`],
        ]),
        // The value need not be known to be one too many.
        [{ [`${CONTAINER} env 1`]: { name: "TOKEN", value: UNKNOWN } }, [`${C} sets TOKEN to a literal`]],
        [{ [`${CONTAINER} env 1`]: { name: "TOKEN_URL", value: UNKNOWN } }],
        [
            {
                [`${CONTAINER} env 1`]: {
                    name: "NODE",
                    valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } },
                },
            },
        ],
        [{ [`${CONTAINER} env 1`]: { name: "URL", valueFrom: UNKNOWN } }, [inContainer("env.1.valueFrom")]],
    ],
    "kubernetes-pod-container-require-liveness-probe": probed("liveness"),
    "kubernetes-pod-container-require-readiness-probe": probed("readiness"),
    "kubernetes-pod-container-require-distinct-probes": [
        [
            { [`${CONTAINER} livenessProbe`]: { httpGet: { path: "/ready", port: 8000 } } },
            [`${C} livenessProbe and readinessProbe are the same`],
        ],
        [
            {
                [`${CONTAINER} livenessProbe`]: {
                    httpGet: { path: "/ready", port: 8000 },
                    failureThreshold: 9,
                },
            },
        ],
        [{ [`${CONTAINER} livenessProbe`]: undefined, [`${CONTAINER} readinessProbe`]: undefined }],
        // What differs already, differs whatever the unknown turns out to be.
        [{ [`${CONTAINER} livenessProbe httpGet port`]: UNKNOWN }],
        [
            { [`${CONTAINER} livenessProbe httpGet`]: { path: "/ready", port: UNKNOWN } },
            [inContainer("livenessProbe.httpGet.port")],
        ],
    ],
    "kubernetes-pod-require-liveness-path": onMatrix("liveness", "/health"),
    "kubernetes-pod-require-readiness-path": onMatrix("readiness", "/ready"),
    "kubernetes-deployment-require-rolling-update": [
        [
            { [`${SPEC} strategy`]: { type: "Recreate" } },
            ["deployment: strategy is Recreate, expected RollingUpdate"],
        ],
        [
            { [`${SPEC} strategy rollingUpdate maxUnavailable`]: 1 },
            ["deployment: maxUnavailable is 1, expected 0"],
        ],
        [{ [`${SPEC} strategy`]: undefined }, ["deployment: maxUnavailable is not set, expected 0"]],
        [{ [`${SPEC} strategy`]: { rollingUpdate: { maxUnavailable: "0%" } } }],
        [{ [`${SPEC} strategy`]: UNKNOWN }, [unknown("spec.strategy")]],
    ],
    "kubernetes-deployment-require-zone-spread": [
        [{ [`${POD} topologySpreadConstraints`]: undefined }, ["deployment: is not spread over the zones"]],
        [
            { [`${POD} topologySpreadConstraints 0 topologyKey`]: "kubernetes.io/hostname" },
            ["deployment: is not spread over the zones"],
        ],
        [
            { [`${POD} topologySpreadConstraints 0 labelSelector matchLabels app`]: "other" },
            ["deployment: is not spread over the zones"],
        ],
        [{ [`${POD} topologySpreadConstraints`]: UNKNOWN }, [inPod("topologySpreadConstraints")]],
    ],
    "kubernetes-deployment-require-disruption-budget": [
        [{ budget: undefined }, ["deployment: no PodDisruptionBudget covers it"]],
        [{ "budget props metadata namespace": "other" }, ["deployment: no PodDisruptionBudget covers it"]],
        [{ [`${PDB} selector matchLabels app`]: "other" }, ["deployment: no PodDisruptionBudget covers it"]],
        [{ [`${PDB} selector`]: undefined }, ["deployment: no PodDisruptionBudget covers it"]],
        [{ [`${PDB} selector`]: {} }],
        [{ [`${PDB} selector`]: UNKNOWN }, [unknown("spec.selector")]],
        // One that is known to cover it makes another's unknown no matter.
        [{ [`${PDB} selector`]: UNKNOWN, other: copy("budget") }],
    ],
    "kubernetes-disruption-budget-require-eviction": [
        ...(
            [
                [{ maxUnavailable: 0 }, false],
                [{ maxUnavailable: "0%" }, false],
                [{ maxUnavailable: "1%" }, true],
                [{ minAvailable: 2 }, false],
                [{ minAvailable: 1 }, true],
                [{ minAvailable: "100%" }, false],
                [{ minAvailable: "51%" }, false],
                [{ minAvailable: "50%" }, true],
                [{}, false],
            ] as const
        ).map(([bounds, permitted]): Case => [
            { [PDB]: { ...bounds, unhealthyPodEvictionPolicy: "AlwaysAllow", selector } },
            permitted ? [] : ["budget: permits no eviction at the 2 replicas of deployment"],
        ]),
        [
            {
                [PDB]: { minAvailable: 2, unhealthyPodEvictionPolicy: "AlwaysAllow", selector },
                autoscaler: undefined,
                [`${SPEC} replicas`]: 3,
            },
            [],
        ],
        [
            {
                [PDB]: { minAvailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector },
                autoscaler: undefined,
            },
            ["budget: permits no eviction at the 1 replicas of deployment"],
        ],
        ...[undefined, "IfHealthyBudget"].map((policy): Case => [
            { [`${PDB} unhealthyPodEvictionPolicy`]: policy },
            ["budget: unhealthyPodEvictionPolicy is IfHealthyBudget, expected AlwaysAllow"],
        ]),
        // Nothing runs in an idle colour that could be evicted.
        [{ [PDB]: { maxUnavailable: 0, selector }, [`${SPEC} replicas`]: 0 }],
        [{ other: copy("budget") }, ["deployment: 2 PodDisruptionBudgets cover it, expected one"]],
        [{ [`${PDB} maxUnavailable`]: UNKNOWN }, [unknown("spec.maxUnavailable")]],
        [{ [`${HPA} minReplicas`]: UNKNOWN }, [unknown("spec.minReplicas")]],
    ],
    "kubernetes-autoscaler-require-target": [
        [
            { [`${HPA} scaleTargetRef name`]: "other" },
            ["autoscaler: scales Deployment other, which the stack does not declare"],
        ],
        [
            { [`${HPA} scaleTargetRef kind`]: "StatefulSet" },
            ["autoscaler: scales StatefulSet mcp-server, which the stack does not declare"],
        ],
        [
            { "autoscaler props metadata namespace": "other" },
            ["autoscaler: scales Deployment mcp-server, which the stack does not declare"],
        ],
        [
            { [`${HPA} scaleTargetRef name`]: UNKNOWN },
            ["? autoscaler: spec.scaleTargetRef.name is known only after the update"],
        ],
        // How many there are of it is another rule's question.
        [{ [`${HPA} minReplicas`]: UNKNOWN }],
    ],
    "kubernetes-autoscaler-require-minimum": [
        [{ [`${HPA} minReplicas`]: 1 }, ["autoscaler: minReplicas is 1, expected 2 or more"]],
        [{ [`${HPA} minReplicas`]: undefined }, ["autoscaler: minReplicas is 1, expected 2 or more"]],
        [
            {
                [`${HPA} minReplicas`]: 1,
                "autoscaler props metadata labels mcp.msil.com/tier": "trial",
            },
        ],
        [
            {
                [`${HPA} minReplicas`]: 0,
                "autoscaler props metadata labels mcp.msil.com/tier": "trial",
            },
            ["autoscaler: minReplicas is 0, expected 1 or more"],
        ],
        // An object that does not say where it runs is judged as production's.
        [
            { [`${HPA} minReplicas`]: 1, "autoscaler props metadata labels": undefined },
            ["autoscaler: minReplicas is 1, expected 2 or more"],
        ],
        // What it scales is another rule's question.
        [{ [`${HPA} scaleTargetRef`]: UNKNOWN }],
        [
            { [`${HPA} minReplicas`]: UNKNOWN },
            ["? autoscaler: spec.minReplicas is known only after the update"],
        ],
    ],
    "kubernetes-autoscaler-disallow-static-replicas": [
        [{ [`${SPEC} replicas`]: 3 }, ["deployment: states 3 replicas, which autoscaler is to decide"]],
        [{ [`${SPEC} replicas`]: 0 }],
        [{ [`${SPEC} replicas`]: 3, autoscaler: undefined }],
        [{ [`${SPEC} replicas`]: UNKNOWN }, ["? autoscaler: spec.replicas is known only after the update"]],
        // The live object has the autoscaler's number; who stated it is in its managed fields.
        [
            {
                [`${SPEC} replicas`]: 3,
                "deployment props metadata managedFields": [
                    { manager: "pulumi", operation: "Apply", fieldsV1: { "f:spec": { "f:template": {} } } },
                    {
                        manager: "kube-controller-manager",
                        operation: "Update",
                        subresource: "scale",
                        fieldsV1: { "f:spec": { "f:replicas": {} } },
                    },
                ],
            },
        ],
        [
            {
                [`${SPEC} replicas`]: 3,
                "deployment props metadata managedFields": [
                    { manager: "kubelet", operation: "Update" },
                    { manager: "pulumi", operation: "Apply", fieldsV1: { "f:spec": { "f:replicas": {} } } },
                ],
            },
            ["deployment: states 3 replicas, which autoscaler is to decide"],
        ],
    ],
    "kubernetes-deployment-require-progress-deadline": [
        [
            { [`${SPEC} progressDeadlineSeconds`]: undefined },
            ["deployment: progressDeadlineSeconds is not set, expected 300"],
        ],
        [
            { [`${SPEC} progressDeadlineSeconds`]: 301 },
            ["deployment: progressDeadlineSeconds is 301, expected 300"],
        ],
        [{ [`${SPEC} progressDeadlineSeconds`]: UNKNOWN }, [unknown("spec.progressDeadlineSeconds")]],
    ],
    "kubernetes-deployment-require-rollout-timeout": [
        [
            { "deployment customTimeouts": { update: "600s" } },
            [
                "deployment: customTimeouts.create is not set, expected 300s",
                "deployment: customTimeouts.update is 600s, expected 300s",
            ],
        ],
        [{ "deployment customTimeouts": {}, [`${SPEC} replicas`]: 0 }],
        [
            { "deployment props metadata annotations pulumi.com/skipAwait": "true" },
            ["deployment: skips the await of its rollout"],
        ],
        [{ "deployment props metadata annotations pulumi.com/skipAwait": "false" }],
        [{ "deployment props metadata annotations": UNKNOWN }, [unknown("metadata.annotations")]],
    ],
    "kubernetes-job-require-deadline": [
        [{ "job props spec activeDeadlineSeconds": undefined }, ["job: activeDeadlineSeconds is not set"]],
        [{ "job props spec backoffLimit": 1 }, ["job: has neither backoffLimit 0 nor restartPolicy Never"]],
        [{ "job props spec backoffLimit": undefined, "job props spec template spec restartPolicy": "Never" }],
        [{ "job props spec ttlSecondsAfterFinished": 0 }, ["job: ttlSecondsAfterFinished is set"]],
        [
            { "job props spec backoffLimit": UNKNOWN },
            ["? job: spec.backoffLimit is known only after the update"],
        ],
    ],
    "kubernetes-cronjob-require-deadline": [
        ...["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"].flatMap(
            (key): Case[] => [
                [{ [`${CRON} ${key}`]: undefined }, [`cron: ${key} is not set`]],
                [{ [`${CRON} ${key}`]: 0 }],
                [{ [`${CRON} ${key}`]: UNKNOWN }, [`? cron: spec.${key} is known only after the update`]],
            ],
        ),
        [
            { [`${CRON} concurrencyPolicy`]: "Allow" },
            ["cron: concurrencyPolicy is Allow, expected Forbid or Replace"],
        ],
        [
            { [`${CRON} concurrencyPolicy`]: undefined },
            ["cron: concurrencyPolicy is not set, expected Forbid or Replace"],
        ],
        [{ [`${CRON} concurrencyPolicy`]: "Replace" }],
        [
            { [`${CRON} jobTemplate spec activeDeadlineSeconds`]: undefined },
            ["cron: activeDeadlineSeconds of its Jobs is not set"],
        ],
        [
            { [`${CRON} jobTemplate spec template spec restartPolicy`]: "Always" },
            ["cron: restartPolicy is Always, expected Never or OnFailure"],
        ],
        [
            { [`${CRON} jobTemplate spec template spec restartPolicy`]: undefined },
            ["cron: restartPolicy is not set, expected Never or OnFailure"],
        ],
        [{ [`${CRON} jobTemplate spec template spec restartPolicy`]: "OnFailure" }],
        // Each question has an answer of its own.
        [
            {
                [CRON]: {
                    startingDeadlineSeconds: UNKNOWN,
                    concurrencyPolicy: UNKNOWN,
                    jobTemplate: { spec: { activeDeadlineSeconds: UNKNOWN, template: UNKNOWN } },
                },
            },
            [
                "? cron: spec.startingDeadlineSeconds is known only after the update",
                "cron: successfulJobsHistoryLimit is not set",
                "cron: failedJobsHistoryLimit is not set",
                "? cron: spec.concurrencyPolicy is known only after the update",
                "? cron: spec.jobTemplate.spec.activeDeadlineSeconds is known only after the update",
                "? cron: spec.jobTemplate.spec.template is known only after the update",
            ],
        ],
        [
            { [`${CRON} jobTemplate`]: UNKNOWN, [`${CRON} concurrencyPolicy`]: "Allow" },
            [
                "cron: concurrencyPolicy is Allow, expected Forbid or Replace",
                "? cron: spec.jobTemplate is known only after the update",
            ],
        ],
    ],
    "kubernetes-pod-require-network-policy": [
        [
            { network: undefined },
            ["deployment", ...TASKS].flatMap((name) =>
                ["ingress", "egress"].map((way) => `${name}: no NetworkPolicy covers its ${way}`),
            ),
        ],
        [
            { [`${LABELS} app`]: "other" },
            [
                "deployment: no NetworkPolicy covers its ingress",
                "deployment: no NetworkPolicy covers its egress",
            ],
        ],
        [
            { [NETWORK]: { podSelector: selector } },
            ["deployment", ...TASKS].map((name) => `${name}: no NetworkPolicy covers its egress`),
        ],
        [{ [NETWORK]: { podSelector: selector, egress: [] } }],
        [{ [`${NETWORK} podSelector`]: {} }],
        // One unknown leaves the others judged: by the policy that covers them, or as without any.
        [{ other: copy("network", "props spec podSelector", UNKNOWN) }],
        [
            { [LABELS]: UNKNOWN, [NETWORK]: { podSelector: selector, policyTypes: ["Ingress"] } },
            [
                unknown("spec.template.metadata.labels"),
                ...["deployment", ...TASKS].map((name) => `${name}: no NetworkPolicy covers its egress`),
            ],
        ],
    ],
    "kubernetes-network-policy-require-pods": [
        [{ [`${NETWORK} podSelector matchLabels app`]: "other" }, ["network: selects no pod of the stack"]],
        [{ "network props metadata namespace": "other" }, ["network: selects no pod of the stack"]],
        [{ [`${NETWORK} podSelector`]: {}, "network props metadata namespace": "other" }],
        [
            { [`${NETWORK} podSelector`]: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] } },
            ["network: selects no pod of the stack"],
        ],
        ...(
            [
                ["In", ["mcp-server"], true],
                ["In", ["other"], false],
                ["NotIn", ["other"], true],
                ["NotIn", ["mcp-server"], false],
                ["Exists", undefined, true],
            ] as const
        ).map(([operator, values, matches]): Case => [
            { [`${NETWORK} podSelector`]: { matchExpressions: [{ key: "app", operator, values }] } },
            matches ? [] : ["network: selects no pod of the stack"],
        ]),
        // The Jobs' labels are known and match.
        [{ [LABELS]: UNKNOWN }],
        [
            { [LABELS]: UNKNOWN, ...Object.fromEntries(TASKS.map((name) => [name, undefined])) },
            ["? network: spec.template.metadata.labels is known only after the update"],
        ],
    ],
    "kubernetes-service-require-pods": [
        [{ "service props spec selector app": "other" }, ["service: selects no pod of the stack"]],
        [{ "service props metadata namespace": "other" }, ["service: selects no pod of the stack"]],
        [{ "service props spec selector": {} }, ["service: has no selector"]],
        [{ "service props spec selector": undefined }, ["service: has no selector"]],
        [{ "service props spec": { type: "ExternalName", externalName: "example.com" } }],
        [
            { "service props spec selector app": UNKNOWN },
            ["? service: spec.selector.app is known only after the update"],
        ],
    ],
    "kubernetes-service-disallow-node-port": [
        [{ "service props spec type": "NodePort" }, ["service: type is NodePort, expected ClusterIP"]],
        [
            { "service props spec type": "LoadBalancer" },
            ["service: type is LoadBalancer, expected ClusterIP"],
        ],
        [{ "service props spec type": undefined }],
        [{ "service props spec type": UNKNOWN }, ["? service: spec.type is known only after the update"]],
    ],
    "kubernetes-ingress-require-tls": [
        [{ [`${INGRESS} tls`]: undefined }, uncovered("mcp.msil.com", "admin.mcp.msil.com")],
        [{ [`${INGRESS} tls 0 secretName`]: undefined }, uncovered("mcp.msil.com", "admin.mcp.msil.com")],
        [{ [`${INGRESS} tls 0 secretName`]: "" }, uncovered("mcp.msil.com", "admin.mcp.msil.com")],
        // An ALB has it in ACM, where the hosts must be named, too.
        [{ [`${INGRESS} tls 0 secretName`]: undefined, [`${ALB}/certificate-arn`]: UNKNOWN }],
        [
            { [`${INGRESS} tls`]: undefined, [`${ALB}/certificate-arn`]: UNKNOWN },
            uncovered("mcp.msil.com", "admin.mcp.msil.com"),
        ],
        [{ [`${INGRESS} tls 0 hosts`]: undefined }, uncovered("mcp.msil.com", "admin.mcp.msil.com")],
        [{ [`${INGRESS} tls 0 hosts`]: ["mcp.msil.com"] }, uncovered("admin.mcp.msil.com")],
        // A wildcard matches one label: neither none nor two.
        [{ [`${INGRESS} tls 0 hosts`]: ["*.mcp.msil.com"] }, uncovered("mcp.msil.com")],
        [{ [`${INGRESS} tls 0 hosts`]: ["*.msil.com"] }, uncovered("admin.mcp.msil.com")],
        [{ [`${INGRESS} tls 0 hosts`]: ["*.msil.com", "admin.mcp.msil.com"] }],
        [{ [`${INGRESS} rules 1 host`]: "*.mcp.msil.com" }],
        [{ [`${INGRESS} rules 1 host`]: "*.a.mcp.msil.com" }, uncovered("*.a.mcp.msil.com")],
        [{ [`${INGRESS} rules 1 host`]: "xmcp.msil.com" }, uncovered("xmcp.msil.com")],
        [
            {
                [`${INGRESS} tls`]: [
                    { hosts: ["admin.mcp.msil.com"] },
                    { hosts: ["admin.mcp.msil.com", "mcp.msil.com"], secretName: "mcp-tls" },
                ],
            },
        ],
        [{ [`${INGRESS} rules 1 host`]: undefined }, ["ingress: rules.1: has no host"]],
        [{ [`${INGRESS} rules 0 host`]: "" }, ["ingress: rules.0: has no host"]],
        [{ [`${INGRESS} rules`]: undefined }],
        [
            { [`${INGRESS} rules 0 host`]: UNKNOWN, [`${INGRESS} rules 1 host`]: undefined },
            ["? ingress: spec.rules.0.host is known only after the update", "ingress: rules.1: has no host"],
        ],
        [
            { [`${INGRESS} tls 0 secretName`]: UNKNOWN, [`${INGRESS} rules 1 host`]: "other.msil.com" },
            [
                "? ingress: spec.tls.0.secretName is known only after the update",
                ...uncovered("other.msil.com"),
            ],
        ],
        // What is unknown of one entry matters only where no other covers the host.
        [
            { [`${INGRESS} tls 1`]: UNKNOWN, [`${INGRESS} rules 1 host`]: "other.msil.com" },
            ["? ingress: spec.tls.1 is known only after the update"],
        ],
        [
            { [`${INGRESS} tls 0 hosts 0`]: UNKNOWN },
            ["? ingress: spec.tls.0.hosts.0 is known only after the update"],
        ],
    ],
    "kubernetes-ingress-require-modern-tls": [
        ...["ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", "ELBSecurityPolicy-FS-1-2-Res-2019-08"].map(
            (policy): Case => [{ [`${ALB}/ssl-policy`]: policy }],
        ),
        ...["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-0-2021-06"].map((policy): Case => [
            { [`${ALB}/ssl-policy`]: policy },
            [`ingress: ssl-policy is ${policy}`],
        ]),
        [
            { [`${ALB}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]' },
            [
                "ingress: has no ssl-policy: the controller's own speaks TLS 1.0",
                "ingress: listens to HTTP without ssl-redirect",
            ],
        ],
        [
            {
                [`${ALB}/ssl-policy`]: UNKNOWN,
                [`${ALB}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
                [`${ALB}/ssl-redirect`]: "443",
            },
            [
                "? ingress: metadata.annotations.alb.ingress.kubernetes.io/ssl-policy is known only after the update",
            ],
        ],
        [{ "ingress props metadata annotations": undefined }],
    ],
    "kubernetes-ingress-disallow-expiring-certificate": [
        ...(
            [
                ["2026-12-23T12:00:00Z"],
                ["2026-12-23T11:59:59Z", "ends in 29 days (2026-12-23)"],
                ["2026-12-05T12:00:00Z", "ends in 12 days (2026-12-05)"],
                ["2026-12-05T17:30:00+05:30", "ends in 12 days (2026-12-05)"],
                ["2026-12-05", "ends in 11 days (2026-12-05)"],
                ["2026-11-25T11:59:59Z", "ends in 1 day (2026-11-25)"],
                ["2026-11-24T11:59:59Z", "ends in less than a day (2026-11-24)"],
                // Its last second is still one of it.
                ["2026-11-23T12:00:00Z", "ends in less than a day (2026-11-23)"],
                ["2026-11-23T11:59:59Z", "ended less than a day ago (2026-11-23)"],
                ["2026-11-22T12:00:00Z", "ended 1 day ago (2026-11-22)"],
                ["2026-11-20T12:00:00Z", "ended 3 days ago (2026-11-20)"],
            ] as const
        ).map(([end, found]): Case => [
            { [NOT_AFTER]: end },
            found === undefined ? [] : [`ingress: ${found}`],
        ]),
        ...["soon", "", "5 Dec 2026", "2026-12-05T12:00:00", "2026-13-05T12:00:00Z"].map((end): Case => [
            { [NOT_AFTER]: end },
            ["ingress: mcp.msil.com/certificate-not-after is not an ISO date"],
        ]),
        [{ [NOT_BEFORE]: "2026-11-23T11:59:59Z" }],
        [
            { [NOT_BEFORE]: "2026-12-23T12:00:00Z" },
            ["ingress: is not valid yet: begins in 30 days (2026-12-23)"],
        ],
        [{ [NOT_BEFORE]: "unknown" }],
        [{ [NOT_AFTER]: undefined }],
        [{ "ingress props metadata annotations": undefined }],
        [
            { [NOT_AFTER]: "unknown" },
            ["? ingress: the certificate is a placeholder until mcp:tls has a pair"],
        ],
        [
            { [NOT_AFTER]: "encrypted" },
            ["? ingress: the certificate is encrypted: only the update can read it"],
        ],
        [
            { [NOT_AFTER]: UNKNOWN },
            [
                "? ingress: metadata.annotations.mcp.msil.com/certificate-not-after is known only after the update",
            ],
        ],
    ],
    "kubernetes-pod-container-require-known-registry": [
        ...["nginx:1.27", "docker.io/library/nginx:1.27", `evil.com/${IMAGE}`, "public.ecr.aws/x/y:1"].map(
            (image): Case => [
                { [`${CONTAINER} image`]: image },
                [`${C} image ${image} is not of a known registry`],
            ],
        ),
        [{ [`${CONTAINER} image`]: `${REGISTRY}/team/app@${DIGEST}` }],
        [
            { [`${CONTAINER} image`]: `2${REGISTRY}/team/app@${DIGEST}` },
            [`${C} image 2${REGISTRY}/team/app@${DIGEST} is not of a known registry`],
        ],
        [
            { [`${CONTAINER} image`]: "ghcr.io/team-b/app:1", [REGISTRIES]: `${REGISTRY},ghcr.io/team` },
            [`${C} image ghcr.io/team-b/app:1 is not of a known registry`],
        ],
        [{ [`${CONTAINER} image`]: "ghcr.io/team/app:1", [REGISTRIES]: `${REGISTRY},ghcr.io/team` }],
        [
            { [REGISTRIES]: undefined },
            ["deployment", ...TASKS].map(
                (name) =>
                    `${name}: container mcp-server: image ${IMAGE}@${DIGEST} is not of a known registry`,
            ),
        ],
        [{ [`${CONTAINER} image`]: "public.ecr.aws/docker/library/node:24" }],
        [{ [`${CONTAINER} image`]: undefined }, [`${C} image undefined is not of a known registry`]],
        [{ [`${CONTAINER} image`]: UNKNOWN }, [inContainer("image")]],
    ],
    "kubernetes-namespace-require-backup": [
        ...[89, 91, undefined].map((days): Case => [
            { "backupsLifecycle props rules 2 expiration": days && { days } },
            [`namespace: its configurations are kept for ${days ?? "unlimited"} days, expected 90`],
        ]),
        [{ backupsLifecycle: undefined }, ["namespace: no bucket of the stack keeps its configurations"]],
        [
            {
                backupsLifecycle: undefined,
                "namespace props metadata labels mcp.msil.com/tier": "trial",
            },
        ],
        [
            { "backupsLifecycle props rules 2 expiration": UNKNOWN },
            ["? namespace: rules.2.expiration is known only after the update"],
        ],
        ...[
            { export: undefined },
            { "export props spec suspend": true },
            { "export props metadata namespace": "other" },
            { "export props spec jobTemplate spec template spec containers 0 env 1 value": "daily" },
        ].map((change): Case => [change, ["namespace: no CronJob exports its configurations"]]),
        ...["0 */6 * * *", "0 1 * * 1-5", "0 1 * * 0"].map((schedule): Case => [
            { "export props spec schedule": schedule },
            [`namespace: its configurations are exported by ${schedule}, expected every day`],
        ]),
        [
            { "export props spec schedule": UNKNOWN, "backupsLifecycle props rules 2 expiration days": 89 },
            [
                "namespace: its configurations are kept for 89 days, expected 90",
                "? namespace: spec.schedule is known only after the update",
            ],
        ],
        [
            { "export props metadata namespace": UNKNOWN },
            ["? namespace: metadata.namespace is known only after the update"],
        ],
        // An idle workload stays as declared.
        [{ export: undefined, deployment: undefined }],
        [
            { export: undefined, "deployment props metadata namespace": UNKNOWN },
            ["? namespace: metadata.namespace is known only after the update"],
        ],
        [{ "export props metadata namespace": UNKNOWN, "export from": { metadata: ["namespace"] } }],
    ],
    "kubernetes-cronjob-require-time-zone": [
        [{ [`${CRON} timeZone`]: undefined }, ["cron: timeZone is not set, expected Asia/Kolkata"]],
        [{ [`${CRON} timeZone`]: "UTC" }, ["cron: timeZone is UTC, expected Asia/Kolkata"]],
        [{ [`${CRON} timeZone`]: UNKNOWN }, ["? cron: spec.timeZone is known only after the update"]],
    ],
    "kubernetes-ingress-disallow-snippets": [
        ...["nginx.ingress.kubernetes.io/server-snippet", "nginx.org/location-snippets"].map((key): Case => [
            { [`ingress props metadata annotations ${key}`]: UNKNOWN },
            [`ingress: has the annotation ${key}`],
        ]),
        [{ "ingress props metadata annotations example.com/snippet-free": "true" }],
        [{ "ingress props metadata annotations": undefined }],
        [
            { "ingress props metadata annotations": UNKNOWN },
            ["? ingress: metadata.annotations is known only after the update"],
        ],
    ],
    "kubernetes-role-disallow-wildcard": [
        [
            { "kubernetesRole props rules 0": { apiGroups: ["*"], resources: ["*"], verbs: ["*"] } },
            ["apiGroups", "resources", "verbs"].map((list) => `kubernetesRole: rules.0.${list} has *`),
        ],
        [
            { "kubernetesRole props rules 0 resources 1": "*/scale" },
            ["kubernetesRole: rules.0.resources has */scale"],
        ],
        [
            {
                clusterRole: {
                    type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
                    props: { rules: [{ nonResourceURLs: ["/metrics", "/logs/*"], verbs: ["get"] }] },
                },
            },
            ["clusterRole: rules.0.nonResourceURLs has /logs/*"],
        ],
        [{ "kubernetesRole props rules": undefined }],
        // What is unknown of one rule leaves the next one judged.
        [
            {
                "kubernetesRole props rules 0 verbs": UNKNOWN,
                "kubernetesRole props rules 1": { verbs: ["*"] },
            },
            [
                "? kubernetesRole: rules.0.verbs is known only after the update",
                "kubernetesRole: rules.1.verbs has *",
            ],
        ],
    ],
    "kubernetes-role-binding-disallow-cluster-admin": [
        [{ "binding props roleRef name": "cluster-admin" }, ["binding: binds to cluster-admin"]],
        [
            {
                clusterBinding: {
                    type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
                    props: { roleRef: { kind: "ClusterRole", name: "cluster-admin" } },
                },
            },
            ["clusterBinding: binds to cluster-admin"],
        ],
        [{ "binding props roleRef name": "cluster-admin-lite" }],
        [
            { "binding props roleRef name": UNKNOWN },
            ["? binding: roleRef.name is known only after the update"],
        ],
    ],
};
