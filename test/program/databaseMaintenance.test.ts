import assert from "node:assert/strict";
import { parseWindowPlan } from "../../jobs/window";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { changesOf, linesOf, only, recordStack } from "../support";

const NAME = "mcp-db-maintenance";
const CRON_JOB = "kubernetes:batch/v1:CronJob";
const JOB = "kubernetes:batch/v1:Job";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const OPERATION = "mcp:operations.databaseMaintenance";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);
const stepsOf = (pod: any) => [...pod.initContainers, ...pod.containers];
const environmentOf = ({ env }: any) => Object.fromEntries(env.map(({ name, value }: any) => [name, value]));
const planOf = (recording: Recording, program: string) =>
    parseWindowPlan(JSON.parse(inputsOf(recording, CONFIG_MAP, `${program}-program`).data["window.json"]));

const WINDOW = {
    weekday: "sun",
    start: "01:00",
    end: "05:00",
    // Nodes and RDS are patched between.
    open: [
        { start: "01:00", end: "02:00" },
        { start: "04:00", end: "05:00" },
    ],
    offsetMinutes: 330,
    limitSeconds: 14_400,
};

describe("maintenance of the database", () => {
    let production: Recording;
    let asked: Recording;
    before(async () => {
        production = await recordStack("production");
        asked = await recordStack(
            "production",
            `${OPERATION}.run=CHG-1`,
            `${OPERATION}.force=tables doubled after the import`,
        );
    });

    it("looks every day in the hours when the window may be open, and is resumed until it closes", () => {
        const { spec } = inputsOf(production, CRON_JOB, NAME);
        assert.deepEqual(
            [spec.schedule, spec.timeZone, spec.concurrencyPolicy],
            ["0 1,2,3,4 * * *", "Asia/Kolkata", "Forbid"],
        );
        const { activeDeadlineSeconds, backoffLimit, podFailurePolicy } = spec.jobTemplate.spec;
        assert.deepEqual([activeDeadlineSeconds, backoffLimit], [14_400 + 180, 3]);
        assert.deepEqual(podFailurePolicy.rules, [
            { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        ]);
        assert.deepEqual(
            { force: undefined, ...planOf(production, NAME) },
            { ...WINDOW, scheduled: true, force: undefined },
        );
    });

    it("looks at the window, dumps below manual/ as every dump is made, only then maintains, and reports", () => {
        const { spec } = inputsOf(production, CRON_JOB, NAME).spec.jobTemplate.spec.template;
        const daily = inputsOf(production, CRON_JOB, "mcp-dumps-daily").spec.jobTemplate.spec.template.spec;
        const [window, pending, dump, upload, maintain, report, ...others] = stepsOf(spec);
        assert.deepEqual(others, []);
        const unlessSkipped = (step: string) => [
            "sh",
            "-c",
            '[ -e "$HANDOVER/skip" ] || [ -e "$HANDOVER/skip-$0" ] || exec "$@"',
            step,
        ];
        assert.deepEqual(window.command, ["node", "/opt/task/window.js", "/opt/task/window.json"]);
        for (const [step, script] of Object.entries({
            "pending.sh": pending,
            "dump.sh": dump,
            "upload.sh": upload,
            "maintain.sh": maintain,
        })) {
            assert.deepEqual(script.command, [
                ...unlessSkipped(step.replace(".sh", "")),
                "bash",
                `/opt/task/${step}`,
            ]);
        }
        const [dailyDump, dailyUpload] = stepsOf(daily);
        assert.deepEqual([dump.image, dump.env], [dailyDump.image, dailyDump.env]);
        const { METRICS, ...told } = environmentOf(dailyUpload);
        assert.equal(METRICS, "MCP/production");
        assert.deepEqual(environmentOf(upload), { ...told, KIND: "manual", LABEL: "maintenance" });
        assert.equal(environmentOf(maintain).PGSSLMODE, "require");
        // Of every day, so that a run that failed is missed.
        assert.deepEqual(report.command, ["bash", "/opt/task/succeeded.sh"]);
        assert.deepEqual(
            [environmentOf(report).METRICS, environmentOf(report).TASK],
            ["MCP/production", NAME],
        );
        assert.equal(report.image, dailyUpload.image);
        const data = inputsOf(production, CONFIG_MAP, `${NAME}-program`).data;
        const dailyData = inputsOf(production, CONFIG_MAP, "mcp-dumps-daily-program").data;
        for (const file of ["dump.sh", "upload.sh"]) {
            assert.equal(data[file], dailyData[file]);
        }
        // What they source is beside them.
        assert.match(data["maintain.sh"], /^source "\$\(dirname "\$0"\)\/connection\.sh"$/m);
        assert.match(data["connection.sh"], /PGPASSFILE/);
        const secrets = spec.volumes.filter(({ projected }: any) => projected !== undefined);
        assert.deepEqual(
            secrets.map(({ name }: any) => name),
            ["pending-secrets", "dump-secrets", "maintain-secrets"],
        );
    });

    it("may upload below manual/, report, reach the database and AWS, and nothing else", () => {
        const policy = only(production, "aws:iam/rolePolicy:RolePolicy", NAME);
        assert.ok(policy.dependencies.some((urn) => urn.endsWith(`Role::${NAME}`)));
        const { spec } = inputsOf(production, "kubernetes:networking.k8s.io/v1:NetworkPolicy", NAME);
        assert.deepEqual(spec.egress, [
            { to: [{ ipBlock: { cidr: "10.20.0.0/16" } }], ports: [{ protocol: "TCP", port: 5432 }] },
            { ports: [{ protocol: "TCP", port: 443 }] },
            { to: [{ ipBlock: { cidr: "169.254.170.23/32" } }], ports: [{ protocol: "TCP", port: 80 }] },
        ]);
        assert.deepEqual(spec.podSelector, { matchLabels: { "mcp.msil.com/task": NAME } });
        const pod = inputsOf(production, CRON_JOB, NAME).spec.jobTemplate.spec.template.spec;
        assert.equal(pod.automountServiceAccountToken, false);
        const { dependencies } = only(production, CRON_JOB, NAME);
        for (const needed of [
            "Secret::mcp-db-secret",
            "BucketPolicy::mcp-production-backups",
            `PodIdentityAssociation::${NAME}`,
        ]) {
            assert.ok(
                dependencies.some((urn) => urn.endsWith(needed)),
                needed,
            );
        }
    });

    it("is forced with a reason, in its plan, in a Job with another name than the refused one", () => {
        assert.deepEqual(planOf(asked, `${NAME}-chg-1-forced`), {
            ...WINDOW,
            scheduled: false,
            run: "chg-1",
            force: "tables doubled after the import",
        });
        const { spec } = inputsOf(asked, JOB, `${NAME}-chg-1-forced`).spec.template;
        const [, , dump, upload] = stepsOf(spec);
        assert.deepEqual(dump.command.slice(-2), ["bash", "/opt/task/dump.sh"]);
        assert.equal(environmentOf(upload).LABEL, "chg-1");
    });

    it("runs once a ticket, in the window", async () => {
        assert.deepEqual(linesOf(await changesOf("production", `${OPERATION}=CHG-1`)), [
            `create ${JOB} ${NAME}-chg-1`,
            `create ${CONFIG_MAP} ${NAME}-chg-1-program`,
        ]);
        const plain = planOf(await recordStack("production", `${OPERATION}=CHG-1`), `${NAME}-chg-1`);
        assert.deepEqual(
            { force: undefined, ...plain },
            { ...WINDOW, scheduled: false, run: "chg-1", force: undefined },
        );
    });
});
