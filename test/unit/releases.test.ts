import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { UsageError } from "../../offline/stackFile";
import { type Kubectl } from "../../cli/kubectl";
import { listReleases, renderReleases, restore, restoreRelease } from "../../cli/releases";
import { root, run } from "../support";

const FILE = "Pulumi.production.yaml";
const IMAGE = "123456789012.dkr.ecr.ap-south-1.amazonaws.com/msil-mcp-server";
const PLACE = "ConfigMap mcp-releases in mcp-production, mcp-server";
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
const [A, B, C] = [digestOf("a"), digestOf("b"), digestOf("c")];

function entry(version: string, digest: string, rest: Partial<HistoryEntry> = {}): HistoryEntry {
    return { hash: version, version, image: `${IMAGE}:${version}@${digest}`, colour: "blue", ...rest };
}

const FIRST = entry("v2.0.1", A, {
    revision: 1,
    ticket: "CHG-1",
    completedAt: "2026-01-02T03:04:05.000Z",
    note: "first install: nothing to compare with",
});
const SECOND = entry("v2.0.2", B, {
    revision: 2,
    colour: "green",
    completedAt: "2026-02-02T03:04:05.000Z",
});
const THIRD = entry("v2.0.3", C, { revision: 3, completedAt: "2026-03-02T03:04:05.000Z" });
const TESTED = entry("v2.1.0", digestOf("d"), { colour: "green", smokeAt: "2026-04-02T03:04:05.000Z" });
const LEDGER = [FIRST, SECOND, THIRD, TESTED];

describe("releases", () => {
    let folder: string;
    let lines: string[];
    const { PATH } = process.env;

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "releases-"));
        process.env["PATH"] = `${folder}:${PATH}`;
        lines = [];
        writeFileSync(join(folder, "Pulumi.yaml"), readFileSync(join(root, "Pulumi.yaml")));
        // As it is before anything is pinned, released or filled in, whatever became of it since.
        const text = readFileSync(join(root, FILE), "utf8")
            .replace(/^ {4}accountId: .*\n/m, "")
            .replace(/^ {4}region: .*$/m, (line) => `${line}\n    accountId: "123456789012"`)
            .replace(/^ {4}pins:.*\n(?: {6}.*\n)*/m, "    pins: {}\n")
            .replace(/^ {6}live: .*$/m, "      live: blue")
            .replace(
                /^ {6}releases:\n(?: {8}.*\n)*/m,
                "      releases:\n        blue: {version: v2.0.3, change: {version: v2.0.3, skip: first installation}}\n        green: {version: v2.1.0}\n",
            );
        writeFileSync(join(folder, FILE), text);
        ledger(LEDGER);
    });

    afterEach(() => {
        process.env["PATH"] = PATH;
        rmSync(folder, { recursive: true, force: true });
    });

    /** Puts a kubectl on the PATH that notes its arguments before it runs the script. */
    function kubectl(script: string): void {
        const file = join(folder, "kubectl");
        writeFileSync(file, `#!/bin/sh\necho "$*" >>"${folder}/asked"\n${script}\n`);
        chmodSync(file, 0o755);
    }

    /** A kubectl that answers with these entries, or with this text in their place. */
    function ledger(entries: HistoryEntry[] | string | undefined): void {
        const source = typeof entries === "string" ? entries : JSON.stringify(entries);
        writeFileSync(join(folder, "ledger.json"), JSON.stringify({ data: { "mcp-server": source } }));
        kubectl(`[ "$1" = config ] && echo arn:aws:eks:prod || cat "${folder}/ledger.json"`);
    }

    /** What the stack file has of a workload. */
    const workloadText = (name: string) =>
        new RegExp(`^ {4}${name}:\\n((?: {6}.*\\n)+)`, "m").exec(stackFile())![1]!;
    const stackFile = () => readFileSync(join(folder, FILE), "utf8");
    const asked = () => readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");

    /** Changes the stack file; what is replaced must be there. */
    function edit(...changes: [from: string | RegExp, to: string][]): void {
        for (const [from, to] of changes) {
            const found = typeof from === "string" ? stackFile().includes(from) : from.test(stackFile());
            assert.ok(found, String(from));
            writeFileSync(
                join(folder, FILE),
                stackFile().replace(from, () => to),
            );
        }
    }

    /** Pins these versions to their digests. */
    const pin = (pins: Record<string, string>) =>
        edit(["pins: {}\n", `pins:\n${pinLines(pins).join("\n")}\n`]);
    const pinLines = (pins: Record<string, string>) =>
        Object.entries(pins).map(([version, digest]) => `      "${IMAGE}:${version}": ${digest}`);

    const options = () => ({
        root: folder,
        stack: "production",
        workload: "mcp-server",
        log: (line: string) => void lines.push(...line.split("\n")),
    });
    const restoring = (more: Partial<Parameters<typeof restore>[0]>) => restore({ ...options(), ...more });

    /** Lines that a restore takes from the file and adds to it, in the order of the file. */
    function changed(more: Partial<Parameters<typeof restore>[0]>): string[] {
        const before = stackFile().split("\n");
        restoring(more);
        const after = stackFile().split("\n");
        const counts = new Map<string, number>();
        for (const line of before) counts.set(line, (counts.get(line) ?? 0) + 1);
        const added = after.filter((line) => {
            const count = counts.get(line) ?? 0;
            counts.set(line, count - 1);
            return count <= 0;
        });
        const removed = [...counts].flatMap(([line, count]) =>
            Array<string>(Math.max(0, count)).fill(`- ${line.trim()}`),
        );
        return [...removed, ...added.map((line) => `+ ${line.trim()}`)];
    }

    /** That something fails with this message, and leaves everything as it is. */
    function refuses(
        message: string,
        more: Partial<Parameters<typeof restore>[0]> = { revision: "1" },
    ): void {
        const before = stackFile();
        const files = readdirSync(folder).filter((file) => file !== "asked");
        assert.throws(
            () => restoring(more),
            (error) => {
                assert.ok(error instanceof UsageError, String(error));
                assert.equal(error.message, message);
                return true;
            },
        );
        assert.equal(stackFile(), before);
        assert.deepEqual(
            readdirSync(folder).filter((file) => file !== "asked"),
            files,
        );
    }

    describe("list", () => {
        const TABLE = [
            "   Revision  Colour  Version  Completed                 Ticket  Note",
            "   1         blue    v2.0.1   2026-01-02T03:04:05.000Z  CHG-1   first install: nothing to compare with",
            "   2         green   v2.0.2   2026-02-02T03:04:05.000Z  -       -",
            "*  3         blue    v2.0.3   2026-03-02T03:04:05.000Z  -       -",
            "   -         green   v2.1.0   -                         -       -",
            "",
        ];

        it("prints the releases, and which context they are read by", () => {
            listReleases(options());
            assert.deepEqual(lines, [
                "Reading the release history by kubectl's current context, arn:aws:eks:prod; the stack's is EKS mcp-production.",
                ...TABLE,
                "* live in the stack file, on blue",
            ]);
            assert.deepEqual(asked(), [
                "config current-context",
                "get configmap mcp-releases -o json -n mcp-production",
            ]);
        });

        it("says which command gives kubectl a context where there is none", () => {
            kubectl('echo "error: current-context is not set" >&2; exit 1');
            assert.throws(() => listReleases(options()), {
                message:
                    "kubectl has no current context. Set it: aws eks update-kubeconfig --name mcp-production --region ap-south-1",
            });
        });

        it("asks the cluster the stack file names", () => {
            edit(
                ["cluster: mcp-production", "context: kind-mcp\n    kubeconfig: /etc/kube.yaml"],
                ["  mcp:database:\n", "  mcp:checklist:\n    unannounced: not on EKS\n  mcp:database:\n"],
                // Which is on EKS only.
                [/ {2}mcp:database:\n(?: {4}.*\n)+/, ""],
                [/ {2}mcp:cache:\n(?: {4}.*\n)+/, ""],
                [/ {2}mcp:backups:\n(?: {4}.*\n)+/, ""],
                [/ {2}mcp:health:\n(?: {4}.*\n)+/, ""],
                [/ {2}mcp:observability:\n(?: {4}.*\n)+/, ""],
                [/ {2}mcp:objectives:\n(?: {4}.*\n)+/, ""],
                ["    patches: {", "    patches: {reboot: false, "],
                ["DATABASE_URL: database", "DATABASE_URL: supplied"],
                ["REDIS_URL: cache", "REDIS_URL: supplied"],
            );
            listReleases(options());
            assert.deepEqual(lines, [...TABLE, "* live in the stack file, on blue"]);
            assert.deepEqual(asked(), [
                "get configmap mcp-releases -o json -n mcp-production --context kind-mcp --kubeconfig /etc/kube.yaml",
            ]);
        });

        const live = { colour: "blue", version: "v2.0.3", reference: `${IMAGE}:v2.0.3` } as const;
        const marked = (text: string) =>
            text.split("\n").flatMap((line) => /^\* +(\d)/.exec(line)?.[1] ?? []);

        it("marks the newest entry of the live image, of the live colour where there is one", () => {
            const again = { ...THIRD, revision: 4 };
            const green = { ...THIRD, revision: 5, colour: "green" as const };
            assert.deepEqual(marked(renderReleases([THIRD, again, green], live)), ["4"]);
            assert.deepEqual(marked(renderReleases([FIRST, green], live)), ["5"]);
        });

        it("marks none that ran another image under the same tag", () => {
            const text = renderReleases([THIRD], { ...live, digest: A });
            assert.deepEqual(marked(text), []);
            assert.match(
                text,
                /\n\nLive in the stack file, and not in the release history: v2\.0\.3 on blue$/,
            );
        });

        it("says that there are none yet", () => {
            for (const empty of [[], undefined]) {
                lines = [];
                ledger(empty);
                listReleases(options());
                assert.deepEqual(lines.slice(1), ["The release history has no releases yet."]);
            }
        });
    });

    describe("restore", () => {
        it("writes the release and its pin, and says so", () => {
            pin({ "v2.0.3": C, "v2.1.0": digestOf("d") });
            chmodSync(join(folder, FILE), 0o640);
            assert.deepEqual(changed({ revision: "1" }), [
                "- green: {version: v2.1.0}",
                `+ "${IMAGE}:v2.0.1": ${A}`,
                "+ green: {version: v2.0.1}",
            ]);
            assert.equal(statSync(join(folder, FILE)).mode & 0o777, 0o640);
            assert.deepEqual(lines.slice(1), [
                `${FILE} has revision 1 of mcp-server on green now, the idle colour:`,
                "  mcp:workloads.mcp-server.releases.green.version: v2.0.1 (was v2.1.0)",
                `  mcp:images.pins["${IMAGE}:v2.0.1"]: ${A}`,
                "The release history has no configuration of revision 1: it runs with the present one.",
                "To give it the traffic:",
                "  npm run preview -- --stack production --set mcp:workloads.mcp-server.live=green",
                "  pulumi config set --stack production --path mcp:workloads.mcp-server.live green",
                "  pulumi up --stack production --policy-pack policies",
            ]);
        });

        it("is the same twice, and the second time says that nothing is left to do", () => {
            restoring({ revision: "2" });
            const { ino } = statSync(join(folder, FILE));
            lines = [];
            assert.deepEqual(changed({ revision: "2" }), []);
            assert.equal(statSync(join(folder, FILE)).ino, ino);
            assert.equal(lines[1], `${FILE} has revision 2 of mcp-server on green already.`);
            assert.equal(lines[3], "To give it the traffic:");
        });

        it("takes configuration and change record of the earlier release away, and keeps comments", () => {
            edit([
                "        green: {version: v2.1.0}\n",
                "        green:\n" +
                    "          # For May.\n" +
                    '          version: "v2.1.0" # tested\n' +
                    "          config:\n" +
                    "            LOG_LEVEL: debug\n" +
                    "            TOOLS: all\n" +
                    "          # Approved.\n" +
                    "          change: {version: v2.1.0, skip: CHG-7} # by Ravi\n" +
                    "          # of green\n" +
                    "        # of both\n",
            ]);
            assert.deepEqual(changed({ revision: "2" }), [
                "- pins: {}",
                '- version: "v2.1.0" # tested',
                "- config:",
                "- LOG_LEVEL: debug",
                "- TOOLS: all",
                "- # Approved.",
                "- change: {version: v2.1.0, skip: CHG-7} # by Ravi",
                "+ pins:",
                `+ "${IMAGE}:v2.0.2": ${B}`,
                '+ version: "v2.0.2" # tested',
            ]);
            assert.deepEqual(lines.slice(2, 6), [
                "  mcp:workloads.mcp-server.releases.green.version: v2.0.2 (was v2.1.0)",
                "  mcp:workloads.mcp-server.releases.green.change: removed (was CHG-7)",
                "  mcp:workloads.mcp-server.releases.green.config: removed (was LOG_LEVEL, TOOLS)",
                `  mcp:images.pins["${IMAGE}:v2.0.2"]: ${B}`,
            ]);
        });

        it("restores on blue where green is live, and says where the idle colour is staged", () => {
            edit(["live: blue", "live: green\n      stage: blue"]);
            assert.deepEqual(changed({ revision: "1" }).slice(1, 2), [
                "- blue: {version: v2.0.3, change: {version: v2.0.3, skip: first installation}}",
            ]);
            assert.match(stackFile(), /^ {8}blue: \{version: v2\.0\.1\}$/m);
            assert.ok(
                lines.includes(
                    "blue is staged: any pulumi up deploys and tests it, without moving the traffic.",
                ),
            );
            assert.equal(lines.at(-2)?.split(" ").at(-1), "blue");
        });

        it("says that a revision is live already, on whichever colour it was released", () => {
            const already = "v2.0.3, is live already, on blue: nothing to restore.";
            assert.deepEqual(changed({ revision: "3" }), []);
            assert.equal(lines.at(-1), `Revision 3, ${already}`);
            pin({ "v2.0.3": C });
            ledger([{ ...THIRD, revision: 4, colour: "green" }]);
            assert.deepEqual(changed({ revision: "4" }), []);
            assert.equal(lines.at(-1), `Revision 4, ${already}`);
        });

        it("takes the live image without its configuration for another release", () => {
            edit([
                "blue: {version: v2.0.3, change: {version: v2.0.3, skip: first installation}}",
                "blue: {version: v2.0.3, config: {TOOLS: all}}",
            ]);
            pin({ "v2.0.3": C });
            ledger([THIRD, { ...THIRD, revision: 4 }]);
            assert.deepEqual(changed({ revision: "4" }), []);
            assert.deepEqual(changed({ revision: "3" }), [
                "- green: {version: v2.1.0}",
                "+ green: {version: v2.0.3}",
            ]);
        });

        it("restores the configuration that the release ran with", () => {
            edit([
                "        green: {version: v2.1.0}\n",
                "        green: {version: v2.1.0, config: {B: b}}\n",
            ]);
            const common = /^ {6}config:\n((?: {8}.*\n)+)/m.exec(workloadText("mcp-server"))![1]!;
            const kept = Object.fromEntries(
                [...common.matchAll(/^ +(\w+): "?([^"\n]*)"?$/gm)].map(([, key, value]) => [key!, value!]),
            );
            const [dropped, changedKey] = Object.keys(kept) as [string, string];
            const config = { ...kept, [changedKey]: "yes", EXTRA: "010" };
            delete config[dropped];
            ledger([{ ...FIRST, config }]);
            assert.deepEqual(changed({ revision: "1" }).slice(0, 2), [
                "- pins: {}",
                "- green: {version: v2.1.0, config: {B: b}}",
            ]);
            assert.ok(
                stackFile().includes(
                    `        green: {version: v2.0.1, config: {${changedKey}: "yes", EXTRA: "010"}}\n`,
                ),
                stackFile(),
            );
            const path = "mcp:workloads.mcp-server";
            assert.ok(lines.includes(`  ${path}.releases.green.config.EXTRA: 010`), lines.join("\n"));
            assert.ok(lines.includes(`  ${path}.releases.green.config: removed (was B)`));
            assert.ok(
                lines.includes(`${path}.config.${dropped}: revision 1 did not have it, and it stays`),
                lines.join("\n"),
            );
            assert.ok(!lines.some((line) => line.includes("has no configuration")));
        });

        it("tells a revision of the live image by its configuration", () => {
            pin({ "v2.0.3": C });
            ledger([{ ...THIRD, config: { OTHER: "value" } }]);
            assert.notDeepEqual(changed({ revision: "3" }), []);
        });

        it("restores a workload without colours", () => {
            const workload = "chat-ui";
            const image = IMAGE.replace("mcp-server", "chat-ui");
            const old: HistoryEntry = {
                hash: "a",
                version: "v1.0.9",
                image: `${image}:v1.0.9@${A}`,
                revision: 2,
                config: { LOG_LEVEL: "debug" },
                completedAt: "2026-01-02T03:04:05.000Z",
            };
            writeFileSync(
                join(folder, "ledger.json"),
                JSON.stringify({ data: { "chat-ui": JSON.stringify([old]) } }),
            );
            assert.deepEqual(changed({ revision: "2", workload }), [
                "- pins: {}",
                "- version: v1.4.2",
                "- change: {version: v1.4.2, skip: first installation}",
                "+ pins:",
                `+ "${image}:v1.0.9": ${A}`,
                "+ version: v1.0.9",
                "+ config:",
                '+ LOG_LEVEL: "debug"',
            ]);
            assert.equal(lines[1], `${FILE} has revision 2 of chat-ui now:`);
            assert.deepEqual(lines.slice(-3), [
                "To roll it out:",
                "  npm run preview -- --stack production",
                "  pulumi up --stack production --policy-pack policies",
            ]);
            assert.deepEqual(changed({ revision: "2", workload }), []);
            assert.equal(
                lines.at(-4),
                "mcp:workloads.chat-ui.config.PUBLIC_URL: revision 2 did not have it, and it stays",
            );
        });

        it("pins again what only the idle colour runs", () => {
            pin({ "v2.0.3": C, "v2.1.0": A });
            ledger([{ ...TESTED, revision: 4 }]);
            assert.deepEqual(changed({ revision: "4" }), [
                `- "${IMAGE}:v2.1.0": ${A}`,
                `+ "${IMAGE}:v2.1.0": ${digestOf("d")}`,
            ]);
        });
    });

    describe("restoreRelease", () => {
        const release = {
            file: FILE,
            workload: "w",
            colour: "green",
            version: "1.10",
            reference: "r.io/w:1.10",
            digest: A,
            config: {},
        } as const;
        const pins = `  mcp:images:\n    pins:\n      "r.io/w:1.10": ${A}\n`;
        const file = (releases: string, tail = "") =>
            `${pins}  mcp:workloads:\n    w:\n      releases:${releases}${tail}`.replace(/^/, "config:\n");
        const tail = "\n      # why warm\n      standby: warm\n# end, without newline";

        for (const [name, before, after] of [
            [
                "a colour that is missing",
                "\n        blue: {version: v1} # b",
                '\n        blue: {version: v1} # b\n        green: {version: "1.10"}',
            ],
            [
                "a colour missing in one line",
                " {blue: {version: v1}} # b",
                ' {blue: {version: v1}, green: {version: "1.10"}} # b',
            ],
            [
                "a colour in one line",
                " {green: {version: v1, ticket: T}, blue: {version: v1}} # b",
                ' {green: {version: "1.10"}, blue: {version: v1}} # b',
            ],
            [
                "an alias",
                "\n        blue: &b {version: v1}\n        green: *b # g",
                '\n        blue: &b {version: v1}\n        green: {version: "1.10"} # g',
            ],
            [
                "configuration that comes last",
                "\n        green:\n          version: v1 # v\n          config:\n            A: b # a\n            # c",
                '\n        green:\n          version: "1.10" # v',
            ],
        ] as const) {
            it(`finds the place in a file with ${name}`, () => {
                assert.equal(restoreRelease(file(before, tail), release), file(after, tail));
            });
        }

        it("keeps the line breaks of Windows", () => {
            const windows = (text: string) => text.replaceAll("\n", "\r\n");
            const before = file("\n        green:\n          version: v1\n          ticket: T", tail);
            const after = file('\n        green:\n          version: "1.10"', tail);
            assert.equal(restoreRelease(windows(before), release), windows(after));
        });

        it("refuses what it cannot edit", () => {
            const message =
                `${FILE} cannot be edited; write mcp:workloads.w.releases as block maps or maps of one line, ` +
                "without aliases";
            for (const releases of [
                " *r",
                "\n        green: &g { version: v1 }\n        blue: *g",
                "\n        {\n        green: { version: v1, # why\n          ticket: T }\n        }",
            ]) {
                const text =
                    releases === " *r" ? file(releases).replace("pins:", "pins: &r") : file(releases);
                assert.throws(() => restoreRelease(text, release), {
                    message,
                });
            }
        });
    });

    describe("bad input", () => {
        it("is a revision that is none", () => {
            const expected = "expected a number that npm run releases -- list shows";
            refuses(`--revision: found nothing, ${expected}`, {});
            for (const revision of ["two", "", "0", "1.5", "1e1"]) {
                refuses(`--revision: found ${JSON.stringify(revision)}, ${expected}`, { revision });
            }
            refuses("--revision: found 9, expected one of 1, 2, 3", { revision: "9" });
        });

        it("is a workload that is unknown", () => {
            for (const workload of ["nope", "constructor"]) {
                refuses(
                    `--workload: found "${workload}", expected one of admin-portal, chat-ui, mcp-server`,
                    { revision: "1", workload },
                );
            }
        });

        it("is a stack that is unknown or has values missing", () => {
            refuses('--stack: found "moon", expected one of production', { revision: "1", stack: "moon" });
            edit(['    accountId: "123456789012"\n', ""]);
            refuses(
                "1 problem in the stack's values:\n  mcp:aws.accountId: found nothing, expected a value, " +
                    "set by: pulumi config set --stack production --path mcp:aws.accountId ACCOUNT_ID",
            );
        });

        it("is a ledger that is garbled or empty", () => {
            ledger("]");
            refuses(`${PLACE}: found text that is not JSON, expected a list of releases`);
            ledger(JSON.stringify([{ ...FIRST, colour: "red" }]));
            refuses(`${PLACE}[0].colour: found "red", expected blue or green`);
            for (const empty of [[], undefined, [TESTED]]) {
                ledger(empty);
                const expected = "none: the release history has no completed release of mcp-server";
                refuses(`--revision: found 1, expected ${expected}`);
            }
        });

        it("is an image from elsewhere or without digest", () => {
            for (const image of [
                `evil.example.com/msil-mcp-server:v2.0.1@${A}`,
                `${IMAGE}:v2.0.2@${A}`,
                `${IMAGE}:v2.0.1`,
                `${IMAGE}:v2.0.1@sha256:abc`,
            ]) {
                ledger([{ ...FIRST, image }]);
                refuses(`revision 1, image: found "${image}", expected ${IMAGE}:v2.0.1@sha256:…`);
            }
        });

        it("is a digest that would change what is live", () => {
            pin({ "v2.0.3": A });
            refuses(
                `mcp:images.pins["${IMAGE}:v2.0.3"]: found ${A}, which another release runs too, expected ${C} ` +
                    "as in revision 3; push that image under a tag of its own",
                { revision: "3" },
            );
        });

        it("is a release that the next preview would refuse", () => {
            pin({ "v2.0.3": A });
            refuses(
                "1 problem in the stack's values:\n" +
                    '  mcp:workloads.mcp-server.releases.green.version: found "v2.0.1", expected an image other ' +
                    "than blue's: v2.0.3 and v2.0.1 are pinned to one digest\n" +
                    "with these edits, which are not written:\n" +
                    "  mcp:workloads.mcp-server.releases.green.version=v2.0.1\n" +
                    `  mcp:images.pins["${IMAGE}:v2.0.1"]=${A}`,
            );
        });
    });

    describe("kubectl", () => {
        it("may be absent", () => {
            rmSync(join(folder, "kubectl"));
            process.env["PATH"] = folder;
            refuses("kubectl is not on the PATH");
            assert.throws(() => listReleases(options()), {
                message: "kubectl is not on the PATH",
                next: /^Install it: https:.* npm run doctor checks /,
            });
        });

        it("may fail, and says why", () => {
            const refused = "The connection to the server 10.0.0.1:6443 was refused";
            kubectl(
                `echo 'E0101 10:00:00.1 1 memcache.go:1] "Unhandled"' >&2; echo '${refused}' >&2; exit 1`,
            );
            refuses(`kubectl failed: ${refused}`);
            kubectl("printf 'token expired\\nno credentials\\n' >&2; exit 1");
            refuses("kubectl failed: token expired; no credentials");
            kubectl("exit 3");
            refuses("kubectl failed: exit status 3");
            assert.throws(() => listReleases(options()), { next: /^npm run doctor checks / });
            chmodSync(join(folder, "kubectl"), 0o644);
            process.env["PATH"] = folder;
            refuses("kubectl cannot be run: spawnSync kubectl EACCES");
        });

        it("may answer nonsense", () => {
            for (const answer of ["", "null", "<html>"]) {
                const kubectl: Kubectl = () => answer;
                const message =
                    "ConfigMap mcp-releases in mcp-production: kubectl's answer is no ConfigMap in JSON";
                refuses(message, { revision: "1", kubectl });
            }
        });
    });

    describe("command line", () => {
        it("explains itself", async () => {
            const { status, stdout } = await run("releases", "--help");
            assert.equal(status, 0);
            assert.match(stdout, /^Lists the releases .*\n\nUsage: npm run releases -- list /);
            assert.equal((await run("releases", "constructor")).status, 1);
        });

        it("fails with one line", async () => {
            assert.deepEqual(await run("releases", "restore", "--revision", "x"), {
                status: 1,
                stdout: "",
                stderr:
                    '--revision: found "x", expected a number that npm run releases -- list shows\n' +
                    "Options: npm run releases -- --help\n",
            });
        });
    });
});
