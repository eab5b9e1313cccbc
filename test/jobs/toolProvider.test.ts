import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import Module from "node:module";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "@pulumi/pulumi";
import { type Patience, ToolProvider, type ToolState } from "../../components/operations/toolProvider";
import { ADMIN_API } from "../../core/numbers";
import { freePort } from "./postgres";
import { root } from "../support";

const TOKEN = "planted-token";
/** Four tries at once; nothing that answers is cut off. */
const PATIENCE: Patience = { timeout: 30, pauses: [0, 0, 0] };

describe("the provider of tools", () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-tools-"));
    const file = join(folder, "token");
    let server: Server;
    let state: ToolState;
    /** The tools there are, and whether they are enabled. */
    let tools: Record<string, boolean>;
    /** Requests so far, as `PATCH /api/admin/tools/one {"enabled":false}`. */
    let asked: string[];
    /** Answers in place of the API's own, in turn: a status with its body, or none and a connection that ends. */
    let troubles: ([status: number, body?: string] | "silence" | "hang up")[];

    before(async () => {
        server = createServer((request, response) => {
            void (async () => {
                const body = await textOf(request);
                asked.push([request.method, request.url, body].join(" ").trim());
                const trouble = troubles.shift();
                if (trouble === "silence") return;
                if (trouble === "hang up") return request.socket.destroy();
                if (trouble !== undefined) return response.writeHead(trouble[0]).end(trouble[1]);
                if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end();
                const name = decodeURIComponent(request.url!.replace("/api/admin/tools/", ""));
                if (!(name in tools)) return response.writeHead(404).end();
                if (request.method === "PATCH") {
                    assert.equal(request.headers["content-type"], "application/json");
                    tools[name] = JSON.parse(body).enabled;
                }
                response.end(JSON.stringify({ name, enabled: tools[name] }));
            })();
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        state = { api: `http://127.0.0.1:${port}/api/admin/tools`, tool: "one", enabled: false };
    });
    beforeEach(() => {
        [tools, asked, troubles] = [{ one: true, two: true }, [], []];
        writeFileSync(file, `${TOKEN}\n`);
        process.env[ADMIN_API.tokenFile] = file;
    });
    after(() => {
        delete process.env[ADMIN_API.tokenFile];
        rmSync(folder, { recursive: true });
        server.closeAllConnections();
        server.close();
    });

    async function configured(patience = PATIENCE): Promise<ToolProvider> {
        const provider = new ToolProvider(patience);
        await provider.configure();
        return provider;
    }

    describe("as the engine keeps it", () => {
        it("holds no token, and switches tools where it is revived", async () => {
            const { text, containsSecrets } = await runtime.serializeFunction(() => new ToolProvider(), {
                allowSecrets: true,
            });
            assert.equal(containsSecrets, false);
            assert.ok(!text.includes(TOKEN) && !text.includes(file), text);
            const provider = revived(text);
            await provider.configure();
            const { id } = await provider.create(state);
            assert.deepEqual([id, tools["one"]], ["one", false]);
            await provider.delete(id, state);
            assert.equal(tools["one"], true);
        });

        it("has its token as soon as it is configured, even if that is not awaited", async () => {
            const provider = new ToolProvider(PATIENCE);
            void provider.configure();
            await provider.create(state);
            assert.equal(tools["one"], false);
        });
    });

    it("disables a tool, asks for what the runbook asks for, and keeps no more than that", async () => {
        const provider = await configured();
        // The engine hands the provider's text over with the inputs.
        const { id, outs } = await provider.create({ ...state, __provider: "text" } as ToolState);
        assert.deepEqual([id, outs], ["one", state]);
        assert.deepEqual(asked, ['PATCH /api/admin/tools/one {"enabled":false}']);
        assert.deepEqual(tools, { one: false, two: true });
    });

    it("enables it when it leaves the stack", async () => {
        tools = { one: false };
        await (await configured()).delete("one", state);
        assert.deepEqual(tools, { one: true });
    });

    it("names a tool by one segment of the path, whatever its name is", async () => {
        await assert.rejects((await configured()).create({ ...state, tool: "a/../b?c" }), /no such tool/);
        assert.deepEqual(asked, ['PATCH /api/admin/tools/a%2F..%2Fb%3Fc {"enabled":false}']);
    });

    it("sees what was changed by hand, and takes it back", async () => {
        const provider = await configured();
        const { id, props, inputs } = await provider.read("one", state);
        assert.deepEqual(
            [id, props, inputs],
            ["one", { ...state, enabled: true }, { ...state, enabled: true }],
        );
        assert.deepEqual(await provider.diff("one", props!, state), { changes: true, replaces: [] });
        assert.deepEqual(await provider.update("one", props!, state), { outs: state });
        assert.deepEqual((await provider.read("one", state)).props, state);
        assert.deepEqual(await provider.diff("one", state, state), { changes: false, replaces: [] });
    });

    it("asks at the new address after a move, and replaces one tool by another", async () => {
        const provider = await configured();
        const old = { ...state, api: "https://old.example.com/api/admin/tools" };
        assert.deepEqual(await provider.diff("one", old, state), { changes: true, replaces: [] });
        await provider.update("one", old, state);
        assert.equal(tools["one"], false);
        const other = { ...state, tool: "two" };
        assert.deepEqual(await provider.diff("one", state, other), { changes: true, replaces: ["tool"] });
    });

    it("lets a tool that is gone leave the stack with a refresh", async () => {
        tools = {};
        assert.deepEqual(await (await configured()).read("one", state), { id: "" });
    });

    describe("tells what is wrong, and tries again what may pass", () => {
        const disabling = "cannot disable the tool one through API: ";
        const failures: [what: string, troubles: typeof troubles, why: string, requests: number][] = [
            [
                "a tool there is not",
                [[404]],
                "it has no such tool (404): is the name right? A removed tool leaves the stack with `pulumi up --refresh`",
                1,
            ],
            ["a token that is refused", [[401, TOKEN]], "it refuses the token (401): has it expired?", 1],
            ["an owner without rights", [[403, TOKEN]], "the token's owner may not (403)", 1],
            ["another refusal", [[400, TOKEN]], "it answers 400", 1],
            ["a page to sign in at", [[302]], "it answers 302", 1],
            ["a portal that is down", [[503], [502], [500], [503]], "it answers 503, 4 times", 4],
            ["a limit of requests", [[429], [429], [429], [429]], "it answers 429, 4 times", 4],
            ["a refusal after trouble", [[503], [401]], "it refuses the token (401): has it expired?", 2],
        ];
        for (const [what, some, why, requests] of failures) {
            it(what, async () => {
                troubles = [...some];
                const provider = await configured();
                await assert.rejects(provider.create(state), (error: Error) => {
                    assert.equal(error.message.replace(state.api, "API"), disabling + why);
                    assert.ok(!error.stack!.includes(TOKEN));
                    return true;
                });
                assert.equal(asked.length, requests);
            });
        }

        it("passes once the portal is up again", async () => {
            troubles = [[503], "hang up", [500]];
            await (await configured()).create(state);
            assert.deepEqual([tools["one"], asked.length], [false, 4]);
        });

        it("no answer", async () => {
            troubles = ["silence", "silence"];
            const provider = await configured({ timeout: 0.05, pauses: [0] });
            await assert.rejects(provider.create(state), /: no answer within 0\.05 s, 2 times$/);
        });

        it("unknown host", async () => {
            const provider = await configured();
            const nowhere = { ...state, api: `http://127.0.0.1:${await freePort()}/api/admin/tools` };
            await assert.rejects(
                provider.delete("one", nowhere),
                /^Error: cannot enable the tool one .*: connection refused \(ECONNREFUSED\), 4 times$/,
            );
        });

        it("an answer that does not tell whether the tool is enabled", async () => {
            for (const body of ["<html>", "{}", '{"enabled":"yes"}', "null"]) {
                troubles = [[200, body]];
                await assert.rejects(
                    (await configured()).read("one", state),
                    /: its answer is no JSON with `enabled`, true or false$/,
                );
            }
        });
    });

    describe("without a token", () => {
        const missing: [what: string, arrange: () => void, reason: string][] = [
            [
                "no file named",
                () => delete process.env[ADMIN_API.tokenFile],
                "MCP_ADMIN_TOKEN_FILE is not set: it names the file that holds the token",
            ],
            [
                "no such file",
                () => (process.env[ADMIN_API.tokenFile] = join(folder, "none")),
                "the file that MCP_ADMIN_TOKEN_FILE names cannot be read (ENOENT)",
            ],
            [
                "an empty file",
                () => writeFileSync(file, "\n"),
                "the file that MCP_ADMIN_TOKEN_FILE names holds no token: it is one word of ASCII characters",
            ],
            [
                "two lines",
                () => writeFileSync(file, `${TOKEN}\n${TOKEN}\n`),
                "the file that MCP_ADMIN_TOKEN_FILE names holds no token: it is one word of ASCII characters",
            ],
        ];
        for (const [what, arrange, reason] of missing) {
            it(`says so in the preview of what needs one, and lets all else pass: ${what}`, async () => {
                arrange();
                const provider = await configured();
                const { failures } = await provider.check({}, state);
                assert.deepEqual(failures, [{ property: "", reason }]);
                const changed = await provider.check({ ...state, enabled: true }, state);
                assert.deepEqual(changed.failures, [{ property: "", reason }]);
                const moved = await provider.check({ ...state, api: "https://old.example.com" }, state);
                assert.deepEqual(moved.failures, [{ property: "", reason }]);
                assert.deepEqual(await provider.check(state, state), { inputs: state });
                await assert.rejects(provider.delete("one", state), {
                    message: new RegExp(`: ${escaped(reason)}$`),
                });
                assert.deepEqual(asked, []);
            });
        }
    });
});

const escaped = (text: string) => text.replace(/[().]/g, "\\$&");

async function textOf(request: IncomingMessage): Promise<string> {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    return text;
}

/** The provider of a serialized text, as the plugin of the engine revives it. */
function revived(text: string): ToolProvider {
    const module = new Module("") as Module & { _compile(code: string, filename: string): void };
    module.paths = [join(root, "node_modules")];
    module._compile(text, "");
    return module.exports.handler();
}
