import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { type AnalyzerInfo } from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { rules } from "../../policies/rules";
import { root } from "../support";

describe("the policy pack, as the engine starts it", () => {
    it("loads by the SDK's own loader, and offers every rule", async () => {
        const pack = spawn(
            process.execPath,
            [require.resolve("@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", "."],
            { cwd: join(root, "policies"), stdio: ["ignore", "pipe", "pipe"] },
        );
        try {
            let told = "";
            pack.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
            // It prints its port, or ends without one.
            const [port] = (await Promise.race([
                once(createInterface({ input: pack.stdout }), "line"),
                once(pack, "close"),
            ])) as [unknown];
            assert.match(String(port), /^\d{2,}$/, told);
            const analyzer = new AnalyzerClient(`127.0.0.1:${String(port)}`, credentials.createInsecure());
            const info = await new Promise<AnalyzerInfo>((resolve, reject) =>
                analyzer.getAnalyzerInfo(new Empty(), (error, answer) =>
                    error ? reject(error) : resolve(answer),
                ),
            );
            analyzer.close();
            const offered = info.getPoliciesList().map((policy) => policy.getName());
            assert.deepEqual(
                rules.map(({ name }) => name).filter((name) => !offered.includes(name)),
                [],
            );
        } finally {
            pack.kill();
        }
    });
});
