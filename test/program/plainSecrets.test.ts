import assert from "node:assert/strict";
import { bundleProgram } from "../../offline/program";
import { record } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";
import { root } from "../support";

describe("the program on the engine", () => {
    it("refuses a secret that the engine did not have to decrypt, and does not show it", async () => {
        const edits = ["mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY=planted-secret"];
        const input = { ...readStackFile(root, "staging", edits), secretKeys: ["mcp:tls"] };
        await assert.rejects(record(bundleProgram(root), input), ({ message }: Error) => {
            assert.match(message, /mcp:secrets: found a secret in plain text, expected an encrypted value/);
            assert.doesNotMatch(message, /planted/);
            return true;
        });
    });
});
