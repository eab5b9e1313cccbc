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
    /** Namespace of all objects. */
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Ingress class of the controller. */
    className: string;
    /** Annotations for the controller. Default: none. */
    annotations?: Record<string, string>;
    /** Serves the hosts by an ALB with certificates from ACM. Default: by a controller that reads them from Secrets. */
    alb?: AlbArgs | undefined;
    /** Certificates by name, as PEM, whole and in parts, and their private keys. */
    certificates: Record<string, { certificate: Input<string> } & ImportedCertificate>;
    /** The active certificate: its name, its serial number in capital hexadecimal digits, and its end of validity. */
    active: { name: string; facts: { serial: string; notBefore: string; notAfter: string } };
    /** Hosts, paths and the workload of each path. A workload's Service has a port named `http`. */
    hosts: readonly { host: string; paths: readonly { path: string; workload: string }[] }[];
    /** What must exist before the Ingress is created or changed. Default: nothing. */
    after?: readonly Resource[];
    /** Gate that waits until every host serves the active certificate. Default: no gate. */
    verify?: Pick<CertificateGateArgs, "address" | "ingressNamespace" | "nodeImage"> | false;
}

/**
 * Access from outside: hosts, paths, workloads and certificates (section 5.4). A rotation adds a certificate, activates
 * it, which the gate verifies, and removes the old one. The opposite edits undo it.
 */
export class PlatformIngress extends ComponentResource {
    /** The Ingress. It does not wait for the gate. */
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
                        // No await: not every controller publishes an address (Traefik does only if configured), and
                        // the await would fail after ten minutes. The gate checks that the hosts are served.
                        ...SKIP_AWAIT,
                        ...served.annotations,
                        ...args.annotations,
                        // A policy reads the end of validity here, and a certificate reissued under the same name shows
                        // in the plan.
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
    /** Certificates in Secrets, of which the Ingress names one. */
    private declareSecrets(name: string, args: PlatformIngressArgs): Served {
        const certificates = Object.entries(args.certificates).map(
            ([certificate, pair]) =>
                new Secret(
                    `${name}-${certificate}`,
                    {
                        // The runbook's name, used by kubectl and the Ingress.
                        metadata: { name: certificate, namespace: args.namespace, labels: args.labels },
                        type: "kubernetes.io/tls",
                        // A certificate reissued under the same name updates the Secret in place: replacing a fixed
                        // name would first delete the served certificate.
                        immutable: false,
                        stringData: { "tls.crt": pair.certificate, "tls.key": pair.privateKey },
                    },
                    { parent: this },
                ),
        );
        return { certificates, annotations: {}, tls: { secretName: args.active.name } };
    }

    /** Certificates in ACM. No Secret, because nothing in the cluster needs the private keys. */
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

/** The certificates' resources, and the Ingress settings that refer to them. */
interface Served {
    certificates: CustomResource[];
    annotations: Record<string, Input<string>>;
    tls: { secretName?: string };
}
