import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Ended, StepFolder } from "./steps";
import { type S3, startS3, whyNoS3 } from "./s3";

const missing = whyNoS3();
const BUCKET = "msil-mcp-audit";

(missing ? describe.skip : describe)(
    `an export of audit events${missing ? ` (skipped: ${missing})` : ""}`,
    function () {
        this.timeout(120_000);
        let s3: S3;
        let steps: StepFolder;
        let folder: string;

        before(async () => {
            s3 = await startS3(BUCKET);
            steps = new StepFolder();
        });
        after(() => {
            s3?.stop();
            steps?.remove();
        });
        beforeEach(async () => {
            folder = mkdtempSync(join(tmpdir(), "mcp-audit-export-"));
            await s3.reset();
        });
        afterEach(() => rmSync(folder, { recursive: true }));

        const put = async (key: string, body: Buffer, headers: Record<string, string> = {}) => {
            const { status } = await s3.ask(`/${BUCKET}/${key}`, { method: "PUT", body, headers });
            assert.equal(status, 200);
        };
        const events = (count: number) => gzipSync(`${'{"event_type":"audit"}\n'.repeat(count)}`);
        const target = () => join(folder, "audit");
        const run = (first: string, last: string): Promise<Ended> =>
            steps.command(["bash", join(__dirname, "../../jobs/audit/export.sh"), first, last, target()], {
                ...s3.env,
                ARCHIVE: BUCKET,
            }).ended;
        const check = () => spawnSync("sha256sum", ["--check", "--quiet", "audit.sha256"], { cwd: folder });

        it("has all objects of the period, their events counted, and checksums that find a change", async () => {
            await put("events/2026/01/30/a.gz", events(5));
            await put("events/2026/01/31/b c.gz", events(2));
            await put("events/2026/01/31/d.gz", events(1));
            await put("events/2026/02/02/e.gz", events(7));
            await put("failed/2026/01/31/f.gz", events(9));
            const { status, output } = await run("2026-01-31", "2026-02-01");
            assert.equal(status, 0, output);
            assert.match(output, /^✓ 2 objects with 3 events from 2026-01-31 to 2026-02-01; checksums in /);
            assert.equal(readFileSync(`${target()}.sha256`, "utf8").trim().split("\n").length, 2);
            assert.equal(check().status, 0);
            appendFileSync(join(target(), "2026/01/31/d.gz"), "x");
            assert.notEqual(check().status, 0);
            // Nothing is written over.
            const again = await run("2026-01-31", "2026-02-01");
            assert.equal(again.status, 1);
            assert.match(again.output, /exists: nothing is written over/);
        });

        for (const [what, prepare, message] of [
            [
                "an object is in deep storage",
                () => put("events/2026/01/31/old.gz", events(1), { "x-amz-storage-class": "DEEP_ARCHIVE" }),
                /old\.gz, DEEP_ARCHIVE, cannot be read\. One in deep storage must be restored first/,
            ],
            [
                "an object is not whole",
                () => put("events/2026/01/31/cut.gz", events(100).subarray(0, 20)),
                /✗ an object is not whole/,
            ],
            ["there are no events", () => Promise.resolve(), /has no events from 2026-01-31 to 2026-01-31/],
        ] as const) {
            it(`is none where ${what}`, async () => {
                await prepare();
                const { status, output } = await run("2026-01-31", "2026-01-31");
                assert.equal(status, 1, output);
                assert.match(output, message);
                assert.equal(existsSync(target()) || existsSync(`${target()}.sha256`), false);
            });
        }

        it("refuses a day that there is not, and an end before the beginning", async () => {
            assert.match(
                (await run("2026-02-30", "2026-03-01")).output,
                /found the day 2026-02-30, expected/,
            );
            assert.match(
                (await run("2026-02-02", "2026-02-01")).output,
                /found the last day 2026-02-01, expected/,
            );
        });
    },
);
