import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Credentials, dockerCredentials } from "./credentials";
import { type ImageReference, parseReference } from "./reference";

/** Access to the registry. */
export interface ResolveOptions {
    /** Default: Node's fetch. */
    fetch?: typeof globalThis.fetch;
    /** Called only if the registry requires authentication. Default: the credentials of `docker login`. */
    credentials?: (registry: string) => Promise<Credentials | undefined>;
    /** Timeout of each request. Default: 10 s. */
    timeoutMs?: number;
}

interface Answer {
    status: number;
    headers: Headers;
    body: Buffer;
    /** URL of the responder, after redirects. */
    origin: string;
}

type Send = (url: string, init: RequestInit) => Promise<Answer>;

/** Index types first, so that a multi-platform tag is pinned for all platforms. */
const MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
/** Statuses of registries or proxies that do not support HEAD. */
const WITHOUT_HEAD: readonly number[] = [405, 501];
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TRIES = 3;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Current digest of `registry/repository:tag`, from its registry over HTTPS (plain HTTP only on loopback hosts). Tries
 * three times on rate limits, server errors and network errors.
 *
 * @throws Error of one line that names the reference, what was found and what to do, without credentials or tokens.
 */
export async function resolveDigest(reference: string, options: ResolveOptions = {}): Promise<string> {
    const image = parseReference(reference);
    const { fetch = globalThis.fetch, credentials = dockerCredentials, timeoutMs = 10_000 } = options;
    try {
        return await askRegistry(image, retrying(fetch, timeoutMs), () => credentials(image.registry));
    } catch (error) {
        throw new Error(`${reference}: ${(error as Error).message.replace(/\s+/g, " ")}`);
    }
}

async function askRegistry(
    image: ImageReference,
    send: Send,
    credentials: () => Promise<Credentials | undefined>,
): Promise<string> {
    const { registry, repository, tag } = image;
    const { origin } = new URL(`${isLoopback(registry) ? "http" : "https"}://${registry}`);
    const headers = new Headers({ accept: MANIFEST_TYPES.join(", ") });
    const ask = (method: string) => send(`${origin}/v2/${repository}/manifests/${tag}`, { method, headers });

    const askWithLogin = async (method: string) => {
        const answer = await ask(method);
        // Only the registry itself may request credentials, not a host that it redirects to.
        if (answer.status !== 401 || answer.origin !== origin || headers.has("authorization")) {
            return answer;
        }
        const challenge = answer.headers.get("www-authenticate") ?? "";
        const authorization = await authorize(image, origin, challenge, send, await credentials());
        if (authorization === undefined) {
            return answer;
        }
        headers.set("authorization", authorization);
        return ask(method);
    };

    const head = await askWithLogin("HEAD");
    const claimed = WITHOUT_HEAD.includes(head.status)
        ? undefined
        : claimedDigest(demand(head, registry, registry));
    return claimed ?? hashedDigest(demand(await askWithLogin("GET"), registry, registry));
}

/** The Authorization header for a challenge; undefined without credentials. */
async function authorize(
    { registry, repository }: ImageReference,
    origin: string,
    challenge: string,
    send: Send,
    credentials: Credentials | undefined,
): Promise<string | undefined> {
    const basic =
        credentials &&
        `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
    const bearer = parameters(challenge, "Bearer");
    if (bearer === undefined) {
        return /\bBasic\b/i.test(challenge) ? basic : undefined;
    }
    const { realm = "", service, scope = `repository:${repository}:pull` } = bearer;
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    // Over plain HTTP, the password and the token would be readable on the network.
    if (url?.protocol !== "https:" && url?.origin !== origin) {
        throw new Error(
            "401 with a token service that is not reached over https; correct the registry's realm",
        );
    }
    if (service !== undefined) {
        url.searchParams.set("service", service);
    }
    url.searchParams.set("scope", scope);
    const answer = await send(url.href, {
        headers: basic === undefined ? {} : { authorization: basic },
        redirect: "manual",
    });
    const token = tokenIn(demand(answer, `token service ${url.host}`, registry).body);
    if (token === undefined) {
        throw new Error(`token service ${url.host} answered without a token; check the registry's realm`);
    }
    return `Bearer ${token}`;
}

/** Parameters of one scheme in a WWW-Authenticate header; undefined if the scheme is missing. */
function parameters(challenge: string, scheme: string): Record<string, string> | undefined {
    const parameter = String.raw`(\w+)=(?:"([^"]*)"|([^\s",]+))[\s,]*`;
    const [, list] = new RegExp(String.raw`\b${scheme}\s+((?:${parameter})+)`, "i").exec(challenge) ?? [];
    if (list === undefined) {
        return undefined;
    }
    const matches = [...list.matchAll(new RegExp(parameter, "g"))];
    return Object.fromEntries(
        matches.map(([, name = "", quoted, bare = ""]) => [name.toLowerCase(), quoted ?? bare]),
    );
}

function tokenIn(body: Buffer): string | undefined {
    try {
        const { token, access_token } = JSON.parse(body.toString()) as Record<string, unknown>;
        const found = token ?? access_token;
        // Headers quotes invalid values in its error.
        return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
    } catch {
        // JSON.parse's error would quote the response, and perhaps the token.
        return undefined;
    }
}

/** The response if it succeeded; otherwise throws an Error with what to do. */
function demand(answer: Answer, who: string, registry: string): Answer {
    const { status, origin } = answer;
    if (origin.startsWith("http:") && !isLoopback(new URL(origin).host)) {
        throw new Error(`${who} redirects to plain http; correct the registry`);
    }
    if (status >= 200 && status < 300) {
        return answer;
    }
    const advice: Record<number, string> = {
        401: `run docker login ${registry}`,
        403: `run docker login ${registry} as a user who may pull the repository`,
        404: "repository or tag unknown, push the image or correct its version",
        429: "too many requests, try again later",
    };
    const otherwise = status >= 500 ? "try again later" : "check that this is an image registry";
    throw new Error(`${status} from ${who}; ${advice[status] ?? otherwise}`);
}

function claimedDigest({ headers }: Answer): string | undefined {
    const digest = headers.get("docker-content-digest") ?? undefined;
    if (digest !== undefined && !DIGEST.test(digest)) {
        throw new Error("Docker-Content-Digest is no sha256 digest; check that this is an image registry");
    }
    return digest;
}

function hashedDigest(answer: Answer): string {
    const [type = ""] = (answer.headers.get("content-type") ?? "").split(";");
    // Otherwise the login page of a proxy would be pinned.
    if (!MANIFEST_TYPES.includes(type.trim().toLowerCase())) {
        throw new Error("the answer is no image manifest; check that this is an image registry");
    }
    const digest = `sha256:${createHash("sha256").update(answer.body).digest("hex")}`;
    if ((claimedDigest(answer) ?? digest) !== digest) {
        throw new Error("the manifest does not match its Docker-Content-Digest; do not use this registry");
    }
    return digest;
}

/** Sends a request, with retries. */
function retrying(fetch: typeof globalThis.fetch, timeoutMs: number): Send {
    return async (url, init) => {
        for (let attempt = 1; ; attempt++) {
            let pause = FIRST_PAUSE_MS * 2 ** (attempt - 1);
            try {
                const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
                const { status, headers } = response;
                // Read inside the retry: a body may break off or stall too.
                const body = Buffer.from(await response.arrayBuffer());
                if (attempt === TRIES || (status !== 429 && status < 500)) {
                    return { status, headers, body, origin: new URL(response.url || url).origin };
                }
                pause = retryAfter(headers) ?? pause;
            } catch (error) {
                if (attempt === TRIES) {
                    const reason = reasonOf(error, timeoutMs);
                    throw new Error(
                        `${new URL(url).host} is not reached (${reason}); check host and network`,
                    );
                }
            }
            await delay(pause);
        }
    };
}

/** The server's retry delay, in seconds or until a date. */
function retryAfter(headers: Headers): number | undefined {
    const value = headers.get("retry-after") ?? "";
    const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
    return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_PAUSE_MS);
}

/** Why a request failed, by its code only: messages of fetch quote headers and addresses. */
function reasonOf(error: unknown, timeoutMs: number): string {
    const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
    if (name === "TimeoutError") {
        return `no answer within ${timeoutMs} ms`;
    }
    return typeof cause?.code === "string" ? cause.code : "network error";
}

function isLoopback(host: string): boolean {
    return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}
