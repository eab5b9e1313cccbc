import assert from "node:assert/strict";
import {
    copyFileSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi/errors";
import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import * as state from "@pulumi/pulumi/runtime/state";
import fc from "fast-check";
import { CORE_SCHEMA, load } from "js-yaml";
import { parse } from "yaml";
import { loadStack, parseComplete } from "../../config";
import { formatProblems } from "../../config/problems";
import { readStackFile, stackNames, UsageError, valuesOf } from "../../offline/stackFile";
import { PROPERTY_RUNS } from "../properties";
import { scalar } from "../scalars";
import { root } from "../support";

/** Declared by the SDK for itself: what the engine tells the program by its environment. */
const { getStore } = state as unknown as { getStore(): { settings: { options: Record<string, unknown> } } };

/** Placeholder of a secret: no message may contain it. */
const PLANTED = "planted-CANARY";

describe("a stack file", () => {
    let folder: string;
    const production = readFileSync(join(root, "Pulumi.production.yaml"), "utf8");

    before(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-stack-file-"));
        copyFileSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    });
    after(() => rmSync(folder, { recursive: true }));

    const file = () => join(folder, "Pulumi.production.yaml");
    const write = (text: string | Buffer) => {
        rmSync(file(), { recursive: true, force: true });
        writeFileSync(file(), text);
    };
    /** What is said of the file, by what runs the program and by what only reads the values. */
    const refusals = (...edits: string[]): string[] =>
        [
            () => readStackFile(folder, "production", edits),
            () => valuesOf(folder, "production", { edits }),
        ].map((read) => {
            try {
                read();
                return "";
            } catch (error) {
                assert.ok(error instanceof UsageError, `${(error as Error).stack}`);
                assert.doesNotMatch(error.message, /planted/);
                return error.message;
            }
        });
    const assertRefused = (message: RegExp, ...edits: string[]) => {
        for (const found of refusals(...edits)) {
            assert.match(found, message);
        }
    };
    /** What is said by the schema, which the engine's program and the commands have in common. */
    const assertInvalid = (message: RegExp, ...edits: string[]) => {
        const [, found] = refusals(...edits);
        assert.match(found!, message);

        assert.doesNotMatch(found!, /[\u0000-\u0009\u000b-\u001f\u202e\u2028]/);
    };
    const text = (line: string) => production.replace("config:\n", `config:\n${line}\n`);

    it("is as Pulumi's command line writes it, which removes blank lines and the space in braces", () => {
        for (const stack of stackNames(root)) {
            const text = readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8");
            assert.doesNotMatch(text, /\n\n/, stack);
            assert.doesNotMatch(text.replaceAll(/#.*/g, ""), /\{ \S|\S \}/, stack);
        }
    });

    it("is read as it is", () => {
        write(production);
        assert.deepEqual(refusals(), ["", ""]);
    });

    describe("is refused without a stack trace, and without its text", () => {
        const bad: [what: string, write: () => void, message: RegExp][] = [
            [
                "a folder",
                () => mkdirSync(file()),
                /^Pulumi\.production\.yaml: found a folder, expected a text file/,
            ],
            [
                "a link to nowhere",
                () => symlinkSync("nowhere", file()),
                /: found nothing, expected a text file/,
            ],
            [
                "a device without end",
                () => symlinkSync("/dev/zero", file()),
                /: found a device, expected a text/,
            ],
            [
                "10 MB",
                () => write(`config: {}\n# ${"x".repeat(10_000_000)}`),
                /: found 100000\d\d bytes, expected/,
            ],
            [
                "bytes that are no text",
                () => write(Buffer.from([0x61, 0xff])),
                /: found bytes that are no UTF-8/,
            ],
            ["NUL", () => write("config: {a: b\0}"), /: found bytes that are no UTF-8/],
            [
                "an alias without an anchor",
                () => write(`config:\n  mcp:secrets: { mcp-server: { KEY: *${PLANTED} } }\n`),
                /^Pulumi\.production\.yaml(:2:\d+)? is not YAML/,
            ],
            [
                "an alias of what it is in",
                () => write("config: &a\n  mcp:environment: *a\n"),
                /is not YAML that can be read|at most 24 levels/,
            ],
            [
                "a bomb of aliases",
                () =>
                    write(
                        [
                            "config:",
                            "  a: &a [x, x, x, x, x, x, x, x, x]",
                            ..."bcdefghij".split("").map((name, index) => {
                                const from = "abcdefghi"[index];
                                return `  ${name}: &${name} [${Array(9).fill(`*${from}`).join(", ")}]`;
                            }),
                        ].join("\n"),
                    ),
                /is not YAML that can be read/,
            ],
            [
                "deep nesting",
                () => write(`config: ${"[".repeat(5000)}${"]".repeat(5000)}`),
                /at most 24 levels|is not YAML that can be read/,
            ],
            ["no object", () => write("just text"), /config: found nothing, expected an object/],
            [
                "malformed text",
                () => write(`config:\n  a: "${PLANTED}\n  b: 1\n`),
                /:\d+:\d+ is not YAML: \w/,
            ],
            [
                "an unknown tag",
                () => write(`config: { a: !${PLANTED} b }`),
                /:1:\d+ is not YAML: Unresolved tag/,
            ],
            ["a key twice", () => write("config: {a: 1, a: 2}"), /is not YAML: Map keys must be unique/],
        ];
        for (const [what, make, message] of bad) {
            it(what, () => {
                rmSync(file(), { recursive: true, force: true });
                make();
                assertRefused(message);
            });
        }

        it("whatever a key holds", () => {
            const { config } = parse(production) as { config: Record<string, Record<string, unknown>> };
            const raw = Object.fromEntries(
                Object.entries(config).flatMap(([key, value]) =>
                    key.startsWith("mcp:") ? [[key.slice("mcp:".length), value]] : [],
                ),
            );
            const deep = Array.from({ length: 30 }).reduce<unknown>((inner) => ({ x: inner }), PLANTED);
            const odd = [PLANTED, [PLANTED], null, 7, deep];
            const check = (key: string, values: Record<string, unknown>) => {
                const { problems } = parseComplete(values, "production", [], () => false);
                // What is no secret is shown: what was found is half of what a problem says.
                if (/^(secrets|tls)/.test(key)) {
                    assert.doesNotMatch(formatProblems(problems), /planted/, key);
                }
            };
            for (const key of ["secrets", "tls", "recovery", "operations", ...Object.keys(raw)]) {
                for (const value of odd) {
                    check(key, { ...raw, [key]: value });
                    const inner = raw[key] ?? { "mcp-server": {}, "mcp-tls": {} };
                    for (const name of typeof inner === "object" ? Object.keys(inner) : []) {
                        check(`${key}.${name}`, { ...raw, [key]: { ...inner, [name]: value } });
                    }
                }
            }
            write(production);
            assertInvalid(/mcp:secrets\.mcp-server: found a secret/, `mcp:secrets.mcp-server=${PLANTED}`);
        });
    });

    it("has no secret in plain text, and says what encrypts it", () => {
        write(
            text(
                `  mcp:secrets: { mcp-server: { APIM_SUBSCRIPTION_KEY: ${PLANTED} } }\n  mcp:tls: ${PLANTED}`,
            ),
        );
        assertRefused(
            /mcp:secrets\.mcp-server\.APIM_SUBSCRIPTION_KEY: found a secret in plain text, expected .*: pulumi config set --stack production --secret --path 'mcp:secrets\.mcp-server\.APIM_SUBSCRIPTION_KEY'/,
        );
        assertRefused(/mcp:tls: found a secret in plain text/);
        write(text("  mcp:secrets: { mcp-server: { APIM_SUBSCRIPTION_KEY: { secure: v1:x } } }"));
        assert.deepEqual(refusals(`mcp:secrets.mcp-server.AZURE_AD_CLIENT_SECRET=${PLANTED}`), ["", ""]);
    });

    it("shows no secret in place of its origin", () => {
        write(production);
        assertInvalid(
            /mcp:workloads\.chat-ui\.secrets\.KEY: found a secret \(not shown\)/,
            `mcp:workloads.chat-ui.secrets.KEY=${PLANTED}`,
        );
    });

    it("has no number, time or truth value where readers of YAML differ", () => {
        const values = [
            "1.10",
            "1.0",
            "010",
            "0o17",
            "0x1F",
            "1_000",
            "+1",
            "1e3",
            ".5",
            ".inf",
            "-0",
            "yes",
            "Off",
        ];
        for (const value of [...values, "12345678901234567890", "2026-01-31T10:30:00Z", "2026-1-5"]) {
            write(production.replace("version: v1.4.2,", `version: ${value},`));
            const [line] = refusals();
            const found = `mcp:workloads.chat-ui.release.change.version: found ${value}, expected the same in quotes`;
            assert.ok(line!.includes(found), `${value}: ${line}`);
            write(production.replace("version: v1.4.2,", `version: "${value}",`));
            assert.doesNotMatch(refusals().join(), /expected the same in quotes/);
        }
        for (const [value, number] of Object.entries({ "1_200": 1200, "1e3": 1000, "0x1F": 31, "+1": 1 })) {
            write(production.replace("version: v1.4.2,", `version: ${value},`));
            assert.ok(
                refusals()[0]!.includes(`the same in quotes for a text, or ${number} for a number: `),
                value,
            );
        }
        for (const value of ["010", "12345678901234567890", "yes"]) {
            write(production.replace("version: v1.4.2,", `version: ${value},`));
            assert.ok(refusals()[0]!.includes("the same in quotes: without them"), value);
        }
        write(text("  mcp:alarms: { 1.10: x, yes: y }").replace(/^ {2}mcp:alarms:\n[^]*/m, ""));
        assertRefused(/mcp:alarms\["1\.10"\]: found the key "1\.10", expected the same in quotes/);
    });

    it("has no tag that makes another value of a text", () => {
        for (const value of [
            '!!int "0x10"',
            "!!binary aGVsbG8=",
            "!!timestamp 2026-01-01",
            "!!set { a, b }",
        ]) {
            write(production.replace("className: traefik", `className: ${value}`));
            assertRefused(/mcp:ingress\.className: found the tag "tag:yaml\.org,2002:\w+", expected no tag/);
        }
        write(production.replace("className: traefik", "className: !!str traefik"));
        assert.deepEqual(refusals(), ["", ""]);
    });

    it("is read again by an update, which the engine hands 1 for 1.0", () => {
        const { options } = getStore().settings;
        const before = { ...options };
        const found =
            /mcp:workloads\.chat-ui\.release\.change\.version: found 1\.0, expected the same in quotes/;
        Object.assign(options, { project: "mcp", stack: "production", rootDirectory: folder });
        const passOn = (text: string) => {
            const { config } = parse(text) as { config: Record<string, unknown> };
            const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
            setAllConfig(
                Object.fromEntries(Object.entries(config).map(([key, value]) => [key, asText(value)])),
            );
        };
        const assertNotFound = () =>
            assert.throws(
                () => loadStack(),
                (error) => error instanceof RunError && !found.test(error.message),
            );
        try {
            const misread = production.replace("version: v1.4.2,", "version: 1.0,");
            write(misread);
            passOn(misread);
            assert.throws(() => loadStack(), found);
            // What the engine reads is another file, with --config-file.
            passOn(production);
            assertNotFound();
            passOn(misread.replace("className: traefik", "className: haproxy"));
            assertNotFound();
            write(production.replace("version: v1.4.2,", 'version: "1.0",'));
            passOn(production.replace("version: v1.4.2,", 'version: "1.0",'));
            assertNotFound();
        } finally {
            Object.assign(options, before);
            setAllConfig({});
        }
    });

    it("takes no scalar that another reader of YAML takes for something else", () => {
        fc.assert(
            fc.property(scalar, (source) => {
                let read: unknown;
                write(`config:\n  mcp:x: { value: ${source} }\n`);
                try {
                    read = JSON.parse(readStackFile(folder, "production").config["mcp:x"]!);
                } catch (error) {
                    assert.ok(error instanceof UsageError);
                    return;
                }
                const { value } = load(
                    `value: ${source}
`,
                    { schema: CORE_SCHEMA },
                ) as { value: unknown };
                assert.deepEqual(read, JSON.parse(JSON.stringify({ value })), source);
            }),
            { numRuns: PROPERTY_RUNS.numRuns * 10 },
        );
    });

    it("merges what is merged, as the engine does", () => {
        write(
            production
                .replace(
                    "      resources:\n        cpu: {request: 100m",
                    "      resources: &small\n        cpu: {request: 100m",
                )
                .replace(
                    /( {4}chat-ui:[^]*? {6}resources:\n)[^]*?( {6}config:)/,
                    "$1        <<: *small\n        memory: { request: 64Mi, limit: 64Mi }\n$2",
                ),
        );
        const { resources } = valuesOf(folder, "production").workloads["chat-ui"]!;
        assert.deepEqual(resources.cpu, { request: "100m", limit: "1" });
        assert.deepEqual(resources.memory, { request: "64Mi", limit: "64Mi" });
    });

    it("has no characters that a terminal obeys, but for lines where lines belong", () => {
        for (const character of ["\u001b[2J", "\u202e", "\n", "\u0007", "\u2028"]) {
            write(production);
            assertInvalid(
                /mcp:workloads\.mcp-server\.restart: found "INC(\\u[\da-f]{4}|\\n)[^]*", expected a text without control characters/,
                `mcp:workloads.mcp-server.restart=INC${character}1`,
            );
        }
        assert.deepEqual(refusals("mcp:workloads.mcp-server.config.PEM=a\nb"), ["", ""]);
        assert.deepEqual(refusals("mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY=a\nb"), ["", ""]);
    });

    it("has no list with holes, no end of a list that is far away, and no key of JavaScript's", () => {
        write(production);
        for (const index of ["999999", "4294967295", "4"]) {
            assertRefused(
                /^--set: found .*, expected an index of at most 1, which is behind the last of the list$/,
                `mcp:incident.contacts.P1[${index}]=a@example.com`,
            );
        }
        assertRefused(/__proto__/, "mcp:workloads.chat-ui.config.__proto__=x");
        write(production.replace(/^ {2}mcp:alarms:$/m, "  mcp:alarms:\n    __proto__: { x: 1 }"));
        assertInvalid(
            /found the key "__proto__", expected a key of printable characters other than __proto__/,
        );
        write(production);
        assertInvalid(/constructor/, "mcp:workloads.chat-ui.constructor.x=1");
    });

    it("has no account that is a placeholder", () => {
        write(production.replace("region:", 'accountId: "000000000000"\n    region:'));
        assertRefused(/mcp:aws\.accountId: found 000000000000, expected the account's real id/);
    });

    it("loses a value that an edit takes away, and is refused by what it had to have", () => {
        write(production);
        assert.deepEqual(refusals("mcp:alarms-", "mcp:workloads.chat-ui.network.calls[0]-"), ["", ""]);
        assertInvalid(
            /mcp:workloads\.chat-ui\.resources: found nothing, expected an object/,
            "mcp:workloads.chat-ui.resources-",
        );
        assertRefused(/^--unset: found "", expected PATH, such as/, "-");
        assertRefused(
            /^--unset: found "workloads\.chat-ui", expected mcp: before it, as in mcp:workloads/,
            "workloads.chat-ui-",
        );
    });

    it("is said to have many problems by the first of them and their number", () => {
        write(production);
        const edits = Array.from({ length: 30 }, (_, index) => `mcp:workloads.chat-ui.k${index}=1`);
        const [, message] = refusals(...edits);
        assert.equal(message!.split("\n").length, 22);
        assert.match(message!, /^30 problems[^]*\n {2}and 10 more$/);
        assertRefused(
            /1 problem in the stack's values:\n {2}mcp: found more, expected at most/,
            `mcp:x=${"x".repeat(1_100_000)}`,
        );
    });
});
