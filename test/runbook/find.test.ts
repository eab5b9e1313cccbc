import assert from "node:assert/strict";
import { resolveStack } from "../../config/resolve";
import { alike, find, renderList, renderMatches } from "../../cli/runbook/find";
import { SYMPTOMS } from "../../core/symptoms";
import { valuesOf } from "../../offline/stackFile";
import { catalogue } from "../../runbook/catalogue";
import { alarmsOf } from "../../stack/alarmTable";
import { root, run } from "../support";

const alarms = alarmsOf(resolveStack(valuesOf(root, "production")));
const first = (query: string) => find(query, alarms)[0]?.procedure.id;

describe("what the runbook is searched for", () => {
    it("leads from each symptom to its procedure", () => {
        for (const { symptom, procedure } of SYMPTOMS) {
            assert.equal(first(symptom), procedure, symptom);
        }
    });

    it("leads from each alarm to its procedure, by its id and by its whole name", () => {
        for (const { id, procedure } of alarms) {
            assert.equal(first(id), procedure, id);
            assert.equal(first(`mcp-production-${id}`), procedure, id);
        }
    });

    it("leads from each id and title to the procedure", () => {
        for (const { id, title } of catalogue) {
            const found = find(`${id} ${title}`, alarms).map(({ procedure }) => procedure.id);
            assert.ok(found.includes(id), `${id}: ${found.join(", ")}`);
        }
    });

    for (const [query, expected] of [
        ["high error rate", "high-error-rate"],
        ["503", "high-error-rate"],
        ["429", "refused-requests"],
        ["roll back", "blue-green-rollback"],
        ["ERRORS", "high-error-rate"],
    ] as const) {
        it(`is found by people's words: ${query}`, () => {
            const found = find(query, alarms).map(({ procedure }) => procedure.id);
            assert.ok(found.includes(expected), found.join(", "));
        });
    }

    for (const [query, expected] of [
        ["users report 503", "high-error-rate"],
        ["P1 mcp-server-unhealthy", "high-error-rate"],
        ["P1 mcp-production-mcp-server-unhealthy: users report errors", "high-error-rate"],
        ["release has failed in the soak, what now", "blue-green-rollback"],
        ["502", "high-error-rate"],
        ["users get 429 while a release soaks", "refused-requests"],
        ["approver", "blue-green-release"],
        ["who may approve my release", "blue-green-release"],
        ["high error rate", "high-error-rate"],
        ["expired certificate", "certificate-rotation"],
        ["what does it cost", "copies"],
    ] as const) {
        it(`leads first to ${expected}: ${query}`, () => {
            assert.equal(first(query), expected);
        });
    }

    it("is not found by words that every sentence has", () => {
        assert.deepEqual(find("what does the user report now", alarms), []);
    });

    it("may be nothing that there is, and then says how to go on", async () => {
        const { status, stdout, stderr } = await run("runbook", "find", "xylophone");
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.equal(
            stderr,
            'found nothing for "xylophone". Try fewer or other words, or: npm run runbook -- list\n',
        );
        const empty = await run("runbook", "find");
        assert.match(
            empty.stderr,
            /^found nothing to look for, expected words, .*\nOptions: npm run runbook -- --help\n$/,
        );
    });

    it("is shown with what led to it, in the width of the terminal", () => {
        for (const width of [80, 100, 160]) {
            const text = renderMatches(find("high error rate", alarms), { width, colour: false });
            assert.match(text, /^high-error-rate {2}High error rate\n/);
            assert.match(text, /Found by alarm error-rate-/);
            assert.match(text, /^ {4}npm run runbook -- show high-error-rate$/m);
            assert.ok(text.split("\n").every((line) => line.length <= width));
        }
    });
});

describe("the list of procedures", () => {
    it("has each once, by chapter, with its symptoms, in the width of the terminal", () => {
        for (const width of [80, 100, 160]) {
            const text = renderList({ width, colour: false });
            const ids = [...text.matchAll(/^ {2}(\S+) {2,}/gm)].map(([, id]) => id!);
            assert.deepEqual([...ids].sort(), catalogue.map(({ id }) => id).sort());
            assert.deepEqual(
                [...text.matchAll(/^(\d) [A-Z]/gm)].map(([, chapter]) => Number(chapter)),
                [2, 3, 4, 5, 6, 7],
            );
            assert.match(text, /^ {2}blue-green-release .*\(3\.1, 3\.3\)$/m);
            assert.match(text, /for 500 Internal Error, 503 Service Unavailable$/m);
            assert.ok(text.split("\n").every((line) => line.length <= width));
        }
    });
});

describe("an id that no procedure has", () => {
    it("leads to those that look like it, not to all", async () => {
        assert.deepEqual(alike("restrat"), ["restart"]);
        assert.deepEqual(alike("xylophone"), []);
        const { status, stdout, stderr } = await run("runbook", "show", "scale-upp");
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.match(
            stderr,
            /^found "scale-upp", expected the id of a procedure\. Did you mean scale-up\?\n/,
        );
        assert.ok(stderr.split("\n").length <= 3);
    });
});

describe("a status or an alarm in place of an id", () => {
    for (const id of ["503", "mcp-server-unhealthy"]) {
        it(`leads to find: ${id}`, async () => {
            const { status, stderr } = await run("runbook", "show", id);
            assert.equal(status, 1);
            assert.match(
                stderr,
                new RegExp(
                    `^found "${id}", expected the id of a procedure\\. Did you mean: npm run runbook -- find ${id}\n`,
                ),
            );
        });
    }
});

describe("a value that a procedure refuses or misses", () => {
    for (const [args, message] of [
        [["scale-up"], /^--min: found nothing, [^\n]*\nOptions: npm run runbook -- plan scale-up --help\n$/],
        [
            ["restart"],
            /^--restart: found nothing, expected a text that it has not had before: the ticket, such as INC-2041\n/,
        ],
        [
            ["scale-up", "--min", "six"],
            /\nCorrect the value that you gave, or the stack file, which npm run preview checks alone\.\n$/,
        ],
        [
            ["release", "--workload", "mcp-server", "--version", "v2.2.0"],
            /^--ticket: found nothing, expected the change request, such as CHG-2041\n--approver: [^\n]*\n--rollback-plan: /,
        ],
    ] as const) {
        it(`is named with what to do: ${args.join(" ")}`, async () => {
            const { status, stdout, stderr } = await run("runbook", "plan", ...args);
            assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
            assert.match(stderr, message);
        });
    }
});

describe("a rollback to a release that is newer", () => {
    it("is planned below a warning", async () => {
        const { stdout } = await run("runbook", "plan", "rollback", "--workload", "mcp-server");
        assert.match(
            stdout,
            /^green is v2\.1\.0, which is newer than v2\.0\.3 and may never have had the traffic\. npm run releases -- list --workload mcp-server shows what did\.\n\nOffline preview/,
        );
        const back = await run("runbook", "plan", "rollback", "--workload", "mcp-server", "--live", "blue");
        assert.doesNotMatch(back.stdout, /newer/);
    });
});

describe("an option that a procedure does not take", () => {
    it("leads to those that it takes", async () => {
        const { status, stderr } = await run("runbook", "plan", "restart", "--ticket", "INC-1");
        assert.equal(status, 1);
        assert.match(
            stderr,
            /^Unknown option '--ticket', expected one of [^\n]*\nOptions: npm run runbook -- plan restart --help\n$/,
        );
    });
});
