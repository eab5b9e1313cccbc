import { type Job } from "@pulumi/kubernetes/batch/v1";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { type CertificatePlan } from "../../jobs/certificate";
import { contentHash } from "../../core/hash";
import { namespaceEgress } from "../platform/namespace";
import { declareGateAccess } from "../tasks/access";
import { declareGate, gatePod } from "../tasks/gate";

/** Controllers read a new Secret within seconds; load balancers take a minute or two. */
const DEADLINE_SECONDS = 180;

/** Maximum number of pods at the same time: one gate. */
export const CERTIFICATE_GATE_PODS = [gatePod({ tests: false })];

/** Arguments of {@link declareCertificateGate}. */
export interface CertificateGateArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** The active certificate: its name, and the serial number that every host must serve. */
    certificate: { name: string; serial: string };
    /** Hosts to connect to by TLS. */
    hosts: readonly string[];
    /** `host:port` to connect to instead. Default: each host itself, on port 443. */
    address?: string | undefined;
    /** Namespace of the ingress controller. Default: the gate connects to an ALB outside the cluster. */
    ingressNamespace?: string | undefined;
    /** Node image of the gate. */
    nodeImage: string;
    /** What must exist before the gate runs. */
    after: readonly Resource[];
}

/**
 * Connects to every host by TLS, as `curl -v` does in section 5.4 step 4, and fails the update unless all serve the
 * active certificate. The Job runs once for each certificate: it is named by the certificate's name, which a preview
 * knows without the certificate. A certificate reissued under the same name changes the plan, which replaces the Job.
 */
export function declareCertificateGate(
    name: string,
    args: CertificateGateArgs,
    parent: ComponentResource,
): Job {
    const { namespace, labels, certificate, address, hosts } = args;
    const ports = new Set([443, ...(address === undefined ? [] : [Number(address.split(":").at(-1))])]);
    const access = declareGateAccess(
        `${name}-gate`,
        {
            namespace,
            labels,
            subject: name,
            egress: [
                // Any address: load balancers change theirs.
                { ports: [...ports].map((port) => ({ protocol: "TCP", port })) },
                ...(args.ingressNamespace === undefined ? [] : [namespaceEgress(args.ingressNamespace)]),
            ],
        },
        parent,
    );
    return declareGate(
        `${name}-certificate`,
        {
            access,
            program: "certificate",
            plan: {
                subject: certificate.name,
                serial: certificate.serial,
                hosts: hosts.map((host) => ({ host, address })),
                deadlineSeconds: DEADLINE_SECONDS,
            } satisfies CertificatePlan,
            hash: contentHash(certificate.name),
            nodeImage: args.nodeImage,
            after: args.after,
        },
        parent,
    );
}
