import { type types } from "@pulumi/kubernetes";
import { Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import { all, type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { bundledJob } from "../../jobs/bundle";
import { contentHash } from "../../core/hash";
import { GATE_LABEL } from "../../core/labels";
import { containerResources, type Resources, restrictedContainer, restrictedPod } from "./pod";

/** What a gate's container may use. */
export const GATE_RESOURCES: Resources = {
    cpu: { request: "50m", limit: "500m" },
    memory: { request: "64Mi", limit: "256Mi" },
};

/** Time for the gate's pod to be scheduled and its image pulled, in seconds, beside its own deadline. */
const START_SECONDS = 120;

const GATE_PATH = "/opt/gate";

/** Where Kubernetes puts a pod's token, unless something else is mounted there. */
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What all gates of one subject share. */
export interface GateAccessArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** What is checked: the value of the gates' label, by which NetworkPolicies know them. */
    subject: string;
    /** Name of that label. Default: {@link GATE_LABEL}. */
    label?: string;
    /** Where the gates may connect to, besides DNS. */
    egress: types.input.networking.v1.NetworkPolicyEgressRule[];
    /** What the gates may do with the Kubernetes API. Default: nothing, and no token to try it with. */
    rules?: types.input.rbac.v1.PolicyRule[];
    /** What they may do in the whole cluster, under a name of its own there. Default: nothing. */
    clusterRole?: { name: string; rules: types.input.rbac.v1.PolicyRule[] };
}

/** Identity and rights of a subject's gates. */
export interface GateAccess extends Pick<GateAccessArgs, "namespace" | "labels" | "subject"> {
    account: ServiceAccount;
    /** Whether the gates' pods get a token. */
    hasToken: boolean;
    /** What must exist before a gate runs. */
    ready: readonly Resource[];
}

/** Declares the ServiceAccount of a subject's gates, exactly the rights they need, and where they may connect. */
export function declareGateAccess(name: string, args: GateAccessArgs, parent: ComponentResource): GateAccess {
    const { namespace, rules = [], clusterRole, subject, label = GATE_LABEL } = args;
    const labels = { ...args.labels, [label]: subject };
    const metadata = { name, namespace, labels };
    const account = new ServiceAccount(name, { metadata, automountServiceAccountToken: false }, { parent });
    const network = new NetworkPolicy(
        name,
        {
            metadata,
            spec: {
                podSelector: { matchLabels: { [label]: subject } },
                policyTypes: ["Ingress", "Egress"],
                egress: args.egress,
            },
        },
        { parent },
    );
    const ready: Resource[] = [network];
    const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
    const refer = (kind: string, role: Role | ClusterRole) => ({
        apiGroup: "rbac.authorization.k8s.io",
        kind,
        name: role.metadata.name,
    });
    if (rules.length > 0) {
        const role = new Role(name, { metadata, rules }, { parent });
        const roleRef = refer("Role", role);
        ready.push(new RoleBinding(name, { metadata, roleRef, subjects }, { parent }));
    }
    if (clusterRole !== undefined) {
        const metadata = { name: clusterRole.name, labels };
        const role = new ClusterRole(name, { metadata, rules: clusterRole.rules }, { parent });
        const roleRef = refer("ClusterRole", role);
        ready.push(new ClusterRoleBinding(name, { metadata, roleRef, subjects }, { parent }));
    }
    const hasToken = rules.length > 0 || clusterRole !== undefined;
    return { namespace, labels, subject, account, hasToken, ready };
}

/** Arguments of {@link declareGate}. */
export interface GateArgs {
    access: GateAccess;
    /** Program in `jobs/` that the gate runs. */
    program: string;
    /** What the program is told; `deadlineSeconds` is when it gives up by itself. */
    plan: { readonly deadlineSeconds: number; readonly [key: string]: unknown };
    /** Names what is checked: the gate runs once for each hash. */
    hash: string;
    /** Node image the gate runs on. */
    nodeImage: string;
    /** What must be done before the gate looks. */
    after: readonly Resource[];
    /** Names or checksums of Secrets: a new one is a change that the hash cannot tell. Default: none. */
    secrets?: readonly Input<string>[];
    /** Image with tests of the user's own, run beside the program, and what they are to test. Default: none. */
    tests?: { image: string; target: string } | undefined;
}

/**
 * A check that an update waits for and fails with: a Job that runs a program of `jobs/` inside the cluster. One
 * that passed is not run again until its hash changes, one that failed is run again by the next update.
 */
export function declareGate(name: string, args: GateArgs, parent: ComponentResource): Job {
    const { namespace, labels, account, hasToken, ready } = args.access;
    const metadata = { namespace, labels };
    const data = {
        [`${args.program}.js`]: bundledJob(args.program),
        "plan.json": JSON.stringify(args.plan, undefined, 2),
    };
    const files = new ConfigMap(
        `${name}-program`,
        { metadata: { ...metadata, name: `${name}-${contentHash(data)}` }, immutable: true, data },
        { parent },
    );
    const annotations = {
        ...(args.secrets === undefined
            ? {}
            : { "mcp.msil.com/secrets": all([...args.secrets]).apply((names) => names.join(" ")) }),
        ...(hasToken
            ? { "mcp.msil.com/needs-token": "reads the release it judges, and keeps the ledger" }
            : {}),
    };
    const container = { resources: containerResources(GATE_RESOURCES), securityContext: restrictedContainer };
    const limit = args.plan.deadlineSeconds + START_SECONDS;
    return new Job(
        `${name}-${args.hash}`,
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
                    metadata: { labels, annotations },
                    spec: {
                        ...restrictedPod,
                        automountServiceAccountToken: hasToken,
                        serviceAccountName: account.metadata.name,
                        restartPolicy: "Never",
                        containers: [
                            {
                                name: "gate",
                                image: args.nodeImage,
                                imagePullPolicy: "IfNotPresent",
                                command: [
                                    "node",
                                    `${GATE_PATH}/${args.program}.js`,
                                    `${GATE_PATH}/plan.json`,
                                ],
                                volumeMounts: [{ name: "gate", mountPath: GATE_PATH, readOnly: true }],
                                ...container,
                            },
                            ...(args.tests === undefined
                                ? []
                                : [
                                      {
                                          name: "tests",
                                          image: args.tests.image,
                                          imagePullPolicy: "IfNotPresent",
                                          env: [{ name: "TARGET_URL", value: args.tests.target }],
                                          // What the gate may do is nothing for an image of the user's own.
                                          ...(hasToken
                                              ? {
                                                    volumeMounts: [
                                                        { name: "no-token", mountPath: TOKEN_PATH },
                                                    ],
                                                }
                                              : {}),
                                          ...container,
                                      },
                                  ]),
                        ],
                        volumes: [
                            { name: "gate", configMap: { name: files.metadata.name } },
                            ...(args.tests !== undefined && hasToken
                                ? [{ name: "no-token", emptyDir: {} }]
                                : []),
                        ],
                    },
                },
            },
        },
        {
            parent,
            dependsOn: [...ready, ...args.after],
            // Longer than the Job's own limit, so that it is the Job that gives up and says why.
            customTimeouts: { create: `${limit + 30}s` },
        },
    );
}
