import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer } from "../../cli/doctor/tools";
import { readStatus, type Status } from "../../cli/status/read";
import { renderStatus } from "../../cli/status/render";
import { UsageError, valuesOf } from "../../offline/stackFile";
import { root, spawned } from "../support";

const NOW = Date.parse("2026-12-01T00:00:00Z");

const deployment = (name: string, version: string, replicas: number, ready = replicas) => ({
    kind: "Deployment",
    metadata: { name },
    spec: { replicas, template: { metadata: { labels: { "app.kubernetes.io/version": version } } } },
    status: ready === 0 ? {} : { readyReplicas: ready },
});

/** Completed on blue; green is at its soak gate. */
const HISTORY = JSON.stringify([
    {
        revision: 1,
        hash: "00000001",
        version: "v2.0.3",
        image: "registry/mcp-server@sha256:1",
        colour: "blue",
        ticket: "CHG-1999",
        completedAt: "2026-11-02T10:00:00Z",
    },
    {
        hash: "00000002",
        version: "v2.1.0",
        image: "registry/mcp-server@sha256:2",
        colour: "green",
        ticket: "CHG-2041",
    },
]);

const JOBS = {
    items: [
        {
            metadata: { name: "mcp-server-green-soak-0a1b2c3d-9f8e7d6c" },
            status: { active: 1, startTime: "2026-11-30T23:56:00Z" },
        },
    ],
};

/** What kubectl answers, by what is read. */
const CLUSTER: Record<string, unknown> = {
    "deployments,services": {
        items: [
            deployment("mcp-server-blue", "v2.0.3", 3),
            deployment("mcp-server-green", "v2.1.0", 3, 2),
            deployment("admin-portal", "v1.6.0", 2),
            {
                kind: "Service",
                metadata: { name: "mcp-server" },
                spec: { selector: { app: "mcp-server", version: "green" } },
            },
        ],
    },
    configmap: { data: { "mcp-server": HISTORY } },
    jobs: JOBS,
};

const answered = (value: unknown): Answer => ({
    status: 0,
    stdout: JSON.stringify(value),
    reason: "exit status 0",
    absent: false,
});

const RINGING = answered({
    MetricAlarms: [
        { AlarmName: "mcp-production-pods-unknown", StateTransitionedTimestamp: "2026-11-30T21:00:00+00:00" },
        {
            AlarmName: "mcp-production-error-rate-major",
            StateTransitionedTimestamp: "2026-11-30T23:50:00+00:00",
        },
    ],
    CompositeAlarms: [],
});

describe("npm run status", () => {
    const values = valuesOf(root, "production");

    function read(cluster = CLUSTER, aws: Answer = RINGING): Promise<Status> {
        const kubectl = ([, what]: readonly string[]) => JSON.stringify(cluster[what!]);
        return readStatus("production", values, kubectl, (_, args) => {
            assert.ok(args.includes("mcp-production-") && args.includes("ap-south-1"), args.join(" "));
            return Promise.resolve(aws);
        });
    }

    it("has each colour with its release, what waits, and what rings", async () => {
        const { workloads, gates, alarms } = await read();
        assert.deepEqual(
            workloads.map(({ workload, colour, active, version, ready, wanted, ticket }) =>
                [workload, colour, active, version, ready, wanted, ticket].map(String).join(" "),
            ),
            [
                "admin-portal undefined true v1.6.0 2 2 undefined",
                "chat-ui undefined true undefined 0 0 undefined",
                "mcp-server blue false v2.0.3 3 3 CHG-1999",
                "mcp-server green true v2.1.0 2 3 CHG-2041",
            ],
        );
        assert.deepEqual(gates, [
            {
                job: "mcp-server-green-soak-0a1b2c3d-9f8e7d6c",
                since: "2026-11-30T23:56:00Z",
                workload: "mcp-server",
                version: "v2.1.0",
                ticket: "CHG-2041",
            },
        ]);
        // The one that the stack declares, with its severity, comes before one that it does not know.
        assert.deepEqual(
            alarms?.map(({ name, severity, procedure }) => [name, severity, procedure]),
            [
                ["mcp-production-error-rate-major", "P2", "high-error-rate"],
                ["mcp-production-pods-unknown", undefined, undefined],
            ],
        );
    });

    for (const width of [80, 100]) {
        it(`is laid out for ${width} columns`, async () => {
            const text = renderStatus(await read(), { width, colour: false }, NOW);
            assert.deepEqual(
                text.split("\n").filter((line) => line.length > width),
                [],
            );
            assert.match(
                text,
                /^ {5}mcp-server +blue +v2\.0\.3 +3\/3 +completed 2026-11-02 10:00 UTC \(CHG-1999\)$/m,
            );
            assert.match(text, /^ {2}\* {2}mcp-server +green +v2\.1\.0 +2\/3 +1 of 3 pods are not ready/m);
            assert.match(text, /^ {2}\* {2}chat-ui +- +0\/0 +not deployed$/m);
            assert.match(
                text,
                /^ {2}mcp-server v2\.1\.0 waits: Job mcp-server-green-soak-0a1b2c3d-9f8e7d6c, for\s+4\s+min/m,
            );
            assert.match(
                text,
                /^ {2}P2 {2}mcp-production-error-rate-major, for 10 min\n {6}npm run runbook -- show high-error-rate$/m,
            );
        });
    }

    it("says in one line why AWS was not asked, and goes on", async () => {
        const status = await read(CLUSTER, {
            status: 255,
            stdout: "",
            reason: "Unable to locate credentials",
            absent: false,
        });
        assert.equal(status.alarms, undefined);
        assert.match(
            renderStatus(status, { width: 120, colour: false }, NOW),
            /^Alarms\n {2}Not known: Unable to locate credentials\. npm run doctor checks the access to AWS\.\n$/m,
        );
    });

    it("shows an empty cluster and no alarm as they are", async () => {
        const empty = { "deployments,services": { items: [] }, configmap: {}, jobs: { items: [] } };
        const text = renderStatus(
            await read(empty, answered({ MetricAlarms: [] })),
            { width: 100, colour: false },
            NOW,
        );
        assert.equal(text.match(/not deployed/g)?.length, 4);
        assert.match(text, /No update waits for a gate\./);
        assert.match(text, /None rings\./);
    });

    it("says which gate a release did not pass, and why", async () => {
        const entry = {
            ...(JSON.parse(HISTORY) as object[])[1],
            failed: { gate: "soak", at: "2026-11-30T23:58:00Z", reason: "12 % of the requests failed" },
        };
        const text = renderStatus(
            await read({
                ...CLUSTER,
                "deployments,services": { items: [deployment("mcp-server-green", "v2.1.0", 0)] },
                configmap: { data: { "mcp-server": JSON.stringify([entry]) } },
            }),
            { width: 160, colour: false },
            NOW,
        );
        assert.match(
            text,
            /green +v2\.1\.0 +0\/0 +did not pass the soak gate: 12 % of the requests failed \(CHG-2041\)/,
        );
    });

    it("refuses an answer of kubectl that is none, and says what to do", async () => {
        const kubectl = () => "<html>";
        await assert.rejects(
            readStatus("production", values, kubectl, () => Promise.resolve(RINGING)),
            (error) => error instanceof UsageError && error.next !== undefined,
        );
    });

    it("is a command, for people and for scripts", () => {
        const folder = mkdtempSync(join(tmpdir(), "mcp-status-"));
        const path = process.env["PATH"];
        try {
            const answers = Object.entries(CLUSTER).map(
                ([what, answer]) => `${what}) cat <<'E'\n${JSON.stringify(answer)}\nE\n;;`,
            );
            writeFileSync(join(folder, "kubectl"), `#!/bin/sh\ncase $2 in\n${answers.join("\n")}\nesac\n`);
            writeFileSync(join(folder, "aws"), "#!/bin/sh\necho 'no credentials' >&2\nexit 253\n");
            for (const name of ["kubectl", "aws"]) chmodSync(join(folder, name), 0o755);
            process.env["PATH"] = `${folder}:${path}`;
            const { status, stdout, stderr } = spawned(["status", "--json"]);
            assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
            const read = JSON.parse(stdout) as Status;
            assert.equal(read.workloads.length, 4);
            assert.equal(read.alarmsUnknown, "no credentials");
            writeFileSync(join(folder, "kubectl"), "#!/bin/sh\necho 'Unauthorized' >&2\nexit 1\n");
            const refused = spawned(["status"]);
            assert.deepEqual({ status: refused.status, stdout: refused.stdout }, { status: 1, stdout: "" });
            assert.match(refused.stderr, /^kubectl failed: Unauthorized\nnpm run doctor checks /);
        } finally {
            process.env["PATH"] = path;
            rmSync(folder, { recursive: true });
        }
    });
});
