"use strict";
const { appendFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

/**
 * Mocha's spec reporter, which says at the end why tests were skipped, names the first test that failed, and whose last
 * line counts what ran. It appends the counts to the file that MCP_TEST_COUNTS names, and the reasons to that of
 * MCP_TEST_SKIPS: several runs can be added up.
 */
module.exports = class extends reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        const reasons = new Map();
        let first;
        runner.on(Runner.constants.EVENT_TEST_PENDING, (test) => {
            const reason = reasonOf(test);
            reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        });
        runner.on(Runner.constants.EVENT_TEST_FAIL, (test, { message }) => {
            first ??= `${test.fullTitle()}: ${String(message).split("\n", 1)[0]}`;
        });
        runner.once(Runner.constants.EVENT_RUN_END, () => {
            const { passes, failures, pending } = runner.stats;
            const skipped = [...reasons].map(([reason, tests]) => `${tests} skipped: ${reason}`);
            for (const line of skipped) console.log(line);
            if (first !== undefined) console.log(`First failure: ${first}`);
            console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
            const { MCP_TEST_COUNTS, MCP_TEST_SKIPS } = process.env;
            if (MCP_TEST_COUNTS) {
                const line = [passes, failures, pending, first ?? ""].join("\t");
                appendFileSync(MCP_TEST_COUNTS, `${line}\n`);
            }
            if (MCP_TEST_SKIPS) appendFileSync(MCP_TEST_SKIPS, skipped.map((line) => `${line}\n`).join(""));
        });
    }
};

/** Why a test was skipped: the title of its suite ends in it. */
function reasonOf(test) {
    const [, reason] = /\(skipped: (.*)\)/.exec(test.fullTitle()) ?? [];
    return reason ?? test.fullTitle();
}
