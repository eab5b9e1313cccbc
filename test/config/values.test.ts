import assert from "node:assert/strict";
import fc from "fast-check";
import { canonical, parseStack } from "../../config";
import { formatProblems } from "../../config/problems";
import { asProblems, missingInputs } from "../../config/requiredInputs";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";
import { PROPERTY_RUNS } from "../properties";

const workloadOf = (values: Values, name: string) => (values["workloads"] as Record<string, Values>)[name]!;

describe("stack values", () => {
    for (const stack of ["production", "staging"]) {
        it(`of ${stack} are valid once an operator's are given`, () => {
            assert.deepEqual(parseStack(valuesOf(stack)).problems, []);
        });
    }

    const server = "workloads/mcp-server";
    const at = "mcp:workloads.mcp-server";
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "an unknown key",
            `${server}/replicas`,
            3,
            `${at}.replicas: found an unknown key, expected one of awsPermissions, config, gracePeriod, health, image, live, network, port, release, releases, resources, restart, scaling, secrets, smoke, soak, stage, standby, strategy`,
        ],
        [
            "an unknown concern",
            "workload",
            {},
            "mcp:workload: found an unknown key, expected one of alarms, archive, aws, backups, cache, cacheRecovery, checklist, copies, database, disabledTools, endpoints, environment, health, images, incident, ingress, jobs, kubernetes, maintenance, objectives, observability, operations, recovery, rotation, secrets, tier, tls, workloads",
        ],
        [
            "a wrong type",
            `${server}/scaling/min`,
            "many",
            `${at}.scaling.min: found "many", expected a whole number from 1 to 100`,
        ],
        [
            "a fraction",
            `${server}/scaling/min`,
            1.5,
            `${at}.scaling.min: found 1.5, expected a whole number from 1 to 100`,
        ],
        [
            "below the range",
            `${server}/scaling/min`,
            0,
            `${at}.scaling.min: found 0, expected a whole number from 1 to 100`,
        ],
        [
            "above the range",
            `${server}/scaling/max`,
            101,
            `${at}.scaling.max: found 101, expected a whole number from 1 to 100`,
        ],
        [
            "a maximum below the minimum",
            `${server}/scaling/max`,
            2,
            `${at}.scaling.max: found 2, expected at least scaling.min (3)`,
        ],
        [
            "a limit below its request",
            `${server}/resources/cpu/limit`,
            "250m",
            `${at}.resources.cpu.limit: found "250m", expected at least 500m`,
        ],
        [
            "latest as a version",
            "workloads/chat-ui/release/version",
            "latest",
            `mcp:workloads.chat-ui.release.version: found "latest", expected a version tag other than latest, such as v2.1.0`,
        ],
        [
            "no version",
            "workloads/chat-ui/release/version",
            undefined,
            `mcp:workloads.chat-ui.release.version: found nothing, expected a version tag other than latest, such as v2.1.0`,
        ],
        [
            "no release",
            "workloads/chat-ui/release",
            undefined,
            "mcp:workloads.chat-ui.release: found nothing, expected an object, because the strategy is rolling",
        ],
        [
            "a rolling workload with colours",
            "workloads/chat-ui/live",
            "blue",
            'mcp:workloads.chat-ui.live: found "blue", expected nothing, because the strategy is rolling; only blueGreen has it',
        ],
        [
            "an unknown colour",
            `${server}/live`,
            "purple",
            `${at}.live: found "purple", expected blue or green`,
        ],
        [
            "a live colour without a release",
            `${server}/releases`,
            { green: { version: "v2.1.0" } },
            `${at}.releases.blue: found nothing, expected a release, because blue is live`,
        ],
        [
            "a staged colour that is live",
            `${server}/stage`,
            "blue",
            `${at}.stage: found "blue", expected the idle colour, or nothing: this colour is live`,
        ],
        [
            "a soak of nothing",
            `${server}/soak/duration`,
            "0s",
            `${at}.soak.duration: found "0s", expected a duration with its unit, such as 30s, 10m, 2h or 7d`,
        ],
        [
            "a request the gate would refuse",
            `${server}/smoke/requests/0/body`,
            "x",
            `${at}.smoke.requests[0].body: found "x", expected none with this method`,
        ],
        [
            "a digest where the pins belong",
            `${server}/image`,
            "msil@sha256:abc",
            `${at}.image: found "msil@sha256:abc", expected an image repository without registry and tag, such as msil-mcp-server`,
        ],
        [
            "a change without a plan to roll back",
            `${server}/releases/green/change`,
            { version: "v2.1.0", ticket: "CHG-1", approvers: ["change board"] },
            `${at}.releases.green.change.rollbackPlan: found nothing, expected a value, or a reason to omit it in skip`,
        ],
        [
            "an approver without a name",
            `${server}/releases/green/change/approvers`,
            ["."],
            `${at}.releases.green.change.approvers[0]: found ".", expected a name`,
        ],
        [
            "a plan to roll back of a blank",
            `${server}/releases/green/change/rollbackPlan`,
            " ",
            `${at}.releases.green.change.rollbackPlan: found " ", expected the steps of the rollback`,
        ],
        [
            "a change without approvers",
            `${server}/releases/green/change`,
            { version: "v2.1.0", ticket: "CHG-1", approvers: [], rollbackPlan: "live: blue" },
            `${at}.releases.green.change.approvers: found [], expected at least one name`,
        ],
        [
            "a change that its author approved",
            `${server}/releases/green/change`,
            {
                version: "v2.1.0",
                ticket: "CHG-1",
                author: "Asha Rao <asha@example.com>",
                approvers: ["change board", "asha-rao"],
                rollbackPlan: "live: blue",
            },
            `${at}.releases.green.change.approvers[1]: found "asha-rao", expected a person other than the author, Asha Rao <asha@example.com>`,
        ],
        [
            "a change skipped without a reason",
            `${server}/releases/green/change`,
            { version: "v2.1.0", skip: "" },
            `${at}.releases.green.change.skip: found "", expected a text that is not empty`,
        ],
        [
            "a change that brings its record and skips it",
            `${server}/releases/green/change`,
            { version: "v2.1.0", ticket: "CHG-1", approvers: ["change board"], skip: "first installation" },
            `${at}.releases.green.change.skip: found "first installation", expected nothing, because the record also has ticket, approvers; skip excludes other fields`,
        ],
        [
            "a change that skips all, and validation once more",
            `${server}/releases/green/change`,
            { version: "v2.1.0", skip: "outage INC-7", unvalidated: "staging is down" },
            `${at}.releases.green.change.skip: found "outage INC-7", expected nothing, because the record also has unvalidated; skip excludes other fields`,
        ],
        [
            "a stack without its organization",
            "checklist",
            { validatedBy: "staging" },
            'mcp:checklist.validatedBy: found "staging", expected a stack\'s full name, such as organization/mcp/staging',
        ],
        [
            "a stack that validates, and a reason why none does",
            "checklist",
            { validatedBy: "organization/mcp/staging", unvalidated: "x" },
            'mcp:checklist.unvalidated: found "x", expected nothing, because validatedBy names a stack',
        ],
        [
            "a stakeholder without an address",
            "checklist",
            { unvalidated: "x", stakeholders: ["change board"] },
            'mcp:checklist.stakeholders[0]: found "change board", expected an e-mail address, such as oncall@example.com',
        ],
        [
            "one address where there may be several",
            "checklist",
            { unvalidated: "x", stakeholders: "a@example.com" },
            'mcp:checklist.stakeholders: found "a@example.com", expected a list of e-mail addresses',
        ],
        [
            "no stakeholders at all",
            "checklist",
            { unvalidated: "x", stakeholders: [] },
            "mcp:checklist.stakeholders: found [], expected at least one address, or the reason to have none in unannounced",
        ],
        [
            "stakeholders, and a reason for notifying none",
            "checklist",
            { unvalidated: "x", stakeholders: ["a@example.com"], unannounced: "x" },
            'mcp:checklist.unannounced: found "x", expected nothing, because stakeholders are set',
        ],
        [
            "a duration without unit",
            `${server}/gracePeriod`,
            30,
            `${at}.gracePeriod: found 30, expected a duration with its unit, such as 30s, 10m, 2h or 7d`,
        ],
        [
            "a malformed digest",
            "images/pins",
            { "registry.example.com/x:v1": "sha256:abc" },
            'mcp:images.pins["registry.example.com/x:v1"]: found "sha256:abc", expected sha256: and 64 hexadecimal digits, as written by npm run images -- pin',
        ],
        [
            "an unknown strategy",
            `${server}/strategy`,
            "recreate",
            `${at}.strategy: found "recreate", expected rolling or blueGreen`,
        ],
        [
            "a call to an unknown workload",
            `${server}/network/calls`,
            ["nobody"],
            `${at}.network.calls[0]: found "nobody", expected one of mcp-server, admin-portal, chat-ui`,
        ],
        [
            "a workload outside the health matrix",
            "workloads/reports",
            workloadOf(valuesOf("production"), "chat-ui"),
            "mcp:workloads.reports.port: found nothing, expected a value, because the runbook's health matrix has no row for reports",
        ],
        [
            "a smoke gate that asks nothing",
            `${server}/smoke/requests`,
            [],
            `${at}.smoke.requests: found [], expected at least one request`,
        ],
        [
            "a contact that is no address",
            "incident/contacts/P1",
            ["oncall"],
            'mcp:incident.contacts.P1[0]: found "oncall", expected an e-mail address, a phone number such as +911234567890, or the name of an entry of mcp:endpoints',
        ],
        [
            "a severity without contacts",
            "incident/contacts/P2",
            [],
            "mcp:incident.contacts.P2: found [], expected at least one contact: without one, nobody receives the alarm",
        ],
        [
            "two ways to the cluster",
            "kubernetes/context",
            "kind",
            'mcp:kubernetes.cluster: found "mcp-production", expected exactly one of cluster (EKS) and context (a kubeconfig)',
        ],
        [
            "no way to the cluster",
            "kubernetes/cluster",
            undefined,
            "mcp:kubernetes.cluster: found nothing, expected exactly one of cluster (EKS) and context (a kubeconfig)",
        ],
        [
            "a kubeconfig whose context is left to chance",
            "kubernetes/kubeconfig",
            "/home/ci/.kube/config",
            'mcp:kubernetes.kubeconfig: found "/home/ci/.kube/config", expected context in addition to kubeconfig, because the file\'s current context differs between machines',
        ],
        [
            "a wildcard action",
            `${server}/awsPermissions`,
            [{ actions: ["s3:*"], resources: ["arn:aws:s3:::bucket/*"] }],
            `${at}.awsPermissions[0].actions[0]: found "s3:*", expected one exact action, such as s3:GetObject`,
        ],
        [
            "a wildcard resource",
            `${server}/awsPermissions`,
            [{ actions: ["s3:GetObject"], resources: ["*"] }],
            `${at}.awsPermissions[0].resources[0]: found "*", expected an ARN, with at most a final /*`,
        ],
        [
            "no account for what is on AWS",
            "aws",
            undefined,
            "mcp:aws: found nothing, expected an account and a region, for mcp:kubernetes.cluster, the default of mcp:images.registry, mcp:incident, mcp:database, mcp:cache, mcp:backups, mcp:archive, mcp:maintenance, mcp:observability, mcp:health",
        ],
        [
            "no contacts for alarms",
            "incident",
            undefined,
            "mcp:incident: found nothing, expected contacts, because alarms on AWS need recipients",
        ],
        [
            "an environment that is no label",
            "environment",
            "QA_1",
            'mcp:environment: found "QA_1", expected a name of at most 63 lower-case letters, digits and hyphens, starting with a letter, such as dev',
        ],
        ["an unknown tier", "tier", "lax", 'mcp:tier: found "lax", expected production or trial'],
        [
            "a trial that is called production",
            "tier",
            "trial",
            'mcp:tier: found "trial", expected production, as the environment\'s name says',
        ],
        [
            "an environment with another name",
            "environment",
            "qa",
            "mcp:tier: found nothing, expected production or trial, because the environment qa has no default",
        ],
        [
            "a workload name that is none",
            "workloads/MCP_Server",
            {},
            'mcp:workloads.MCP_Server: found the key "MCP_Server", expected a name of at most 30 lower-case letters, digits and hyphens, starting with a letter, such as mcp-server',
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => {
            const lines = linesOf(withValue(path, value));
            assert.ok(lines.includes(line), `${line}\nnot in\n${lines.join("\n")}`);
        });
    }

    it("refuse rights on AWS where no pod can have them", () => {
        const values = withValue(`${server}/awsPermissions`, [
            { actions: ["s3:GetObject"], resources: ["arn:aws:s3:::bucket/*"] },
        ]);
        const kubernetes: Values = { ...(values["kubernetes"] as Values), context: "kind" };
        delete kubernetes["cluster"];
        const lines = linesOf({ ...values, kubernetes });
        const own = lines.filter((line) => line.startsWith(`${at}.awsPermissions: found `));
        assert.equal(own.length, 1, lines.join("\n"));
        assert.match(own[0]!, /expected mcp:kubernetes\.cluster, because Pod Identity exists on EKS only$/);
    });

    it("find no workload in what every JavaScript object has", () => {
        const path = "mcp:ingress.hosts[0].paths[0].workload";
        for (const name of ["constructor", "valueOf"]) {
            const values = withValue("ingress/hosts/0/paths/0/workload", name);
            const line = `${path}: found "${name}", expected one of `;
            assert.ok(
                linesOf(values).some((each) => each.startsWith(line)),
                linesOf(values).join("\n"),
            );
            const calls = linesOf(withValue(`${server}/network/calls`, [name]));
            assert.ok(
                calls.some((each) => each.startsWith(`${at}.network.calls[0]: found "${name}", expected`)),
            );
        }
        const workload = workloadOf(valuesOf("production"), "chat-ui");
        assert.match(
            linesOf(withValue("workloads/constructor", workload)).join("\n"),
            /constructor\.port: found nothing/,
        );
    });

    it("accept numbers where pulumi config set wrote them for a text", () => {
        const { values } = parseStack(withValue(`${server}/restart`, 20261123));
        assert.equal(values?.workloads["mcp-server"]?.restart, "20261123");
        assert.equal(
            parseStack(withValue("aws/accountId", 111122223333)).values?.aws?.accountId,
            "111122223333",
        );
    });

    it("take a date as it was written, though the engine reads it as a time", () => {
        const raw = canonical(withValue(`${server}/restart`, "2026-11-23 00:00:00 +0000 UTC"));
        const { values } = parseStack(raw as Values);
        assert.equal(values?.workloads["mcp-server"]?.restart, "2026-11-23");
    });

    it("report all problems of a file at once", () => {
        const values = withValue(`${server}/scaling/max`, 2);
        (values["kubernetes"] as Values)["ingresNamespace"] = "x";
        (workloadOf(values, "chat-ui")["release"] as Values)["version"] = "latest";
        assert.deepEqual(
            parseStack(values)
                .problems.map(({ path }) => path)
                .sort(),
            [
                "mcp:kubernetes.ingresNamespace",
                "mcp:workloads.chat-ui.release.version",
                "mcp:workloads.mcp-server.scaling.max",
            ],
        );
    });

    it("refuse two versions that are one image", () => {
        const values = valuesOf("production");
        const registry = "000000000000.dkr.ecr.ap-south-1.amazonaws.com/msil-mcp-server";
        const pins = (values["images"] as { pins: Record<string, string> }).pins;
        pins[`${registry}:v2.0.3`] = pins[`${registry}:v2.1.0`] = `sha256:${"ab".repeat(32)}`;
        assert.deepEqual(linesOf(values), [
            'mcp:workloads.mcp-server.releases.green.version: found "v2.1.0", expected an image other than blue\'s: v2.0.3 and v2.1.0 are pinned to one digest',
        ]);
    });

    it("never echo a secret", () => {
        const secrets = {
            "mcp-server": { "lower-case": "planted-1", API_KEY: "planted-2", REDIS_URL: "" },
        };
        const { problems } = parseStack(withValue("secrets", secrets));
        assert.ok(problems.length >= 2);
        assert.doesNotMatch(formatProblems(problems), /planted/);
        assert.match(formatProblems(problems), /REDIS_URL: found a secret \(not shown\), expected a text/);
    });

    it("refuse a secret that no workload declares", () => {
        const secrets = { ...(valuesOf("production")["secrets"] as Values), "chat-ui": { TOKEN: "planted" } };
        assert.deepEqual(linesOf(withValue("secrets", secrets)), [
            "mcp:secrets.chat-ui.TOKEN: found a secret (not shown), expected TOKEN: supplied in mcp:workloads.chat-ui.secrets, or no such secret",
        ]);
    });

    it("name the command for each value only an operator can give", () => {
        const values = withValue("secrets", {});
        values["images"] = {};
        values["aws"] = { region: "ap-south-1" };
        const lines = asProblems(missingInputs(values, "production")).map(
            ({ path, expected }) => `${path} ${expected}`,
        );
        assert.ok(
            lines.includes(
                "mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY a value, set by: pulumi config set --stack production --secret --path 'mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY'",
            ),
            lines.join("\n"),
        );
        assert.ok(lines.some((line) => line.endsWith("set by: npm run images -- pin --stack production")));
        assert.ok(lines.some((line) => line.startsWith("mcp:aws.accountId ")));
    });

    it("need a stack that validates releases in production, and whom to tell, or the reason why there is none", () => {
        const missing = (stack: string, checklist: object) =>
            missingInputs(withValue("checklist", checklist, stack), stack).filter(
                ({ path }) => path[0] === "checklist",
            );
        assert.deepEqual(
            missing("production", {}).map(({ command }) => command),
            [
                "pulumi config set --stack production --path mcp:checklist.validatedBy ORGANIZATION/mcp/staging",
                "pulumi config set --stack production --path 'mcp:checklist.stakeholders[0]' ADDRESS, and [1] and so on",
            ],
        );
        const none = { unvalidated: "no other stack yet", unannounced: "one team, one room" };
        assert.deepEqual(missing("production", none), []);
        const both = { validatedBy: "organization/mcp/staging", stakeholders: ["a@example.com"] };
        assert.deepEqual(missing("production", both), []);
        assert.deepEqual(missing("staging", {}), []);
    });

    it("tell stakeholders from EKS only, where pods have rights on AWS", () => {
        const { kubernetes, ...values } = withValue("checklist/stakeholders", ["a@example.com"]);
        const elsewhere = { ...(kubernetes as Values), cluster: undefined, context: "here" };
        const lines = linesOf({ ...values, kubernetes: elsewhere });
        const expected =
            "expected mcp:kubernetes.cluster, because pods have AWS rights on EKS only; or set unannounced instead";
        assert.ok(
            lines.includes(`mcp:checklist.stakeholders: found ["a@example.com"], ${expected}`),
            lines.join("\n"),
        );
    });

    it("need no pins outside production", () => {
        const values = { ...withValue("images", {}), environment: "staging" };
        const pins = missingInputs(values, "staging").filter(({ path }) => path[0] === "images");
        assert.deepEqual(pins, []);
    });

    it("refuse a strategy that the rest of the workload is not of", () => {
        assert.deepEqual(linesOf(withValue("workloads/chat-ui/strategy", "blueGreen")), [
            'mcp:workloads.chat-ui.release: found {"version":"v1.4.2","change":{"version":"v1.4.2","skip":"first installation"}}, expected nothing, because the strategy is blueGreen; it has releases.blue and releases.green',
            "mcp:workloads.chat-ui.live: found nothing, expected blue or green, because the strategy is blueGreen",
        ]);
    });

    describe("under mutation", () => {
        /** Every path of a value that leads to a scalar. */
        const leaves = (value: unknown, path: string[] = []): string[][] =>
            typeof value === "object" && value !== null
                ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
                : [path];
        const holderOf = (values: Values, path: readonly string[]) =>
            path.reduce((inner, key) => inner[key] as Values, values);
        /** Every path of a value, of those in between too. */
        const nodes = (value: unknown, path: string[] = []): string[][] =>
            typeof value === "object" && value !== null
                ? Object.entries(value).flatMap(([key, inner]) => [
                      [...path, key],
                      ...nodes(inner, [...path, key]),
                  ])
                : [];
        const judge = (values: Values, stack: string) => {
            missingInputs(values, stack);
            const { values: parsed, problems } = parseStack(values);
            assert.equal(parsed === undefined, problems.length > 0);
            for (const problem of problems) {
                assert.ok(problem.path.startsWith("mcp:"), problem.path);
                assert.ok(problem.found !== "" && problem.expected !== "");
                assert.doesNotMatch(problem.expected, /Invalid|received|Unrecognized|Too (small|big)/);
            }
        };
        const junk = fc.oneof(
            fc.constantFrom(null, -1, 1.5, "", " ", "latest", [], {}, Number.MAX_SAFE_INTEGER),
            fc.string({ maxLength: 20 }),
            fc.object({ maxDepth: 1 }),
        );
        for (const stack of ["production", "staging"]) {
            it(`${stack} parses or explains itself, and never throws`, () => {
                const original = valuesOf(stack);
                const paths = leaves(original).filter(([top]) => top !== "secrets");
                fc.assert(
                    fc.property(fc.constantFrom(...paths), junk, (path, value) => {
                        const values = structuredClone(original);
                        holderOf(values, path.slice(0, -1))[path.at(-1)!] = value;
                        judge(values, stack);
                    }),
                    PROPERTY_RUNS,
                );
            });

            it(`${stack} explains itself whatever is missing or null`, () => {
                const values = structuredClone(valuesOf(stack));
                const paths = nodes(values).filter(([top]) => top !== "secrets");
                assert.ok(paths.length > 200);
                for (const path of paths) {
                    const holder = holderOf(values, path.slice(0, -1));
                    const key = path.at(-1)!;
                    const before = Array.isArray(holder) ? [...holder] : { ...holder };
                    for (const mutate of [
                        () => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
                        () => (holder[key] = null),
                    ]) {
                        mutate();
                        assert.doesNotThrow(() => judge(values, stack), `${path.join(".")}: ${mutate}`);
                        Object.assign(holder, before);
                    }
                }
            });

            it(`${stack} refuses every unknown key, with its path`, () => {
                const original = valuesOf(stack);
                // Free-form maps take any key; everywhere else one too many is a mistake.
                const open =
                    /^(secrets|aws\.tags|images\.pins|workloads\.[^.]+\.(config|secrets|.*headers|.*json))/;
                const objects = [...new Set(leaves(original).map((path) => path.slice(0, -1).join(".")))]
                    .filter((path) => path !== "" && !open.test(path))
                    .filter((path) => !Array.isArray(holderOf(original, path.split("."))));
                for (const path of objects) {
                    const values = structuredClone(original);
                    holderOf(values, path.split("."))["unheardOf"] = 1;
                    const paths = parseStack(values).problems.map((problem) => problem.path);
                    const written = path
                        .replaceAll(/\.(\d+)/g, "[$1]")
                        .replaceAll(/\.([^.[]* [^.[]*)/g, '["$1"]');
                    const expected = `mcp:${written}.unheardOf`;
                    assert.ok(paths.includes(expected), `${expected}: ${paths.join(", ")}`);
                }
                assert.ok(objects.length > 20);
            });
        }
    });
});
