import assert from "node:assert/strict";
import { parseUpgradePlan } from "../../jobs/upgrade";
import { judgeRecording } from "../../offline/evaluate";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { rules } from "../../policies/rules";
import { changesOf, only, recordStack } from "../support";

const NAME = "mcp-production-maintenance";
const SCHEDULE = "aws:scheduler/schedule:Schedule";
const MUTE = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule";
const ROLE = "aws:iam/role:Role";
const RIGHTS = "aws:iam/rolePolicy:RolePolicy";

const UPGRADE = [
    "mcp:maintenance.upgrade.start=2027-01-09T20:30:00Z",
    "mcp:maintenance.upgrade.version=1.34",
];

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */

describe("the maintenance windows", () => {
    let production: Recording;
    let inputsOf: (type: string, name: string) => any;
    before(async () => {
        production = await recordStack("production");
        inputsOf = (type, name) => displayed(only(production, type, name).inputs as never);
    });

    it("open every Sunday at two, for all of the two hours of the runbook's zone", () => {
        assert.deepEqual(inputsOf("aws:ssm/maintenanceWindow:MaintenanceWindow", `${NAME}-patches`), {
            name: `${NAME}-patches`,
            description: "Security patches of the nodes (section 5.1)",
            schedule: "cron(0 2 ? * SUN *)",
            scheduleTimezone: "Asia/Kolkata",
            duration: 2,
            cutoff: 0,
        });
    });

    it("install security patches on the tagged nodes, one at a time, and stop at the first that fails", () => {
        const { targets } = inputsOf(
            "aws:ssm/maintenanceWindowTarget:MaintenanceWindowTarget",
            `${NAME}-patches`,
        );
        assert.deepEqual(targets, [{ key: "tag:PatchGroup", values: ["mcp-production"] }]);
        const task = inputsOf("aws:ssm/maintenanceWindowTask:MaintenanceWindowTask", `${NAME}-patches`);
        assert.deepEqual(
            [task.taskType, task.taskArn, task.maxConcurrency, task.maxErrors, task.cutoffBehavior],
            ["RUN_COMMAND", `${NAME}-patches`, "1", "0", "CANCEL_TASK"],
        );
        assert.deepEqual(task.taskInvocationParameters.runCommandParameters.cloudwatchConfig, {
            cloudwatchOutputEnabled: true,
            cloudwatchLogGroupName: "/mcp/production/patches",
        });
    });

    it("have a node look for its time, install, and only then be drained and restart", async () => {
        const stepsIn = (recording: Recording) =>
            JSON.parse(
                (
                    displayed(
                        only(recording, "aws:ssm/document:Document", `${NAME}-patches`).inputs as never,
                    ) as any
                ).content,
            ).mainSteps;
        const [check, install, restart, ...others] = stepsIn(production);
        assert.deepEqual(others, []);
        assert.deepEqual(
            [check, install, restart].map(({ action, name, inputs }) => [action, name, inputs.onFailure]),
            [
                ["aws:runShellScript", "check", "exit"],
                ["aws:runDocument", "install", "exit"],
                ["aws:runShellScript", "restart", "exit"],
            ],
        );
        assert.equal(install.inputs.documentPath, "AWS-RunPatchBaseline");
        assert.deepEqual(install.inputs.documentParameters, {
            Operation: "Install",
            RebootOption: "NoReboot",
        });
        for (const { inputs } of [check, restart]) {
            const lines: string[] = inputs.runCommand;
            assert.equal(lines[0], "#!/bin/bash");
            for (const line of [
                "export CLUSTER='mcp-production'",
                "export ZONE='Asia/Kolkata'",
                "export END='04:00'",
                "export WINDOW_SECONDS='7200'",
                "export DRAIN_SECONDS='600'",
            ]) {
                assert.ok(lines.includes(line), line);
            }
            // Systems Manager would put a parameter there.
            assert.ok(!lines.some((line) => line.includes("{{")));
        }
        const without = stepsIn(await recordStack("production", "mcp:maintenance.patches.reboot=false"));
        assert.deepEqual(
            without.map(({ name }: { name: string }) => name),
            ["check", "install"],
        );
        assert.ok(without[0].inputs.runCommand.includes("export RESTART_SECONDS='0'"));
    });

    it("take what is a week old and of security from a baseline that belongs to the group", () => {
        const baseline = inputsOf("aws:ssm/patchBaseline:PatchBaseline", `${NAME}-patches`);
        assert.equal(baseline.operatingSystem, "AMAZON_LINUX_2023");
        assert.deepEqual(baseline.approvalRules, [
            { approveAfterDays: 7, patchFilters: [{ key: "CLASSIFICATION", values: ["Security"] }] },
        ]);
        const group = only(production, "aws:ssm/patchGroup:PatchGroup", `${NAME}-patches`);
        assert.equal(group.inputs["patchGroup"], "mcp-production");
        assert.ok(group.propertyDependencies["baselineId"]?.[0]?.includes("PatchBaseline"));
    });

    it("send one document, to the tagged nodes alone", () => {
        const [trust] = JSON.parse(inputsOf(ROLE, `${NAME}-patches`).assumeRolePolicy).Statement;
        assert.deepEqual(trust.Principal, { Service: "ssm.amazonaws.com" });
        const statements = JSON.parse(inputsOf(RIGHTS, `${NAME}-patches`).policy).Statement;
        assert.deepEqual(statements.slice(0, 2), [
            {
                Effect: "Allow",
                Action: ["ssm:SendCommand"],
                Resource: [`arn:aws:ssm:ap-south-1:000000000000:document/${NAME}-patches`],
            },
            {
                Effect: "Allow",
                Action: ["ssm:SendCommand"],
                Resource: ["arn:aws:ec2:ap-south-1:000000000000:instance/*"],
                Condition: { StringEquals: { "ssm:resourceTag/PatchGroup": "mcp-production" } },
            },
        ]);
        assert.deepEqual(
            statements.slice(2).flatMap(({ Action }: { Action: string[] }) => Action),
            [
                "ssm:CancelCommand",
                "ssm:DescribeInstanceInformation",
                "ssm:GetCommandInvocation",
                "ssm:ListCommandInvocations",
                "ssm:ListCommands",
                "tag:GetResources",
            ],
        );
    });

    it("tell the contacts when they begin, and others when they did not end well", () => {
        const topicOf = (name: string) =>
            only(production, "aws:cloudwatch/eventTarget:EventTarget", name).propertyDependencies["arn"]![0]!;
        assert.match(topicOf(`${NAME}-patches-begun`), /-incidents-p4$/);
        assert.match(topicOf(`${NAME}-patches-failed`), /-incidents-p3$/);
    });

    it("of the database are announced on the first Sunday of each month at one", () => {
        const schedule = inputsOf(SCHEDULE, `${NAME}-database`);
        assert.equal(schedule.scheduleExpression, "cron(0 1 ? * SUN#1 *)");
        assert.equal(schedule.scheduleExpressionTimezone, "Asia/Kolkata");
        assert.equal(
            schedule.target.input,
            `${NAME}: the window of the database maintenance begins now, for 4 hours at most.`,
        );
        const { dependencies } = only(production, RIGHTS, `${NAME}-database-schedule`);
        assert.ok(dependencies.some((urn) => urn.endsWith("mcp-production-incidents-p4")));
        assert.ok(dependencies.some((urn) => urn.endsWith("Key::mcp-production-incidents")));
    });

    it("of the certificates are announced each quarter, two weeks before and when their hour begins", async () => {
        const reminder = inputsOf(SCHEDULE, `${NAME}-renewal`);
        const begins = inputsOf(SCHEDULE, `${NAME}-certificates`);
        assert.deepEqual(
            [reminder, begins].map(({ scheduleExpression, scheduleExpressionTimezone }) => [
                scheduleExpression,
                scheduleExpressionTimezone,
            ]),
            [
                ["cron(0 6 ? 1,4,7,10 SUN#1 *)", "Asia/Kolkata"],
                ["cron(0 6 ? 1,4,7,10 SUN#3 *)", "Asia/Kolkata"],
            ],
        );
        assert.equal(
            reminder.target.input,
            "mcp-production: certificates are rotated in two weeks (sun 06:00). Have the next ones made for mcp.msil.com, " +
                "admin.mcp.msil.com. Procedure: docs/runbook.md#certificate-rotation",
        );
        assert.equal(
            begins.target.input,
            `${NAME}: the window of the certificate rotation begins now, for an hour at most.`,
        );
        for (const schedule of ["certificates", "renewal"]) {
            const { dependencies } = only(production, RIGHTS, `${NAME}-${schedule}-schedule`);
            assert.ok(dependencies.some((urn) => urn.endsWith("mcp-production-incidents-p4")));
        }
    });

    it("of an upgrade are announced once, at the time that is planned", async () => {
        const planned = await recordStack("production", ...UPGRADE);
        const schedule = only(planned, SCHEDULE, `${NAME}-upgrade`);
        assert.deepEqual(only(planned, MUTE, "mcp-production-muted-upgrade").inputs["rule"], {
            schedule: { expression: "at(2027-01-10T02:00)", duration: "PT8H", timezone: "Asia/Kolkata" },
        });
        assert.equal(schedule.inputs["scheduleExpression"], "at(2027-01-10T02:00:00)");
    });

    it("mute alarms for just their time", () => {
        const mutes = production.resources.filter(({ type }) => type === MUTE);
        const patches = displayed(
            mutes.find(({ name }) => name.endsWith("-patches"))!.inputs as never,
        ) as any;
        assert.deepEqual(patches.rule, {
            schedule: { expression: "cron(0 2 * * SUN)", duration: "PT2H", timezone: "Asia/Kolkata" },
        });
        assert.equal(patches.startDate, undefined);
        const database = mutes.filter(({ name }) => name.includes("-database-"));
        assert.ok(database.length > 0);
        for (const { inputs } of database) {
            const { rule, startDate, expireDate } = displayed(inputs as never) as any;
            assert.equal(rule.schedule.duration, "PT4H");
            assert.deepEqual([startDate, expireDate], ["2026-12-31T00:00:00Z", "2027-12-31T00:00:00Z"]);
        }
        assert.equal(mutes.length, 1 + database.length);
    });

    it("mute P3 alone, of what their work sets off, and never what tells of data that is lost", () => {
        const severities = new Map(
            production.resources.flatMap(({ type, name, inputs }) =>
                type === "aws:cloudwatch/metricAlarm:MetricAlarm"
                    ? [[name, (inputs["tags"] as any).severity]]
                    : [],
            ),
        );
        const mutedIn = (window: string): string[] =>
            (
                displayed(
                    production.resources.find(
                        ({ type, name }) => type === MUTE && name.includes(`-muted-${window}`),
                    )!.inputs as never,
                ) as any
            ).muteTargets.alarmNames;
        for (const window of ["patches", "database"]) {
            const names = mutedIn(window);
            // AWS takes no more.
            assert.ok(names.length <= 100);
            assert.deepEqual([...new Set(names.map((name) => severities.get(name)))], ["P3"]);
            assert.ok(
                !names.some((name) => /archive|backup|dump|escalation|incidents|certificate/.test(name)),
            );
        }
        const [patches, database] = [mutedIn("patches"), mutedIn("database")];
        assert.ok(patches.includes("mcp-production-mcp-server-blue-restarts"));
        assert.ok(!database.includes("mcp-production-mcp-server-blue-restarts"));
        assert.ok(database.includes("mcp-production-database-memory"));
        assert.ok(!patches.includes("mcp-production-database-memory"));
    });

    it("of an upgrade check for obstacles daily from its planning", async () => {
        const planned = await recordStack("production", ...UPGRADE);
        const name = "mcp-upgrade-check";
        const of = (type: string): any => displayed(only(planned, type, name).inputs as never);
        const { spec } = of("kubernetes:batch/v1:CronJob");
        assert.deepEqual(
            [spec.schedule, spec.timeZone, spec.concurrencyPolicy],
            ["0 2 * * *", "Asia/Kolkata", "Forbid"],
        );
        const program = displayed(
            only(planned, "kubernetes:core/v1:ConfigMap", `${name}-program`).inputs as never,
        ) as any;
        assert.equal(parseUpgradePlan(JSON.parse(program.data["check.json"])).version, "1.34");
        // All that it may do outside of its namespace, and nothing in it.
        const role = of("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole");
        assert.equal(role.metadata.name, "mcp-production-upgrade-check");
        assert.deepEqual(role.rules, [
            { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
            { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: ["list"] },
            { nonResourceURLs: ["/version", "/metrics"], verbs: ["get"] },
        ]);
        const binding = of("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding");
        assert.deepEqual(binding.roleRef, {
            apiGroup: "rbac.authorization.k8s.io",
            kind: "ClusterRole",
            name: "mcp-production-upgrade-check",
        });
        assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name, namespace: "mcp-production" }]);
        const roles = "kubernetes:rbac.authorization.k8s.io/v1:Role";
        assert.ok(!planned.resources.some((each) => each.type === roles && each.name === name));
        // It tells when nothing is in the way, and may do no more on AWS.
        const { initContainers, containers } = spec.jobTemplate.spec.template.spec;
        assert.deepEqual(
            [...initContainers, ...containers].map(({ command }: any) => command[1]),
            ["/opt/task/upgrade.js", "/opt/task/succeeded.sh"],
        );
        const { METRICS, TASK } = Object.fromEntries(
            containers[0].env.map((each: any) => [each.name, each.value]),
        ) as Record<string, string>;
        assert.deepEqual([METRICS, TASK], ["MCP/production", name]);
        assert.deepEqual(JSON.parse(of(RIGHTS).policy).Statement, [
            {
                Effect: "Allow",
                Action: ["cloudwatch:PutMetricData"],
                Resource: ["*"],
                Condition: { StringEquals: { "cloudwatch:namespace": "MCP/production" } },
            },
        ]);
        assert.deepEqual(of("kubernetes:networking.k8s.io/v1:NetworkPolicy").spec.egress, [
            {
                to: [{ ipBlock: { cidr: "10.20.0.0/16" } }],
                ports: [{ protocol: "TCP", port: 443 }],
            },
            // CloudWatch, and where its pod gets its credentials.
            { ports: [{ protocol: "TCP", port: 443 }] },
            { to: [{ ipBlock: { cidr: "169.254.170.23/32" } }], ports: [{ protocol: "TCP", port: 80 }] },
        ]);
        assert.deepEqual(
            judgeRecording(planned, rules).filter(({ kind }) => kind === "violation"),
            [],
        );
    });

    it("follow the value of their window", async () => {
        const changes = await changesOf(
            "production",
            "mcp:maintenance.patches.window.weekday=sat",
            "mcp:maintenance.patches.window.start=22:00",
            "mcp:maintenance.patches.window.end=01:00",
            // Not while nodes restart.
            "mcp:backups.dumps.daily=0 20 * * *",
        );
        const window = changes.find(({ resource }) => resource.type.includes("maintenanceWindow:"))!;
        assert.deepEqual(
            window.properties.map(({ path, after }) => `${path}=${String(after)}`),
            ["duration=3", "schedule=cron(0 22 ? * SAT *)"],
        );
        const document = changes.find(({ resource }) => resource.type.includes("document:"))!;
        const { before, after } = document.properties[0]!;
        const ends = [before, after].map((content) => /export END='([\d:]+)'/.exec(String(content))?.[1]);
        assert.deepEqual(ends, ["04:00", "01:00"]);
    });
});
