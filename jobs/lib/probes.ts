import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GateError } from "./gate";
import { request, reasonOf, withTimeout } from "./http";
import { accepting } from "./postgres";
import { Redis } from "./redis";
import { list, oneOf, optional, pattern, type Parser, seconds, shape, text, ValidationError } from "./schema";
import { servedLeaf, type TlsTarget } from "./tls";

/** What is asked, and what counts as well. Sections 2.1, 4.3.1 and 4.3.4. */
export type Probe =
    HttpProbe | PostgresProbe | RedisProbe | OpenidProbe | KeysProbe | CertificateProbe | OutsideProbe;

interface Named {
    /** Who is asked, for the lines and as the metrics' dimension: "MCP Server". */
    name: string;
    /** Limit in seconds. */
    timeoutSeconds: number;
}

/** Answers 200. */
export interface HttpProbe extends Named {
    kind: "http";
    url: string;
}

/** PostgreSQL accepts connections, as pg_isready tells it. */
export interface PostgresProbe extends Named {
    kind: "postgres";
    /** Folder among the task's secrets, with the files `host`, `port`, `user` and `database`. */
    secrets: string;
}

/** Redis takes the password and answers PONG. */
export interface RedisProbe extends Named {
    kind: "redis";
    /** Folder among the task's secrets, with the files `host`, `port` and `password`. */
    secrets: string;
}

/** The OpenID configuration of an issuer of tokens names where its keys are. */
export interface OpenidProbe extends Named {
    kind: "openid";
    /** Of the configuration. */
    url: string;
}

/** There are keys where that configuration says. */
export interface KeysProbe extends Named {
    kind: "jwks";
    /** Of the configuration. */
    url: string;
}

/** A server shows a certificate that is valid today. */
export interface CertificateProbe extends Named, TlsTarget {
    kind: "certificate";
    /** `public`: an authority that Node.js knows vouches for it. `any`: whoever does. */
    trust: "public" | "any";
}

/** Route 53's checkers around the world reach it, as they have told the step before. */
export interface OutsideProbe extends Named {
    kind: "outside";
    /** File of the directory that the steps share, which is there if they have. */
    file: string;
}

/** What a probe found. */
export interface ProbeResult {
    healthy: boolean;
    /** What was found, in words. */
    words: string;
    /** How long the answer took; undefined when none came, or somebody else has asked. */
    milliseconds?: number | undefined;
    /** Whole days to the end of the certificate, negative once it has ended. */
    certificateDays?: number;
}

/** What probes need of their surroundings. */
export interface ProbeContext {
    signal: AbortSignal;
    /** Folder of the task's secrets. */
    secrets: string;
    /** Directory that the steps share. */
    handover: string;
    /** Clock in milliseconds. */
    now: () => number;
    /** Time of day. */
    date: () => Date;
}

/** Share of the checkers, in percent, above which Route 53 itself takes what they ask to be healthy. */
const FEWEST_REACHING = 18;

const DAY_MILLISECONDS = 86_400_000;

/** Carries out one probe. Never rejects over what is found. */
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
        case "postgres": {
            const file = secretFiles(join(secrets, probe.secrets));
            const target = { host: file("host"), port: Number(file("port")) };
            const words = await accepting(
                { ...target, user: file("user"), database: file("database") },
                signal,
            );
            return { words };
        }
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

/** What the checkers found, from Route 53's answer to GetHealthCheckStatus. */
function outsideFinding(file: string): Found {
    if (!existsSync(file)) throw new GateError("Route 53 has not told");
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

async function certificateFinding(probe: CertificateProbe, signal: AbortSignal, now: Date): Promise<Found> {
    const { leaf, distrust, error: error } = await servedLeaf(probe, signal);
    if (leaf === undefined) throw new GateError(error);
    const certificateDays = Math.floor((Date.parse(leaf.validTo) - now.getTime()) / DAY_MILLISECONDS);
    const problem =
        certificateDays < 0
            ? "has ended"
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

/** Where the keys are, as the configuration says. */
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

/** An answer of status 200, in full. */
async function answerOf(url: string, signal: AbortSignal) {
    // A connection of its own: a Service chooses the pod when it is opened.
    const { error: error, ...answer } = await request(url, { headers: { connection: "close" } }, signal);
    if (error !== undefined) throw new GateError(error);
    if (answer.status !== 200) throw new GateError(`expected status 200, found ${answer.status}`);
    return answer;
}

/** Reads the files of one Secret. What is missing may be there at the next run. */
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

const url: Parser<string> = (value, path) => {
    const found = text(value, path);
    if (!/^https?:\/\//.test(found) || !URL.canParse(found)) {
        throw new ValidationError(path, JSON.stringify(found), "a URL such as http://mcp-server:8000/health");
    }
    return found;
};

const named = { name: text, timeoutSeconds: seconds };
const shapes: { [K in Probe["kind"]]: Parser<Extract<Probe, { kind: K }>> } = {
    http: shape<HttpProbe>({ ...named, kind: oneOf("http"), url }),
    postgres: shape<PostgresProbe>({ ...named, kind: oneOf("postgres"), secrets: text }),
    redis: shape<RedisProbe>({ ...named, kind: oneOf("redis"), secrets: text }),
    openid: shape<OpenidProbe>({ ...named, kind: oneOf("openid"), url }),
    jwks: shape<KeysProbe>({ ...named, kind: oneOf("jwks"), url }),
    certificate: shape<CertificateProbe>({
        ...named,
        kind: oneOf("certificate"),
        host: pattern(/^[a-z0-9][a-z0-9.-]*$/, "a host name in lower case"),
        address: optional(pattern(/^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "host:port")),
        trust: oneOf("public", "any"),
    }),
    outside: shape<OutsideProbe>({ ...named, kind: oneOf("outside"), file: text }),
};

const kindOf = oneOf(...(Object.keys(shapes) as Probe["kind"][]));

/** Probes of a plan, each by its kind. */
export const probes: Parser<Probe[]> = list<Probe>((value, path) => {
    const { kind } = Object(value) as { kind?: unknown };
    return shapes[kindOf(kind, `${path}.kind`)](value, path);
});
