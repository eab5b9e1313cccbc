import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderAlarms } from "../../components/observability/alarms/render";
import { resolveStack } from "../../config/resolve";
import { incidentsOf, partsOf, ruleOf } from "../../components/observability/incidents";
import { documentedAlarms, OPTIONAL } from "../../cli/documentedAlarms";
import { alarmsOf } from "../../stack/alarmTable";
import { valuesOf } from "../../offline/stackFile";
import { displayed } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { catalogue } from "../../runbook/catalogue";
import { SEVERITIES, SEVERITY_MATRIX } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack, root } from "../support";
import { type Emitter, emittersOf, type Kind } from "./emitters";

const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm";
const TOPIC = "aws:sns/topic:Topic";
const DASHBOARD =
    "https://ap-south-1.console.aws.amazon.com/cloudwatch/home?region=ap-south-1#dashboards/dashboard/mcp-production";
const STACKS = ["production", "staging"];

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const shown = ({ inputs }: RecordedResource): any => displayed(inputs as never);
const alarmsIn = ({ resources }: Recording) => resources.filter(({ type }) => type === ALARM);
const of = (recording: Recording, id: string): any =>
    shown(
        only(
            recording,
            ALARM,
            `${recording.stack === "production" ? "mcp-production" : "mcp-staging"}-${id}`,
        ),
    );

/** The metrics of an alarm as CloudWatch would look for them. */
function metricsOf(inputs: any): { namespace: string; metricName: string; dimensions: object }[] {
    return inputs.metricQueries === undefined
        ? [inputs]
        : inputs.metricQueries.flatMap(({ metric }: any) => (metric === undefined ? [] : [metric]));
}

const canonical = (dimensions: object = {}) => JSON.stringify(Object.entries(dimensions).sort());

/** What an alarm's metrics are, or undefined for one that nothing emits under these very dimensions. */
function kindsOf(inputs: any, emitters: readonly Emitter[]): (Kind | undefined)[] {
    return metricsOf(inputs).map(({ namespace, metricName, dimensions }) => {
        const found = emitters.find(
            (emitter) =>
                emitter.namespace === namespace &&
                emitter.kindOf(metricName) !== undefined &&
                canonical(emitter.dimensions) === canonical(dimensions),
        );
        return found?.kindOf(metricName);
    });
}

/** What must be made of silence, given what is watched and which way. */
function silenceOf(
    kinds: readonly (Kind | undefined)[],
    { comparisonOperator, threshold, metricQueries }: any,
): string {
    // What fills silence in has judged it.
    if (/\bFILL\(/.test(metricQueries?.[0].expression)) {
        return "notBreaching";
    }
    const below = comparisonOperator.startsWith("LessThan");
    if (kinds.includes("life")) {
        return "breaching";
    }
    if (kinds.includes("level")) {
        // No level is negative: what rings below 0 rings on silence alone, and on nothing else.
        return below && threshold <= 0 ? "breaching" : "missing";
    }
    return kinds.includes("count") && below ? "breaching" : "notBreaching";
}

/** Everything that is wrong with the alarms of a stack. */
function faultsOf(recording: Recording): string[] {
    const emitters = emittersOf(recording);
    return alarmsIn(recording).flatMap((alarm) => {
        const inputs = shown(alarm);
        const kinds = kindsOf(inputs, emitters);
        const fault = (what: string) => `${alarm.name}: ${what}`;
        if (kinds.includes(undefined)) {
            return [fault("nothing emits its metric")];
        }
        const silence = silenceOf(kinds, inputs);
        const [, id] = /^Procedure: docs\/runbook\.md#(.*)$/m.exec(inputs.alarmDescription) ?? [];
        return [
            ...(inputs.treatMissingData === silence ? [] : [fault(`silence is ${silence}`)]),
            ...(catalogue.some((procedure) => procedure.id === id) ? [] : [fault(`no procedure ${id}`)]),
        ];
    });
}

describe("the alarms", () => {
    const recordings: Record<string, Recording> = {};
    let production: Recording;
    before(async () => {
        for (const stack of STACKS) {
            recordings[stack] = await recordStack(stack);
        }
        production = recordings["production"]!;
    });

    it("of copies elsewhere watch what something emits, judge silence rightly, and lead to a procedure", async () => {
        const recording = await recordStack("production", ...OPTIONAL);
        const ids = alarmsIn(recording).filter(({ name }) => /cop(y|ies)/.test(name));
        assert.equal(ids.length, 7);
        assert.deepEqual(faultsOf(recording), []);
    });

    for (const stack of STACKS) {
        it(`of ${stack} each watch what something emits, judge silence rightly, and lead to a procedure`, () => {
            assert.ok(alarmsIn(recordings[stack]!).length > 0);
            assert.deepEqual(faultsOf(recordings[stack]!), []);
        });

        it(`of ${stack} keep to what CloudWatch takes`, () => {
            for (const composite of recordings[stack]!.resources.filter(({ type }) => type === COMPOSITE)) {
                const { alarmDescription, alarmRule } = shown(composite);
                assert.ok(alarmDescription.length <= 1024, composite.name);
                assert.ok(alarmRule.length <= 10_240, composite.name);
                assert.ok(alarmRule.split("ALARM(").length - 1 <= 100, composite.name);
            }
            for (const alarm of alarmsIn(recordings[stack]!)) {
                const { alarmDescription, evaluationPeriods, metricQueries, period } = shown(alarm);
                assert.ok(alarmDescription.length <= 1024, alarm.name);
                const length = period ?? metricQueries[1].metric.period;
                const most = length >= 3600 ? 7 * 24 * 3600 : 24 * 3600;
                assert.ok(evaluationPeriods * length <= most, alarm.name);
            }
        });

        it(`of ${stack} do what their severity says, and tell when they are over`, () => {
            const { resources } = recordings[stack]!;
            const topicOf = (severity: string) =>
                resources.find(
                    ({ type, inputs }) => type === TOPIC && (inputs["tags"] as any).severity === severity,
                )!.urn;
            for (const alarm of alarmsIn(recordings[stack]!)) {
                const { tags, alarmDescription } = shown(alarm);
                const { severity } = tags as { severity: (typeof SEVERITIES)[number] };
                const { responseMinutes, impact } = SEVERITY_MATRIX[severity];
                assert.equal(tags["response-minutes"], String(responseMinutes));
                assert.ok(alarmDescription.startsWith(`${severity} ${impact}. Respond within `));
                // One that is a part of an incident leaves it to that to tell people.
                const callers = [alarm, ...resources.filter(({ type }) => type === COMPOSITE)].filter(
                    ({ name, inputs, propertyDependencies }) =>
                        (name === alarm.name ||
                            String(inputs["alarmRule"]).includes(`ALARM("${alarm.name}")`)) &&
                        propertyDependencies["alarmActions"] !== undefined,
                );
                assert.equal(callers.length, 1, alarm.name);
                for (const actions of ["alarmActions", "okActions"]) {
                    const own = callers[0]!.propertyDependencies[actions]!;
                    assert.ok(own.includes(topicOf(severity)), alarm.name);
                }
            }
        });

        it(`of ${stack} are summed up for each severity`, () => {
            const own = alarmsIn(recordings[stack]!);
            for (const severity of SEVERITIES) {
                const names = own
                    .filter(({ inputs }) => (inputs["tags"] as any).severity === severity)
                    .map(({ name }) => `ALARM("${name}")`);
                const sums = recordings[stack]!.resources.filter(
                    ({ type, name }) =>
                        type === COMPOSITE && name === `mcp-${stack}-${severity.toLowerCase()}`,
                );
                assert.equal(sums.length, names.length === 0 ? 0 : 1);
                assert.deepEqual(
                    sums.flatMap(({ inputs }) => String(inputs["alarmRule"]).split(" OR ")).sort(),
                    names.sort(),
                );
            }
        });
    }

    it("are found out when nothing emits what they watch, silence is misjudged, or the procedure is gone", () => {
        const mutated = (name: string, change: (inputs: any) => object): string[] =>
            faultsOf({
                ...production,
                resources: production.resources.map((resource) =>
                    resource.name === name && resource.type === ALARM
                        ? { ...resource, inputs: { ...resource.inputs, ...change(shown(resource)) } }
                        : resource,
                ),
            });
        const name = "mcp-production-database-connections";
        const nothing = [`${name}: nothing emits its metric`];
        assert.deepEqual(
            mutated(name, () => ({ namespace: "AWS/Rds" })),
            nothing,
        );
        assert.deepEqual(
            mutated(name, () => ({ metricName: "Connections" })),
            nothing,
        );
        assert.deepEqual(
            mutated(name, ({ dimensions }) => ({ dimensions: { ...dimensions, EngineName: "postgres" } })),
            nothing,
        );
        assert.deepEqual(
            mutated(name, () => ({ dimensions: { DBInstanceIdentifier: "mcp-recovery" } })),
            nothing,
        );
        // The names of the application are its own, but the collector takes only some of them, of one service.
        const breaker = "mcp-production-circuit-breaker";
        for (const wrong of [{ metricName: "breaker_state" }, { dimensions: { Service: "admin-portal" } }]) {
            assert.deepEqual(
                mutated(breaker, () => wrong),
                [`${breaker}: nothing emits its metric`],
            );
        }
        assert.deepEqual(
            mutated(name, () => ({ treatMissingData: "notBreaching" })),
            [`${name}: silence is missing`],
        );
        assert.deepEqual(
            mutated(name, ({ alarmDescription }) => ({
                alarmDescription: alarmDescription.replace(/#.*/, "#gone"),
            })),
            [`${name}: no procedure gone`],
        );
        const silent = "mcp-production-database-silent";
        assert.deepEqual(
            mutated(silent, () => ({ treatMissingData: "missing" })),
            [`${silent}: silence is breaching`],
        );
    });

    it("follow what is declared", async () => {
        const without = await recordStack(
            "production",
            "mcp:database.active=recovery",
            "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30",
        );
        assert.deepEqual(of(without, "database-connections").dimensions, {
            DBInstanceIdentifier: "mcp-recovery",
        });
        const values = valuesOf(root, "production");
        const { database, cache, archive, health, observability, ...rest } = values;
        const bare = { ...rest, objectives: {} };
        assert.ok(database && cache && archive && health && observability);
        const subjects = (ids: readonly string[]) => [...new Set(ids.map((id) => id.split("-")[0]))];
        // People are called for whatever else there is.
        const always = ["escalation", "incidents", "event", "undelivered"];
        assert.deepEqual(subjects(alarmsOf(resolveStack(bare)).map(({ id }) => id)), [
            ...always,
            "configurations",
        ]);
        const { backups, ...nothing } = bare;
        assert.ok(backups);
        assert.deepEqual(subjects(alarmsOf(resolveStack(nothing)).map(({ id }) => id)), always);
        assert.deepEqual(subjects(alarmsOf(resolveStack({ ...nothing, cache })).map(({ id }) => id)), [
            ...always,
            "cache",
        ]);
    });

    it("watch the level of a database", () => {
        const { alarmDescription, ...inputs } = of(production, "database-storage");
        assert.deepEqual(inputs, {
            name: "mcp-production-database-storage",
            namespace: "AWS/RDS",
            metricName: "FreeStorageSpace",
            dimensions: { DBInstanceIdentifier: "mcp-production" },
            statistic: "Minimum",
            period: 300,
            evaluationPeriods: 2,
            comparisonOperator: "LessThanThreshold",
            // 5 % of 100 GiB.
            threshold: 5 * 1024 ** 3,
            treatMissingData: "missing",
            tags: { severity: "P2", "response-minutes": "30" },
        });
        assert.equal(
            alarmDescription,
            [
                "P2 Major degradation. Respond within 30 minutes.",
                "Less than 5 GiB of disk are free on mcp-production: a full one stops every write.",
                "Likely cause: Data grows faster than the disk, has reached storage.max, or an old transaction keeps the log.",
                "What helps: Raise mcp:database.storage.max; find long transactions and forgotten replication slots.",
                "Procedure: docs/runbook.md#database-connections",
                `Dashboard: ${DASHBOARD}`,
                "Rings on: Minimum of FreeStorageSpace < 5368709120 in each of 2 times 5 minutes",
            ].join("\n"),
        );
    });

    it("judge by shares, of enough requests alone, and the worse the sooner", () => {
        const { metricQueries, comparisonOperator, threshold, evaluationPeriods, treatMissingData } = of(
            production,
            "error-rate-high",
        );
        const sum = (metricName: string) => ({
            namespace: "MCP/production",
            metricName,
            dimensions: {},
            stat: "Sum",
            period: 300,
        });
        assert.deepEqual(metricQueries, [
            {
                id: "result",
                label: "error-rate-high",
                expression: "IF(total >= 20, 100 * part / total, 0)",
                returnData: true,
            },
            { id: "part", metric: sum("Errors") },
            { id: "total", metric: sum("Requests") },
        ]);
        assert.deepEqual(
            [comparisonOperator, threshold, evaluationPeriods, treatMissingData],
            ["GreaterThanThreshold", 5, 2, "notBreaching"],
        );
        const rows = [
            "all-tools-failing",
            "error-rate-major",
            "error-rate-high",
            "status-401",
            "status-429",
        ].map((id) => {
            const alarm = of(production, id);
            return [alarm.tags.severity, alarm.threshold, alarm.evaluationPeriods];
        });
        assert.deepEqual(rows, [
            ["P1", 100, 1],
            ["P2", 50, 1],
            ["P3", 5, 2],
            ["P2", 50, 3],
            ["P4", 5, 3],
        ]);
    });

    it("miss the traffic where there must be some", () => {
        const { metricName, threshold, evaluationPeriods, treatMissingData } = of(production, "no-traffic");
        assert.deepEqual(
            [metricName, threshold, evaluationPeriods, treatMissingData],
            ["Requests", 1, 6, "breaching"],
        );
        const names = alarmsIn(recordings["staging"]!).map(({ name }) => name);
        assert.ok(!names.includes("mcp-staging-no-traffic"));
    });

    it("watch the pods of every Deployment against their limits and bounds", () => {
        const { metricName, dimensions, statistic, period, evaluationPeriods, threshold } = of(
            production,
            "mcp-server-blue-at-maximum",
        );
        assert.deepEqual(
            { metricName, dimensions, statistic, period, evaluationPeriods, threshold },
            {
                metricName: "pod_status_running",
                dimensions: {
                    ClusterName: "mcp-production",
                    Namespace: "mcp-production",
                    PodName: "mcp-server-blue",
                },
                statistic: "Sum",
                period: 60,
                evaluationPeriods: 15,
                threshold: 12,
            },
        );
        const watched = alarmsIn(production).filter(({ name }) => name.endsWith("-restarts"));
        assert.deepEqual(watched.map(({ name }) => name.replace(/^mcp-production-|-restarts$/g, "")).sort(), [
            "admin-portal",
            "chat-ui",
            "mcp-server-blue",
            "mcp-server-green",
        ]);
    });

    it("ring on silence, but not before there can be a voice", () => {
        const { treatMissingData, threshold, comparisonOperator, warmUpConfiguration } = of(
            production,
            "database-silent",
        );
        assert.deepEqual(
            { treatMissingData, threshold, comparisonOperator, warmUpConfiguration },
            {
                treatMissingData: "breaching",
                threshold: 0,
                comparisonOperator: "LessThanThreshold",
                warmUpConfiguration: { warmUpPeriodDurationInMinutes: 125 },
            },
        );
    });

    it("call for people by what is unhealthy, and in time for what ends", () => {
        const severities = Object.fromEntries(
            alarmsIn(production).map((alarm) => [
                alarm.name.replace("mcp-production-", ""),
                shown(alarm).tags.severity,
            ]),
        );
        const picked = Object.entries(severities).filter(([id]) =>
            /-(unhealthy|unreachable|silent|days)$/.test(id),
        );
        assert.deepEqual(Object.fromEntries(picked), {
            "mcp-server-unhealthy": "P1",
            "mcp-server-ready-unhealthy": "P1",
            "admin-portal-unhealthy": "P3",
            "chat-ui-unhealthy": "P2",
            "postgresql-unhealthy": "P1",
            "redis-unhealthy": "P2",
            "chat-ui-at-mcp.msil.com-unreachable": "P1",
            "mcp-server-at-mcp.msil.com-unreachable": "P1",
            "admin-portal-at-admin.mcp.msil.com-unreachable": "P3",
            "health-check-silent": "P2",
            "outside-check-silent": "P2",
            "database-silent": "P1",
            "apim-unhealthy": "P2",
            "azure-ad-unhealthy": "P2",
            "jwks-unhealthy": "P2",
            "login-certificate-unhealthy": "P2",
            ...Object.fromEntries(
                ["mcp.msil.com", "admin.mcp.msil.com"].flatMap((host) => [
                    [`certificate-${host}-unhealthy`, "P2"],
                    [`certificate-${host}-30-days`, "P4"],
                    [`certificate-${host}-14-days`, "P3"],
                    [`certificate-${host}-7-days`, "P2"],
                ]),
            ),
        });
        const { metricName, dimensions, statistic, period, evaluationPeriods, threshold, treatMissingData } =
            of(production, "postgresql-unhealthy");
        assert.deepEqual(
            { metricName, dimensions, statistic, period, evaluationPeriods, threshold, treatMissingData },
            {
                metricName: "Healthy",
                dimensions: { Component: "PostgreSQL" },
                statistic: "Maximum",
                period: 300,
                evaluationPeriods: 1,
                threshold: 1,
                treatMissingData: "missing",
            },
        );
    });

    it("tell of one cause by one incident, which waits for those that explain it", () => {
        const { alarmRule, alarmActions, actionsSuppressor, alarmDescription } = shown(
            only(production, COMPOSITE, "mcp-production-incident-server-p1"),
        );
        assert.deepEqual(alarmRule.split(" OR "), [
            'ALARM("mcp-production-all-tools-failing")',
            'ALARM("mcp-production-mcp-server-unhealthy")',
            'ALARM("mcp-production-mcp-server-ready-unhealthy")',
        ]);
        assert.deepEqual(alarmActions, [
            "arn:aws:sns:ap-south-1:000000000000:mcp-production-incidents-p1",
            "arn:aws:ssm:ap-south-1:000000000000:opsitem:1#CATEGORY=Availability",
        ]);
        assert.deepEqual(actionsSuppressor, {
            alarm: "mcp-production-incident-server-p1-explained",
            waitPeriod: 180,
            extensionPeriod: 300,
        });
        const explained = shown(only(production, COMPOSITE, actionsSuppressor.alarm));
        assert.equal(
            explained.alarmRule,
            'ALARM("mcp-production-incident-entrance-p1") OR ALARM("mcp-production-incident-database-p1")',
        );
        assert.equal(explained.alarmActions, undefined);
        assert.match(
            alarmDescription,
            /^P1 Complete outage\. Respond within 15 minutes\.\nMCP Server is down/,
        );
        for (const line of [
            "Procedure: docs/runbook.md#high-error-rate",
            `Dashboard: ${DASHBOARD}`,
            "aws cloudwatch describe-alarms --region ap-south-1",
        ]) {
            assert.ok(alarmDescription.includes(`\n${line}`), line);
        }
    });

    it("link to their procedures where these are shown", async () => {
        const shownElsewhere = await recordStack(
            "production",
            "mcp:incident.pages=https://docs.example.com/mcp/",
        );
        assert.match(
            of(shownElsewhere, "database-storage").alarmDescription,
            /^Procedure: https:\/\/docs\.example\.com\/mcp\/runbook\.md#database-connections$/m,
        );
        // Each address leads to a page of docs/, and to an anchor of it.
        const address = /https:\/\/docs\.example\.com\/mcp\/(\S+?)#([\w.-]+)/g;
        const links = shownElsewhere.resources.flatMap(({ inputs: { alarmDescription } }) =>
            typeof alarmDescription === "string" ? [...alarmDescription.matchAll(address)] : [],
        );
        assert.ok(links.length > 100, `found ${links.length} links`);
        const dead = links.filter(
            ([, page, anchor]) =>
                !readFileSync(join(root, "docs", page!), "utf8").includes(`<a id="${anchor}"></a>`),
        );
        assert.deepEqual(
            dead.map(([link]) => link),
            [],
        );
    });

    it("count a budget that is used up too fast only while it still is", () => {
        const { threshold, metricQueries } = of(production, "slo-mcp-server-availability-fast");
        assert.deepEqual([threshold, metricQueries[1].metric.period], [1.44, 3600]);
        const { alarmRule } = shown(only(production, COMPOSITE, "mcp-production-incident-server-p2"));
        const name = "mcp-production-slo-mcp-server-availability-fast";
        assert.ok(alarmRule.includes(`(ALARM("${name}") AND ALARM("${name}-5m"))`));
    });

    it("keep within what composite alarms and mute rules take, with 50 workloads", () => {
        const values = valuesOf(root, "production");
        const workload = values.workloads["chat-ui"]!;
        const workloads = Object.fromEntries(
            Array.from({ length: 50 }, (_, index) => [`service-${index}`, workload]),
        );
        const all = { ...values, workloads: { ...values.workloads, ...workloads } };
        const alarms = alarmsOf(resolveStack(all));
        const own = alarms.filter(({ severity }) => severity === "P3");
        assert.ok(own.length > 200);
        const parts = partsOf(own, 100);
        assert.deepEqual(parts.flat(), own);
        assert.ok(parts.every(({ length }) => length <= 100));
        for (const incident of incidentsOf(alarms)) {
            assert.ok(incident.members.length <= 100, incident.id);
            assert.ok(ruleOf(incident, "mcp-production").length <= 10_240, incident.id);
        }
    });

    it("watch what MCP Server says of itself, under the names that are its own", async () => {
        const { metricName, dimensions, statistic, threshold, comparisonOperator, treatMissingData } = of(
            production,
            "circuit-breaker",
        );
        assert.deepEqual(
            { metricName, dimensions, statistic, threshold, comparisonOperator, treatMissingData },
            {
                metricName: "circuit_breaker_state",
                dimensions: { Service: "mcp-server" },
                statistic: "Maximum",
                threshold: 1,
                comparisonOperator: "GreaterThanOrEqualToThreshold",
                treatMissingData: "breaching",
            },
        );
        const named = await recordStack(
            "production",
            "mcp:alarms.application.pool.used=mcp_db_pool_checked_out",
            "mcp:alarms.application.pool.share=80",
        );
        assert.deepEqual(faultsOf(named), []);
        const { metricQueries, threshold: most } = of(named, "connection-pool");
        assert.deepEqual(
            metricQueries.map(
                ({ expression, metric }: any) => expression ?? `${metric.stat} ${metric.metricName}`,
            ),
            ["100 * used / size", "Maximum mcp_db_pool_checked_out", "Minimum db_pool_size"],
        );
        assert.equal(most, 80);
        const { observability } = valuesOf(root, "production");
        const elsewhere = { ...observability!.metrics, workloads: ["admin-portal"] };
        assert.ok(
            !alarmsOf(
                resolveStack({
                    ...valuesOf(root, "production"),
                    observability: { ...observability!, metrics: elsewhere },
                }),
            ).some(({ id }) => id === "circuit-breaker"),
        );
    });

    it("miss a backup once it cannot be on its way any more", () => {
        const rows = [
            "database-backup-failed-hourly",
            "database-backup-missing-hourly",
            "database-backup-missing-daily",
            "dump-missing-daily",
            "dump-missing-weekly",
            "configurations-missing",
        ].map((id) => {
            const { tags, evaluationPeriods, treatMissingData, metricQueries, ...own } = of(production, id);
            const { metricName, dimensions, period } = metricQueries?.at(-1).metric ?? own;
            const [dimension] = Object.values(dimensions);
            const hours = (period * evaluationPeriods) / 3600;
            return [tags.severity, metricName, dimension, hours, treatMissingData];
        });
        const [hourly, daily] = ["hourly", "daily"].map((kind) => `mcp-production-snapshots-${kind}`);
        assert.deepEqual(rows, [
            ["P3", "NumberOfBackupJobsFailed", hourly, 1 / 12, "notBreaching"],
            // From Saturday 23:00 to Sunday 06:00 none is due: first the daily one is, and then the windows are open.
            ["P3", "NumberOfBackupJobsCompleted", hourly, 7 + 3, "breaching"],
            ["P3", "NumberOfBackupJobsCompleted", daily, 24 + 3, "breaching"],
            ["P3", "DumpSucceeded", "daily", 27, "breaching"],
            // A new stack has had none yet: only days with a daily one count.
            ["P3", "DumpSucceeded", "weekly", 7 * 24, "notBreaching"],
            ["P3", "DumpSucceeded", "kubernetes", 27, "breaching"],
        ]);
    });

    it("miss maintenance that did not come to its end, before the next look ends the alarm", async () => {
        const planned = await recordStack(
            "production",
            "mcp:maintenance.upgrade.start=2027-01-09T20:30:00Z",
            "mcp:maintenance.upgrade.version=1.34",
        );
        assert.deepEqual(faultsOf(planned), []);
        const rows = ["database-maintenance-failed", "upgrade-check-failed"].map((id) => {
            const { tags, metricName, dimensions, period, evaluationPeriods, treatMissingData } = of(
                planned,
                id,
            );
            return [
                tags.severity,
                metricName,
                dimensions.Task,
                (period * evaluationPeriods) / 3600,
                treatMissingData,
            ];
        });
        assert.deepEqual(rows, [
            // From one 01:00 to the end of the window on the next day, and an hour.
            ["P3", "TaskSucceeded", "mcp-db-maintenance", 24 + 4 + 1, "breaching"],
            ["P4", "TaskSucceeded", "mcp-upgrade-check", 24 + 2, "breaching"],
        ]);
        const names = alarmsIn(production).map(({ name }) => name);
        assert.ok(!names.includes("mcp-production-upgrade-check-failed"));
    });

    it("tell of an escalation that failed without escalating it", () => {
        const rows = [
            "escalation-failed",
            "escalation-timed-out",
            "incidents-failed",
            "incidents-timed-out",
        ].map((id) => {
            const { tags, metricName, dimensions } = of(production, id);
            return [tags.severity, metricName, dimensions.StateMachineArn.split(":").at(-1)];
        });
        assert.deepEqual(rows, [
            ["P3", "ExecutionsFailed", "mcp-production-escalation"],
            ["P3", "ExecutionsTimedOut", "mcp-production-escalation"],
            ["P3", "ExecutionsFailed", "mcp-production-escalation-incidents"],
            ["P3", "ExecutionsTimedOut", "mcp-production-escalation-incidents"],
        ]);
    });

    it("count idle connections against those that there may be", async () => {
        const { metricName, dimensions, threshold, treatMissingData } = of(
            production,
            "database-idle-connections",
        );
        assert.deepEqual(
            [metricName, dimensions, threshold, treatMissingData],
            ["IdleConnections", { Component: "PostgreSQL" }, 840, "missing"],
        );
        const changes = await changesOf("production", "mcp:alarms.database.idle=50");
        assert.deepEqual(linesOf(changes), [`update ${ALARM} mcp-production-database-idle-connections`]);
    });

    it("change their limits by value alone", async () => {
        const changes = await changesOf("production", "mcp:alarms.cache.memory=70");
        assert.deepEqual(linesOf(changes), [
            `update ${ALARM} mcp-production-cache-memory-001`,
            `update ${ALARM} mcp-production-cache-memory-002`,
        ]);
    });

    it("are in docs/alarms.md as they are declared (npm run docs rewrites it)", () => {
        const page = renderAlarms(documentedAlarms(root));
        assert.equal(readFileSync(join(root, "docs", "alarms.md"), "utf8"), page);
    });
});
