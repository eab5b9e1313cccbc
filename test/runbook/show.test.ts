import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { documentedAlarms } from "../../cli/documentedAlarms";
import { renderShown } from "../../cli/runbook/show";
import { foldCommand } from "../../core/fold";
import { catalogue } from "../../runbook/catalogue";
import { commandOf, piecesOf, sectionsOf } from "../../runbook/page";
import { root } from "../support";

const alarms = documentedAlarms(root);
const procedureOf = (id: string) => catalogue.find((each) => each.id === id)!;

describe("a procedure at a terminal", () => {
    for (const width of [80, 100, 160]) {
        it(`fits ${width} columns`, () => {
            const wider = catalogue.flatMap((procedure) =>
                renderShown(procedure, alarms, { width, colour: false })
                    .split("\n")
                    .filter((line) => line.length > width),
            );
            assert.deepEqual(wider, []);
        });
    }

    it("says first what to type, and last what explains it", () => {
        const text = renderShown(procedureOf("blue-green-release"), alarms, { width: 80, colour: false });
        const labels = [...text.matchAll(/^([A-Z][\w ]+)$/gm)].map(([, label]) => label);
        assert.deepEqual(labels, [
            "Needs",
            "Command",
            "Gates and time",
            "Abort",
            "Undo",
            "Commit",
            "Verified by",
            "Without run",
            "Changes",
        ]);
        assert.match(text, /^ {2}soak gate .* 16 min 30 s {2}errors, restarts and readiness/m);
        assert.match(text, /^ {4}kubectl patch configmap mcp-releases /m);
    });

    for (const [id, command] of [
        ["blue-green-rollback", "run blue-green-rollback --workload mcp-server"],
        ["database-switch", "run database-switch --active recovery"],
        ["database-rotation", "run database-rotation"],
        ["cache-switch", "run cache-switch --active recovery"],
        [
            "blue-green-release",
            "run blue-green-release --workload mcp-server --version v2.2.0 --ticket CHG-2041 --approver change-board --rollback-plan back-to-v2.0.3",
        ],
    ] as const) {
        it(`leaves out options whose default is right: ${id}`, () => {
            assert.equal(commandOf("run", procedureOf(id)), `npm run runbook -- ${command}`);
        });
    }

    it("says what a rollback waits for, and how an audit export is made", () => {
        const shown = (id: string) => renderShown(procedureOf(id), alarms, { width: 160, colour: false });
        assert.match(shown("blue-green-rollback"), /^ {2}A release that passed before: seconds if /m);
        assert.match(shown("audit-archive"), /^ *ARCHIVE=msil-mcp-audit bash jobs\/audit\/export\.sh /m);
    });

    it("has no Markdown but for code in a pipe, and colours in its place at a terminal", () => {
        for (const procedure of catalogue) {
            const plain = renderShown(procedure, alarms, { width: 100, colour: false });
            assert.doesNotMatch(plain, /\]\(|^#|\*\*|^\|/m, procedure.id);
            assert.doesNotMatch(plain, /\u001b/);
            const coloured = renderShown(procedure, alarms, { width: 100, colour: true });
            assert.doesNotMatch(stripVTControlCharacters(coloured), /^ *[^ ].*`[^`]+`/m, procedure.id);
            assert.match(coloured, /\u001b\[1m/);
        }
    });

    it("leads to files, or to where the documents are shown", () => {
        const shown = (id: string, pages?: string) =>
            renderShown(procedureOf(id), alarms, { width: 160, colour: false, pages });
        assert.match(shown("high-error-rate"), /disable the tool \(docs\/runbook\.md#disable-tool\)/);
        const pages = "https://docs.example.com/mcp/";
        assert.match(
            shown("high-error-rate", pages),
            /disable the tool \(https:\/\/docs\.example\.com\/mcp\/runbook\.md#disable-tool\)/,
        );
        assert.match(
            shown("region-loss", pages),
            /https:\/\/docs\.example\.com\/mcp\/recovery\.md#the-region-is-lost/,
        );
    });
});

describe("a command in several lines", () => {
    const commands = catalogue.flatMap((procedure) =>
        sectionsOf(procedure, alarms).flatMap(({ parts }) =>
            parts.flatMap((part) =>
                "commands" in part
                    ? part.commands
                    : "text" in part
                      ? piecesOf(part.text, 10).flatMap((piece) =>
                            "command" in piece ? [piece.command] : [],
                        )
                      : [],
            ),
        ),
    );

    it("is to a shell what it is in one", () => {
        assert.ok(commands.length > 150, `found ${commands.length}`);
        for (const width of [40, 76, 118]) {
            const folded = commands.map((command) => foldCommand(command, width).join("\n"));
            assert.deepEqual(
                wordsOf(folded),
                wordsOf(commands.map((command) => command.replaceAll(/\\\n\s*/g, " "))),
            );
        }
    });

    it("keeps an option with its value, and has a comment before it", () => {
        assert.deepEqual(
            foldCommand("pulumi config set --stack production --path 'a.b[N]' one   # N: a number", 40),
            ["# N: a number", "pulumi config set --stack production \\", "  --path 'a.b[N]' one"],
        );
    });
});

/** The words of each command, as bash reads them. Spaces within a word count as one. */
function wordsOf(commands: readonly string[]): string[] {
    const told = `PATH=/nowhere; command_not_found_handle() { printf '%s\\0' "$@" >&3; }`;
    // The two sides of a pipe tell their words in any order.
    const serial = commands.map((each) => each.replaceAll(/(^| )\|(?= )/gm, "$1PIPE"));
    const { output } = spawnSync(
        "/bin/bash",
        ["-c", [told, ...serial.map((each) => `${each}\nprintf '\\f' >&3`)].join("\n")],
        {
            encoding: "utf8",
            stdio: ["ignore", "ignore", "ignore", "pipe"],
        },
    );
    return output[3]!.split("\f").map((words) => words.replaceAll(/\s+/g, " "));
}
