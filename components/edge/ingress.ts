import { Secret } from "@pulumi/kubernetes/core/v1";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type CertificateFacts } from "../../config/certificates";
import { SKIP_AWAIT } from "../workload/parts";
import { type CertificateGateArgs, declareCertificateGate } from "./certificateGate";

/** Arguments of {@link PlatformIngress}. */
export interface PlatformIngressArgs {
    /** Namespace everything is created in. */
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Ingress class of the controller. */
    className: string;
    /** What the controller wants to be told. Default: nothing. */
    annotations?: Record<string, string>;
    /** Chains and private keys as PEM, by the names of their Secrets. */
    certificates: Record<string, { certificate: Input<string>; privateKey: Input<string> }>;
    /** The one that is served: its name, and what can be read off it. */
    active: { name: string; facts: CertificateFacts };
    /** Hosts, and the workloads behind their paths; a workload's Service has a port named `http`. */
    hosts: readonly { host: string; paths: readonly { path: string; workload: string }[] }[];
    /** Waits until every host serves the active certificate. Default: nobody looks. */
    verify?: Pick<CertificateGateArgs, "address" | "ingressNamespace" | "nodeImage"> | false;
}

/**
 * The way in from outside: hosts and paths that lead to the workloads, and the certificates they are served with
 * (section 5.4). A rotation adds a certificate, makes it the active one, which the gate then looks for, and
 * removes the old one; the opposite edits undo it.
 */
export class PlatformIngress extends ComponentResource {
    constructor(name: string, args: PlatformIngressArgs, opts?: ComponentResourceOptions) {
        super("mcp:edge:Ingress", name, {}, opts);
        const { namespace, labels, active } = args;

        const secrets = Object.entries(args.certificates).map(
            ([certificate, pair]) =>
                new Secret(
                    `${name}-${certificate}`,
                    {
                        // The runbook's own name, which kubectl and the Ingress know it by.
                        metadata: { name: certificate, namespace, labels },
                        type: "kubernetes.io/tls",
                        // A certificate re-issued under its name is written over the old one: with a fixed name,
                        // a replacement would first delete what is being served.
                        immutable: false,
                        stringData: { "tls.crt": pair.certificate, "tls.key": pair.privateKey },
                    },
                    { parent: this },
                ),
        );

        const ingress = new Ingress(
            name,
            {
                metadata: {
                    name,
                    namespace,
                    labels,
                    annotations: {
                        // Not every controller publishes an address, and Traefik only when told to; the await
                        // would fail after ten minutes. Whether the hosts are served is the gate's question.
                        ...SKIP_AWAIT,
                        ...args.annotations,
                        // A policy finds its end here, and a certificate re-issued under its name is in the plan.
                        "mcp.msil.com/certificate-not-after": active.facts.notAfter,
                        "mcp.msil.com/certificate-serial": active.facts.serial,
                    },
                },
                spec: {
                    ingressClassName: args.className,
                    tls: [{ hosts: args.hosts.map(({ host }) => host), secretName: active.name }],
                    rules: args.hosts.map(({ host, paths }) => ({
                        host,
                        http: {
                            paths: paths.map(({ path, workload }) => ({
                                path,
                                pathType: "Prefix",
                                backend: { service: { name: workload, port: { name: "http" } } },
                            })),
                        },
                    })),
                },
            },
            { parent: this, dependsOn: secrets },
        );

        if (args.verify) {
            declareCertificateGate(
                name,
                {
                    ...args.verify,
                    namespace,
                    labels,
                    certificate: { name: active.name, serial: active.facts.serial },
                    hosts: args.hosts.map(({ host }) => host),
                    after: [ingress],
                },
                this,
            );
        }

        this.registerOutputs();
    }
}
