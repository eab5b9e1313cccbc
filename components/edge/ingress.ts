import { Secret } from "@pulumi/kubernetes/core/v1";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import {
    ComponentResource,
    type ComponentResourceOptions,
    type CustomResource,
    type Input,
    type Resource,
} from "@pulumi/pulumi";
import { SKIP_AWAIT } from "../kubernetes/annotations";
import {
    ACTION_PORT,
    type AlbArgs,
    albAnnotations,
    declareImportedCertificate,
    type ImportedCertificate,
} from "./alb";
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
    /** Serves it by an ALB, and its certificates from ACM. Default: a controller that reads them from Secrets. */
    alb?: AlbArgs | undefined;
    /** Certificates as PEM, whole and in parts, and their private keys, by their names. */
    certificates: Record<string, { certificate: Input<string> } & ImportedCertificate>;
    /** The one that is served: its name, its serial number in capital hexadecimal digits, and when it ends. */
    active: { name: string; facts: { serial: string; notBefore: string; notAfter: string } };
    /** Hosts, and the workloads behind their paths; a workload's Service has a port named `http`. */
    hosts: readonly { host: string; paths: readonly { path: string; workload: string }[] }[];
    /** What must be done before the Ingress is created or changed. Default: nothing. */
    after?: readonly Resource[];
    /** Waits until every host serves the active certificate. Default: nobody looks. */
    verify?: Pick<CertificateGateArgs, "address" | "ingressNamespace" | "nodeImage"> | false;
}

/**
 * The way in from outside: hosts and paths that lead to the workloads, and the certificates they are served with
 * (section 5.4). A rotation adds a certificate, makes it the active one, which the gate then looks for, and
 * removes the old one; the opposite edits undo it.
 */
export class PlatformIngress extends ComponentResource {
    /** The Ingress itself, which does not wait for the gate. */
    public readonly ingress: Ingress;

    constructor(name: string, args: PlatformIngressArgs, opts?: ComponentResourceOptions) {
        super("mcp:edge:Ingress", name, {}, opts);
        const { namespace, labels, active } = args;

        const served =
            args.alb === undefined
                ? this.declareSecrets(name, args)
                : this.importCertificates(name, args.certificates, args.alb, active.name);

        const portOf = (workload: string) =>
            args.alb?.weighted[workload] === undefined ? "http" : ACTION_PORT;
        this.ingress = new Ingress(
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
                        ...served.annotations,
                        ...args.annotations,
                        // A policy finds its time here, and a certificate re-issued under its name is in the plan.
                        "mcp.msil.com/certificate-not-after": active.facts.notAfter,
                        "mcp.msil.com/certificate-not-before": active.facts.notBefore,
                        "mcp.msil.com/certificate-serial": active.facts.serial,
                    },
                },
                spec: {
                    ingressClassName: args.className,
                    tls: [{ hosts: args.hosts.map(({ host }) => host), ...served.tls }],
                    rules: args.hosts.map(({ host, paths }) => ({
                        host,
                        http: {
                            paths: paths.map(({ path, workload }) => ({
                                path,
                                pathType: "Prefix",
                                backend: { service: { name: workload, port: { name: portOf(workload) } } },
                            })),
                        },
                    })),
                },
            },
            { parent: this, dependsOn: [...served.certificates, ...(args.after ?? [])] },
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
                    after: [this.ingress],
                },
                this,
            );
        }

        this.registerOutputs();
    }
    /** Where the controller reads certificates: from Secrets, of which the Ingress names one. */
    private declareSecrets(name: string, args: PlatformIngressArgs): Served {
        const certificates = Object.entries(args.certificates).map(
            ([certificate, pair]) =>
                new Secret(
                    `${name}-${certificate}`,
                    {
                        // The runbook's own name, which kubectl and the Ingress know it by.
                        metadata: { name: certificate, namespace: args.namespace, labels: args.labels },
                        type: "kubernetes.io/tls",
                        // A certificate re-issued under its name is written over the old one: with a fixed name,
                        // a replacement would first delete what is being served.
                        immutable: false,
                        stringData: { "tls.crt": pair.certificate, "tls.key": pair.privateKey },
                    },
                    { parent: this },
                ),
        );
        return { certificates, annotations: {}, tls: { secretName: args.active.name } };
    }

    /** Where an ALB has them: in ACM. No Secret, because nobody in the cluster needs their keys. */
    private importCertificates(
        name: string,
        pairs: PlatformIngressArgs["certificates"],
        alb: AlbArgs,
        active: string,
    ): Served {
        const imported = Object.fromEntries(
            Object.entries(pairs).map(([certificate, pair]) => [
                certificate,
                declareImportedCertificate(`${name}-${certificate}`, pair, this),
            ]),
        );
        return {
            certificates: Object.values(imported),
            annotations: albAnnotations(alb, imported[active]!.arn),
            tls: {},
        };
    }
}

/** Where the certificates are, and how the Ingress says so. */
interface Served {
    certificates: CustomResource[];
    annotations: Record<string, Input<string>>;
    tls: { secretName?: string };
}
