import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Placeholder of a certificate or private key that an operator has not set, in an offline preview. */
export const PLACEHOLDER_PEM = "placeholder";

/** Placeholder of an encrypted secret in an offline preview, which cannot decrypt it. */
export const ENCRYPTED = "[encrypted]";

/**
 * Whether a secret is missing or a placeholder. Compares the whole text, so that no real certificate is taken for a
 * placeholder, even a malformed one.
 */
const STAND_INS: readonly string[] = [PLACEHOLDER_PEM, ENCRYPTED];

/** One block of a PEM text: its BEGIN and END lines are separate lines, with only base64 between them. */
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

/** Public facts of a certificate. */
export interface CertificateFacts {
    /** Serial number, in capital hexadecimal digits. */
    serial: string;
    /** Beginning of its validity, such as 2026-11-30T12:00:00Z. */
    notBefore: string;
    /** End of its validity, in the same form. */
    notAfter: string;
    /** DNS names of the certificate, including wildcards. */
    hosts: string[];
}

/** Facts of a placeholder. No certificate has serial number 0, so the gate fails if it checks one. */
function standInFacts(pem: string): CertificateFacts {
    const time = pem === ENCRYPTED ? "encrypted" : "unknown";
    return { serial: "00000000", notBefore: time, notAfter: time, hosts: [] };
}

/**
 * Problems of a certificate for these hosts, each as the expected value, without any text of the private key. Expiry is
 * checked by a policy instead, so that the clock cannot block an emergency update. Section 5.4 steps 1 and 2.
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
        problems.push(`the private key of ${nameOf(leaf)}, found a key of another certificate`);
    }
    const uncovered = hosts.filter((host) => !isFor(leaf, host));
    return [...problems, ...chainProblems(chain), ...uncovered.map((host) => uncoveredHost(leaf, host))];
}

/**
 * Facts of a chain's leaf, for annotations, policies and the gate.
 *
 * @throws when `pem` is neither a placeholder nor accepted by {@link checkCertificate}.
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

/** The problem of serving a host with this certificate, or undefined. */
export function checkHost(pem: string, host: string): string | undefined {
    const leaf = isStandIn(pem) ? undefined : new X509Certificate(pem);
    return leaf === undefined || isFor(leaf, host) ? undefined : uncoveredHost(leaf, host);
}

/**
 * Normalizes a PEM text for every parser in use (Go's is the strictest): no byte order mark, a line feed after each
 * line, nothing around the blocks. Returns other texts unchanged, so that {@link checkCertificate} refuses them.
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

/** The leaf of a chain and its intermediates, as the separate texts that ACM takes. */
export function leafAndChain(pem: string): { leaf: string; chain: string | undefined } {
    const [leaf = pem, ...issuers] = pem.match(BLOCK) ?? [];
    return { leaf, chain: issuers.length === 0 ? undefined : issuers.join("\n") };
}

/** The problem of serving this certificate by an ALB, judged by its key, or undefined. */
export function checkAlbKey(pem: string): string | undefined {
    if (isStandIn(pem)) {
        return undefined;
    }
    const leaf = new X509Certificate(pem);
    const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails: details } = leaf.publicKey;
    const size = details?.modulusLength ?? details?.namedCurve;
    return ALB_KEYS.some((key) => key === size)
        ? undefined
        : "a key that an ALB accepts: RSA with 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521. " +
              `${nameOf(leaf)} has ${[type, size].join(" ").trimEnd()}`;
}

function isStandIn(text: string): boolean {
    return STAND_INS.includes(text);
}

/** The certificates of a PEM text, or a message of what is expected. */
function parseChain(pem: string): X509Certificate[] | string {
    const labels = labelsOf(pem);
    const foreign = labels.find((label) => label !== "CERTIFICATE");
    if (foreign !== undefined) {
        return `only certificates in certificate, found a block ${foreign}`;
    }
    const blocks = pem.match(BLOCK) ?? [];
    try {
        if (blocks.length > 0 && blocks.length === labels.length) {
            return blocks.map((block) => new X509Certificate(block));
        }
    } catch {
        // The check below reports it without quoting the text, which may be secret.
    }
    return "certificate as a readable PEM chain, leaf first";
}

function parseKey(pem: string): KeyObject | string {
    try {
        // Node's parser accepts more than Go's.
        if (pem.match(BLOCK)?.length === 1) {
            return createPrivateKey(pem);
        }
    } catch {
        // The error's message is omitted, because it may quote the key.
    }
    return "privateKey as a readable PEM private key without passphrase";
}

function chainProblems(chain: readonly X509Certificate[]): string[] {
    const first = (certificate: X509Certificate) =>
        chain.findIndex((other) => other.fingerprint256 === certificate.fingerprint256);
    const unique = chain.filter((certificate, index) => first(certificate) === index);
    const repeated = chain.filter((certificate, index) => first(certificate) !== index);
    return [
        ...repeated.map((certificate) => `each certificate once, found ${nameOf(certificate)} twice`),
        ...unique.slice(1).flatMap((issuer, index) => {
            const issued = unique[index]!;
            // Names and key identifiers can match by chance; the signature is the proof.
            return issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
                ? []
                : [
                      `a chain in order, each certificate issued by the next: ${nameOf(issued)} is not issued by ${nameOf(issuer)}`,
                  ];
        }),
    ];
}

/** Matches as browsers do: by subject alternative names only. A wildcard matches exactly one label. */
function isFor(leaf: X509Certificate, host: string): boolean {
    return leaf.checkHost(host, { subject: "never", partialWildcards: false }) !== undefined;
}

function uncoveredHost(leaf: X509Certificate, host: string): string {
    return `a certificate for ${host}: ${nameOf(leaf)} is for ${namesOf(leaf).join(", ") || "no host"}`;
}

function namesOf(leaf: X509Certificate): string[] {
    return (leaf.subjectAltName ?? "")
        .split(", ")
        .flatMap((name) => (name.startsWith("DNS:") ? [name.slice("DNS:".length)] : []));
}

/** Subject on one line, with the serial number to distinguish it from the certificate that it replaces. */
function nameOf(certificate: X509Certificate): string {
    // Some public authorities leave the subject empty.
    const subject =
        certificate.subject?.replaceAll("\n", ", ") || (namesOf(certificate)[0] ?? "a certificate");
    return `${subject} (serial ${certificate.serialNumber})`;
}
