import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Stands for a certificate or a private key that an operator has yet to give, in an offline preview. */
export const PLACEHOLDER_PEM = "placeholder";

/** Stands for a secret that is set and encrypted, in an offline preview: nothing there can decrypt it. */
export const ENCRYPTED = "[encrypted]";

/**
 * What an offline preview has in place of a secret: nothing, or ciphertext. Compared as a whole, so that no real
 * certificate, however broken, is taken for one.
 */
const STAND_INS: readonly string[] = [PLACEHOLDER_PEM, ENCRYPTED];

/** One block of a PEM text: its two lines are lines of their own, and there is nothing but base64 between them. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\n((?:[A-Za-z0-9+/=]+[ \t]*\n)+)-----END \1-----[ \t]*$/gm;

/** Blocks that openssl writes before a key. */
const PARAMETERS = "EC PARAMETERS";

/** Lengths of RSA keys, and curves of ECDSA, that an HTTPS listener takes. */
const ALB_KEYS: readonly (number | string)[] = [2048, 3072, 4096, "prime256v1", "secp384r1", "secp521r1"];

/** A certificate with its chain, the leaf first, and the leaf's private key, both as PEM. */
export interface PemPair {
    certificate: string;
    privateKey: string;
}

/** What anybody can read off a certificate. */
export interface CertificateFacts {
    /** Serial number, in capital hexadecimal digits. */
    serial: string;
    /** Beginning of its validity, such as 2026-11-30T12:00:00Z. */
    notBefore: string;
    /** End of its validity. */
    notAfter: string;
    /** DNS names it is for, wildcards among them. */
    hosts: string[];
}

/** Facts of a stand-in: no certificate has the serial number 0, so a gate that looks for it can only fail. */
function standInFacts(pem: string): CertificateFacts {
    const time = pem === ENCRYPTED ? "encrypted" : "unknown";
    return { serial: "00000000", notBefore: time, notAfter: time, hosts: [] };
}

/**
 * What is wrong with a certificate that is to serve these hosts, each in words of what is expected; never with any
 * text of the private key. Section 5.4 steps 1 and 2. Whether it has expired is not asked here: an update in an
 * emergency must not depend on the clock. A policy reports it.
 */
export function checkCertificate({ certificate, privateKey }: PemPair, hosts: readonly string[]): string[] {
    const chain = isStandIn(certificate) ? [] : parseChain(normalisedPem(certificate));
    const key = isStandIn(privateKey) ? undefined : parseKey(normalisedPem(privateKey));
    const problems = [chain, key].filter((part) => typeof part === "string");
    if (typeof chain === "string") {
        return problems;
    }
    const [leaf] = chain;
    if (leaf === undefined) {
        return problems;
    }
    if (typeof key === "object" && !leaf.checkPrivateKey(key)) {
        problems.push(`the private key of ${nameOf(leaf)}, found another one`);
    }
    const uncovered = hosts.filter((host) => !isFor(leaf, host));
    return [...problems, ...chainProblems(chain), ...uncovered.map((host) => uncoveredHost(leaf, host))];
}

/**
 * Facts of a chain's leaf, for annotations, policies and the gate.
 *
 * @throws when `pem` is neither a certificate that {@link checkCertificate} accepts nor a stand-in.
 */
export function certificateFacts(pem: string): CertificateFacts {
    if (isStandIn(pem)) {
        return standInFacts(pem);
    }
    const leaf = new X509Certificate(pem);
    const time = (text: string) => new Date(text).toISOString().replace(".000Z", "Z");
    return {
        serial: leaf.serialNumber,
        notBefore: time(leaf.validFrom),
        notAfter: time(leaf.validTo),
        hosts: namesOf(leaf),
    };
}

/** What is wrong when a host is served with this certificate; undefined when nothing is. */
export function checkHost(pem: string, host: string): string | undefined {
    const leaf = isStandIn(pem) ? undefined : new X509Certificate(pem);
    return leaf === undefined || isFor(leaf, host) ? undefined : uncoveredHost(leaf, host);
}

/**
 * A PEM text as every parser in use reads it, Go's above all, which is the strictest: no byte order mark, a line feed behind
 * each line, and nothing around the blocks. What is no PEM stays as it is, for {@link checkCertificate} to refuse.
 */
export function normalisedPem(pem: string): string {
    const text = pem.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
    const blocks = Array.from(text.matchAll(BLOCK), ([block, label]) => ({ block, label }));
    if (blocks.length === 0 || blocks.length !== labelsOf(text).length) {
        return pem;
    }
    const kept = blocks.flatMap(({ block, label }) =>
        label === PARAMETERS ? [] : [block.replace(/[ \t]+$/gm, "")],
    );
    return kept.join("\n") + (text.endsWith("\n") ? "\n" : "");
}

function labelsOf(pem: string): string[] {
    return Array.from(pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g), ([, label]) => label!);
}

/** The leaf of a chain, and those that vouch for it, as ACM takes them: each by itself, with nothing around. */
export function leafAndChain(pem: string): { leaf: string; chain: string | undefined } {
    const [leaf = pem, ...issuers] = pem.match(BLOCK) ?? [];
    return { leaf, chain: issuers.length === 0 ? undefined : issuers.join("\n") };
}

/** What is wrong when an ALB serves this certificate, by the kind of its key; undefined when nothing is. */
export function checkAlbKey(pem: string): string | undefined {
    if (isStandIn(pem)) {
        return undefined;
    }
    const leaf = new X509Certificate(pem);
    const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: details } = leaf.publicKey;
    const size = details?.modulusLength ?? details?.namedCurve;
    return ALB_KEYS.some((key) => key === size)
        ? undefined
        : `a key of RSA with 2048, 3072 or 4096 bits or of ECDSA on P-256, P-384 or P-521, as an ALB takes: ${nameOf(leaf)} has ${[type, size].join(" ").trimEnd()}`;
}

function isStandIn(text: string): boolean {
    return STAND_INS.includes(text);
}

/** The certificates of a PEM text, or what is expected instead. */
function parseChain(pem: string): X509Certificate[] | string {
    const labels = labelsOf(pem);
    const foreign = labels.find((label) => label !== "CERTIFICATE");
    if (foreign !== undefined) {
        return `nothing but certificates in certificate, found a block ${foreign}`;
    }
    const blocks = pem.match(BLOCK) ?? [];
    try {
        if (blocks.length > 0 && blocks.length === labels.length) {
            return blocks.map((block) => new X509Certificate(block));
        }
    } catch {
        // Said below, without quoting what may be anything.
    }
    return "certificate as a readable PEM chain, the leaf first";
}

function parseKey(pem: string): KeyObject | string {
    try {
        // Node's parser is content with less than Go's.
        if (pem.match(BLOCK)?.length === 1) {
            return createPrivateKey(pem);
        }
    } catch {
        // The message of the error is left out: it might quote the key.
    }
    return "privateKey as a readable PEM private key without passphrase";
}

function chainProblems(chain: readonly X509Certificate[]): string[] {
    const first = (certificate: X509Certificate) =>
        chain.findIndex((other) => other.fingerprint256 === certificate.fingerprint256);
    const unique = chain.filter((certificate, index) => first(certificate) === index);
    const repeated = chain.filter((certificate, index) => first(certificate) !== index);
    return [
        ...repeated.map((certificate) => `each certificate once, found ${nameOf(certificate)} again`),
        ...unique.slice(1).flatMap((issuer, index) => {
            const issued = unique[index]!;
            // Names and key identifiers first; only the signature proves it.
            return issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
                ? []
                : [
                      `a chain in order, each certificate issued by the next: ${nameOf(issued)} is not issued by ${nameOf(issuer)}`,
                  ];
        }),
    ];
}

/** As browsers see it: by alternative names alone, a wildcard standing for exactly one whole label. */
function isFor(leaf: X509Certificate, host: string): boolean {
    return leaf.checkHost(host, { subject: "never", partialWildcards: false }) !== undefined;
}

function uncoveredHost(leaf: X509Certificate, host: string): string {
    return `a certificate for ${host}: ${nameOf(leaf)} is for ${namesOf(leaf).join(", ") || "no host at all"}`;
}

function namesOf(leaf: X509Certificate): string[] {
    return (leaf.subjectAltName ?? "")
        .split(", ")
        .flatMap((name) => (name.startsWith("DNS:") ? [name.slice("DNS:".length)] : []));
}

/** Subject on one line, and the serial number, which tells it from the one it replaces. */
function nameOf(certificate: X509Certificate): string {
    // Public authorities have begun to leave the subject empty.
    const subject =
        certificate.subject?.replaceAll("\n", ", ") || (namesOf(certificate)[0] ?? "a certificate");
    return `${subject} (serial ${certificate.serialNumber})`;
}
