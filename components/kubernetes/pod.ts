import { type types } from "@pulumi/kubernetes";
import { type Input, output } from "@pulumi/pulumi";

/** User and group of the processes. No image of the platform defines them. */
const UNPRIVILEGED_ID = 10_001;

/** Security context of every pod: the restricted Pod Security standard, with high ids. */
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

/** An image of a container. Nodes always pull a tag, which can be moved, and a digest only once. */
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

/** CPU and memory of a container: requests for the scheduler, and limits. */
export interface Resources {
    cpu: { request: string; limit: string };
    memory: { request: string; limit: string };
}

/** Containers that a pod runs at the same time. */
export type PodResources = readonly Resources[];

/** Resources in Kubernetes' format. */
export function containerResources({ cpu, memory }: Resources) {
    return {
        requests: { cpu: cpu.request, memory: memory.request },
        limits: { cpu: cpu.limit, memory: memory.limit },
    };
}
