import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { GateView, renderWaiting, type Waiting } from "../../cli/runbook/gateView";
import { LiveBlock } from "../../cli/runbook/liveBlock";

/** What a terminal shows after these writes: it knows line feeds, `up n lines` and `clear to the end`. */
function shown(written: string): string[] {
    let lines = [""];
    for (const [part] of written.matchAll(/\u001b\[\d+A\u001b\[J|\n|[^\n\u001b]+|\u001b\[\d+m/g)) {
        const up = /^\u001b\[(\d+)A/.exec(part);
        if (up !== null) {
            lines = [...lines.slice(0, lines.length - 1 - Number(up[1])), ""];
        } else if (part === "\n") {
            lines.push("");
        } else {
            lines = [...lines.slice(0, -1), `${lines.at(-1)!}${part}`];
        }
    }
    return lines.slice(0, -1).map((line) => stripVTControlCharacters(line));
}

const SOAK = "mcp-server-green-soak-0a1b2c3d";

describe("what an update waits for, at a terminal", () => {
    const soaking: Waiting = {
        name: SOAK,
        isJob: true,
        since: 0,
        pods: { ready: 3, wanted: 3 },
        progress: "250 of 600 s: 4213 requests, 3 errors (0.07 %), p95 120 ms",
    };

    for (const width of [80, 100]) {
        it(`has colour, pods, requests, errors and time left, in ${width} columns`, () => {
            const lines = renderWaiting([soaking], { width, colour: false }, 252_000);
            assert.deepEqual(lines, [
                "  mcp-server-green  soak gate  4 min 12 s, at most 16 min 30 s",
                "    3 of 3 pods ready",
                "    ████████░░░░░░░░░░░░  5 min 50 s left",
                "    4213 requests, 3 errors (0.07 %), p95 120 ms",
            ]);
        });
    }

    it("warns of errors and of pods that are not ready by its colours", () => {
        const coloured = (waiting: Waiting) =>
            renderWaiting([waiting], { width: 80, colour: true }, 1000).join("\n");
        assert.ok(coloured(soaking).includes("\u001b[33m    4213 requests"));
        const well = { ...soaking, progress: "250 of 600 s: 4213 requests, 0 errors (0.00 %)" };
        assert.ok(coloured(well).includes("\u001b[32m    4213 requests"));
        assert.ok(coloured({ ...soaking, pods: { ready: 2, wanted: 3 } }).includes("\u001b[33m    2 of 3"));
    });

    it("names a rollout and a task as what they are", () => {
        const heads = [
            { name: "chat-ui", isJob: false, since: 0 },
            { name: "mcp-health-inc-2041", isJob: true, since: 0 },
        ].map((waiting) => renderWaiting([waiting], { width: 80, colour: false }, 5000)[0]);
        assert.deepEqual(heads, [
            "  chat-ui  rollout  5 s, at most 5 min",
            "  mcp-health-inc-2041  Job  5 s",
        ]);
    });

    it("stays below what is printed, and leaves nothing of it", async () => {
        let written = "";
        const view = new GateView(
            { width: 80, colour: false },
            (name) => Promise.resolve(name === "mcp-server-green" ? { ready: 2, wanted: 3 } : undefined),
            (text) => (written += text),
        );
        view.log("  update Deployment mcp-server-green …");
        view.begin(SOAK, true);
        await Promise.resolve();
        view.heard(SOAK, "watching for 600 s");
        view.heard(SOAK, "  10 of 600 s: 9 requests, 0 errors (0.00 %)");
        assert.deepEqual(shown(written), [
            "  update Deployment mcp-server-green …",
            `    ${SOAK}: watching for 600 s`,
            "  mcp-server-green  soak gate  0 s, at most 16 min 30 s",
            "    2 of 3 pods ready",
            "    ░░░░░░░░░░░░░░░░░░░░  9 min 50 s left",
            "    9 requests, 0 errors (0.00 %)",
        ]);
        view.end(SOAK);
        view.log("done");
        view.stop();
        assert.deepEqual(shown(written), [
            "  update Deployment mcp-server-green …",
            `    ${SOAK}: watching for 600 s`,
            "done",
        ]);
    });

    it("shows what a terminal would obey", () => {
        let written = "";
        const block = new LiveBlock((text) => (written += text));
        block.show(["\u001b[2Jcleared"]);
        assert.equal(written, "\\u001b[2Jcleared\n");
    });
});
