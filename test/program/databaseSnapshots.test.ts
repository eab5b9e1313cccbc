import assert from "node:assert/strict";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { BACKUPS, TIME_ZONE } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack } from "../support";

const PLAN = "aws:backup/plan:Plan";
const VAULT = "aws:backup/vault:Vault";
const LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration";
const SELECTION = "aws:backup/selection:Selection";
const TEST = "aws:backup/restoreTestingSelection:RestoreTestingSelection";
const RESTORE = "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30";
const NAME = "mcp-production-snapshots";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

/** Weekday and hour of each time a plan's rules are due: `SUN 4`. */
function due({ rules }: any): string[] {
    return rules.flatMap(({ schedule }: { schedule: string }) => {
        const [, hours, weekdays] = /^cron\(0 ([\d,]+) \? \* ([A-Z,*]+) \*\)$/.exec(schedule)!;
        const days = weekdays === "*" ? "MON,TUE,WED,THU,FRI,SAT,SUN" : weekdays!;
        return days.split(",").flatMap((day) => hours!.split(",").map((hour) => `${day} ${hour}`));
    });
}

describe("the snapshots of the database", () => {
    let production: Recording;
    let staging: Recording;
    before(async () => {
        production = await recordStack("production");
        staging = await recordStack("staging");
    });

    it("have separate plans, kept as long as the runbook says, in its zone", () => {
        for (const [kind, { retentionDays }] of Object.entries({
            hourly: BACKUPS.postgresql.hourly,
            daily: BACKUPS.postgresql.daily,
        })) {
            const { rules } = inputsOf(production, PLAN, `${NAME}-${kind}`);
            assert.ok(rules.length > 0);
            for (const { schedule, ruleName, ...rule } of rules) {
                assert.match(schedule, /^cron\(0 [\d,]+ \? \* \S+ \*\)$/);
                assert.match(ruleName, new RegExp(`^${kind}[a-z-]*$`));
                assert.ok(ruleName.length <= 50);
                assert.deepEqual(rule, {
                    targetVaultName: `${NAME}-${kind}`,
                    scheduleExpressionTimezone: TIME_ZONE,
                    startWindow: 60,
                    completionWindow: 120,
                    lifecycle: { deleteAfter: retentionDays },
                });
            }
        }
        assert.deepEqual(
            [BACKUPS.postgresql.hourly.retentionDays, BACKUPS.postgresql.daily.retentionDays],
            [1, 30],
        );
    });

    it("never start at the same time: an hour is due once, and so is what can start within it", () => {
        const hourly = due(inputsOf(production, PLAN, `${NAME}-hourly`));
        const daily = due(inputsOf(production, PLAN, `${NAME}-daily`));
        assert.equal(new Set([...hourly, ...daily]).size, hourly.length + daily.length);
        assert.equal(daily.length, 7);
        // Start windows of an hour, at full hours, do not overlap. Six days of 22 hours, and a Sunday of 19.
        assert.equal(hourly.length + daily.length, 6 * 22 + 19);
    });

    it("are not due in the windows of the instance, nor in the hour before", async () => {
        const hourly = due(inputsOf(production, PLAN, `${NAME}-hourly`));
        for (const hour of ["SUN 1", "SUN 2", "SUN 3", "SUN 4", "SUN 5", "MON 4", "MON 5"]) {
            assert.equal(hourly.includes(hour), false, hour);
        }
        for (const hour of ["SUN 6", "MON 1", "MON 3", "MON 6", "SAT 23"]) {
            assert.ok(hourly.includes(hour), hour);
        }
        const moved = await recordStack(
            "production",
            "mcp:database.maintenanceWindow.weekday=wed",
            "mcp:database.maintenanceWindow.start=20:00",
            "mcp:database.maintenanceWindow.end=22:00",
        );
        const others = due(inputsOf(moved, PLAN, `${NAME}-hourly`));
        assert.deepEqual(
            ["SUN 2", "WED 18", "WED 19", "WED 21", "WED 22"].map((hour) => others.includes(hour)),
            [true, true, false, false, true],
        );
    });

    it("go to vaults with a separate key, the daily one locked in production", () => {
        for (const kind of ["hourly", "daily"]) {
            const { options, propertyDependencies } = only(production, VAULT, `${NAME}-${kind}`);
            assert.equal(options.protect, true);
            assert.ok(propertyDependencies["kmsKeyArn"]![0]!.endsWith(`aws:kms/key:Key::${NAME}`));
            assert.equal(inputsOf(production, VAULT, `${NAME}-${kind}`).forceDestroy, false);
        }
        const locks = production.resources.filter(({ type }) => type === LOCK);
        assert.deepEqual(
            locks.map(({ inputs, options }) => [displayed(inputs as never), options.protect]),
            [[{ backupVaultName: `${NAME}-daily`, minRetentionDays: 30 }, true]],
        );
        assert.equal(
            staging.resources.some(({ type }) => type === LOCK),
            false,
        );
        const trial = only(staging, VAULT, "mcp-staging-snapshots-daily");
        assert.deepEqual([trial.options.protect, trial.inputs["forceDestroy"]], [undefined, true]);
    });

    it("keep their lock when they are kept for longer", async () => {
        const changes = await changesOf("production", "mcp:database.snapshots.daily.retention=60d");
        assert.deepEqual(linesOf(changes), [`update ${PLAN} ${NAME}-daily`]);
    });

    it("are of the instance the services use", async () => {
        const saved = (recording: Recording, type: string, key: string) =>
            recording.resources
                .filter((resource) => resource.type === type)
                .map(({ inputs }) => (displayed(inputs as never) as any)[key]);
        const arn = (instance: string) => [`arn:aws:rds:ap-south-1:000000000000:db:${instance}`];
        const restored = await recordStack("production", RESTORE);
        const switched = await recordStack("production", RESTORE, "mcp:database.active=recovery");
        for (const [recording, instance] of [
            [production, "mcp-production"],
            [restored, "mcp-production"],
            [switched, "mcp-recovery"],
        ] as const) {
            assert.deepEqual(saved(recording, SELECTION, "resources"), [arn(instance), arn(instance)]);
            assert.deepEqual(saved(recording, TEST, "protectedResourceArns"), [arn(instance)]);
        }
        const [selection] = switched.resources.filter(({ type }) => type === SELECTION);
        for (const needed of [
            "aws:rds/instance:Instance::mcp-recovery",
            "AWSBackupServiceRolePolicyForBackup",
        ]) {
            assert.ok(
                selection!.dependencies.some((urn) => urn.endsWith(needed)),
                needed,
            );
        }
        const back = compare(switched, restored).filter(({ resource }) =>
            resource.type.startsWith("aws:backup/"),
        );
        assert.deepEqual(
            linesOf(back.filter(({ operation }) => operation !== "same")),
            ["create", "delete"].flatMap((operation) => {
                const instance = operation === "create" ? "mcp-production" : "mcp-recovery";
                return [
                    `${operation} ${TEST} ${NAME}-${instance}`,
                    `${operation} ${SELECTION} ${NAME}-daily-${instance}`,
                    `${operation} ${SELECTION} ${NAME}-hourly-${instance}`,
                ];
            }),
        );
    });

    it("are restored once a week as a test, in the database's network, from the daily vault", () => {
        const plan = inputsOf(production, "aws:backup/restoreTestingPlan:RestoreTestingPlan", NAME);
        assert.deepEqual(
            [plan.name, plan.scheduleExpression, plan.scheduleExpressionTimezone],
            ["mcp_production_snapshots", "cron(0 10 ? * MON *)", TIME_ZONE],
        );
        const { includeVaults, ...selected } = plan.recoveryPointSelection;
        assert.equal(includeVaults.length, 1);
        assert.deepEqual(selected, {
            algorithm: "LATEST_WITHIN_WINDOW",
            recoveryPointTypes: ["SNAPSHOT"],
            selectionWindowDays: 2,
        });
        const planned = only(production, "aws:backup/restoreTestingPlan:RestoreTestingPlan", NAME);
        assert.deepEqual(
            planned.propertyDependencies["recoveryPointSelection"]!.map((urn) => urn.split("::").at(-1)),
            [`${NAME}-daily`],
        );
        const test = inputsOf(production, TEST, `${NAME}-mcp-production`);
        assert.deepEqual(
            [test.name, test.protectedResourceType, test.restoreTestingPlanName],
            ["mcp_production", "RDS", "mcp_production_snapshots"],
        );
        assert.deepEqual(Object.keys(test.restoreMetadataOverrides).sort(), [
            "dbSubnetGroupName",
            "vpcSecurityGroupIds",
        ]);
        assert.equal(test.restoreMetadataOverrides.dbSubnetGroupName, "mcp-db-subnet");
    });

    it("are taken and restored by roles that AWS Backup alone takes on", () => {
        for (const [name, policy] of [
            [NAME, "AWSBackupServiceRolePolicyForBackup"],
            [`${NAME}-restore`, "AWSBackupServiceRolePolicyForRestores"],
        ]) {
            const role = inputsOf(production, "aws:iam/role:Role", name!);
            assert.deepEqual(JSON.parse(role.assumeRolePolicy).Statement, [
                {
                    Effect: "Allow",
                    Principal: { Service: "backup.amazonaws.com" },
                    Action: "sts:AssumeRole",
                },
            ]);
            const attachment = inputsOf(
                production,
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                `${name}-${policy}`,
            );
            assert.equal(attachment.policyArn, `arn:aws:iam::aws:policy/service-role/${policy}`);
        }
    });

    it("tell P3 when one fails or cannot be restored, and P4 when somebody restores", () => {
        const pattern = (name: string) =>
            JSON.parse(inputsOf(production, "aws:cloudwatch/eventRule:EventRule", name).eventPattern);
        assert.deepEqual(pattern(`${NAME}-failed`), {
            source: ["aws.backup"],
            "detail-type": ["Backup Job State Change"],
            detail: {
                backupVaultName: [`${NAME}-hourly`, `${NAME}-daily`],
                state: ["FAILED", "ABORTED", "EXPIRED"],
            },
        });
        assert.deepEqual(pattern(`${NAME}-restore-failed`).detail, {
            resourceType: ["RDS"],
            status: ["FAILED", "ABORTED"],
        });
        const topic = (type: string, name: string, key: string) =>
            only(production, type, name).propertyDependencies[key]!.map((urn) => urn.split("-").at(-1));
        for (const name of [`${NAME}-failed`, `${NAME}-restore-failed`]) {
            assert.deepEqual(topic("aws:cloudwatch/eventTarget:EventTarget", name, "arn"), ["p3"]);
        }
        assert.deepEqual(pattern(`${NAME}-restore`).detail, {
            resourceType: ["RDS"],
            status: ["RUNNING", "COMPLETED"],
        });
        assert.deepEqual(topic("aws:cloudwatch/eventTarget:EventTarget", `${NAME}-restore`, "arn"), ["p4"]);
    });
});
