import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import fc from "fast-check";
import { certificateFacts, checkCertificate, leafAndChain, normalisedPem } from "../../config/certificates";
import { parseCertificatePlan } from "../../jobs/certificate";
import { parseApprovalPlan } from "../../jobs/evidence";
import { parseHealthPlan } from "../../jobs/health";
import { ValidationError } from "../../jobs/lib/schema";
import { parseReleasePlan } from "../../jobs/release/plan";
import { parseSmokePlan } from "../../jobs/release/smokeRequests";
import { UsageError, valuesOf } from "../../offline/stackFile";
import { temporaryAuthority } from "../certificates";
import { StepFolder } from "../jobs/steps";
import { PROPERTY_RUNS } from "../properties";
import { root } from "../support";

/** Placeholder of a secret: no message may contain it. */
const PLANTED = "planted-CANARY";

/** Most CPU time of one input, in microseconds: what takes longer has no end. */
const MOST_CPU = 2_000_000;

/** What is thrown, which must be of a type, in lines without a trace and without the secret, and soon. */
function thrown(type: new (...args: never[]) => Error, run: () => unknown): Error | undefined {
    const start = process.cpuUsage();
    try {
        run();
        return undefined;
    } catch (error) {
        assert.ok(error instanceof type, `${(error as Error).stack}`);
        assert.doesNotMatch(error.message, /planted|^\s+at /m);
        return error;
    } finally {
        const { user, system } = process.cpuUsage(start);
        assert.ok(user + system < MOST_CPU, `${user + system} µs`);
    }
}

/** A text with pieces of it taken out, doubled, moved and replaced. */
function mutated(text: string) {
    const lines = text.split("\n");
    const edit = fc.record({
        at: fc.nat({ max: lines.length - 1 }),
        to: fc.nat({ max: lines.length - 1 }),
        kind: fc.constantFrom("drop", "double", "swap", "join", "replace", "cut"),
        piece: fc.oneof(
            fc.string({ maxLength: 12 }),
            fc.constantFrom(
                "- &a",
                "*a",
                "<<: *a",
                "{",
                "]",
                ": ",
                "!!x",
                "\t",
                '"',
                "\ufeff",
                "\u202e",
                "\0",
                "%YAML 1.1",
            ),
            fc.constantFrom("null", "1.10", "9".repeat(30), "__proto__: x", "-----BEGIN CERTIFICATE-----"),
        ),
    });
    return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
        const result = [...lines];
        for (const { at, to, kind, piece } of edits) {
            const line = result[at] ?? "";
            if (kind === "drop") result.splice(at, 1);
            if (kind === "double") result.splice(to, 0, line);
            if (kind === "swap") [result[at], result[to]] = [result[to] ?? "", line];
            if (kind === "join") result.splice(at, 2, `${line}${result[at + 1] ?? ""}`);
            if (kind === "replace") result[at] = line.replace(/[^\s:]+\s*$/, () => piece);
            if (kind === "cut") result[at] = line.slice(0, line.length / 2) + piece;
        }
        return result.join("\n");
    });
}

describe("whatever an operator gives", () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-fuzz-"));
    const authority = temporaryAuthority();
    const issuer = authority.issue("authority", { authority: true });
    const pair = authority.issue("server", { issuer, hosts: ["mcp.msil.com"] });
    after(() => {
        rmSync(folder, { recursive: true });
        authority.remove();
    });

    it("as a stack file is read, or refused in words without its secrets", () => {
        copyFileSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
        const staging = readFileSync(join(root, "Pulumi.staging.yaml"), "utf8");
        const secrets = `  mcp:secrets:\n    mcp-server:\n      APIM_SUBSCRIPTION_KEY: ${PLANTED}\n      OTHER: { secure: ${PLANTED} }\n`;
        const text = staging.replace(/^config:\n/m, (line) => `${line}${secrets}`);
        let accepted = 0;
        fc.assert(
            fc.property(fc.oneof(mutated(text), mutated(staging), fc.string({ maxLength: 200 })), (file) => {
                writeFileSync(join(folder, "Pulumi.staging.yaml"), file);
                accepted += thrown(UsageError, () => valuesOf(folder, "staging")) === undefined ? 1 : 0;
            }),
            { ...PROPERTY_RUNS, examples: [[staging]] },
        );
        assert.ok(accepted > 0, "nothing was accepted");
    });

    it("as an edit is applied, or refused in words", () => {
        copyFileSync(join(root, "Pulumi.staging.yaml"), join(folder, "Pulumi.staging.yaml"));
        const key = fc.oneof(
            fc.constantFrom(
                "mcp:workloads",
                "chat-ui",
                "scaling",
                "mcp:tls",
                "constructor",
                "__proto__",
                "[0]",
                "[4294967295]",
            ),
            fc.string({ maxLength: 6 }),
        );
        const edit = fc
            .tuple(
                fc.array(key, { maxLength: 4 }),
                fc.string({ maxLength: 8 }),
                fc.constantFrom("=", "-", ""),
            )
            .map(
                ([keys, value, sign]) =>
                    `${keys.join(".").replaceAll(".[", "[")}${sign}${sign === "=" ? value : ""}`,
            );
        fc.assert(
            fc.property(fc.array(edit, { maxLength: 3 }), (edits) => {
                thrown(UsageError, () => valuesOf(folder, "staging", { edits }));
            }),
            PROPERTY_RUNS,
        );
    });

    it("as a certificate is one that OpenSSL takes, or refused in words without the key", () => {
        const chain = `${pair.certificate}${issuer.certificate}`;
        const chains = fc.oneof(mutated(chain), fc.constant(chain), fc.string({ maxLength: 100 }));
        const keys = fc.oneof(mutated(pair.privateKey), fc.constant(pair.privateKey));
        const secret = pair.privateKey.split("\n")[1]!;
        let accepted = 0;
        fc.assert(
            fc.property(chains, keys, (certificate, privateKey) => {
                const given = {
                    certificate: normalisedPem(certificate),
                    privateKey: normalisedPem(privateKey),
                };
                const problems = checkCertificate(given, ["mcp.msil.com"]);
                assert.ok(!problems.some((problem) => problem.includes(secret) || problem.includes("\n")));
                if (problems.length === 0) {
                    accepted += 1;
                    createSecureContext({ cert: given.certificate, key: given.privateKey });
                    assert.match(certificateFacts(given.certificate).notAfter, /^\d{4}-/);
                    const { leaf, chain: others } = leafAndChain(given.certificate);
                    // Go requires BEGIN and END on separate lines, and nothing before the first.
                    assert.match(
                        leaf,
                        /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----$/,
                    );
                    assert.ok(others === undefined || others.startsWith("-----BEGIN CERTIFICATE-----\n"));
                }
            }),
            { ...PROPERTY_RUNS, examples: [[chain, pair.privateKey]] },
        );
        assert.ok(accepted > 0, "nothing was accepted");
    });

    it("as a gate's plan is taken, or refused in words", () => {
        const parsers = [
            parseReleasePlan,
            parseSmokePlan,
            parseCertificatePlan,
            parseHealthPlan,
            parseApprovalPlan,
        ];
        const plan = fc.oneof(
            fc.anything({ maxDepth: 3 }),
            fc.dictionary(
                fc.constantFrom(
                    "gate",
                    "subject",
                    "deadlineSeconds",
                    "requests",
                    "hosts",
                    "probes",
                    "metrics",
                    "release",
                ),
                fc.oneof(
                    fc.anything({ maxDepth: 2 }),
                    fc.constantFrom("soak", "smoke", "capacity", 60, [{}], {}),
                ),
            ),
        );
        fc.assert(
            fc.property(plan, (raw) => {
                for (const parse of parsers) {
                    thrown(ValidationError, () => parse(raw));
                }
            }),
            PROPERTY_RUNS,
        );
    });

    it("as the least that a check must find is compared as a number, whatever PostgreSQL answers", async () => {
        const steps = new StepFolder();
        try {
            steps.supply({ password: "x" });
            steps.plant("pg_isready", "#!/bin/sh\nexit 0\n");
            steps.plant("psql", '#!/bin/sh\necho "WARNING:  collation" >&2\nprintf "%s\\n" "$ANSWER"\n');
            const answers = fc.oneof(
                fc.nat().map(String),
                fc.stringMatching(/^0[0-9]{1,4}$/),
                fc.constantFrom(
                    "",
                    "-1",
                    "1.5",
                    "1e3",
                    "9".repeat(18),
                    "9".repeat(40),
                    "a[$(touch x)]",
                    "08",
                ),
            );
            await fc.assert(
                fc.asyncProperty(answers, fc.nat({ max: 5000 }), async (answer, least) => {
                    const env = { CHECKS: `${least}\tSELECT 1`, ANSWER: answer, PGHOST: "database" };
                    const { status } = await steps.start("database/verify.sh", env).ended;
                    const enough = /^\d{1,18}$/.test(answer) && BigInt(answer) >= BigInt(least);
                    assert.equal(status, enough ? 0 : 1);
                }),
                {
                    ...PROPERTY_RUNS,
                    examples: [
                        ["09", 1000],
                        ["0100", 70],
                        ["9".repeat(40), 1],
                    ],
                },
            );
        } finally {
            steps.remove();
        }
    });
});
