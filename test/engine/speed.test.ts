import assert from "node:assert/strict";
import { join } from "node:path";
import { writeBareProgram } from "../bench/bareProgram";
import { recordStack } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { changesIn } from "./stack";

/* What the program costs the engine: its preview beside that of a bare one. */

const RUNS = 3;

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the price of the program on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(180_000);
    let lab: Lab;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
    });
    after(() => lab?.close());

    it("is hardly more than that of a bare program with as many resources", async () => {
        const stack = await lab.stack("production");
        await stack.set();
        const { resources } = await recordStack("production", ...stack.valuesWith([]));
        const folder = writeBareProgram(join(lab.folder, "bare"), resources, lab.cluster.kubeconfig);
        const bare = await lab.otherStack("bare", folder);
        const times: Record<"program" | "bare", number[]> = { program: [], bare: [] };
        for (let run = 0; run < RUNS; run += 1) {
            for (const [name, each] of Object.entries({ program: stack, bare })) {
                const { status, output, seconds, events } = await each.preview();
                assert.equal(status, 0, output);
                // The look-up of the cluster is the one step that creates nothing.
                assert.equal(changesIn(events).length, resources.length - 1);
                times[name as keyof typeof times].push(seconds);
            }
        }
        // The fastest of each: whatever else the machine does only adds to them.
        const ratio = Math.min(...times.program) / Math.min(...times.bare);
        console.log(
            `        measured: preview / preview of a bare program: ${ratio.toFixed(2)} (goal 1.15)`,
            times,
        );
        assert.ok(ratio < 1.5, `${times.program.join(", ")} against ${times.bare.join(", ")} seconds`);
    });
});
