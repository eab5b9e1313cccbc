import { type types } from "@pulumi/kubernetes";
import { type Input, output } from "@pulumi/pulumi";

/** Processes run as this user and group, which no image of the platform has a name for. */
const UNPRIVILEGED_ID = 10_001;

/** Security profile of every pod: what the restricted Pod Security standard asks for, and high ids beside it. */
export const restrictedPod: Omit<types.input.core.v1.PodSpec, "containers"> = {
    automountServiceAccountToken: false,
    // Legacy variables such as MCP_SERVER_PORT=tcp://… shadow an application's own.
    enableServiceLinks: false,
    securityContext: {
        runAsNonRoot: true,
        runAsUser: UNPRIVILEGED_ID,
        runAsGroup: UNPRIVILEGED_ID,
        fsGroup: UNPRIVILEGED_ID,
        seccompProfile: { type: "RuntimeDefault" },
    },
};

/** Security profile of every container. */
export const restrictedContainer: types.input.core.v1.SecurityContext = {
    allowPrivilegeEscalation: false,
    privileged: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
};

/** An image for a container. A tag can be moved, so the node asks the registry each time; a digest it asks for once. */
export function pulledImage(image: Input<string>) {
    const isPinned = (reference: string) => reference.includes("@");
    return {
        image,
        imagePullPolicy: output(image).apply((reference) =>
            isPinned(reference) ? "IfNotPresent" : "Always",
        ),
    };
}

/** The value of a variable as it is: the kubelet replaces `$(NAME)` in what it is given, and makes one `$` of two. */
export function literalValue(value: Input<string>): Input<string> {
    const literal = (text: string) => text.replaceAll("$", "$$$$");
    return typeof value === "string" ? literal(value) : output(value).apply(literal);
}

/** CPU and memory of a container: requested of the scheduler, and limited by the kernel. */
export interface Resources {
    cpu: { request: string; limit: string };
    memory: { request: string; limit: string };
}

/** Containers that a pod runs at the same time. */
export type PodResources = readonly Resources[];

/** Resources as Kubernetes takes them. */
export function containerResources({ cpu, memory }: Resources) {
    return {
        requests: { cpu: cpu.request, memory: memory.request },
        limits: { cpu: cpu.limit, memory: memory.limit },
    };
}
