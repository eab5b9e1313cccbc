import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { root } from "../support";

/** Runs a script on the SDK, with its modules put off, in a process; what it prints as JSON. */
function inProcess(script: string): unknown {
    const lines = [
        `require("./build/lazySdk.cjs").putOff(process.cwd());`,
        `const pulumi = require("@pulumi/pulumi");`,
        `const loaded = (name) => Object.keys(require.cache).some((file) => file.includes("/node_modules/" + name + "/"));`,
        `(async () => { ${script} })().then((found) => console.log(JSON.stringify(found)));`,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", lines.join("\n")], {
        cwd: root,
        encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
}

describe("the SDK of an offline command", () => {
    it("is loaded without TypeScript, npm's code and the Automation API", () => {
        const script = `return ["typescript", "@npmcli/arborist", "execa"].map(loaded);`;
        assert.deepEqual(inProcess(script), [false, false, false]);
    });

    it("loads them when something of theirs is used", () => {
        const serialize = `const { text } = await pulumi.runtime.serializeFunction(() => 1); return [/return 1|=> 1/.test(text), loaded("typescript")];`;
        assert.deepEqual(inProcess(serialize), [true, true]);
        const automation = `const { LocalWorkspace } = require("@pulumi/pulumi/automation"); return [typeof LocalWorkspace.createStack, LocalWorkspace === pulumi.automation.LocalWorkspace, "Stack" in pulumi.automation, Object.keys(pulumi.automation).includes("Stack")];`;
        assert.deepEqual(inProcess(automation), ["function", true, true, true]);
    });
});
