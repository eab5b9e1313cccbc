import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledJob } from "../../jobs/bundle.cjs";
import { type ComparePlan, parseComparePlan } from "../../jobs/cacheCompare";
import { type Issued, temporaryAuthority } from "../certificates";
import { runProgram } from "./program";
import { type RedisServer, startRedis, whyNoRedis } from "./redis";

const missing = whyNoRedis();

(missing ? describe.skip : describe)(
    `the keys of a restored Redis${missing ? ` (skipped: ${missing})` : ""}`,
    function () {
        this.timeout(60_000);
        const { issue, remove } = temporaryAuthority();
        const folder = mkdtempSync(join(tmpdir(), "mcp-cache-compare-"));
        /** No server answers there. */
        const GONE = "127.0.0.9";
        let authority: Issued;
        let server: RedisServer;

        before(async () => {
            authority = issue("authority", { authority: true });
            const served = issue("server", { hosts: ["localhost"], issuer: authority });
            server = await startRedis(served, "planted-password");
            server.cli("MSET", "cache:a", "1", "cache:b", "2", "session:c", "3");
            mkdirSync(join(folder, "secrets"));
            writeFileSync(join(folder, "cacheCompare.js"), bundledJob("cacheCompare"));
        });
        after(async () => {
            await server?.stop();
            remove();
            rmSync(folder, { recursive: true });
        });

        async function run(hosts: { primary?: string; recovered?: string }, atLeast = 1) {
            const secrets = {
                primary: "localhost",
                recovered: "localhost",
                ...hosts,
                password: server.password,
            };
            for (const [key, value] of Object.entries(secrets)) {
                writeFileSync(join(folder, "secrets", key), value);
            }
            const plan: ComparePlan = {
                primary: "mcp-production",
                recovered: "mcp-production-recovery",
                port: server.port,
                atLeast,
                deadlineSeconds: 30,
            };
            assert.deepEqual(parseComparePlan(plan), plan);
            writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
            const { code, output } = await runProgram(
                [join(folder, "cacheCompare.js"), join(folder, "plan.json")],
                {
                    env: {
                        SECRETS: join(folder, "secrets"),
                        NODE_EXTRA_CA_CERTS: authority.files.certificate,
                    },
                },
            );
            assert.ok(!output.includes("planted"), output);
            return { code, lines: output.trim().split("\n") };
        }

        it("are counted beside those of the first one", async () => {
            assert.deepEqual(await run({}, 3), {
                code: 0,
                lines: [
                    "– mcp-production: 3 keys",
                    "– mcp-production-recovery: 3 keys",
                    "PASSED mcp-production-recovery has 3 keys.",
                ],
            });
        });

        it("must be as many as the values ask for", async () => {
            const { code, lines } = await run({}, 4);
            assert.deepEqual(
                [code, lines.at(-1)],
                [1, "FAILED mcp-production-recovery: found 3 keys, expected at least 4."],
            );
        });

        it("are enough where the first one is gone, and it is said so", async () => {
            const { code, lines } = await run({ primary: GONE });
            assert.equal(code, 0);
            assert.match(lines[0]!, /^– mcp-production cannot be asked: .*ECONNREFUSED/);
        });

        it("are refused where nobody can count them", async () => {
            const { code, lines } = await run({ recovered: GONE });
            assert.equal(code, 1);
            assert.match(lines.at(-1)!, /^FAILED mcp-production-recovery cannot be asked: .*ECONNREFUSED/);
        });
    },
);
