import { z } from "zod";
import { cidrsOf, rangeOf } from "../core/addresses";

/** A string that must match `pattern`; `expected` is used in the error. */
export function text(pattern: RegExp, expected: string) {
    return typedText(z.string({ error: expected }).regex(pattern, expected));
}

/**
 * A string that may look like another type: `pulumi config set --path` writes 2 for `2` and true for `true`. Refuses a
 * fraction, because `1.10` is read as 1.1, and a number with more digits than a double holds.
 */
export function typedText<T extends z.ZodType<string, string>>(schema: T) {
    return z.preprocess((value, context) => {
        if (typeof value === "number" && !Number.isSafeInteger(value)) {
            context.addIssue({ code: "custom", message: 'a text in quotes, such as "1.10"' });
            return z.NEVER;
        }
        return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
    }, schema);
}

const GO_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) (?!UTC)\S+$/;

/**
 * Time with its zone; also in Go's notation, in which the engine passes an unquoted time of the file. Refuses Go's
 * notation with UTC, because a time without a zone has the same form. An invalid time aborts, so that later rules do
 * not calculate with it.
 */
export const instant = z.preprocess(
    (value) => (typeof value === "string" ? value.replace(GO_TIME, "$1T$2$3:$4") : value),
    z.iso.datetime({
        offset: true,
        error: 'a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        abort: true,
    }),
);

/** Maximum length of a typed text. */
const LONGEST_TEXT = 1000;

/** Any text except the empty one. */
export const someText = z
    .string({ error: "a text" })
    .min(1, "a text that is not empty")
    .max(LONGEST_TEXT, `a text of at most ${LONGEST_TEXT} characters`);

/** Kubernetes object or namespace name (RFC 1123 label). */
export const dnsLabel = text(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of at most 63 lower-case letters, digits and hyphens, such as mcp-server",
);

/** DNS subdomain (RFC 1123), as Kubernetes takes it for the names of classes and before the slash of a key. */
export const DNS_SUBDOMAIN =
    "(?=.{1,253}(/|$))[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/** Environment variable name. It is a key of a ConfigMap or a Secret. */
export const environmentName = text(
    /^[A-Z][A-Z0-9_]{0,252}$/,
    "an environment variable name of at most 253 capitals, digits and underscores, such as LOG_LEVEL",
);

/** Most bytes of one value, which a process takes as an environment variable or reads as a file. */
const MOST_VALUE_BYTES = 64 * 1024;

/** Value of an environment variable. Linux starts no process with one of 128 KiB. */
export const environmentValue = typedText(
    z.string({ error: "a text" }).refine(isShortEnough, { error: "a text of at most 64 KiB" }),
);

/** Whether a text has at most as many bytes as a value may have. */
export function isShortEnough(text: string): boolean {
    return Buffer.byteLength(text) <= MOST_VALUE_BYTES;
}

/** Duration with its unit, at most some years. Parsed to seconds. */
export const duration = text(
    /^[1-9][0-9]{0,4}(s|m|h|d)$/,
    "a duration with its unit, such as 30s, 10m, 2h or 7d",
).transform(toSeconds);

/** A duration with a maximum, such as `1h`. */
export function durationUpTo(longest: string) {
    return duration.refine((seconds) => seconds <= toSeconds(longest), {
        error: `at most ${longest}`,
        abort: true,
    });
}

function toSeconds(duration: string): number {
    const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[duration.slice(-1)] ?? NaN;
    return Number(duration.slice(0, -1)) * unit;
}

/** Duration of whole days. Parsed to days. */
export function wholeDays(maximum: number) {
    return duration.transform((seconds, context) => {
        const days = seconds / 86_400;
        if (!Number.isInteger(days) || days > maximum) {
            context.addIssue({ code: "custom", message: `whole days, at most ${maximum}d` });
        }
        return days;
    });
}

/** Path of an HTTP request, and its query. */
export const httpPath = text(
    /^\/[\w.~!$&'()*+,;=:@%/?-]{0,1023}$/,
    "an HTTP path that begins with /, such as /health",
);

/** IPv4 range that begins with its first address: AWS refuses any other. */
export const cidr = z
    .cidrv4({ error: "an IPv4 range, such as 10.20.0.0/16", abort: true })
    .superRefine((range, context) => {
        const first = cidrsOf(rangeOf(range)!)[0];
        if (first !== range) {
            context.addIssue({ code: "custom", message: `the range from its first address on, ${first}` });
        }
    });

/** Subnet of a VPC. */
export const subnet = text(/^subnet-[0-9a-f]{8,17}$/, "the id of a subnet, such as subnet-0a1b2c3d4e5f67890");

/** Name of an S3 bucket, without the prefixes and suffixes that S3 reserves. */
export const bucketName = text(
    /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--(ol|x|table)-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    "the name of a bucket, of 3 to 63 lower-case letters, digits and hyphens, without what S3 reserves",
);

/** A list without duplicates; `keyOf` gives the same text for what is the same item. */
export function distinct<T extends z.ZodType>(
    list: z.ZodArray<T>,
    keyOf: (item: z.output<T>) => string = (item) => JSON.stringify(item),
) {
    return list.superRefine((items, context) => {
        const texts = items.map(keyOf);
        texts.forEach((item, index) => {
            if (texts.indexOf(item) < index) {
                context.addIssue({ code: "custom", path: [index], message: "each once" });
            }
        });
    });
}

/** TCP port. */
export const port = wholeNumber(1, 65_535);

/** Share of something, in percent. */
export const percent = wholeNumber(1, 100);

/** Release tag of an image, which is also a label of its pods. Never `latest`, whose image changes. */
export const versionTag = text(
    /^(?!latest$)[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/,
    "a version tag other than latest, such as v2.1.0",
);

/** Content digest of an image. */
export const digest = text(
    /^sha256:[0-9a-f]{64}$/,
    "sha256: and 64 hexadecimal digits, as written by npm run images -- pin",
);

const PORT = "([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";

/** Host of an image's registry, with its port, and repository of an image: as container runtimes take them. */
const REGISTRY_HOST = `(?=[^/]*[.:]|localhost(/|$))[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:${PORT})?`;
const REPOSITORY = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*";

/** Registry of images, or a folder of one. */
export const registry = text(
    new RegExp(`^(?=.{1,200}$)${REGISTRY_HOST}(/${REPOSITORY})?$`),
    "a registry host, such as registry.example.com",
);

/** Repository of an image within its registry. */
export const repository = text(
    new RegExp(`^(?=.{1,200}$)${REPOSITORY}$`),
    "an image repository without registry and tag, such as msil-mcp-server",
);

/** Image reference with registry and tag. The pins have its digest. */
export const imageReference = text(
    new RegExp(`^(?=.{1,400}$)${REGISTRY_HOST}/${REPOSITORY}:(?!latest$)\\w[\\w.-]{0,127}$`),
    "registry/repository:tag, the tag other than latest and the digest left to npm run images -- pin",
);

/** Host and TCP port. */
export const hostAndPort = text(
    new RegExp(`^(\\[[0-9a-f:]+\\]|[A-Za-z0-9][A-Za-z0-9.-]*):${PORT}$`),
    "host:port, such as traefik.ingress.svc:443",
);

/** CPU quantity, at most that of the largest node. */
export const cpuQuantity = text(/^([1-9][0-9]{0,5}m|[1-9][0-9]{0,2})$/, "a CPU quantity, such as 250m or 2");

/** Memory quantity, at most some TiB. */
export const memoryQuantity = text(/^[1-9][0-9]{0,3}(Mi|Gi)$/, "a memory quantity, such as 512Mi or 2Gi");

const DISK = "the size of a disk, such as 10Gi";

/** Size of a disk, at most some TiB. */
export const diskQuantity = typedText(
    z.string({ error: DISK }).regex(/^[1-9][0-9]{0,3}(Mi|Gi)$/, { error: DISK, abort: true }),
);

/** Size of a file, at most some TiB. Parsed to bytes. */
export const fileSize = text(
    /^[1-9][0-9]{0,3}(Ki|Mi|Gi)$/,
    "the size of a file, such as 64Ki or 2Mi",
).transform((size) => parseInt(size, 10) * 1024 ** (["Ki", "Mi", "Gi"].indexOf(size.slice(-2)) + 1));

/** E-mail address, at most as long as mail servers take it. */
export const email = z
    .email({ error: "an e-mail address, such as oncall@example.com" })
    .regex(/^(?=.{1,254}$).{1,64}@/, "an e-mail address of at most 254 characters, 64 of them before the @");

/** E-mail addresses without duplicates. */
export function addresses(least: string) {
    return distinct(z.array(email, { error: "a list of e-mail addresses" }).min(1, least), (each) =>
        each.toLowerCase(),
    );
}

/** Whole number within inclusive bounds. */
export function wholeNumber(minimum: number, maximum: number) {
    const expected = `a whole number from ${minimum} to ${maximum}`;
    return z.number({ error: expected }).int(expected).min(minimum, expected).max(maximum, expected);
}
