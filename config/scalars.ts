import { z } from "zod";

/** A string that must match `pattern`; `expected` is what the error says was expected. */
export function text(pattern: RegExp, expected: string) {
    return typedText(z.string({ error: expected }).regex(pattern, expected));
}

/**
 * A string that may look like a number: `pulumi config set --path` writes 2 for `2` and true for `true`, whatever
 * was meant.
 */
export function typedText<T extends z.ZodType<string, string>>(schema: T) {
    const write = (value: unknown) =>
        typeof value === "number" || typeof value === "boolean" ? String(value) : value;
    return z.preprocess(write, schema);
}

/** Any text but the empty one. */
export const someText = z.string({ error: "a text" }).min(1, "a text that is not empty");

/** Kubernetes object or namespace name (RFC 1123 label). */
export const dnsLabel = text(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of at most 63 lower-case letters, digits and hyphens, such as mcp-server",
);

/** Environment variable name. */
export const environmentName = text(
    /^[A-Z][A-Z0-9_]*$/,
    "an environment variable name in capitals, such as LOG_LEVEL",
);

/** Time span with its unit. Parsed to seconds. */
export const duration = text(
    /^[1-9][0-9]*(s|m|h|d)$/,
    "a duration with its unit, such as 30s, 10m, 2h or 7d",
).transform(toSeconds);

function toSeconds(duration: string): number {
    const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)] ?? NaN;
    return Number(duration.slice(0, -1)) * unit;
}

/** Path of an HTTP request. */
export const httpPath = text(/^\/\S*$/, "an HTTP path that begins with /, such as /health");

/** IPv4 range. */
export const cidr = z.cidrv4({ error: "an IPv4 range, such as 10.20.0.0/16" });

/** TCP port. */
export const port = wholeNumber(1, 65_535);

/** Share of something, in percent. */
export const percent = wholeNumber(1, 100);

/** Release tag of an image: never `latest`, which names something else tomorrow. */
export const versionTag = text(
    /^(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/,
    "a version tag other than latest, such as v2.1.0",
);

/** Content digest of an image. */
export const digest = text(
    /^sha256:[0-9a-f]{64}$/,
    "sha256: and 64 hexadecimal digits, as written by npm run images -- pin",
);

/** Repository of an image within its registry. */
export const repository = text(
    /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/,
    "an image repository without registry and tag, such as msil-mcp-server",
);

/** Image reference with registry and tag; its digest stands in the pins. */
export const imageReference = text(
    /^[a-z0-9.-]+(:[0-9]+)?\/[a-z0-9._/-]+:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
    "registry/repository:tag, the tag other than latest and the digest left to npm run images -- pin",
);

/** CPU quantity. */
export const cpuQuantity = text(/^([1-9][0-9]*m|[1-9][0-9]*)$/, "a CPU quantity, such as 250m or 2");

/** Memory quantity. */
export const memoryQuantity = text(/^[1-9][0-9]*(Mi|Gi)$/, "a memory quantity, such as 512Mi or 2Gi");

/** E-mail address. */
export const email = z.email({ error: "an e-mail address, such as oncall@example.com" });

/** Whole number within bounds, both included. */
export function wholeNumber(minimum: number, maximum: number) {
    const expected = `a whole number from ${minimum} to ${maximum}`;
    return z.number({ error: expected }).int(expected).min(minimum, expected).max(maximum, expected);
}

/** CPU quantity in thousandths of a core. */
export function millicores(quantity: string): number {
    return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000;
}

/** Memory quantity in MiB. */
export function mebibytes(quantity: string): number {
    return Number(quantity.slice(0, -2)) * (quantity.endsWith("Gi") ? 1024 : 1);
}
