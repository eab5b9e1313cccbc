import { type ComponentResource } from "@pulumi/pulumi";
import { IDENTITY_AGENT_EGRESS, PodIdentity, type PodIdentityArgs } from "../identity/podIdentity";
import { TASK_LABEL } from "../../core/labels";
import { declareGateAccess, type GateAccess, type GateAccessArgs } from "../workload/gate";

/** Arguments of {@link declareTaskAccess}. */
export interface TaskAccessArgs extends Pick<
    GateAccessArgs,
    "namespace" | "labels" | "egress" | "rules" | "clusterRole"
> {
    /** What its pods may do on AWS, and in which EKS cluster they are. Default: nothing. */
    aws?: Pick<PodIdentityArgs, "cluster" | "permissions">;
}

/** Declares who the pods of a task are, exactly the rights they need, and where they may connect. */
export function declareTaskAccess(
    name: string,
    { aws, ...args }: TaskAccessArgs,
    parent: ComponentResource,
): GateAccess {
    const egress = aws === undefined ? args.egress : [...args.egress, IDENTITY_AGENT_EGRESS];
    const access = declareGateAccess(name, { ...args, egress, subject: name, label: TASK_LABEL }, parent);
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
