import { type types } from "@pulumi/kubernetes";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { GATE_LABEL, TASK_LABEL } from "../../core/labels";
import { IDENTITY_AGENT_EGRESS, PodIdentity, type PodIdentityArgs } from "../identity/podIdentity";

/** Arguments common to {@link declareGateAccess} and {@link declareTaskAccess}. */
interface AccessArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Where the pods may connect to, besides DNS. */
    egress: types.input.networking.v1.NetworkPolicyEgressRule[];
    /** What the pods may do with the Kubernetes API. Default: nothing, and the pods have no token. */
    rules?: types.input.rbac.v1.PolicyRule[];
    /** What they may do in the whole cluster, and the name of that role. Default: nothing. */
    clusterRole?: { name: string; rules: types.input.rbac.v1.PolicyRule[] };
}

/** Identity and rights of the pods of one subject's Jobs. */
export interface JobAccess extends Pick<AccessArgs, "namespace" | "labels"> {
    account: ServiceAccount;
    /** Whether the pods get a token. */
    hasToken: boolean;
    /** What must exist before a pod runs. */
    ready: readonly Resource[];
}

/** Arguments of {@link declareGateAccess}. */
export interface GateAccessArgs extends AccessArgs {
    /** What is checked: the value of the gates' label, by which NetworkPolicies select their pods. */
    subject: string;
}

/** Declares the ServiceAccount of a subject's gates, exactly the rights they need, and where they may connect. */
export function declareGateAccess(
    name: string,
    { subject, ...args }: GateAccessArgs,
    parent: ComponentResource,
): JobAccess {
    return declareAccess(name, args, { [GATE_LABEL]: subject }, parent);
}

/** Arguments of {@link declareTaskAccess}. */
export interface TaskAccessArgs extends AccessArgs {
    /** What its pods may do on AWS, and in which EKS cluster they are. Default: nothing. */
    aws?: Pick<PodIdentityArgs, "cluster" | "permissions">;
}

/** Declares the ServiceAccount of a task, exactly the rights it needs, and where it may connect. */
export function declareTaskAccess(
    name: string,
    { aws, ...args }: TaskAccessArgs,
    parent: ComponentResource,
): JobAccess {
    const egress = aws === undefined ? args.egress : [...args.egress, IDENTITY_AGENT_EGRESS];
    const access = declareAccess(name, { ...args, egress }, { [TASK_LABEL]: name }, parent);
    if (aws === undefined) {
        return access;
    }
    const identity = new PodIdentity(
        name,
        { ...aws, namespace: args.namespace, serviceAccount: access.account.metadata.name },
        { parent },
    );
    return { ...access, ready: [...access.ready, identity] };
}

function declareAccess(
    name: string,
    { namespace, egress, rules = [], clusterRole, ...args }: AccessArgs,
    selector: Record<string, string>,
    parent: ComponentResource,
): JobAccess {
    const labels = { ...args.labels, ...selector };
    const metadata = { name, namespace, labels };
    const account = new ServiceAccount(name, { metadata, automountServiceAccountToken: false }, { parent });
    const network = new NetworkPolicy(
        name,
        {
            metadata,
            spec: {
                podSelector: { matchLabels: selector },
                policyTypes: ["Ingress", "Egress"],
                egress,
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
    return { namespace, labels, account, hasToken, ready };
}

/** TLS to anywhere: AWS, APIM and Azure AD change their addresses. */
export const HTTPS_EGRESS = { ports: [{ protocol: "TCP", port: 443 }] };

/** A port of a network. */
export function egressToNetwork({ cidr, port }: { cidr: string; port: number }) {
    return { to: [{ ipBlock: { cidr } }], ports: [{ protocol: "TCP", port }] };
}

/** A port of the pods of a service. */
export function egressToPods({ app, port }: { app: string; port: number }) {
    return { to: [{ podSelector: { matchLabels: { app } } }], ports: [{ protocol: "TCP", port }] };
}
