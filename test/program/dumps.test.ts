import assert from "node:assert/strict";
import { uploadPermissions } from "../../components/backup/upload";
import { EXPORTED } from "../../jobs/export";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { TIME_ZONE } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack } from "../support";

const CRON_JOB = "kubernetes:batch/v1:CronJob";
const JOB = "kubernetes:batch/v1:Job";
const NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const SERVER = "mcp:workloads.mcp-server";
const CHANGE = `${SERVER}.releases.green.databaseChange=true`;
const GREEN = `${SERVER}.live=green`;

/* eslint-disable @typescript-eslint/no-explicit-any -- manifests are looked into as they are */
const shown = ({ inputs }: RecordedResource): any => displayed(inputs as never);
const inputsOf = (recording: Recording, type: string, name: string) => shown(only(recording, type, name));
const stepsOf = (pod: any) => [...pod.initContainers, ...pod.containers];
const environmentOf = ({ env }: any) => Object.fromEntries(env.map(({ name, value }: any) => [name, value]));

describe("the dumps of the database", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    it("are taken every day and every week, in the zone of the runbook, one after the other's end", () => {
        for (const [kind, schedule] of Object.entries({ daily: "0 23 * * *", weekly: "0 21 * * 0" })) {
            const { spec } = inputsOf(production, CRON_JOB, `mcp-dumps-${kind}`);
            assert.deepEqual(
                [spec.schedule, spec.timeZone, spec.concurrencyPolicy, spec.startingDeadlineSeconds],
                [schedule, TIME_ZONE, "Forbid", 3600],
            );
            const { backoffLimit, activeDeadlineSeconds, template } = spec.jobTemplate.spec;
            assert.deepEqual([backoffLimit, template.spec.restartPolicy], [0, "Never"]);
            assert.ok(activeDeadlineSeconds > 3600);
        }
        assert.equal(TIME_ZONE, "Asia/Kolkata");
    });

    it("go from PostgreSQL over a disk of the pod to the prefix of their kind, and are reported", () => {
        for (const kind of ["daily", "weekly"]) {
            const { spec } = inputsOf(production, CRON_JOB, `mcp-dumps-${kind}`);
            const pod = spec.jobTemplate.spec.template.spec;
            const [dump, upload, ...others] = stepsOf(pod);
            assert.deepEqual(others, []);
            assert.deepEqual(dump.command, ["bash", "/opt/task/dump.sh"]);
            assert.deepEqual(upload.command, ["bash", "/opt/task/upload.sh"]);
            assert.match(dump.image, /\/postgres:17/);
            assert.match(upload.image, /\/aws-cli:2/);
            const { FILE, TABLES, MINIMUM_BYTES, PGSSLMODE, SCRATCH } = environmentOf(dump);
            assert.deepEqual(
                [FILE, TABLES, MINIMUM_BYTES, PGSSLMODE, SCRATCH],
                ["database.dump", "tools", "8192", "require", "/scratch"],
            );
            const common = { HANDOVER: "/run/task", HOME: "/tmp", SECRETS: "/run/secrets/task" };
            assert.deepEqual(environmentOf(upload), {
                ...common,
                AWS_DEFAULT_REGION: "ap-south-1",
                BUCKET: "msil-mcp-backups",
                FILE: "database.dump",
                KIND: kind,
                LABEL: "mcp-production",
                METRICS: "MCP/production",
                SCRATCH: "/scratch",
            });
            const scratch = pod.volumes.find(({ name }: any) => name === "scratch");
            assert.deepEqual(scratch.emptyDir, { sizeLimit: "10Gi" });
            for (const { resources } of [dump, upload]) {
                assert.equal(resources.limits["ephemeral-storage"], "10Gi");
            }
        }
    });

    it("read the application's Secret from files, in the step that dumps alone", () => {
        const { spec } = inputsOf(production, CRON_JOB, "mcp-dumps-daily");
        const pod = spec.jobTemplate.spec.template.spec;
        const secrets = pod.volumes.filter(({ projected }: any) => projected !== undefined);
        assert.deepEqual(
            secrets.map(({ projected }: any) => projected.sources),
            [
                [
                    {
                        secret: {
                            name: "mcp-db-secret",
                            items: ["host", "port", "database", "user", "password"].map((key) => ({
                                key,
                                path: key,
                            })),
                        },
                    },
                ],
            ],
        );
        const mounts = stepsOf(pod).map(({ volumeMounts }: any) =>
            volumeMounts.some(({ name }: any) => name === secrets[0].name),
        );
        assert.deepEqual(mounts, [true, false]);
    });

    it("reach PostgreSQL, AWS and the agent with their credentials, and accept no connections", () => {
        const { podSelector, policyTypes, ingress, egress } = inputsOf(
            production,
            NETWORK_POLICY,
            "mcp-dumps",
        ).spec;
        assert.deepEqual(podSelector, { matchLabels: { "mcp.msil.com/task": "mcp-dumps" } });
        assert.deepEqual([policyTypes, ingress], [["Ingress", "Egress"], undefined]);
        assert.deepEqual(egress, [
            { to: [{ ipBlock: { cidr: "10.20.0.0/16" } }], ports: [{ protocol: "TCP", port: 5432 }] },
            { ports: [{ protocol: "TCP", port: 443 }] },
            {
                to: [{ ipBlock: { cidr: "169.254.170.23/32" } }],
                ports: [{ protocol: "TCP", port: 80 }],
            },
        ]);
    });

    it("may put and see what is below their own prefixes, use the bucket's key, and report: nothing else", () => {
        const bucket = { arn: "arn:aws:s3:::backups", keyArn: "the-key" as never, lock: undefined };
        assert.deepEqual(uploadPermissions(bucket, ["daily", "manual"], "MCP/production"), [
            {
                actions: ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
                resources: ["arn:aws:s3:::backups/daily/*", "arn:aws:s3:::backups/manual/*"],
            },
            { actions: ["kms:GenerateDataKey", "kms:Decrypt"], resources: ["the-key"] },
            {
                actions: ["cloudwatch:PutMetricData"],
                resources: ["*"],
                condition: { StringEquals: { "cloudwatch:namespace": "MCP/production" } },
            },
        ]);
    });

    it("wait for the database's Secret, the bucket and their rights", () => {
        const { dependencies } = only(production, CRON_JOB, "mcp-dumps-weekly");
        for (const needed of [
            "Secret::mcp-db-secret",
            "BucketPolicy::mcp-production-backups",
            "PodIdentityAssociation::mcp-dumps",
        ]) {
            assert.ok(
                dependencies.some((urn) => urn.endsWith(needed)),
                needed,
            );
        }
    });

    it("are taken on demand once a name, and not reported", async () => {
        const named = await recordStack("production", "mcp:backups.manual=CHG-1041");
        const job = named.resources.find(({ name }) => /^mcp-dumps-manual-[0-9a-f]{8}$/.test(name))!;
        const [, upload] = stepsOf(shown(job).spec.template.spec);
        const { KIND, LABEL, METRICS } = environmentOf(upload);
        assert.deepEqual([KIND, LABEL, METRICS], ["manual", "CHG-1041", undefined]);
        const other = compare(named, await recordStack("production", "mcp:backups.manual=CHG-1042"));
        assert.deepEqual(
            linesOf(other.filter(({ operation }) => operation !== "same")).map((line) =>
                line.replace(/[0-9a-f]{8}$/, "*"),
            ),
            [
                `create ${JOB} mcp-dumps-manual-*`,
                `delete ${JOB} mcp-dumps-manual-*`,
                // Named by what it holds, which is the same.
            ],
        );
    });
});

describe("a release that changes the database", () => {
    const dumps = ({ resources }: Recording) =>
        resources.filter(({ type, name }) => type === JOB && name.includes("-dump-"));

    it("waits for a separate dump before its Deployment changes", async () => {
        const released = await recordStack("production", CHANGE, GREEN);
        const [dump, ...others] = dumps(released);
        assert.deepEqual(others, []);
        const deployments = released.resources.filter(({ type }) => type.endsWith(":Deployment"));
        assert.deepEqual(
            deployments
                .filter(({ dependencies }) => dependencies.includes(dump!.urn))
                .map(({ name }) => name),
            ["mcp-server-green"],
        );
        const evidence = released.resources.find(
            ({ type, name }) => type === JOB && name.startsWith("mcp-server-green-evidence-"),
        );
        assert.equal(
            dump!.name.slice(-8),
            evidence!.name.slice(-8),
            "named by another hash than what is approved",
        );
        const [, upload] = stepsOf(shown(dump!).spec.template.spec);
        const { KIND, LABEL } = environmentOf(upload);
        assert.deepEqual([KIND, LABEL], ["manual", "mcp-server-v2.1.0"]);
        assert.equal(shown(dump!).metadata.annotations["pulumi.com/replaceUnready"], "true");
    });

    it("rolls out a rolling workload only after its dump too", async () => {
        const edit = "mcp:workloads.chat-ui.release.databaseChange=true";
        const recording = await recordStack("production", edit);
        const [dump] = dumps(recording);
        assert.ok(
            only(recording, "kubernetes:apps/v1:Deployment", "chat-ui").dependencies.includes(dump!.urn),
        );
        assert.deepEqual(
            linesOf(await changesOf("production", edit)).map((line) => line.replace(/[0-9a-f]{8}$/, "*")),
            [`create ${JOB} chat-ui-dump-*`, "create kubernetes:core/v1:ConfigMap chat-ui-dump-program"],
        );
    });

    it("is scaled, restarted, switched to another database and rolled back without another one", async () => {
        const before = await recordStack("production", CHANGE, GREEN);
        for (const edits of [
            [CHANGE],
            [CHANGE, GREEN, `${SERVER}.scaling.min=6`],
            [CHANGE, GREEN, `${SERVER}.restart=INC-1`],
            [
                CHANGE,
                GREEN,
                "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30",
                "mcp:database.active=recovery",
            ],
        ]) {
            const changes = compare(before, await recordStack("production", ...edits));
            const lines = linesOf(changes.filter(({ operation }) => operation !== "same"));
            assert.ok(lines.length > 0, edits.join());
            assert.deepEqual(
                lines.filter((line) => line.includes("-dump")),
                [],
                edits.join(),
            );
        }
    });

    it("takes another one for another version", async () => {
        const before = await recordStack("production", CHANGE, GREEN);
        const after = await recordStack(
            "production",
            CHANGE,
            GREEN,
            `${SERVER}.releases.green.version=v2.2.0`,
        );
        assert.notEqual(dumps(before)[0]!.name, dumps(after)[0]!.name);
    });
});

describe("the export of the configurations", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    it("runs every day, from the API over a disk of the pod to kubernetes/", () => {
        const { schedule, timeZone, jobTemplate } = inputsOf(production, CRON_JOB, "mcp-configurations").spec;
        assert.deepEqual([schedule, timeZone], ["30 22 * * *", TIME_ZONE]);
        const { metadata, spec } = jobTemplate.spec.template;
        assert.equal(spec.automountServiceAccountToken, true);
        assert.ok(metadata.annotations["mcp.msil.com/needs-token"]);
        const [run, upload] = stepsOf(spec);
        assert.deepEqual(run.command, ["node", "/opt/task/export.js", "/opt/task/export.json"]);
        const { KIND, LABEL, FILE, METRICS } = environmentOf(upload);
        assert.deepEqual(
            [KIND, LABEL, FILE, METRICS],
            ["kubernetes", "mcp-production", "configurations.json.gz", "MCP/production"],
        );
        const program = production.resources.find(({ name }) => name === "mcp-configurations-program")!;
        assert.deepEqual(JSON.parse(shown(program).data["export.json"]), {
            namespace: "mcp-production",
            file: FILE,
            deadlineSeconds: 300,
        });
    });

    it("may list exactly the kinds it exports, and no Secrets", () => {
        const { rules } = inputsOf(
            production,
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            "mcp-configurations",
        );
        assert.ok(rules.every(({ verbs }: any) => verbs.join() === "list"));
        const granted = rules.flatMap(({ resources }: any) => resources);
        assert.deepEqual(granted.sort(), Object.keys(EXPORTED).sort());
        assert.ok(!granted.includes("secrets"));
        const groups = Object.fromEntries(
            rules.map(({ apiGroups, resources }: any) => [apiGroups.join(), resources]),
        );
        assert.deepEqual(groups["batch"], ["cronjobs"]);
        assert.deepEqual(groups[""], ["configmaps", "resourcequotas", "serviceaccounts", "services"]);
    });

    it("covers every kind that the stack declares in its namespace, but Jobs, which have run, and Secrets", () => {
        const kinds = production.resources
            .filter(({ type }) => type.startsWith("kubernetes:"))
            // The log shipper has a separate namespace.
            .filter(({ inputs }) => (inputs["metadata"] as any).namespace !== "mcp-production-logs")
            .map(({ type }) => type.split(":").at(-1)!);
        const left = new Set(kinds.filter((kind) => !(Object.values(EXPORTED) as string[]).includes(kind)));
        assert.deepEqual([...left].sort(), ["Job", "Namespace", "PriorityClass", "Secret"]);
    });
});
