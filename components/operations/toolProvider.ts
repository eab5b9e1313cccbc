import { readFileSync } from "node:fs";
import {
    type CheckResult,
    type CreateResult,
    type DiffResult,
    type ReadResult,
    type ResourceProvider,
    type UpdateResult,
} from "@pulumi/pulumi/dynamic";
import { request, type Answer, withTimeout } from "../../jobs/lib/http";
import { ADMIN_API } from "../../core/numbers";

/** Limit of a response, in bytes. */
const ANSWER_LIMIT = 64 * 1024;

/** A tool of MCP Server, and whether it is enabled. */
export interface ToolState {
    /** URL of the admin API's tools, to which `/` and the tool's name are added. */
    api: string;
    tool: string;
    enabled: boolean;
}

/** Time limits of calls to the admin API, in seconds. */
export interface Patience {
    /** Timeout of one request. */
    timeout: number;
    /** Pauses after failed requests; a failure after the last pause is an error. */
    pauses: readonly number[];
}

/** Gives up after a minute, because someone waits for the tool to be disabled. */
const PATIENCE: Patience = { timeout: 10, pauses: [1, 2, 4] };

/**
 * Dynamic provider that switches tools through the admin API. Section 4.3.1 step 5. The engine stores its source in the
 * stack's state and runs it in another process, so it may hold no secret before it is configured there.
 */
export class ToolProvider implements ResourceProvider<ToolState, ToolState> {
    private token: string | undefined;
    private error = "the provider has not been configured";

    constructor(private readonly patience = PATIENCE) {}

    /**
     * Reads the token. A missing token fails only what needs it. Synchronous, because the provider may be called before
     * an awaited read ends.
     */
    async configure(): Promise<void> {
        const file = process.env[ADMIN_API.tokenFile];
        if (file === undefined || file === "") {
            this.error = `${ADMIN_API.tokenFile} is not set: it names the file that holds the token`;
            return;
        }
        let token: string;
        try {
            token = readFileSync(file, "utf8").trim();
        } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            this.error = `the file that ${ADMIN_API.tokenFile} names cannot be read (${code})`;
            return;
        }
        // Node's fetch quotes a refused header in its error.
        if (/^[\x21-\x7e]+$/.test(token)) {
            this.token = token;
        } else {
            this.error = `the file that ${ADMIN_API.tokenFile} names holds no token: it is one word of ASCII characters`;
        }
    }

    /** Checks before the update that there is a token, if one will be needed. */
    async check(olds: Partial<ToolState>, news: ToolState): Promise<CheckResult<ToolState>> {
        const isNeeded = olds.enabled !== news.enabled || olds.api !== news.api;
        return isNeeded && this.token === undefined
            ? { inputs: news, failures: [{ property: "", reason: this.error }] }
            : { inputs: news };
    }

    async diff(_id: string, olds: ToolState, news: ToolState): Promise<DiffResult> {
        return {
            changes: olds.enabled !== news.enabled || olds.api !== news.api || olds.tool !== news.tool,
            replaces: olds.tool === news.tool ? [] : ["tool"],
        };
    }

    async create(inputs: ToolState): Promise<CreateResult<ToolState>> {
        await this.set(inputs, inputs.enabled);
        return { id: inputs.tool, outs: stateOf(inputs, inputs.enabled) };
    }

    /** Reads manual changes; a tool that does not exist is removed from the stack. */
    async read(id: string, props?: ToolState): Promise<ReadResult<ToolState>> {
        // Missing only in an import, which dynamic providers do not support.
        const state = props!;
        const { status, body } = await this.request("GET", state, "look at");
        if (status === 404) {
            return { id: "" };
        }
        const found = stateOf(state, enabledIn(body, state));
        return { id, props: found, inputs: found };
    }

    async update(_id: string, _olds: ToolState, news: ToolState): Promise<UpdateResult<ToolState>> {
        await this.set(news, news.enabled);
        return { outs: stateOf(news, news.enabled) };
    }

    async delete(_id: string, state: ToolState): Promise<void> {
        await this.set(state, true);
    }

    private async set(state: ToolState, enabled: boolean): Promise<void> {
        const doing = enabled ? "enable" : "disable";
        const { status } = await this.request("PATCH", state, doing, { enabled });
        if (status === 404) {
            throw failure(
                doing,
                state,
                "it has no such tool (404): is the name right? A removed tool leaves the stack with `pulumi up " +
                    "--refresh`",
            );
        }
    }

    /** Sends a request until a final response: success, or an unknown tool. */
    private async request(method: string, state: ToolState, doing: string, change?: object): Promise<Answer> {
        if (this.token === undefined) {
            throw failure(doing, state, this.error);
        }
        const url = `${state.api}/${encodeURIComponent(state.tool)}`;
        const init = {
            method,
            headers: {
                accept: "application/json",
                authorization: `Bearer ${this.token}`,
                ...(change && { "content-type": "application/json" }),
            },
            ...(change && { body: JSON.stringify(change) }),
        };
        const { timeout, pauses } = this.patience;
        for (let attempt = 0; ; attempt++) {
            const answer = await withTimeout(
                timeout,
                `no answer within ${timeout} s`,
                new AbortController().signal,
                (signal) => request(url, init, signal, ANSWER_LIMIT),
            );
            const wrong = wrongWith(answer);
            if (wrong === undefined) {
                return answer;
            }
            if (!wrong.mayPass || attempt === pauses.length) {
                const tries = wrong.mayPass && attempt > 0 ? `, ${attempt + 1} times` : "";
                throw failure(doing, state, wrong.words + tries);
            }
            await new Promise((done) => setTimeout(done, pauses[attempt]! * 1000));
        }
    }
}

/** The problem of a response, and whether a retry may succeed. Does not repeat the body, which may contain secrets. */
function wrongWith({ status, error: trouble }: Answer): { words: string; mayPass: boolean } | undefined {
    if (trouble !== undefined || status === undefined) {
        return { words: trouble ?? "no answer", mayPass: true };
    }
    if (status === 404 || (status >= 200 && status < 300)) {
        return undefined;
    }
    const words: Readonly<Record<number, string>> = {
        401: "it refuses the token (401): has it expired?",
        403: "the token's owner may not (403)",
    };
    return { words: words[status] ?? `it answers ${status}`, mayPass: status === 429 || status >= 500 };
}

function enabledIn(body: string, state: ToolState): boolean {
    let answer: unknown;
    try {
        answer = JSON.parse(body);
    } catch {
        answer = undefined;
    }
    const { enabled } = (answer ?? {}) as { enabled?: unknown };
    if (typeof enabled !== "boolean") {
        throw failure("look at", state, "its answer is no JSON with `enabled`, true or false");
    }
    return enabled;
}

/** Only these properties: the engine also passes and stores the provider's source. */
function stateOf({ api, tool }: ToolState, enabled: boolean): ToolState {
    return { api, tool, enabled };
}

function failure(doing: string, { api, tool }: ToolState, why: string): Error {
    return new Error(`cannot ${doing} the tool ${tool} through ${api}: ${why}`);
}
