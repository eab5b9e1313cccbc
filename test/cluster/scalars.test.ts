import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { canonical } from "../../config";
import { UsageError } from "../../offline/stackFile";
import { readYaml } from "../../offline/yamlFile";
import { PROPERTY_RUNS } from "../properties";
import { scalar } from "../scalars";
import { whyNoCluster } from "./control-plane";

/* The engine reads stack files by go-yaml. */

const missing = whyNoCluster();

(missing ? describe.skip : describe)(`a stack file${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(5 * 60_000);

    it("is read by a preview as the engine reads it, scalar by scalar, or refused", () => {
        const scalars = [...new Set(fc.sample(scalar, 100 * PROPERTY_RUNS.numRuns))];
        const read = execFileSync("go", ["run", "."], {
            cwd: join(__dirname, "scalars"),
            input: `${scalars.join("\n")}\n`,
            encoding: "utf8",
            stdio: ["pipe", "pipe", "inherit"],
        });
        const engine = read.trimEnd().split("\n");
        const folder = mkdtempSync(join(tmpdir(), "mcp-scalars-"));
        try {
            const file = join(folder, "scalar.yaml");
            let accepted = 0;
            scalars.forEach((source, index) => {
                writeFileSync(file, `config: { value: ${source} }\n`);
                try {
                    const { value, problems } = readYaml(file, "scalar.yaml");
                    if (problems.length === 0) {
                        accepted += 1;
                        // JSON has a time where the engine hands on Go's text of it.
                        const expected: unknown = JSON.parse(
                            engine[index]!.replace(/T00:00:00Z"$/, ' 00:00:00 +0000 UTC"'),
                        );
                        assert.deepEqual(value, { config: { value: canonical(expected) } }, source);
                    }
                } catch (error) {
                    assert.ok(error instanceof UsageError, `${source}: ${String(error)}`);
                }
            });
            assert.ok(accepted > 100);
        } finally {
            rmSync(folder, { recursive: true });
        }
    });
});
