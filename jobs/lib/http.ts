/** Default limit of a body, in bytes. */
const BODY_LIMIT = 1024 * 1024;

/** Result of one request, perhaps partial. */
export interface Answer {
    /** Undefined without a response. */
    status?: number;
    headers: Headers;
    /** The body up to the limit, 1 MiB by default, or what arrived before it broke off. */
    body: string;
    /** Whether the body is longer. */
    cut: boolean;
    /** Why there is no response or only a part, as text. */
    error?: string;
}

/** Sends one request and reads the response. Never rejects: an error is part of the result. */
export async function request(
    url: string,
    init: RequestInit,
    signal: AbortSignal,
    limit = BODY_LIMIT,
): Promise<Answer> {
    const answer: Answer = { headers: new Headers(), body: "", cut: false };
    try {
        const response = await fetch(url, { ...init, redirect: "manual", signal });
        answer.status = response.status;
        answer.headers = response.headers;
        await readBody(response, answer, limit);
    } catch (error) {
        const reason = signal.aborted ? reasonOf(signal) : describeError(error);
        answer.error = answer.status === undefined ? reason : `${reason} before the body ended`;
    }
    return answer;
}

async function readBody(response: Response, answer: Answer, limit: number): Promise<void> {
    const decoder = new TextDecoder();
    let left = limit;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        answer.body += decoder.decode(chunk.subarray(0, left), { stream: true });
        left -= chunk.length;
        if (left < 0) {
            answer.cut = true;
            return;
        }
    }
}

/** Gets a complete page with status 200. Never rejects: an error is part of the result. */
export async function fetchPage(
    url: string,
    { accept, seconds, limit }: { accept: string; seconds: number; limit: number },
    signal: AbortSignal,
): Promise<{ status?: number | undefined; body: string; error?: string }> {
    const late = `timed out after ${seconds} s`;
    const { status, body, cut, error } = await withTimeout(seconds, late, signal, (attempt) =>
        // No keep-alive: a kept connection may break when it is used again, and the server would seem down.
        request(url, { headers: { accept, connection: "close" } }, attempt, limit),
    );
    if (error !== undefined) return { status, body, error };
    if (status !== 200) return { status, body, error: `status ${status}` };
    return { status, body, ...(cut ? { error: `more than ${limit / 1024 ** 2} MiB` } : {}) };
}

/** Runs `work` with a signal that is aborted after `seconds`, with `reason`, or with its `parent`. */
export async function withTimeout<T>(
    seconds: number,
    reason: string,
    parent: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
    const controller = new AbortController();
    const follow = () => controller.abort(parent.reason);
    const timer = setTimeout(() => controller.abort(new Error(reason)), seconds * 1000);
    parent.addEventListener("abort", follow);
    if (parent.aborted) follow();
    try {
        return await work(controller.signal);
    } finally {
        clearTimeout(timer);
        parent.removeEventListener("abort", follow);
    }
}

/** Why a signal was aborted, as text. */
export function reasonOf(signal: AbortSignal): string {
    return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}

const WORDS: [code: RegExp, words: string][] = [
    [/^ECONNREFUSED$/, "connection refused"],
    [/^(ENOTFOUND|EAI_)/, "name not found"],
    [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, "connection dropped"],
    [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, "timed out while connecting"],
    [/^E(HOST|NET)UNREACH$/, "no route to the host"],
    [/^HPE_/, "an answer that is not HTTP"],
    [/^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|EPROTO$)|SELF_SIGNED/, "TLS failure"],
];

/** A failed request as text, with the error's code. */
export function describeError(error: unknown): string {
    const cause = (error instanceof Error && error.cause) || error;
    const { code, message } = cause as { code?: string; message?: string };
    const words = WORDS.find(([form]) => code !== undefined && form.test(code))?.[1];
    return words === undefined ? `request failed: ${message ?? String(cause)}` : `${words} (${code})`;
}
