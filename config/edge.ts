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
import { cidr, dnsLabel, duration, subnet, text, typedText } from "./scalars";

/** AWS takes 255 characters for an alarm's name, which is also of namespace and workload. */
const LONGEST_HOST = 180;

const hostName = text(
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/,
    "a full host name in lower case, such as mcp.msil.com",
).refine(
    (name) => name.length <= LONGEST_HOST,
    `at most ${LONGEST_HOST} characters, because alarms have this name`,
);

/** Annotations that the AWS Load Balancer Controller reads. */
const ALB_ANNOTATION = "alb.ingress.kubernetes.io/";

/** Those that `ingress.alb` and the certificates are made into, and so are not given a second time. */
const OWN_ANNOTATION =
    /^(actions\..*|certificate-arn|healthcheck-path|listen-ports|load-balancer-attributes|scheme|ssl-policy|ssl-redirect|subnets|target-group-attributes|target-type)$/;

/** Those of other controllers, such as nginx.ingress.kubernetes.io/… and haproxy.org/… */
const FOREIGN_ANNOTATION =
    /^((?!alb\.)[a-z0-9-]+\.ingress\.kubernetes\.io|ingress\.(cilium\.io|kubernetes\.io)|nginx\.(org|com)|haproxy\.(org|com)|projectcontour\.io)\//;

/** Security groups of the load balancer, given in place of the controller's own. */
const GROUPS = `${ALB_ANNOTATION}security-groups`;

/** Whether the controller has the pods' groups admit those. */
const ADMITS = `${ALB_ANNOTATION}manage-backend-security-group-rules`;

/** Attributes of the load balancer that have a value of their own, or none. */
const OWN_ATTRIBUTES = ["idle_timeout.timeout_seconds", "routing.http.drop_invalid_header_fields.enabled"];

const SUBNETS = "at least two subnets, in different zones";

/** Longest idle timeout of an ALB, in seconds. */
const LONGEST_IDLE = 4000;

/** An Application Load Balancer, made by the AWS Load Balancer Controller. See docs/ingress-alb.md. */
const albSchema = z.strictObject({
    /**
     * Where it stands: a subnet of the cluster's VPC in each zone that has nodes for the pods, because AWS sends nothing
     * to targets elsewhere. From their ranges it calls the pods.
     */
    subnets: z.array(z.strictObject({ id: subnet, cidr }), SUBNETS).min(2, SUBNETS),
    /**
     * `internal`: reached inside the VPC alone. Another scheme is another load balancer, with another address.
     * Default: internal.
     */
    scheme: z
        .enum(["internal", "internet-facing"], { error: "internal or internet-facing" })
        .default("internal"),
    /** Versions and ciphers of TLS. Default: what AWS recommends, 1.2 and 1.3, also with post-quantum key exchange. */
    sslPolicy: text(
        /^ELBSecurityPolicy-TLS13-1-[23](-[A-Za-z0-9]+)*-\d{4}-\d{2}$/,
        "a security policy of ELB for TLS 1.2 or 1.3 alone, such as ELBSecurityPolicy-TLS13-1-2-2021-06",
    ).default("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"),
    /** How long a connection may be silent, such as while a tool works. At most 4000s. Default: 60s. */
    idleTimeout: duration
        .refine((seconds) => seconds <= LONGEST_IDLE, `at most ${LONGEST_IDLE}s`)
        .default(60),
    /**
     * What moves the traffic from one colour to the other. `weights`: each colour is a target group, which has passed
     * the load balancer's own health checks before its weight goes from 0 to 100. `selector`: one target group, whose
     * targets are exchanged. Default: weights.
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

/** Secrets of the namespace that are none of a certificate. */
const OTHER_SECRETS: readonly string[] = [DATABASE.secret, CACHE.secret];

/** Which host and path leads to which workload, and the certificate they are served with. Section 5.4. */
export const ingressSchema = z
    .strictObject({
        /**
         * Class of the controller that serves it. Maintained choices are traefik, haproxy, cilium, contour and
         * NGINX Inc.'s nginx; ingress-nginx ended in March 2026. That of the AWS Load Balancer Controller, as a rule
         * alb, needs `alb`, too.
         */
        className: text(
            /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
            "the name of an ingress class, such as traefik",
        ),
        /** What the controller wants to be told, passed on as it is. Default: nothing. */
        annotations: z
            .record(
                text(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, "the name of an annotation"),
                typedText(z.string({ error: "a text" })),
            )
            .default({}),
        /** Serves it by an ALB, with the certificates in ACM. Default: a controller in the cluster, which has Secrets. */
        alb: albSchema.optional(),
        /** The active certificate, one of `certificates`. Editing it is the rotation. Section 5.4 step 3. */
        certificate: dnsLabel,
        /**
         * Names of certificates and of their Secrets. Each pair is in `mcp:tls`. A rotation adds one, makes it
         * the active one, and removes the old one. Section 5.4 step 2.
         */
        certificates: z
            .array(
                dnsLabel.refine(
                    (name) => !OTHER_SECRETS.includes(name),
                    `a name other than ${OTHER_SECRETS.join(" and ")}, which are Secrets of the stack`,
                ),
            )
            .min(1, "at least one certificate"),
        /** What is served to whom. */
        hosts: z
            .array(
                z.strictObject({
                    host: hostName,
                    /** The longest path that matches decides. */
                    paths: z
                        .array(
                            z.strictObject({
                                /** First segments of the request's path. */
                                path: text(
                                    /^\/(?!.*%2f)((?!\.{1,2}(\/|$))[^\s?#/]+\/)*((?!\.{1,2}$)[^\s?#/]*)$/i,
                                    "a path that begins with /, such as /mcp, without empty segments, . and ..",
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
         * Whether an update that changes the certificate waits until every host serves it. Section 5.4 step 4.
         * Needs the hosts' names to lead to the controller: set it to false for an installation that comes before
         * its DNS records. Default: true in production, false elsewhere.
         */
        verify: z.boolean({ error: "true or false" }).optional(),
        /**
         * Where that gate connects to, whatever DNS says: for split horizons, and before DNS is switched.
         * Default: the hosts themselves, on port 443.
         */
        address: text(
            /^(\[[0-9a-f:]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
            "host:port, such as traefik.ingress.svc:443",
        ).optional(),
    })
    .superRefine(({ className, annotations, alb, certificate, certificates, hosts }, context) => {
        const problem = (path: PropertyKey[], message: string) =>
            context.addIssue({ code: "custom", path, message });
        if (!certificates.includes(certificate)) {
            problem(["certificate"], `one of ingress.certificates: ${certificates.join(", ")}`);
        }
        if (alb === undefined && className === "alb") {
            problem(
                ["alb"],
                "an object, because the class is alb: the controller must know the ALB's subnets",
            );
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
                `"true", because ${GROUPS} is given, or "false" where the pods' own groups admit those: unless told, the controller takes back what admits the load balancer to the pods`,
            );
        }
        for (const index of repeatedIn(alb?.subnets.map(({ id }) => id) ?? [])) {
            problem(["alb", "subnets", index, "id"], "each subnet once");
        }
        for (const name of OWN_ATTRIBUTES.filter(
            (name) => getOwn(alb?.attributes ?? {}, name) !== undefined,
        )) {
            problem(
                ["alb", "attributes", name],
                "nothing: ingress.alb.idleTimeout is one, and the other is always true",
            );
        }
        for (const index of repeatedIn(certificates)) {
            problem(["certificates", index], "each certificate once");
        }
        for (const index of repeatedIn(hosts.map(({ host }) => host))) {
            problem(["hosts", index, "host"], "each host once, with all of its paths");
        }
        hosts.forEach(({ paths }, host) => {
            // By segments: /mcp and /mcp/ match the same requests.
            for (const index of repeatedIn(paths.map(({ path }) => path.replace(/\/$/, "")))) {
                problem(["hosts", host, "paths", index, "path"], "each path of a host once");
            }
        });
    });

/** What is expected of an annotation instead of standing there; undefined when it may. */
function annotationProblem(name: string, alb: boolean): string | undefined {
    if (!alb) {
        return name.startsWith(ALB_ANNOTATION) ? "nothing: without ingress.alb, no ALB reads it" : undefined;
    }
    if (name.startsWith(ALB_ANNOTATION) && OWN_ANNOTATION.test(name.slice(ALB_ANNOTATION.length))) {
        return "nothing: ingress.alb and the workloads' values say it";
    }
    return FOREIGN_ANNOTATION.test(name)
        ? "nothing: an ALB does not read it, and ingress.alb is set"
        : undefined;
}

/** See {@link ingressSchema}. */
export type IngressValues = z.output<typeof ingressSchema>;

/** Which workload a host's path leads to: by its first segments, and by the most of them. */
export function workloadAt(
    paths: IngressValues["hosts"][number]["paths"],
    asked: string,
): string | undefined {
    const [longest] = paths
        .filter(({ path }) => `${asked}/`.startsWith(path.replace(/\/?$/, "/")))
        .sort((one, other) => other.path.length - one.path.length);
    return longest?.workload;
}

/** A PEM text, at most of a long chain. */
const pem = z
    .string({ error: "a text" })
    .min(1, "a text that is not empty")
    .max(64 * 1024, "at most 64 KiB")
    .transform(normalisedPem);

/** A certificate, checked, and its private key. Their texts never leave the schema unwrapped. */
export interface CertificatePair {
    certificate: Output<string>;
    privateKey: Output<string>;
    /** The same certificate in the parts that ACM takes it in. Default of the chain: nobody vouches for the leaf. */
    leaf: Output<string>;
    chain: Output<string> | undefined;
    /** What everybody may know of it. */
    facts: CertificateFacts;
    /** What is wrong when it serves a host; undefined when nothing is. */
    checkHost: (host: string) => string | undefined;
    /** What is wrong when an ALB serves it; undefined when nothing is. */
    albProblem: string | undefined;
}

/**
 * Certificates with their private keys, by the names in `ingress.certificates`:
 * `pulumi config set --secret --path 'mcp:tls["mcp-tls"].certificate' < chain.pem`, and so the `privateKey`.
 * Section 5.4 step 2.
 */
export const tlsSchema = z.record(
    dnsLabel,
    z
        .strictObject({
            /** The certificate and those that vouch for it, in order, as PEM. */
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

/** Rules of the ingress that need the rest of the stack's values. */
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
            // A pair with problems of its own has not been read.
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
        // A pair with problems of its own has not been read.
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

/** Positions of what has stood in the list before. */
export function repeatedIn(list: readonly string[]): number[] {
    return list.flatMap((item, index) => (list.indexOf(item) < index ? [index] : []));
}
