import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters, styleText } from "node:util";
import { isBlocked, previewStack } from "../../offline/preview";
import { bundleProgram } from "../../offline/program";
import { type Change } from "../../offline/compare";
import { PLAIN } from "../../offline/layout";
import { type RecordedResource } from "../../offline/record";
import { renderText } from "../../offline/render";
import { resourceTable } from "../../offline/resourceTable";
import { isUsersToMend, valuesOf } from "../../offline/stackFile";
import { type Exceptions, NO_EXCEPTIONS } from "../../policies/exceptions";
import { rules } from "../../policies/rules";
import { recordStack, root, run } from "../support";

describe("npm run preview", () => {
    it("sums a stack up by its concerns, on one screen", async () => {
        const { status, stdout, stderr } = await run("preview");
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        assert.match(stdout, /^Offline preview of mcp\/production: .* not known/);
        const { resources } = await recordStack("production");
        assert.match(stdout, /^backup +\d+ +\d+ {2}CacheSnapshots, .*DatabaseDumps/m);
        assert.match(stdout, /^workload +\d+ +Checklist, admin-portal, chat-ui, mcp-server$/m);
        const rows = [...stdout.matchAll(/^(\w+) +(\d+) +(\d+)? {2,}\S/gm)].map(
            ([, name, count, guarded]) => ({
                name,
                count: Number(count),
                guarded: Number(guarded ?? 0),
            }),
        );
        const total = rows.pop()!;
        assert.deepEqual(total, {
            name: "total",
            count: resources.length,
            guarded: resources.filter(({ options }) => options.protect).length,
        });
        const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
        assert.equal(sum(rows.map(({ count }) => count)), total.count);
        assert.equal(sum(rows.map(({ guarded }) => guarded)), total.guarded);
        assert.match(stdout, /^ {4}mcp-server-blue +v2\.0\.3 {2}3-12 replicas$/m);
        assert.match(stdout, /^Protected: [^]*rds\.Instance/m);
        assert.match(
            stdout,
            /^Placeholders: 19 values [^]*mcp:aws\.accountId[^]*mcp:secrets\.mcp-server \(2\)/m,
        );
        assert.match(stdout, /^Policies: \d+ rules, 0 violations, 0 suppressed, \d+ undetermined\.$/m);
        assert.match(stdout, /^npm run preview -- --full shows everything/m);
    });

    it("shows the whole stack as a tree on demand", async () => {
        const { status, stdout } = await run("preview", "--full");
        assert.equal(status, 0);
        assert.match(stdout, /^ \+ {3}Stack +mcp-production$/m);
        assert.match(stdout, /^ \+ {3}.*├─ Deployment +mcp-server-blue +v2\.0\.3$/m);
        assert.match(stdout, /^ \+ {3}.*Namespace +mcp-production +protected$/m);
        assert.match(stdout, /^ {4}mcp-server-blue +v2\.0\.3 +3-12 replicas +\S+:v2\.0\.3@\[not pinned\]$/m);
        assert.match(stdout, /^ {4}\+ \d+ to create, > 2 to read$/m);
        assert.match(
            stdout,
            /^ {4}pulumi config set --stack production --path mcp:aws\.accountId ACCOUNT_ID$/m,
        );
        assert.match(stdout, /^Outputs:\n[^]* {4}namespace: "mcp-production"$/m);
        const { resources } = await recordStack("production");
        for (const { name } of resources) {
            assert.ok(stdout.includes(name), name);
        }
    });

    it("sums up what is protected and what is undetermined, each name once, on lines of a screen's width", async () => {
        const { stdout } = await run("preview", "--full");
        const listed = (title: RegExp) => {
            const lines = stdout.split("\n");
            const rest = lines.slice(lines.findIndex((line) => title.test(line)) + 1);
            return rest.slice(
                0,
                rest.findIndex((line) => !line.startsWith(" ".repeat(8))),
            );
        };
        const names = listed(/^ {4}\d+ protected$/);
        assert.match(names.join(""), /, +mcp-production \(Namespace, Instance\),/);
        // Its pod has four containers, and a finding each.
        const pods = listed(/^ {4}undetermined .*require-image-digest: .*/);
        assert.equal(pods.join("").match(/\bmcp-health\b/g)!.length, 1);
        for (const lines of [names, pods]) {
            assert.ok(lines.length > 1 && lines.every(({ length }) => length <= 120), lines.join("\n"));
        }
        assert.match(stdout, /^ {4}mcp-metrics +1 replica {2}/m);
    });

    it("shows a part of a stack, and what its resources consist of", async () => {
        const { stdout } = await run(
            "preview",
            "--filter",
            "concern=backup",
            "--filter",
            "type=cronjob",
            "--diff",
        );
        const names = [...stdout.matchAll(/[├└]─ CronJob +(\S+)/g)].map(([, name]) => name);
        assert.deepEqual(names, ["mcp-configurations", "mcp-dumps-daily", "mcp-dumps-weekly"]);
        assert.match(stdout, /^ +│? +schedule: \S/m);
        assert.match(stdout, /^ +│? +declared in components\/tasks\/task\.ts:\d+$/m);
        assert.match(stdout, /^Resources \(3 of \d+ match\):$/m);
        const either = await run(
            "preview",
            "--filter",
            "name=chat-ui",
            "--filter",
            "name=admin-portal",
            "--filter",
            "type=Deployment",
        );
        assert.equal(either.stdout.match(/─ Deployment /g)!.length, 2);
    });

    it("shows no secret among the properties", async () => {
        const { stdout } = await run(
            "preview",
            "--filter",
            "type=Secret",
            "--diff",
            "--set",
            "mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY=planted-secret",
        );
        assert.doesNotMatch(stdout, /planted-secret/);
        assert.match(stdout, /\[secret\]/);
    });

    for (const width of [80, 100, 160]) {
        it(`fits ${width} columns, with every name whole`, async () => {
            const edits = ["mcp:workloads.mcp-server.live=green", "mcp:archive.bucket=another-bucket"];
            const program = bundleProgram(root);
            const whole = await previewStack(root, program, rules, "production", []);
            const edited = await previewStack(root, program, rules, "production", edits);
            const shown = [whole, edited].flatMap((preview) =>
                [{}, { full: true }, { full: true, diff: true }].map((view) => ({
                    preview,
                    text: renderText(preview, { width, colour: false, ...view }),
                    ...view,
                })),
            );
            for (const { preview, text, full } of shown as {
                preview: typeof whole;
                text: string;
                full?: true;
            }[]) {
                // A command, and the path below it, is copied as it is.
                const lines = text
                    .split("\n")
                    .filter((line) => !/^ +(pulumi config|npm run|mcp:)/.test(line));
                assert.deepEqual(
                    lines.filter(({ length }) => length > width),
                    [],
                );
                const made = preview.changes.filter(({ operation }) => full || operation !== "same");
                for (const { resource } of preview.edits.length > 0 || full ? made : []) {
                    assert.ok(text.includes(` ${resource.name}`), `${resource.name} at ${width} columns`);
                }
            }
            const summary = shown[0]!.text.split("\n").length;
            assert.ok(summary <= 44, `${summary} lines`);
        });
    }

    it("puts what does not fit on a line below, and never a name into pieces", () => {
        const name = "n".repeat(70);
        const resource = (type: string, parent: string, urn: string, protect = false) =>
            ({
                urn,
                type,
                name: urn === "leaf" ? name : urn,
                parent,
                options: protect ? { protect } : {},
            }) as RecordedResource;
        const change = (each: RecordedResource): Change => ({
            operation: "create",
            resource: each,
            properties: [],
            because: [],
            refused: false,
        });
        const changes = [
            resource("mcp:a:A", "", "root"),
            resource(
                "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
                "root",
                "leaf",
                true,
            ),
        ].map(change);
        const table = {
            width: 80,
            paint: (_: unknown, text: string) => text,
            details: "none" as const,
            isShown: () => true,
        };
        assert.deepEqual(resourceTable(changes, table).split("\n").slice(1), [
            " +   A                                      root",
            " +   └─ s3.BucketServerSideEncryptionConfiguration",
            `          ${name}`,
            "             protected",
        ]);
    });

    describe("colours", () => {
        const own = { ...process.env };
        afterEach(() => {
            for (const name of ["FORCE_COLOR", "NO_COLOR"]) {
                delete process.env[name];
                if (own[name] !== undefined) process.env[name] = own[name];
            }
        });
        const REFUSED = ["preview", "--set", "mcp:archive.bucket=another-bucket"];
        const coloured = async (forced: string | undefined, refused: string | undefined) => {
            delete process.env["FORCE_COLOR"];
            delete process.env["NO_COLOR"];
            if (forced !== undefined) process.env["FORCE_COLOR"] = forced;
            if (refused !== undefined) process.env["NO_COLOR"] = refused;
            const { stdout } = await run(...REFUSED);
            return stdout;
        };

        it("are not in a pipe, unless they are forced", async () => {
            assert.ok(!(await coloured(undefined, undefined)).includes("\u001b"));
            assert.ok(!(await coloured("0", undefined)).includes("\u001b"));
            assert.ok(!(await coloured(undefined, "1")).includes("\u001b"));
            const forced = await coloured("1", undefined);
            // What is replaced, and what the engine refuses.
            assert.ok(forced.includes(styleText("magenta", "+-", { validateStream: false })));
            assert.ok(
                forced.includes(
                    styleText("red", "Refused by the engine, before it changes anything:", {
                        validateStream: false,
                    }),
                ),
            );
            assert.equal(stripVTControlCharacters(forced), await coloured(undefined, undefined));
        });
    });

    it("shows another stack", async () => {
        const { status, stdout } = await run("preview", "--stack", "staging");
        assert.equal(status, 0);
        assert.match(stdout, /^Offline preview of mcp\/staging/);
    });

    it("shows what edits change, and nothing else", async () => {
        const { status, stdout } = await run(
            "preview",
            "--set",
            "mcp:workloads.chat-ui.release.version=v1.5.0",
            "--set",
            "mcp:workloads.admin-portal.scaling.min=3",
        );
        assert.equal(status, 0);
        assert.match(stdout, /^ ~ {3}.*─ Deployment +chat-ui/m);
        assert.match(stdout, /^ [ │]+~ spec\.minReplicas: 2 => 3$/m);
        assert.doesNotMatch(stdout, /[├└]─ \S+ +mcp-server/);
        assert.match(
            stdout,
            /^ {4}\+ 4 to create, ~ 2 to update, \+- 4 to replace, - 4 to delete, \d+ unchanged$/m,
        );
        // What is there without the edits, too, is counted, and said where it is listed.
        assert.match(
            stdout,
            /^Workloads:\n {4}admin-portal .* 3-4 replicas .*\n {4}chat-ui .* 2-6 replicas .*\n\n/m,
        );
        assert.match(stdout, /^ {4}17 protected$\n\n/m);
        assert.match(
            stdout,
            /^Placeholders: 19 values .*\n {4}npm run images -- pin .*\n {8}.*msil-chat-ui:v1\.5\.0"\]\n {4}18 as before: npm run preview -- --full lists them\n\n/m,
        );
        assert.match(
            stdout,
            /^Policies: .* \d+ undetermined as before: npm run preview -- --full lists them\.\n$(?![^])/m,
        );
    });

    it("lists what is undetermined by an edit, beside what was so before", async () => {
        const { stdout } = await run("preview", "--set", "mcp:operations.diagnostics=INC-1");
        assert.match(
            stdout,
            /^ {4}undetermined [^]* \(1\)\n {8}mcp-diagnostics-inc-1\n {4}\d+ undetermined as before: /m,
        );
    });

    it("shows what the README says it shows", async () => {
        const readme = readFileSync(join(root, "README.md"), "utf8");
        const [, edit] = /preview -- --set (\S+) +# what would this edit change/.exec(readme)!;
        const [, block] = /<!-- preview -->\n\n```text\n([^]*?)```/.exec(readme)!;
        const { stdout } = await run("preview", "--set", edit!);
        assert.ok(stdout.includes(`\n\n${block}\n`), stdout);
    });

    it("says so when an edit changes nothing, in a few lines", async () => {
        const { stdout } = await run(
            "preview",
            "--stack",
            "staging",
            "--set",
            "mcp:workloads.chat-ui.scaling.min=1",
        );
        assert.match(
            stdout,
            /\n\nNothing changes\.\n\nResources:\n(?: {4}\d+ .*\n){3}\nPlaceholders: 8 values .*, as before: npm run preview -- --full --stack staging lists them\.\n\nPolicies: .* as before: npm run preview -- --full --stack staging\n {4}lists them\.\n$/,
        );
    });

    it("says what the engine is going to refuse: it replaces nothing that is protected", async () => {
        const { status, stdout } = await run("preview", "--set", "mcp:archive.bucket=another-bucket");
        assert.equal(status, 1);
        assert.match(
            stdout,
            /^Refused by the engine[^]*^ {4}aws:s3\/bucket:Bucket mcp-production-audit: protected, to replace$/m,
        );
    });

    it("is JSON on demand, without a secret in it", async () => {
        const { stdout } = await run(
            "preview",
            "--format",
            "json",
            "--set",
            "mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY=planted-secret",
        );
        const report = JSON.parse(stdout);
        assert.equal(report.offline, true);
        assert.equal(report.stack, "production");
        assert.ok(report.resources.length > 50);
        assert.deepEqual(
            report.resources.filter(({ operation }: { operation: string }) => operation !== "same").length,
            4,
        );
        assert.doesNotMatch(stdout, /planted-secret/);
        assert.match(stdout, /"\[secret\]"/);
    });

    it("takes a value away, and says what goes with it", async () => {
        const { status, stdout, stderr } = await run(
            "preview",
            "--stack",
            "staging",
            "--unset",
            "mcp:health",
        );
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        assert.match(stdout, /^ - {3}.*─ CronJob +mcp-health/m);
    });

    it("explains itself", async () => {
        const { status, stdout } = await run("preview", "--help");
        assert.equal(status, 0);
        assert.match(stdout, /--stack NAME[^]*production, staging[^]*--set PATH=VALUE[^]*--format/);
    });

    const bad: [what: string, args: string[], message: RegExp][] = [
        [
            "an unknown stack",
            ["--stack", "qa"],
            /^--stack: found "qa", expected one of production, staging\n/,
        ],
        ["an unknown format", ["--format", "xml"], /^--format: found "xml", expected text or json\n/],
        [
            "an unknown option",
            ["--stak", "qa"],
            /^Unknown option '--stak', expected one of --stack, --set, --unset, --full, --filter, --diff, --format, --ignore-exceptions, --help\n/,
        ],
        [
            "an unknown kind of filter",
            ["--filter", "kind=Job"],
            /^--filter: found "kind=Job", expected type=…, name=… or concern=…, such as concern=backup\n/,
        ],
        [
            "a filter of JSON, which has everything",
            ["--filter", "name=chat-ui", "--format", "json"],
            /^--filter: found with --format json, expected with --format text\n/,
        ],
        [
            "an unknown concern",
            ["--filter", "concern=backups"],
            /^--filter: found concern "backups", expected one of backup, data, edge, .*workload\n/,
        ],
        [
            "a filter that matches nothing",
            ["--filter", "name=chat-iu"],
            /^--filter: found name=chat-iu, which no resource of the stack matches: npm run preview -- --full lists them\n/,
        ],
        [
            "an option whose name npm kept",
            ["staging"],
            /^Unexpected argument 'staging': npm needs -- before the options\n/,
        ],
        [
            "a list as one value",
            ["--set", 'mcp:disabledTools=["a", "b"]'],
            /^--set: found .*, expected one of the list after the other, such as mcp:disabledTools\[0\]=a\n/,
        ],
        [
            "malformed edits, all at once",
            ["--set", "mcp:scaling", "--set", "mcp:workloads..x=1"],
            /^--set: found "mcp:scaling", expected PATH=VALUE.*\n--set: found "mcp:workloads\.\.x=1", expected PATH=VALUE/,
        ],
        [
            "an edit without its namespace, and shows no secret of it",
            ["--set", "workloads.chat-ui.scaling.min=3", "--set", "secrets.mcp-server.API_KEY=planted"],
            /^--set: found "workloads\.chat-ui\.scaling\.min=3", expected mcp: before it, as in mcp:workloads\.chat-ui\.scaling\.min=…\n--set: found "secrets\.mcp-server\.API_KEY=\(not shown\)", expected mcp: before it.*\n/,
        ],
        [
            "an edit of what a provider of the engine's own would read, and shows no value of it",
            ["--set", "aws:secretKey=planted"],
            /^1 problem in the stack's values:\n {2}aws:secretKey: found a key of aws, expected one of mcp: mcp:aws and mcp:kubernetes configure the providers\n/,
        ],
        [
            "an edit through a value",
            ["--set", "mcp:workloads.chat-ui.image.tag=v1"],
            /^--set: found "mcp:workloads\.chat-ui\.image\.tag=v1", expected a path through objects/,
        ],
        [
            "edits of unknown keys and wrong values, all at once",
            ["--set", "mcp:workloads.chat-ui.replicas=3", "--set", "mcp:workloads.chat-ui.scaling.max=1"],
            /^2 problems in the stack's values:\n[^]*scaling\.max: found 1, expected at least[^]*replicas: found an unknown key/,
        ],
    ];
    for (const [what, args, message] of bad) {
        it(`refuses ${what}, in plain words`, async () => {
            const { status, stdout, stderr } = await run("preview", ...args);
            assert.equal(status, 1);
            assert.equal(stdout, "");
            assert.match(stderr, message);
            // The last line says what to do now.
            assert.match(
                stderr,
                /\n(?:Options: npm run preview -- --help|Correct the value that you gave, or the stack file, which npm run preview checks alone\.)\n$/,
            );
            assert.doesNotMatch(stderr, /^\s+at /m);
        });
    }

    describe("on another stack file", () => {
        let folder: string;
        before(() => {
            folder = mkdtempSync(join(tmpdir(), "mcp-stack-"));
            for (const file of ["Pulumi.yaml", "policies/exceptions.yaml"]) {
                cpSync(join(root, file), join(folder, file));
            }
        });
        after(() => rmSync(folder, { recursive: true }));

        /** The preview as text, or what it is refused for. */
        const previewWith = async (change: (text: string) => string, exceptions?: Exceptions) => {
            const text = readFileSync(join(root, "Pulumi.production.yaml"), "utf8");
            writeFileSync(join(folder, "Pulumi.production.yaml"), change(text));
            try {
                const program = bundleProgram(root);
                const preview = await previewStack(folder, program, rules, "production", [], exceptions);
                return {
                    blocked: isBlocked(preview),
                    stdout: renderText(preview, { ...PLAIN, full: true }),
                    refused: "",
                };
            } catch (error) {
                assert.ok(isUsersToMend(error), String(error));
                return { blocked: true, stdout: "", refused: (error as Error).message };
            }
        };

        it("refuses malformed YAML by its first error, with the line", async () => {
            const { refused } = await previewWith((text) =>
                text
                    .replace("certificates: [mcp-tls]", "certificates: [mcp-tls")
                    .replace("pins: {}", "pins: {"),
            );
            assert.match(refused, /^Pulumi\.production\.yaml:\d+:\d+ is not YAML: [^:\n]+$/);
        });

        it("refuses a key without its namespace, and takes the engine's own", async () => {
            const { refused } = await previewWith((text) =>
                text.replace(/^ {2}mcp:alarms:/m, "  pulumi:tags: { team: mcp }\n  alarms:"),
            );
            assert.equal(
                refused,
                "1 problem in the stack's values:\n  alarms: found a key without its namespace, expected mcp:alarms",
            );
            // So does what reads the file without running the program.
            assert.throws(() => valuesOf(folder, "production"), { message: refused });
        });

        it("takes the workload of docs/workloads.md as written, with all that the others have", async () => {
            const page = readFileSync(join(root, "docs", "workloads.md"), "utf8");
            const [, lines] = /<!-- workload -->\n\n```yaml\n([^]*?)```/.exec(page)!;
            const indented = lines!.replace(/^/gm, "    ").trimEnd();
            const { blocked, stdout, refused } = await previewWith((text) =>
                text.replace(/^ {2}mcp:workloads:\n/m, (line) => `${line}${indented}\n`),
            );
            assert.equal(blocked, false, refused);
            for (const kind of [
                "Deployment",
                "Service",
                "HorizontalPodAutoscaler",
                "PodDisruptionBudget",
                "NetworkPolicy",
                "ServiceAccount",
            ]) {
                assert.match(stdout, new RegExp(`${kind} +reports\\b`));
            }
            assert.match(stdout, /Job +reports-smoke-/);
        });

        it("reads an encrypted secret as set, and refuses one outside mcp:secrets", async () => {
            const secure = "        LOG_LEVEL: { secure: v1:planted }";
            const misplaced = await previewWith((text) => text.replace(/^ {8}LOG_LEVEL: info$/m, secure));
            assert.match(
                misplaced.refused,
                /^Pulumi\.production\.yaml: mcp:workloads: found an encrypted value, expected secrets only in mcp:secrets and mcp:tls and mcp:endpoints$/,
            );
            const set = await previewWith(
                (text) =>
                    `${text}\n  mcp:secrets:\n    mcp-server:\n      APIM_SUBSCRIPTION_KEY: { secure: v1:planted }\n`,
            );
            assert.equal(set.blocked, false);
            assert.doesNotMatch(set.stdout, /mcp:secrets\.mcp-server\.APIM_SUBSCRIPTION_KEY/);
            assert.match(set.stdout, /mcp:secrets\.mcp-server\.AZURE_AD_CLIENT_SECRET/);
        });

        it("tells a certificate that is set from one that is missing", async () => {
            const pair = ["certificate", "privateKey"].map((key) => `      ${key}: {secure: v1:planted}\n`);
            const none = await previewWith((text) => text);
            const joined = (text: string) => text.replaceAll(/\s+/g, " ");
            assert.match(joined(none.stdout), /the certificate is a placeholder until mcp:tls has a pair/);
            const set = await previewWith((text) => `${text}\n  mcp:tls:\n    mcp-tls:\n${pair.join("")}`);
            assert.equal(set.blocked, false, set.refused);
            assert.doesNotMatch(joined(set.stdout), /certificate is a placeholder/);
            assert.match(joined(set.stdout), /the certificate is encrypted: only the update can read it/);
        });

        it("suppresses an accepted violation, names the owner, and can be disabled", async () => {
            const oneZone = (text: string) =>
                text.replace("active: primary", "active: primary\n    multiAz: false");
            // An exception ends within 180 days.
            const expires = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10);
            writeFileSync(
                join(folder, "policies", "exceptions.yaml"),
                [
                    "exceptions:",
                    "    - rule: aws-rds-instance-require-multi-az",
                    "      stack: production",
                    "      resource: mcp-production",
                    "      reason: The second zone is being built.",
                    "      owner: Platform Lead",
                    "      ticket: CHG-1",
                    `      expires: ${expires}`,
                ].join("\n"),
            );
            const accepted = await previewWith(oneZone);
            assert.equal(accepted.blocked, false, accepted.refused);
            assert.match(accepted.stdout, /^Policies: \d+ rules, 0 violations, 1 suppressed, /m);
            assert.match(
                accepted.stdout,
                /suppressed {2}aws-rds-instance-require-multi-az\n.*: is in one zone only\n +CHG-1, accepted by Platform Lead until \S+: The second zone is being built\.$/m,
            );
            assert.ok(accepted.stdout.includes(`until ${expires}: `));
            const ignored = await previewWith(oneZone, NO_EXCEPTIONS);
            assert.equal(ignored.blocked, true);
            assert.match(ignored.stdout, /^Policies: \d+ rules, 1 violations, 0 suppressed, /m);
        });

        it("shows pinned digests as they are", async () => {
            const digest = `sha256:${"ab".repeat(32)}`;
            const reference = "000000000000.dkr.ecr.ap-south-1.amazonaws.com/msil-chat-ui:v1.4.2";
            const { stdout } = await previewWith((text) =>
                text.replace("pins: {}", `pins: { "${reference}": "${digest}" }`),
            );
            assert.match(stdout, /msil-chat-ui:v1\.4\.2@sha256:abababababab$/m);
        });
    });
});
