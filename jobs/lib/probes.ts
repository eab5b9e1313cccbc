import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { GateError } from "./gate";
import { request, reasonOf, withTimeout } from "./http";
import { Redis } from "./redis";
import { list, oneOf, seconds, text, textWhere, variants } from "./schema";
import { POSTGRES_READY } from "./sharedVolume";
import { servedLeaf, tlsTarget } from "./tls";

/** A URL with its scheme. */
const url = textWhere(
    (value) => /^https?:\/\//.test(value) && URL.canParse(value),
    "a URL such as http://mcp-server:8000/health",
);

/** Fields of every probe. */
const common = {
    /** Name in log lines, and the metrics' dimension: "MCP Server". */
    name: text,
    /** Timeout in seconds. */
    timeoutSeconds: seconds,
};

const probe = variants("kind", [
    /** Answers 200. */
    z.strictObject({ ...common, kind: z.literal("http"), url }),
    /** PostgreSQL accepts connections, by pg_isready in an earlier step, `jobs/database/health.sh`. */
    z.strictObject({ ...common, kind: z.literal("postgres") }),
    /** Redis accepts the password and answers PONG. */
    z.strictObject({
        ...common,
        kind: z.literal("redis"),
        /** Folder among the task's secrets, with the files `host`, `port` and `password`. */
        secrets: text,
    }),
    /** The issuer's OpenID configuration names the URL of its keys. */
    z.strictObject({
        ...common,
        kind: z.literal("openid"),
        /** URL of the configuration. */
        url,
    }),
    /** The URL in that configuration has keys. */
    z.strictObject({
        ...common,
        kind: z.literal("jwks"),
        /** URL of the configuration. */
        url,
    }),
    /** A server presents a certificate that is valid today. */
    z.strictObject({
        ...common,
        kind: z.literal("certificate"),
        ...tlsTarget,
        /** `public`: issued by an authority that Node.js trusts. `any`: by any authority. */
        trust: oneOf("public", "any"),
    }),
    /** Route 53's checkers reach it, by the result of an earlier step. */
    z.strictObject({
        ...common,
        kind: z.literal("outside"),
        /** File with the result, in the shared directory. */
        file: text,
    }),
]);

/** A target of the health check, and when it is healthy. Sections 2.1, 4.3.1 and 4.3.4. */
export type Probe = z.infer<typeof probe>;

/** Probes of a plan. */
export const probes = list(probe);

/** Result of a probe. */
export interface ProbeResult {
    healthy: boolean;
    /** The result as text. */
    words: string;
    /** Response time; undefined without a response, or if an earlier step measured. */
    milliseconds?: number | undefined;
    /** Whole days until the certificate ends, negative after its end. */
    certificateDays?: number;
}

/** Context of probes. */
export interface ProbeContext {
    signal: AbortSignal;
    /** Folder of the task's secrets. */
    secrets: string;
    /** Directory shared by the steps. */
    handover: string;
    /** Clock in milliseconds. */
    now: () => number;
    /** Current time. */
    date: () => Date;
}

/** Share of checkers, in percent, above which Route 53 considers a target healthy. */
const FEWEST_REACHING = 18;

const DAY_MILLISECONDS = 86_400_000;

/** Runs one probe. Never rejects. */
export async function carryOut(probe: Probe, context: ProbeContext): Promise<ProbeResult> {
    const reason = `no answer within ${probe.timeoutSeconds} s`;
    return withTimeout(probe.timeoutSeconds, reason, context.signal, async (signal) => {
        const start = context.now();
        try {
            const found = await findingOf(probe, { ...context, signal });
            return { healthy: true, milliseconds: Math.round(context.now() - start), ...found };
        } catch (error) {
            if (!(error instanceof GateError)) throw error;
            return { healthy: false, words: signal.aborted ? reasonOf(signal) : error.message };
        }
    });
}

type Found = Pick<ProbeResult, "words"> & Partial<ProbeResult>;

async function findingOf(probe: Probe, { signal, secrets, handover, date }: ProbeContext): Promise<Found> {
    switch (probe.kind) {
        case "http":
            return { words: String((await answerOf(probe.url, signal)).status) };
        case "postgres":
            return databaseFinding(join(handover, POSTGRES_READY));
        case "redis": {
            const file = secretFiles(join(secrets, probe.secrets));
            const target = { host: file("host"), port: Number(file("port")), password: file("password") };
            const redis = await Redis.connect(target, signal);
            try {
                return { words: String(await redis.command("PING")) };
            } finally {
                redis.close();
            }
        }
        case "openid":
            return { words: `keys at ${await keysUrl(probe.url, signal)}` };
        case "jwks": {
            const { keys } = await jsonOf(await keysUrl(probe.url, signal), signal);
            if (!Array.isArray(keys) || keys.length === 0) throw new GateError("found no keys");
            return { words: `${keys.length} ${keys.length === 1 ? "key" : "keys"}` };
        }
        case "certificate":
            return certificateFinding(probe, signal, date());
        case "outside":
            return { milliseconds: undefined, ...outsideFinding(join(handover, probe.file)) };
    }
}

/** Result of pg_isready in the earlier step: "STATUS MILLISECONDS WORDS". */
function databaseFinding(file: string): Found {
    if (!existsSync(file)) throw new GateError("pg_isready was not run");
    const [status, milliseconds, ...words] = readFileSync(file, "utf8").trim().split(" ");
    if (status !== "0") throw new GateError(words.join(" ") || `pg_isready ended with ${status}`);
    return { words: words.join(" "), milliseconds: Number(milliseconds) };
}

/** The checkers' results, from Route 53's GetHealthCheckStatus. */
function outsideFinding(file: string): Found {
    if (!existsSync(file)) throw new GateError("Route 53 has not reported");
    const { HealthCheckObservations: observations = [] } = JSON.parse(readFileSync(file, "utf8")) as {
        HealthCheckObservations?: { StatusReport: { Status: string } }[];
    };
    const failures = observations.flatMap(({ StatusReport: { Status: status } }) =>
        status.startsWith("Success") ? [] : [status],
    );
    const reaching = observations.length - failures.length;
    const words = `${reaching} of ${observations.length} checkers reach it`;
    return {
        healthy: 100 * reaching > FEWEST_REACHING * observations.length,
        words: failures.length === 0 ? words : `${words}; ${failures[0]}`,
    };
}

async function certificateFinding(
    probe: Extract<Probe, { kind: "certificate" }>,
    signal: AbortSignal,
    now: Date,
): Promise<Found> {
    const { leaf, distrust, error: error } = await servedLeaf(probe, signal);
    if (leaf === undefined) throw new GateError(error);
    const certificateDays = Math.floor((Date.parse(leaf.validTo) - now.getTime()) / DAY_MILLISECONDS);
    const problem =
        certificateDays < 0
            ? "has ended"
            : Date.parse(leaf.validFrom) > now.getTime()
              ? `is not valid before ${new Date(leaf.validFrom).toISOString().slice(0, 10)}`
              : leaf.checkHost(probe.host) === undefined
                ? `is not for ${probe.host}`
                : probe.trust === "public" && distrust !== undefined
                  ? `is not trusted: ${distrust}`
                  : undefined;
    const end = new Date(leaf.validTo).toISOString().slice(0, 10);
    return {
        healthy: problem === undefined,
        words: problem === undefined ? `${certificateDays} days, until ${end}` : `${problem} (until ${end})`,
        certificateDays,
    };
}

/** URL of the keys, from the configuration. */
async function keysUrl(configuration: string, signal: AbortSignal): Promise<string> {
    const { jwks_uri: url } = await jsonOf(configuration, signal);
    if (typeof url !== "string" || !URL.canParse(url)) throw new GateError("found no jwks_uri");
    return url;
}

async function jsonOf(url: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { body } = await answerOf(url, signal);
    try {
        return Object(JSON.parse(body)) as Record<string, unknown>;
    } catch {
        throw new GateError("expected JSON, found something else");
    }
}

/** A complete response with status 200. */
async function answerOf(url: string, signal: AbortSignal) {
    // A new connection: a Service selects the pod when it is opened.
    const { error: error, ...answer } = await request(url, { headers: { connection: "close" } }, signal);
    if (error !== undefined) throw new GateError(error);
    if (answer.status !== 200) throw new GateError(`expected status 200, found ${answer.status}`);
    return answer;
}

/** Reads the files of one Secret. A missing file may exist at the next run. */
export function secretFiles(folder: string): (name: string) => string {
    return (name) => {
        try {
            return readFileSync(join(folder, name), "utf8").trim();
        } catch (error) {
            throw new GateError(
                `${join(folder, name)} cannot be read (${(error as NodeJS.ErrnoException).code})`,
            );
        }
    };
}
