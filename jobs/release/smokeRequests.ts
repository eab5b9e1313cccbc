import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import { type GateContext } from "../lib/gate";
import { type Answer, request, reasonOf, withTimeout } from "../lib/http";
import {
    anyText,
    httpPath,
    list,
    parse,
    pattern,
    scalar,
    seconds,
    text,
    textWhere,
    wholeNumber,
} from "../lib/schema";

/** Headers that fetch sets itself, and drops or refuses otherwise. */
const CONNECTION_HEADERS =
    /^(host|connection|content-length|expect|keep-alive|sec-fetch-mode|transfer-encoding|upgrade)$/i;

const headerName = textWhere((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name), "a header name", {
    found: "a name no header can have",
});

const sentHeaderName = headerName.check(
    z.refine((name) => !CONNECTION_HEADERS.test(name), {
        error: "another header",
        params: { found: "a header that the connection sets itself" },
    }),
);

const headerValue = textWhere(
    (value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
    "one line of Latin-1 text",
    {
        found: "a text no header can carry (not shown)",
    },
);

/** Base URL of a server, without credentials. */
export const baseUrl = z.string("a text").check(
    z.refine((target) => !target.includes("@"), {
        error: "a base URL without them",
        params: { found: "a URL with credentials (not shown)" },
        abort: true,
    }),
    z.refine(
        (target) => /^https?:\/\/[^?#]+$/.test(target) && URL.canParse(target),
        "a base URL such as http://mcp-server:8000",
    ),
);

/** A request and its expected response. */
export const smokeRequest = z
    .strictObject({
        /** Name in log lines: "GET /health". */
        name: text,
        method: pattern(/^(?!(?:CONNECT|TRACE|TRACK)$)[A-Z]+$/, "an HTTP method in capitals"),
        /** Appended to the plan's target. Redirects are not followed. */
        path: httpPath,
        /** Request headers. Values are never printed, because they may be tokens. */
        headers: z.record(sentHeaderName, headerValue),
        body: z.optional(anyText),
        /** Timeout of one attempt, including the body. */
        timeoutSeconds: seconds,
        /** At least 1. If an expectation fails, repeats after 1, 2, 4, 8, 8... seconds. */
        attempts: wholeNumber(1, 1000),
        /** Whether the soak gate repeats it. Default: true. */
        soak: z.optional(z.boolean()),
        expect: z.strictObject({
            status: wholeNumber(100, 599),
            /** Header name, case-insensitive, to a text that its value must contain. */
            headers: z.optional(z.record(headerName, anyText)),
            /** Text that the body's first MiB must contain. */
            bodyContains: z.optional(text),
            /** Dotted path into a JSON body, with array indexes, to the exact value. */
            json: z.optional(z.record(z.string(), scalar)),
        }),
    })
    .check(
        z.refine(({ method, body }) => body === undefined || !/^(GET|HEAD)$/.test(method), {
            path: ["body"],
            error: "none with this method",
            params: { found: "a body" },
        }),
    );

/** A request and its expected response. */
export type SmokeRequest = z.infer<typeof smokeRequest>;

/** Requests of the smoke gate, and their target. */
export const smokePlan = z.strictObject({
    /** Subject, for log lines: "mcp-server v2.0.3". */
    subject: text,
    /** Base URL, e.g. "http://mcp-server:8000". */
    target: baseUrl,
    /** Deadline of the run in seconds, after which the gate fails. */
    deadlineSeconds: seconds,
    /** At least one. All are sent in turn, even if one fails. */
    requests: list(smokeRequest),
});

/** Requests of the smoke gate, and their target. */
export type SmokePlan = z.infer<typeof smokePlan>;

/** One attempt of a request: the problem of its response, if any. */
export async function sendOnce(
    target: string,
    request: SmokeRequest,
    { signal, now = () => performance.now() }: Pick<GateContext, "signal" | "now">,
): Promise<{ status: number | undefined; problems: string[]; milliseconds: number; answer: Answer }> {
    const start = now();
    const answer = await send(target, request, signal);
    return {
        status: answer.status,
        problems: unmetExpectations(request, answer),
        milliseconds: Math.round(now() - start),
        answer,
    };
}

/** Result of a run. */
export interface SmokeResult {
    passed: number;
    /** Names of requests that failed or were not sent. */
    failed: string[];
}

const LONGEST_PAUSE_SECONDS = 8;
/** Maximum length of a shown response: 200 whole characters. */
const EXCERPT = /^.{0,200}/su;

/** Sends all requests of a plan, one line each; never rejects. */
export async function runSmoke(
    plan: SmokePlan,
    { log, signal, now = () => performance.now() }: GateContext,
): Promise<SmokeResult> {
    const { subject, target, deadlineSeconds } = plan;
    log(`smoke ${subject} at ${target}`);
    const deadline = `the deadline of ${deadlineSeconds} s passed`;
    return withTimeout(deadlineSeconds, deadline, signal, async (run) => {
        const result: SmokeResult = { passed: 0, failed: [] };
        for (const request of plan.requests) {
            const { passed, lines } = await outcome(target, request, run, now);
            for (const line of lines) log(line);
            if (passed) result.passed += 1;
            else result.failed.push(request.name);
        }
        return result;
    });
}

/** One request with its retries, and its log lines. */
async function outcome(
    target: string,
    request: SmokeRequest,
    run: AbortSignal,
    now: () => number,
): Promise<{ passed: boolean; lines: string[] }> {
    const { name, attempts } = request;
    if (run.aborted) {
        return { passed: false, lines: [`  ✗ ${name}: not sent, ${reasonOf(run)}`] };
    }
    for (let attempt = 1; ; attempt += 1) {
        const { answer, problems, milliseconds } = await sendOnce(target, request, { signal: run, now });
        const count = `(attempt ${attempt} of ${attempts})`;
        if (problems.length === 0) {
            const line = `  ✓ ${name}: ${answer.status} in ${milliseconds} ms`;
            return { passed: true, lines: [attempt === 1 ? line : `${line} ${count}`] };
        }
        const last = attempt === attempts || run.aborted;
        if (last || !(await pause(attempt, run))) {
            const cause = last ? [] : [reasonOf(run)];
            const body = printable(request, answer.body);
            return {
                passed: false,
                lines: [
                    `  ✗ ${name}: ${[...problems, ...cause].join("; ")} ${count}`,
                    ...(body === "" ? [] : [`      body: ${body}`]),
                ],
            };
        }
    }
}

function send(
    target: string,
    { method, path, headers, body, timeoutSeconds }: SmokeRequest,
    run: AbortSignal,
): Promise<Answer> {
    return withTimeout(timeoutSeconds, `timed out after ${timeoutSeconds} s`, run, (signal) =>
        // A new connection for each attempt: a Service selects the pod when it is opened, and a kept connection may be
        // closing.
        request(
            target.replace(/\/+$/, "") + path,
            { method, headers: { ...headers, connection: "close" }, ...(body === undefined ? {} : { body }) },
            signal,
        ),
    );
}

/** Waits for the next attempt. Returns whether there is time for it. */
async function pause(attempt: number, run: AbortSignal): Promise<boolean> {
    const length = Math.min(2 ** (attempt - 1), LONGEST_PAUSE_SECONDS);
    await sleep(length * 1000, undefined, { signal: run }).catch(() => undefined);
    return !run.aborted;
}

function unmetExpectations(request: SmokeRequest, answer: Answer): string[] {
    const head = answer.status === undefined ? [] : unmetByHead(request, answer);
    return answer.error === undefined
        ? [...head, ...unmetByBody(request, answer)]
        : [...head, printable(request, answer.error)];
}

function unmetByHead(request: SmokeRequest, { status, headers }: Answer): string[] {
    const { expect } = request;
    const unmet = status === expect.status ? [] : [`expected status ${expect.status}, found ${status}`];
    for (const [name, wanted] of Object.entries(expect.headers ?? {})) {
        const value = headers.get(name) ?? undefined;
        if (!value?.includes(wanted)) {
            const [expected, found] = [shown(request, wanted), shown(request, value)];
            unmet.push(`expected header ${name} to contain ${expected}, found ${found}`);
        }
    }
    return unmet;
}

function unmetByBody(request: SmokeRequest, { body, cut }: Answer): string[] {
    const { bodyContains, json } = request.expect;
    const unmet: string[] = [];
    if (bodyContains !== undefined && !body.includes(bodyContains)) {
        const where = cut ? "not found in its first MiB" : "not found";
        unmet.push(`expected the body to contain ${shown(request, bodyContains)}, ${where}`);
    }
    if (json === undefined) {
        return unmet;
    }
    const root = cut ? undefined : parsed(body);
    if (root === undefined) {
        return [...unmet, `expected a JSON body, found ${cut ? "more than 1 MiB" : "text that is not JSON"}`];
    }
    for (const [path, wanted] of Object.entries(json)) {
        const value = valueAt(root.value, path);
        if (value !== wanted) {
            unmet.push(
                `expected JSON ${path} to be ${shown(request, wanted)}, found ${shown(request, value)}`,
            );
        }
    }
    return unmet;
}

function parsed(source: string): { value: unknown } | undefined {
    try {
        return { value: JSON.parse(source) as unknown };
    } catch {
        return undefined;
    }
}

function valueAt(value: unknown, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>(
            (at, key) =>
                typeof at === "object" && at !== null && Object.hasOwn(at, key)
                    ? (at as Record<string, unknown>)[key]
                    : undefined,
            value,
        );
}

/** A value as text for a line. */
function shown(request: SmokeRequest, value: unknown): string {
    return value === undefined ? "nothing" : printable(request, JSON.stringify(value));
}

/** Headers with public values, which need not be hidden. */
const PUBLIC_HEADERS = /^(accept|content-type|mcp-protocol-version)$/i;

/**
 * A response as one line for the log: without control characters, shortened, and without the sent header values, which
 * a server may echo.
 */
function printable({ headers }: SmokeRequest, raw: string): string {
    const secrets = Object.entries(headers)
        .filter(([name]) => !PUBLIC_HEADERS.test(name))
        .flatMap(([, value]) => [
            value.trim(),
            // A server may echo "Bearer <token>" as the token alone, and "Basic abc12" as a short one.
            value.trim().replace(/^\S+\s+/, ""),
            ...value.split(/\s+/).filter((word) => word.length >= 8),
        ])
        .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
        // Shorter values are no secrets ("1", "en"), and replacing them would garble the text.
        .filter((value) => value.length >= 4)
        // Longest first, so that a part does not break a longer one.
        .sort((a, b) => b.length - a.length);
    const line = raw.replace(/[\t\r\n]+/g, " ").replace(/[\p{Cc}\u2028\u2029]/gu, "");
    const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, "•••"), line).trim();
    return EXCERPT.exec(hidden)![0];
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseSmokePlan(raw: unknown): SmokePlan {
    return parse(smokePlan, raw);
}
