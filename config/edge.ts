import { output, type Output, secret } from "@pulumi/pulumi/output";
import { z } from "zod";
import {
    type CertificateFacts,
    certificateFacts,
    checkAlbKey,
    checkCertificate,
    checkHost,
    leafAndChain,
    normalisedPem,
} from "./certificates";
import { getOwn } from "../core/getOwn";
import { CACHE, DATABASE } from "../core/numbers";
import {
    cidr,
    DNS_SUBDOMAIN,
    dnsLabel,
    duration,
    hostAndPort,
    isShortEnough,
    subnet,
    text,
    typedText,
} from "./scalars";

/** AWS accepts 255 characters in an alarm's name, which also contains the namespace and the workload. */
const LONGEST_HOST = 180;

const hostName = text(
    /^(?=.{1,253}$)(?!.*\.\d+$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/,
    "a full host name in lower case, no IP address, such as mcp.msil.com",
).refine(
    (name) => name.length <= LONGEST_HOST,
    `at most ${LONGEST_HOST} characters, because alarms have this name`,
);

/** Annotations of the AWS Load Balancer Controller. */
const ALB_ANNOTATION = "alb.ingress.kubernetes.io/";

/**
 * Annotations that the program sets from `ingress.alb` and the certificates, and which values therefore may not set.
 */
const OWN_ANNOTATION =
    /^(actions\..*|certificate-arn|healthcheck-path|listen-ports|load-balancer-attributes|scheme|ssl-policy|ssl-redirect|subnets|target-group-attributes|target-type)$/;

/** Those of other controllers, such as nginx.ingress.kubernetes.io/… and haproxy.org/… */
const FOREIGN_ANNOTATION =
    /^((?!alb\.)[a-z0-9-]+\.ingress\.kubernetes\.io|ingress\.(cilium\.io|kubernetes\.io)|nginx\.(org|com)|haproxy\.(org|com)|projectcontour\.io)\//;

/** Security groups that replace the controller's own. */
const GROUPS = `${ALB_ANNOTATION}security-groups`;

/** Whether the controller adds rules for those groups to the pods' security groups. */
const ADMITS = `${ALB_ANNOTATION}manage-backend-security-group-rules`;

/** Load balancer attributes that have their own value in `ingress.alb`, or are fixed. */
const OWN_ATTRIBUTES = ["idle_timeout.timeout_seconds", "routing.http.drop_invalid_header_fields.enabled"];

const SUBNETS = "at least two subnets, in different zones";

/** Longest idle timeout of an ALB, in seconds. */
const LONGEST_IDLE = 4000;

/** An Application Load Balancer, made by the AWS Load Balancer Controller. See docs/ingress-alb.md. */
const albSchema = z.strictObject({
    /**
     * Subnets of the cluster's VPC, one in each zone with nodes that run the pods: AWS sends no traffic to targets in
     * other zones. The load balancer calls the pods from their ranges.
     */
    subnets: z.array(z.strictObject({ id: subnet, cidr }), SUBNETS).min(2, SUBNETS),
    /**
     * `internal`: reachable inside the VPC only. Editing the scheme replaces the load balancer and changes its address.
     * Default: internal.
     */
    scheme: z
        .enum(["internal", "internet-facing"], { error: "internal or internet-facing" })
        .default("internal"),
    /** TLS versions and ciphers. Default: AWS's recommendation, 1.2 and 1.3, including post-quantum key exchange. */
    sslPolicy: text(
        /^ELBSecurityPolicy-TLS13-1-[23](-[A-Za-z0-9]+)*-\d{4}-\d{2}$/,
        "a security policy of ELB for TLS 1.2 or 1.3 alone, such as ELBSecurityPolicy-TLS13-1-2-2021-06",
    ).default("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"),
    /** How long a connection may be idle, for example while a tool runs. At most 4000s. Default: 60s. */
    idleTimeout: duration
        .refine((seconds) => seconds <= LONGEST_IDLE, `at most ${LONGEST_IDLE}s`)
        .default(60),
    /**
     * How traffic is switched between colours. `weights`: each colour is a target group, whose weight goes from 0 to
     * 100 after the load balancer's health checks pass. `selector`: one target group, whose targets are replaced.
     * Default: weights.
     */
    switch: z.enum(["weights", "selector"], { error: "weights or selector" }).optional(),
    /** Further attributes of the load balancer, such as `deletion_protection.enabled`. Default: none. */
    attributes: z
        .record(
            text(/^[a-z0-9_]+(\.[a-z0-9_]+)+$/, "the name of an attribute, such as access_logs.s3.enabled"),
            typedText(
                z.string({ error: "a text" }).regex(/^[^,=]+$/, "a text without commas and equals signs"),
            ),
        )
        .default({}),
});

/** Secrets of the namespace that hold no certificate. */
const OTHER_SECRETS: readonly string[] = [DATABASE.secret, CACHE.secret];

/** Hosts and paths, the workload behind each, and the certificate. Section 5.4. */
export const ingressSchema = z
    .strictObject({
        /**
         * Ingress class of the controller. Maintained controllers are traefik, haproxy, cilium, contour and NGINX
         * Inc.'s nginx; ingress-nginx was retired in March 2026. The class of the AWS Load Balancer Controller, usually
         * alb, also needs `alb`.
         */
        className: text(new RegExp(`^${DNS_SUBDOMAIN}$`), "the name of an ingress class, such as traefik"),
        /** Annotations for the controller, passed on unchanged. Default: none. */
        annotations: z
            .record(
                text(
                    new RegExp(`^(${DNS_SUBDOMAIN}/)?[A-Za-z0-9]([\\w.-]{0,61}[A-Za-z0-9])?$`),
                    "the name of an annotation",
                ),
                typedText(z.string({ error: "a text" })),
            )
            // Kubernetes takes 256 KiB, the program's own among them.
            .refine((annotations) => isShortEnough(JSON.stringify(annotations)), "at most 64 KiB in all")
            .default({}),
        /**
         * Serves the hosts by an ALB, with the certificates in ACM. Default: by a controller in the cluster, with the
         * certificates in Secrets.
         */
        alb: albSchema.optional(),
        /** The active certificate, one of `certificates`. Editing it is the rotation. Section 5.4 step 3. */
        certificate: dnsLabel,
        /**
         * Names of the certificates and their Secrets. Each pair is in `mcp:tls`. A rotation adds one, activates it,
         * and removes the old one. Section 5.4 step 2.
         */
        certificates: z
            .array(
                dnsLabel.refine(
                    (name) => !OTHER_SECRETS.includes(name),
                    `a name other than ${OTHER_SECRETS.join(" and ")}, which are Secrets of the stack`,
                ),
            )
            .min(1, "at least one certificate"),
        /** Routes of each host. */
        hosts: z
            .array(
                z.strictObject({
                    host: hostName,
                    /** The longest matching path wins. */
                    paths: z
                        .array(
                            z.strictObject({
                                /** Leading segments of the request's path. */
                                path: text(
                                    /^(?=.{1,120}$)\/(?!.*%2f)((?!\.{1,2}(\/|$))([\w.~!$&'()+,;=:@-]|%[\da-f]{2})+(\/|$))*$/i,
                                    "a path that begins with /, such as /mcp, of at most 120 letters, digits and " +
                                        "characters of URLs but *, without empty segments, . and ..",
                                ),
                                /** One of `mcp:workloads`, with `network.ingress` set. */
                                workload: dnsLabel,
                            }),
                        )
                        .min(1, "at least one path"),
                }),
            )
            .min(1, "at least one host"),
        /**
         * Whether an update that changes the certificate waits until every host serves it. Needs the hosts' DNS names
         * to lead to the controller: set it to false if the DNS records do not exist yet. Default: true in production,
         * false elsewhere. Section 5.4 step 4.
         */
        verify: z.boolean({ error: "true or false" }).optional(),
        /**
         * Address that the certificate gate connects to instead of the hosts: for split-horizon DNS, or before DNS is
         * switched. Default: the hosts, on port 443.
         */
        address: hostAndPort.optional(),
    })
    .superRefine(({ className, annotations, alb, certificate, certificates, hosts }, context) => {
        const problem = (path: PropertyKey[], message: string) =>
            context.addIssue({ code: "custom", path, message });
        if (!certificates.includes(certificate)) {
            problem(["certificate"], `one of ingress.certificates: ${certificates.join(", ")}`);
        }
        if (alb === undefined && className === "alb") {
            problem(["alb"], "an object, because the class is alb: the controller needs the ALB's subnets");
        }
        for (const name of Object.keys(annotations)) {
            const expected = annotationProblem(name, alb !== undefined);
            if (expected !== undefined) {
                problem(["annotations", name], expected);
            }
        }
        if (getOwn(annotations, GROUPS) !== undefined && getOwn(annotations, ADMITS) === undefined) {
            problem(
                ["annotations", ADMITS],
                `"true", because ${GROUPS} is set, or "false" if the pods' own groups admit those: by default the ` +
                    "controller removes the rules that admit the load balancer to the pods",
            );
        }
        for (const index of repeatedIn(alb?.subnets.map(({ id }) => id) ?? [])) {
            problem(["alb", "subnets", index, "id"], "each subnet once");
        }
        for (const index of repeatedIn(alb?.subnets.map(({ cidr }) => cidr) ?? [])) {
            problem(["alb", "subnets", index, "cidr"], "each range once");
        }
        for (const name of OWN_ATTRIBUTES.filter(
            (name) => getOwn(alb?.attributes ?? {}, name) !== undefined,
        )) {
            problem(
                ["alb", "attributes", name],
                "nothing: ingress.alb.idleTimeout sets the one, and the other is always true",
            );
        }
        for (const index of repeatedIn(certificates)) {
            problem(["certificates", index], "each certificate once");
        }
        for (const index of repeatedIn(hosts.map(({ host }) => host))) {
            problem(["hosts", index, "host"], "each host once, with all its paths");
        }
        hosts.forEach(({ paths }, host) => {
            // Compared by segments: /mcp and /mcp/ match the same requests.
            for (const index of repeatedIn(paths.map(({ path }) => path.replace(/\/$/, "")))) {
                problem(["hosts", host, "paths", index, "path"], "each path of a host once");
            }
        });
    });

/** Why an annotation may not be set, as the expected value; undefined if it may. */
function annotationProblem(name: string, alb: boolean): string | undefined {
    if (!alb) {
        return name.startsWith(ALB_ANNOTATION)
            ? "nothing: only an ALB reads it, and ingress.alb is not set"
            : undefined;
    }
    if (name.startsWith(ALB_ANNOTATION) && OWN_ANNOTATION.test(name.slice(ALB_ANNOTATION.length))) {
        return "nothing: ingress.alb and the workloads' values set it";
    }
    return FOREIGN_ANNOTATION.test(name)
        ? "nothing: an ALB does not read it, and ingress.alb is set"
        : undefined;
}

/** See {@link ingressSchema}. */
export type IngressValues = z.output<typeof ingressSchema>;

/** The workload that a path of a host leads to: by the longest match of leading segments. */
export function workloadAt(
    paths: IngressValues["hosts"][number]["paths"],
    asked: string,
): string | undefined {
    const [longest] = paths
        .filter(({ path }) => `${asked}/`.startsWith(path.replace(/\/?$/, "/")))
        .sort((one, other) => other.path.length - one.path.length);
    return longest?.workload;
}

/** A PEM text, at most the length of a long chain. */
const pem = z
    .string({ error: "a text" })
    .min(1, "a text that is not empty")
    .max(64 * 1024, "at most 64 KiB")
    .transform(normalisedPem);

/** A certificate and its private key, checked. Both leave the schema as secret outputs only. */
export interface CertificatePair {
    certificate: Output<string>;
    privateKey: Output<string>;
    /** The same certificate in the parts that ACM takes. The chain is undefined if there are no intermediates. */
    leaf: Output<string>;
    chain: Output<string> | undefined;
    /** Its public facts. */
    facts: CertificateFacts;
    /** The problem of serving a host with it, or undefined. */
    checkHost: (host: string) => string | undefined;
    /** The problem of serving it by an ALB, or undefined. */
    albProblem: string | undefined;
}

/**
 * Certificates and private keys, by the names in `ingress.certificates`. Set each with `pulumi config set --secret
 * --path 'mcp:tls["mcp-tls"].certificate' < chain.pem`, and `privateKey` likewise. Section 5.4 step 2.
 */
export const tlsSchema = z.record(
    dnsLabel,
    z
        .strictObject({
            /** The certificate and its intermediates, in order, as PEM. */
            certificate: pem,
            /** The private key, as PEM without passphrase. */
            privateKey: pem,
        })
        .superRefine((pair, context) => {
            for (const message of checkCertificate(pair, [])) {
                context.addIssue({ code: "custom", message });
            }
        })
        .transform(({ certificate, privateKey }): CertificatePair => {
            const { leaf, chain } = leafAndChain(certificate);
            return {
                certificate: secret(output(certificate)),
                privateKey: secret(output(privateKey)),
                leaf: secret(output(leaf)),
                chain: chain === undefined ? undefined : secret(output(chain)),
                facts: certificateFacts(certificate),
                checkHost: (host) => checkHost(certificate, host),
                albProblem: checkAlbKey(certificate),
            };
        }),
);

/** See {@link tlsSchema}. */
export type TlsValues = z.output<typeof tlsSchema>;

/** Rules of the ingress that depend on other values of the stack. */
export function checkEdge(
    {
        ingress,
        tls,
        workloads,
        kubernetes,
    }: {
        ingress?: IngressValues | undefined;
        tls: TlsValues;
        workloads: Record<string, { strategy: string; network: { ingress: boolean } }>;
        kubernetes: { ingressNamespace?: string | undefined };
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: PropertyKey[], message: string) =>
        context.addIssue({ code: "custom", path, message });
    const listed = ingress?.certificates ?? [];
    for (const name of Object.keys(tls).filter((name) => !listed.includes(name))) {
        problem(["tls", name], `${name}: listed in mcp:ingress.certificates, or no such pair`);
    }
    for (const name of listed.filter((name) => getOwn(tls, name) === undefined)) {
        problem(["tls", name], "a certificate and a privateKey, because mcp:ingress.certificates lists it");
    }
    const outsiders = Object.keys(workloads).filter((name) => workloads[name]!.network.ingress);
    if (ingress?.alb === undefined && kubernetes.ingressNamespace === undefined && outsiders.length > 0) {
        problem(
            ["kubernetes", "ingressNamespace"],
            `the namespace of the ingress controller, because network.ingress of ${outsiders.join(", ")} is true`,
        );
    }
    if (ingress?.alb !== undefined) {
        for (const name of listed) {
            // A pair with errors is not parsed.
            const unfit = getOwn(tls, name)?.albProblem;
            if (unfit !== undefined) {
                problem(["tls", name], unfit);
            }
        }
        const routed = new Set(ingress.hosts.flatMap(({ paths }) => paths.map(({ workload }) => workload)));
        if (
            ingress.alb.switch !== undefined &&
            ![...routed].some((name) => getOwn(workloads, name)?.strategy === "blueGreen")
        ) {
            problem(["ingress", "alb", "switch"], "nothing, because no path leads to a blue-green workload");
        }
    }
    ingress?.hosts.forEach(({ host, paths }, index) => {
        // A pair with errors is not parsed.
        const uncovered = getOwn(tls, ingress.certificate)?.checkHost?.(host);
        if (uncovered !== undefined) {
            problem(["ingress", "hosts", index, "host"], uncovered);
        }
        paths.forEach(({ workload }, at) => {
            const path = ["ingress", "hosts", index, "paths", at, "workload"];
            const called = getOwn(workloads, workload);
            if (called === undefined) {
                problem(path, `one of ${Object.keys(workloads).join(", ")}`);
            } else if (!called.network.ingress) {
                problem(path, `a workload the controller may call: network.ingress of ${workload} is false`);
            }
        });
    });
}

/** Indices of values that occur earlier in the list. */
export function repeatedIn(list: readonly string[]): number[] {
    return list.flatMap((item, index) => (list.indexOf(item) < index ? [index] : []));
}
