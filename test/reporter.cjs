"use strict";
const { appendFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

/** Mocha's spec reporter, whose last line counts what ran; .ci/run adds the lines of several runs up. */
module.exports = class extends reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        runner.once(Runner.constants.EVENT_RUN_END, () => {
            const { passes, failures, pending } = runner.stats;
            console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
            if (process.env.MCP_TEST_COUNTS) {
                appendFileSync(process.env.MCP_TEST_COUNTS, `${passes} ${failures} ${pending}\n`);
            }
        });
    }
};
