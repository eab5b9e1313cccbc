import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "../support";

/* What commands show at a terminal: `script` of util-linux has one that is none. */

const isThere = spawnSync("script", ["--version"]).status === 0;
const skipped = isThere ? "" : " (skipped: no `script`, which is in the package bsdutils or util-linux)";

(isThere ? describe : describe.skip)(`at a terminal${skipped}`, () => {
    /** What a command writes to a terminal of that width. */
    function shown(
        words: readonly string[],
        width: number,
        environment: Record<string, string> = {},
    ): string {
        const command = `stty cols ${width}; ${words.map((word) => `'${word}'`).join(" ")}`;
        const { stdout } = spawnSync("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
            cwd: root,
            encoding: "utf8",
            env: {
                ...process.env,
                NO_COLOR: undefined,
                FORCE_COLOR: undefined,
                TERM: "xterm",
                ...environment,
            },
            stdio: ["ignore", "pipe", "inherit"],
        });
        return stdout.replaceAll("\r\n", "\n");
    }

    /** What is left on the terminal of a text that clears lines. */
    const left = (text: string) =>
        text
            .split("\n")
            .map((line) => line.split("\r\u001b[2K").at(-1)!)
            .join("\n");

    const PREVIEW = [process.execPath, "cli/main.cjs", "preview"];

    it("a preview is as wide as the terminal, and has colours", () => {
        const text = left(shown(PREVIEW, 80));
        assert.ok(text.includes("\u001b["), "no colour");
        const lines = stripVTControlCharacters(text).split("\n");
        assert.match(lines[0]!, /^Offline preview of mcp\/production: /);
        assert.ok(
            lines.some(({ length }) => length > 70),
            "narrower than the terminal",
        );
        assert.deepEqual(
            lines.filter(({ length }) => length > 80),
            [],
        );
    });

    it("a preview has no colours with NO_COLOR", () => {
        assert.doesNotMatch(left(shown(PREVIEW, 100, { NO_COLOR: "1" })), /\u001b\[\d/);
    });

    /** A command that works for a time without a pause, and prints when it is done. */
    const working = (milliseconds: number) => [
        process.execPath,
        "-e",
        `const { startProgress } = require("${join(root, "build", "progress.cjs")}");
         const progress = startProgress("Working");
         progress.step("Working hard");
         for (const end = Date.now() + ${milliseconds}; Date.now() < end;);
         progress.stop();
         console.log("done");`,
    ];

    it("what takes longer than a second says so, and leaves nothing of it", () => {
        const text = shown(working(4000), 80);
        assert.match(text, /Working hard \.\.\. \d s/);
        assert.equal(left(text), "done\n");
    });

    it("what takes less says nothing", () => {
        assert.equal(shown(working(300), 80), "done\n");
    });
});
