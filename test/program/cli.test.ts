import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { valuesOf } from "../../offline/stackFile";
import { copyOfProject, root, run } from "../support";

describe("npm run preview", () => {
    it("shows the production stack as a tree, and says first what it is", () => {
        const { status, stdout, stderr } = run("preview");
        assert.equal(stderr, "");
        assert.equal(status, 0);
        const lines = stdout.split("\n");
        assert.match(lines[0]!, /^Offline preview of mcp\/production: .* not known/);
        assert.match(stdout, /^ \+ {3}pulumi:pulumi:Stack +mcp-production$/m);
        assert.match(stdout, /^ \+ {3}.*├─ kubernetes:apps\/v1:Deployment +mcp-server-blue +v2\.0\.3$/m);
        assert.match(stdout, /^ \+ {3}.*kubernetes:core\/v1:Namespace +mcp-production +protected$/m);
        assert.match(stdout, /^ {4}mcp-server-blue +v2\.0\.3 +3-12 replicas +\S+:v2\.0\.3@\[not pinned\]$/m);
        assert.match(stdout, /^ {4}\+ \d+ to create$/m);
    });

    it("sums up what is protected and what is undetermined, each name once, on lines of a screen's width", () => {
        const { stdout } = run("preview");
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
        const pods = listed(/^ {4}undetermined .*require-image-digest: .* \(\d+\)$/);
        assert.equal(pods.join("").match(/\bmcp-health\b/g)!.length, 1);
        for (const lines of [names, pods]) {
            assert.ok(lines.length > 1 && lines.every(({ length }) => length <= 120), lines.join("\n"));
        }
        assert.match(stdout, /^ {4}mcp-metrics +1 replica {2}/m);
    });

    it("shows another stack", () => {
        const { status, stdout } = run("preview", "--stack", "staging");
        assert.equal(status, 0);
        assert.match(stdout, /^Offline preview of mcp\/staging/);
    });

    it("shows what edits change, and nothing else", () => {
        const { status, stdout } = run(
            "preview",
            "--set",
            "mcp:workloads.chat-ui.release.version=v1.5.0",
            "--set",
            "mcp:workloads.admin-portal.scaling.min=3",
        );
        assert.equal(status, 0);
        assert.match(stdout, /^ ~ {3}.*kubernetes:apps\/v1:Deployment +chat-ui/m);
        assert.match(stdout, /^ {4}~ spec\.minReplicas: 2 => 3$/m);
        assert.doesNotMatch(stdout, /[├└]─ \S+ +mcp-server/);
        assert.match(
            stdout,
            /^ {4}\+ 3 to create\n {4}~ 2 to update\n {4}\+- 3 to replace\n {4}- 3 to delete$/m,
        );
        // What is there without the edits, too, is counted, and said where it is listed.
        assert.match(
            stdout,
            /^Workloads:\n {4}admin-portal .* 3-4 replicas .*\n {4}chat-ui .* 2-6 replicas .*\n\n/m,
        );
        assert.match(stdout, /^ {4}17 protected$\n\n/m);
        assert.match(
            stdout,
            /^Placeholders: 20 values .*\n {4}npm run images -- pin .*\n {8}.*msil-chat-ui:v1\.5\.0"\]\n {4}19 as before: npm run preview lists them\n\n/m,
        );
        assert.match(
            stdout,
            /^Policies: .* \d+ undetermined as before: npm run preview lists them\.\n$(?![^])/m,
        );
    });

    it("lists what is undetermined by an edit, beside what was so before", () => {
        const { stdout } = run("preview", "--set", "mcp:operations.diagnostics=INC-1");
        assert.match(
            stdout,
            /^ {4}undetermined .* \(1\)\n {8}mcp-diagnostics-inc-1\n {4}57 undetermined as before: /m,
        );
    });

    it("says so when an edit changes nothing, in a few lines", () => {
        const { stdout } = run(
            "preview",
            "--stack",
            "staging",
            "--set",
            "mcp:workloads.chat-ui.scaling.min=1",
        );
        assert.match(
            stdout,
            /\n\nNothing changes\.\n\nResources:\n(?: {4}\d+ .*\n){3}\nPlaceholders: 9 values .*, as before: npm run preview -- --stack staging lists them\.\n\nPolicies: .* as before: npm run preview -- --stack staging lists them\.\n$/,
        );
    });

    it("says what the engine is going to refuse: it replaces nothing that is protected", () => {
        const { status, stdout } = run("preview", "--set", "mcp:archive.bucket=another-bucket");
        assert.equal(status, 1);
        assert.match(
            stdout,
            /^Refused by the engine[^]*^ {4}aws:s3\/bucket:Bucket mcp-production-audit: protected, to replace$/m,
        );
    });

    it("is JSON on demand, without a secret in it", () => {
        const { stdout } = run(
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

    for (const [what, edit, expected] of [
        ["accepted", "mcp:workloads.chat-ui.scaling.min=3", 0],
        ["refused", "mcp:archive.bucket=another-bucket", 1],
    ] as const) {
        it(`ends quietly when nobody reads on, with the status of what is ${what}`, async () => {
            const args = ["cli/main.cjs", "preview", "--format", "json", "--set", edit];
            const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
            // As head does at once.
            child.stdout.destroy();
            let stderr = "";
            child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
            const [status] = await once(child, "close");
            assert.deepEqual({ status, stderr }, { status: expected, stderr: "" });
        });
    }

    it("explains itself", () => {
        const { status, stdout } = run("preview", "--help");
        assert.equal(status, 0);
        assert.match(stdout, /--stack NAME[^]*production, staging[^]*--set PATH=VALUE[^]*--format/);
    });

    const bad: [what: string, args: string[], message: RegExp][] = [
        [
            "an unknown stack",
            ["--stack", "qa"],
            /^--stack: found "qa", expected one of production, staging\n$/,
        ],
        ["an unknown format", ["--format", "xml"], /^--format: found "xml", expected text or json\n$/],
        [
            "an unknown option",
            ["--stak", "qa"],
            /^Unknown option '--stak', expected one of --stack, --set, --format, --ignore-exceptions, --help\n$/,
        ],
        [
            "an option whose name npm kept",
            ["staging"],
            /^Unexpected argument 'staging': npm needs -- before the options, such as npm run preview -- --stack staging\n$/,
        ],
        [
            "a list as one value",
            ["--set", 'mcp:disabledTools=["a", "b"]'],
            /^--set: found .*, expected one of the list after the other, such as mcp:disabledTools\[0\]=a\n$/,
        ],
        [
            "malformed edits, all at once",
            ["--set", "mcp:scaling", "--set", "mcp:workloads..x=1"],
            /^--set: found "mcp:scaling", expected PATH=VALUE.*\n--set: found "mcp:workloads\.\.x=1", expected PATH=VALUE/,
        ],
        [
            "an edit without its namespace, and shows no secret of it",
            ["--set", "workloads.chat-ui.scaling.min=3", "--set", "secrets.mcp-server.API_KEY=planted"],
            /^--set: found "workloads\.chat-ui\.scaling\.min=3", expected mcp: before it, as in mcp:workloads\.chat-ui\.scaling\.min=…\n--set: found "secrets\.mcp-server\.API_KEY=\[secret\]", expected mcp: before it.*\n$/,
        ],
        [
            "an edit of what a provider of the engine's own would read, and shows no value of it",
            ["--set", "aws:secretKey=planted"],
            /^1 problem in the stack's values:\n {2}aws:secretKey: found a key of aws, expected one of mcp: providers are explicit, and told by mcp:aws and mcp:kubernetes\n$/,
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
        it(`refuses ${what}, in plain words`, () => {
            const { status, stdout, stderr } = run("preview", ...args);
            assert.equal(status, 1);
            assert.equal(stdout, "");
            assert.match(stderr, message);
            assert.doesNotMatch(stderr, /^\s+at /m);
        });
    }

    describe("on another project folder", () => {
        let folder: string;
        before(() => {
            folder = copyOfProject();
        });
        after(() => rmSync(folder, { recursive: true }));

        const previewWith = (change: (text: string) => string, ...options: string[]) => {
            const text = readFileSync(join(root, "Pulumi.production.yaml"), "utf8");
            writeFileSync(join(folder, "Pulumi.production.yaml"), change(text));
            const args = ["cli/main.cjs", "preview", "--stack", "production", ...options];
            return spawnSync("node", args, { cwd: folder, encoding: "utf8" });
        };

        it("refuses malformed YAML by its first error, with the line", () => {
            const { status, stderr } = previewWith((text) =>
                text
                    .replace("certificates: [mcp-tls]", "certificates: [mcp-tls")
                    .replace("pins: {}", "pins: {"),
            );
            assert.equal(status, 1);
            assert.match(stderr, /^Pulumi\.production\.yaml:\d+:\d+ is not YAML: [^:\n]+\n$/);
        });

        it("refuses a key without its namespace, and takes the engine's own", () => {
            const { status, stderr } = previewWith((text) =>
                text.replace(/^ {2}mcp:alarms:/m, "  pulumi:tags: { team: mcp }\n  alarms:"),
            );
            assert.equal(status, 1);
            assert.equal(
                stderr,
                "1 problem in the stack's values:\n  alarms: found a key without its namespace, expected mcp:alarms\n",
            );
            // So does what reads the file without running the program.
            assert.throws(() => valuesOf(folder, "production"), { message: stderr.trimEnd() });
        });

        it("takes the workload of the README as it stands there, with all that the others have", () => {
            const readme = readFileSync(join(root, "README.md"), "utf8");
            const [, lines] = /<!-- workload -->\n\n```yaml\n([^]*?)```/.exec(readme)!;
            const indented = lines!.replace(/^/gm, "    ").trimEnd();
            const { status, stdout, stderr } = previewWith((text) =>
                text.replace(/^ {2}mcp:workloads:\n/m, (line) => `${line}${indented}\n`),
            );
            assert.equal(status, 0, stderr);
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

        it("reads an encrypted secret as set, and refuses one outside mcp:secrets", () => {
            const secure = "        LOG_LEVEL: { secure: v1:planted }";
            const misplaced = previewWith((text) => text.replace(/^ {8}LOG_LEVEL: info$/m, secure));
            assert.equal(misplaced.status, 1);
            assert.match(
                misplaced.stderr,
                /^Pulumi\.production\.yaml: mcp:workloads: found an encrypted value, expected secrets only in mcp:secrets and mcp:tls\n$/,
            );
            const set = previewWith(
                (text) =>
                    `${text}\n  mcp:secrets:\n    mcp-server:\n      APIM_SUBSCRIPTION_KEY: { secure: v1:planted }\n`,
            );
            assert.equal(set.status, 0);
            assert.doesNotMatch(set.stdout, /mcp:secrets\.mcp-server\.APIM_SUBSCRIPTION_KEY/);
            assert.match(set.stdout, /mcp:secrets\.mcp-server\.AZURE_AD_CLIENT_SECRET/);
        });

        it("suppresses a violation that is accepted, says by whom, and can be told not to", () => {
            const oneZone = (text: string) =>
                text.replace("active: primary", "active: primary\n    multiAz: false");
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
                    "      expires: 2999-12-31",
                ].join("\n"),
            );
            const accepted = previewWith(oneZone);
            assert.equal(accepted.status, 0, accepted.stderr);
            assert.match(accepted.stdout, /^Policies: \d+ rules, 0 violations, 1 suppressed, /m);
            assert.match(
                accepted.stdout,
                /suppressed {2}aws-rds-instance-require-multi-az\n.*: is in one zone only\n +CHG-1, accepted by Platform Lead until 2999-12-31: The second zone is being built\.$/m,
            );
            const ignored = previewWith(oneZone, "--ignore-exceptions");
            assert.equal(ignored.status, 1);
            assert.match(ignored.stdout, /^Policies: \d+ rules, 1 violations, 0 suppressed, /m);
        });

        it("pins no image it cannot resolve, and says why without a stack trace", () => {
            const file = join(folder, "Pulumi.production.yaml");
            const text = readFileSync(join(root, "Pulumi.production.yaml"), "utf8")
                .replace('# accountId: "…"', 'accountId: "111122223333"')
                .replace("pins: {}", "pins: {}\n    registry: 127.0.0.1:1")
                .replaceAll("public.ecr.aws/", "127.0.0.1:1/");
            writeFileSync(file, text);
            const args = ["cli/main.cjs", "images", "pin", "--stack", "production"];
            const { status, stderr } = spawnSync("node", args, { cwd: folder, encoding: "utf8" });
            assert.equal(status, 1);
            assert.match(
                stderr,
                /^9 of 9 images not resolved, .* is unchanged:\n {2}127\.0\.0\.1:1\/aws-cli/,
            );
            assert.doesNotMatch(stderr, /^\s+at /m);
            assert.equal(readFileSync(file, "utf8"), text);
        });

        it("shows pinned digests as they are", () => {
            const digest = `sha256:${"ab".repeat(32)}`;
            const reference = "000000000000.dkr.ecr.ap-south-1.amazonaws.com/msil-chat-ui:v1.4.2";
            const { stdout } = previewWith((text) =>
                text.replace("pins: {}", `pins: { "${reference}": "${digest}" }`),
            );
            assert.match(stdout, /msil-chat-ui:v1\.4\.2@sha256:abababababab$/m);
        });
    });
});

describe("the commands", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
        scripts: Record<string, string>;
    };
    const commands = Object.values(scripts).flatMap(
        (script) => /^node offline\/main\.cjs (\w+)$/.exec(script)?.[1] ?? [],
    );

    for (const command of commands) {
        it(`explain themselves: ${command}`, () => {
            const { status, stdout } = run(command, "--help");
            assert.equal(status, 0);
            assert.ok(stdout.startsWith(`Usage: npm run ${command}`), stdout);
            assert.match(stdout, /\n {2}--help +this text\n/);
        });
    }

    it("say what there is where one is unknown", () => {
        const { status, stdout, stderr } = run("constructor");
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.match(stderr, /^found the command "constructor", expected one of preview, .*review.*\n$/);
    });
});
