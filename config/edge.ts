import { output, type Output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import {
    type CertificateFacts,
    certificateFacts,
    checkCertificate,
    checkHost,
    PLACEHOLDER_PEM,
} from "./certificates";
import { own } from "./own";
import { configPath } from "./problems";
import { dnsLabel, someText, text, typedText } from "./scalars";
import { type Supply } from "./supplies";

const hostName = text(
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/,
    "a full host name in lower case, such as mcp.msil.com",
);

/** Which host and path leads to which workload, and the certificate they are served with. Section 5.4. */
export const ingressSchema = z
    .strictObject({
        /**
         * Class of the controller that serves it. Maintained choices are traefik, haproxy, cilium, contour and
         * NGINX Inc.'s nginx; ingress-nginx ended in March 2026. An ALB takes no certificates from Secrets, only
         * from ACM: with class alb, name its ARN in the annotations and import the same certificate there.
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
        /** The active certificate, one of `certificates`. Editing it is the rotation. Section 5.4 step 3. */
        certificate: dnsLabel,
        /**
         * Names of certificates and of their Secrets. Each pair stands in `mcp:tls`. A rotation adds one, makes it
         * the active one, and removes the old one. Section 5.4 step 2.
         */
        certificates: z.array(dnsLabel).min(1, "at least one certificate"),
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
                                    /^\/([^\s?#/]+\/)*[^\s?#/]*$/,
                                    "a path that begins with / and has no empty segment, such as /mcp",
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
    .superRefine(({ certificate, certificates, hosts }, context) => {
        const problem = (path: PropertyKey[], message: string) =>
            context.addIssue({ code: "custom", path, message });
        if (!certificates.includes(certificate)) {
            problem(["certificate"], `one of ingress.certificates: ${certificates.join(", ")}`);
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

/** See {@link ingressSchema}. */
export type IngressValues = z.output<typeof ingressSchema>;

/** A certificate, checked, and its private key. Their texts never leave the schema unwrapped. */
export interface CertificatePair {
    certificate: Output<string>;
    privateKey: Output<string>;
    /** What everybody may know of it. */
    facts: CertificateFacts;
    /** What is wrong when it serves a host; undefined when nothing is. */
    checkHost: (host: string) => string | undefined;
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
            certificate: someText,
            /** The private key, as PEM without passphrase. */
            privateKey: someText,
        })
        .superRefine((pair, context) => {
            for (const message of checkCertificate(pair, [])) {
                context.addIssue({ code: "custom", message });
            }
        })
        .transform(({ certificate, privateKey }): CertificatePair => ({
            certificate: secret(output(certificate)),
            privateKey: secret(output(privateKey)),
            facts: certificateFacts(certificate),
            checkHost: (host) => checkHost(certificate, host),
        })),
);

/** See {@link tlsSchema}. */
export type TlsValues = z.output<typeof tlsSchema>;

/** Rules of the ingress that need the rest of the stack's values. */
export function checkEdge(
    {
        ingress,
        tls,
        workloads,
    }: {
        ingress?: IngressValues | undefined;
        tls: TlsValues;
        workloads: Record<string, { network: { ingress: boolean } }>;
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: PropertyKey[], message: string) =>
        context.addIssue({ code: "custom", path, message });
    const listed = ingress?.certificates ?? [];
    for (const name of Object.keys(tls).filter((name) => !listed.includes(name))) {
        problem(["tls", name], `${name}: listed in mcp:ingress.certificates, or no such pair`);
    }
    for (const name of listed.filter((name) => own(tls, name) === undefined)) {
        problem(["tls", name], "a certificate and a privateKey, because mcp:ingress.certificates lists it");
    }
    ingress?.hosts.forEach(({ host, paths }, index) => {
        // A pair with problems of its own has not been read.
        const uncovered = own(tls, ingress.certificate)?.checkHost?.(host);
        if (uncovered !== undefined) {
            problem(["ingress", "hosts", index, "host"], uncovered);
        }
        paths.forEach(({ workload }, at) => {
            const path = ["ingress", "hosts", index, "paths", at, "workload"];
            const called = own(workloads, workload);
            if (called === undefined) {
                problem(path, `one of ${Object.keys(workloads).join(", ")}`);
            } else if (!called.network.ingress) {
                problem(path, `a workload the controller may call: network.ingress of ${workload} is false`);
            }
        });
    });
}

/** As much of unvalidated values as the pairs depend on; what is malformed is the schema's to report. */
const looseSchema = z.object({
    ingress: z
        .object({ certificates: z.array(z.string()).catch([]) })
        .optional()
        .catch(undefined),
    tls: z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).catch({}),
});

/** The parts of the listed pairs that only an operator can give, and has not given yet. */
export function missingCertificates(raw: unknown, stack: string): Supply[] {
    const { ingress, tls } = looseSchema.parse(raw);
    return (ingress?.certificates ?? []).flatMap((name) =>
        (["certificate", "privateKey"] as const)
            .filter((part) => own(tls, name)?.[part] === undefined)
            .map((part) => {
                const path = ["tls", name, part];
                const file = { certificate: "CHAIN.pem", privateKey: "KEY.pem" }[part];
                return {
                    path,
                    placeholder: PLACEHOLDER_PEM,
                    command: `pulumi config set --stack ${stack} --secret --path '${configPath(path)}' < ${file}`,
                };
            }),
    );
}

/** Positions of what has stood in the list before. */
export function repeatedIn(list: readonly string[]): number[] {
    return list.flatMap((item, index) => (list.indexOf(item) < index ? [index] : []));
}
