import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApprovalPlan, parseApprovalPlan, runApproval } from "../../jobs/evidence";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { publish } from "../../jobs/lib/sns";
import { type NoticePlan, parseNoticePlan, runNotice } from "../../jobs/notice";
import { parseWatchPlan, runWatch, type WatchOptions, type WatchPlan } from "../../jobs/watch";
import { date, evidencePlan } from "./evidencePlan";
import { freePort } from "./postgres";
import { app, FakeCluster, namespace } from "./releaseCluster";
import { type S3, startS3, whyNoS3 } from "./s3";
import { type Listening, listen } from "./servers";

const TOPIC = "arn:aws:sns:ap-south-1:111122223333:mcp-production-stakeholders";
const { subject, release, change } = evidencePlan;

/** The cluster's programs wait seconds between two attempts; tests do not. */
const soon = { pauseSeconds: 0.01, attemptSeconds: 2 };

/** What an answer of SNS says in words. */
const told = (code: string, message: string) =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

/** Plays the agent that hands out credentials, and SNS. */
class FakeAws {
    /** Messages that SNS received, oldest first. */
    readonly messages: URLSearchParams[] = [];
    /** Requests to either. */
    readonly requests: string[] = [];
    /** Answers in SNS's place, the next one first; `silent` never answers. */
    answers: ([status: number, body: string] | "silent" | "dropped")[] = [];
    /** What the agent answers. */
    credentials: [status: number, body: string] = [200, ""];
    private listening!: Listening;

    async start(): Promise<void> {
        const server = createServer((asked, answer) => void this.answer(asked, answer));
        this.listening = await listen(server);
    }

    get env() {
        const url = `http://127.0.0.1:${this.listening.port}`;
        return { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/agent`, AWS_ENDPOINT_URL_SNS: `${url}/` };
    }

    reset(): void {
        this.messages.length = 0;
        this.requests.length = 0;
        this.answers = [];
        const [AccessKeyId, SecretAccessKey, Token] = ["planted-id", "planted-key", "planted-token"];
        const Expiration = "2026-11-23T18:00:00Z";
        this.credentials = [200, JSON.stringify({ AccessKeyId, SecretAccessKey, Token, Expiration })];
    }

    stop(): void {
        this.listening.close();
    }

    private async answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
        let body = "";
        for await (const part of asked.setEncoding("utf8")) body += part as string;
        const { authorization = "none" } = asked.headers;
        this.requests.push(
            `${asked.method} ${asked.url} ${authorization.replace(/[0-9a-f]{64}$/, "SIGNED")}`,
        );
        const own: FakeAws["answers"][number] =
            asked.url === "/agent" ? this.credentials : (this.answers.shift() ?? [200, "<PublishResponse/>"]);
        if (own === "silent") return;
        if (own === "dropped") return void asked.socket.destroy();
        if (asked.url !== "/agent" && own[0] === 200) this.messages.push(new URLSearchParams(body));
        answer.writeHead(own[0]).end(own[1]);
    }
}

describe("a message to SNS", function () {
    this.timeout(10_000);
    const aws = new FakeAws();
    const lines: string[] = [];
    let folder: string;

    before(() => aws.start());
    after(() => aws.stop());
    beforeEach(() => {
        aws.reset();
        lines.length = 0;
        folder = mkdtempSync(join(tmpdir(), "mcp-sns-"));
    });
    afterEach(() => {
        assert.ok(!lines.join().includes("planted"), "a secret was printed");
        rmSync(folder, { recursive: true });
    });

    const send = (env: NodeJS.ProcessEnv = {}, more: Partial<Parameters<typeof publish>[1]> = {}) =>
        publish(
            { topic: TOPIC, subject: "Release begins", text: "of mcp-server & more" },
            {
                log: (line) => lines.push(line),
                signal: new AbortController().signal,
                env: { ...aws.env, ...env },
                date: () => new Date(date),
                ...soon,
                ...more,
            },
        );

    it("is sent with the credentials that the agent has for the pod", async () => {
        const file = join(folder, "token");
        writeFileSync(file, "planted-of-the-pod\n");
        await send({ AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file });
        assert.deepEqual(aws.requests, [
            "GET /agent planted-of-the-pod",
            "POST / AWS4-HMAC-SHA256 Credential=planted-id/20261123/ap-south-1/sns/aws4_request, " +
                "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=SIGNED",
        ]);
        assert.deepEqual(Object.fromEntries(aws.messages[0]!), {
            Action: "Publish",
            Version: "2010-03-31",
            TopicArn: TOPIC,
            Subject: "Release begins",
            Message: "of mcp-server & more",
        });
    });

    it("is sent again when SNS fails, throttles, is unreachable or does not respond, and prints that", async () => {
        aws.answers = [[503, ""], "dropped"];
        await send();
        assert.deepEqual(lines, [
            "  SNS: status 503; asked again in 0.01 s",
            "  SNS: connection dropped (UND_ERR_SOCKET); asked again in 0.01 s",
        ]);
        aws.answers = [[400, told("Throttling", "Rate exceeded")], "silent"];
        await send({}, { attemptSeconds: 0.3 });
        assert.deepEqual(lines.slice(2), [
            "  SNS: status 400, Throttling, Rate exceeded; asked again in 0.01 s",
            "  SNS: no answer within 0.3 s; asked again in 0.01 s",
        ]);
        assert.equal(aws.messages.length, 2);
    });

    it("fails for good reasons, in words", async () => {
        aws.answers = [[403, told("AuthorizationError", "not authorized to perform: SNS:Publish")]];
        await assert.rejects(send(), {
            message: "SNS: status 403, AuthorizationError, not authorized to perform: SNS:Publish",
        });
        assert.equal(aws.requests.length, 2, "asked again");
        aws.answers = ["silent", "silent", "silent"];
        await assert.rejects(send({}, { attemptSeconds: 0.1 }), { message: "SNS: no answer within 0.1 s" });
        await assert.rejects(send({ AWS_ENDPOINT_URL_SNS: `http://127.0.0.1:${await freePort()}/` }), {
            message: "SNS: connection refused (ECONNREFUSED)",
        });
        assert.deepEqual(aws.messages, []);
    });

    it("needs an identity", async () => {
        await assert.rejects(send({ AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined }), {
            message: /^the pod has no rights on AWS: .* eks-pod-identity-agent$/,
        });
        await assert.rejects(send({ AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, "none") }), {
            message: /none cannot be read \(ENOENT\): the pod needs its identity's token$/,
        });
        aws.credentials = [400, "planted"];
        await assert.rejects(send(), { message: "the pod identity agent: status 400" });
        for (const garbled of ["planted", '{"SecretAccessKey":"planted"}']) {
            aws.credentials = [200, garbled];
            await assert.rejects(send(), {
                message: "the pod identity agent answers with something else than credentials",
            });
        }
        assert.deepEqual(aws.messages, []);
    });

    it("is given up when the gate is stopped", async () => {
        aws.answers = ["silent"];
        const stop = new AbortController();
        const sending = send({}, { signal: stop.signal });
        setTimeout(() => stop.abort(new Error("stopped by SIGTERM")), 50);
        await assert.rejects(sending, { message: "stopped by SIGTERM" });
    });
});

describe("notices to stakeholders", function () {
    this.timeout(10_000);
    const cluster = new FakeCluster();
    const aws = new FakeAws();
    let folder: string;

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "mcp-notices-"));
        await cluster.start(folder);
        await aws.start();
    });
    beforeEach(() => {
        aws.reset();
        cluster.reset();
        cluster.ledger();
        cluster.service("blue");
        runs("mcp-server-blue", "v2.0.3");
    });
    after(() => {
        cluster.stop();
        aws.stop();
        rmSync(folder, { recursive: true });
    });

    function runs(deployment: string, version: string): void {
        const labels = { "app.kubernetes.io/version": version };
        cluster.put("deployments", deployment, { spec: { template: { metadata: { labels } } } });
    }

    function around() {
        const log = () => undefined;
        return {
            log,
            signal: new AbortController().signal,
            cluster: cluster.client(log),
            date: () => new Date(date),
            env: aws.env,
            ...soon,
        };
    }

    const ANNOUNCEMENT = { topic: TOPIC, environment: "production" };

    async function begin(more: Partial<ApprovalPlan> = {}): Promise<string> {
        const plan: ApprovalPlan = {
            ...evidencePlan,
            validation: { unvalidated: "there is no staging" },
            announcement: ANNOUNCEMENT,
            ...more,
        };
        const read = parseApprovalPlan(JSON.parse(JSON.stringify(plan)));
        return lineOf(await runApproval(read, around()));
    }

    async function end(more: Partial<NoticePlan> = {}): Promise<string> {
        const plan: NoticePlan = {
            subject,
            deadlineSeconds: 20,
            namespace,
            app,
            colour: "green",
            release,
            ledger: "mcp-releases",
            ...ANNOUNCEMENT,
            ...more,
        };
        return lineOf(await runNotice(parseNoticePlan(JSON.parse(JSON.stringify(plan))), around()));
    }

    function lineOf({ passed, line }: { passed: boolean; line: string }): string {
        assert.equal(line.startsWith("PASSED "), passed);
        return line.replace(`${subject}: `, "");
    }

    const subjects = () => aws.messages.map((message) => message.get("Subject"));

    it("is that a release begins, and that it is done, each once", async () => {
        assert.equal(await begin(), "PASSED approved by change board, platform lead.");
        assert.equal(cluster.entries[0]!.evidence!.announced, date);
        assert.equal(await end(), "PASSED its stakeholders are told that it is done.");
        assert.equal(cluster.entries[0]!.evidence!.concluded, date);
        assert.deepEqual(subjects(), [
            "Release begins: mcp-server v2.1.0 (green), production",
            "Release done: mcp-server v2.1.0 (green), production",
        ]);
        assert.deepEqual(
            aws.messages.map((message) => message.get("Message")),
            [
                "The release of mcp-server v2.1.0 (green) in production begins.\n\n" +
                    "In place of: v2.0.3 (blue)\nTicket: CHG-1042\nDashboard: https://console/#dashboard\n" +
                    "Next: green is tested without traffic, takes the traffic over, and is watched. A second notice " +
                    "says when that is done, or that the release has failed.\n",
                "mcp-server v2.1.0 (green) has passed its tests and serves production.\n\n" +
                    "In place of: v2.0.3 (blue)\nTicket: CHG-1042\nDashboard: https://console/#dashboard\n" +
                    "Next: nothing is left to do. Should it misbehave, it is taken back to v2.0.3 (blue).\n",
            ],
        );

        // Scaling, a restart, another program: whatever has the gates run again.
        assert.match(await begin(), /^PASSED v2\.1\.0 is known since/);
        assert.equal(await end(), `PASSED its stakeholders know since ${date}.`);
        assert.equal(aws.messages.length, 2);
    });

    it("is nothing of the way back, whether or not the release then was announced", async () => {
        const completed: HistoryEntry = { ...release, colour: "green", revision: 1, completedAt: date };
        for (const evidence of [undefined, { at: date, announced: date, concluded: date }]) {
            const entry = { ...completed, ...(evidence && { evidence }) };
            cluster.ledger({ [app]: JSON.stringify([entry]) });
            assert.match(await begin({ change: undefined }), /^PASSED .* not checked again\.$/);
            assert.match(await end(), /^PASSED/);
        }
        // An announced release that failed: its start is not announced again.
        const failed = { ...release, colour: "green", evidence: { at: date, announced: date } };
        cluster.ledger({ [app]: JSON.stringify([failed]) });
        assert.match(await begin({ change: undefined }), /not checked again\.$/);
        assert.deepEqual(subjects(), []);
    });

    it("is that a release was taken back, by which gate and why, once, and that it is tried again", async () => {
        await begin();
        const [approved] = cluster.entries;
        const failed = {
            gate: "soak",
            at: date,
            reason: "958 requests, 100 errors; at most 5 % are allowed",
        };
        // The entry of what was tested is beside the one of what was approved.
        const tested = { ...approved!, hash: "4d3c2b1a", smokeAt: date, failed };
        const former: HistoryEntry = {
            hash: "former",
            version: "v2.0.3",
            image: "registry/msil-mcp-server:v2.0.3",
            colour: "blue",
            revision: 1,
            completedAt: date,
        };
        cluster.ledger({ [app]: JSON.stringify([former, approved, tested]) });
        const { hash, version, image } = former;
        const back = { subject: "mcp-server v2.0.3 (blue)", release: { hash, version, image } } as const;
        assert.match(
            await end({ ...back, colour: "blue" }),
            /^PASSED .*: its stakeholders are told that v2\.1\.0 was taken back\.$/,
        );
        assert.equal(subjects().at(-1), "Release taken back: mcp-server v2.1.0 (green), production");
        assert.equal(
            aws.messages.at(-1)!.get("Message"),
            "The release of mcp-server v2.1.0 (green) in production has failed and was taken back.\n\n" +
                "Ticket: CHG-1042\nDashboard: https://console/#dashboard\n" +
                `Failed: soak gate, at ${date}\nReason: ${failed.reason}\nServing: mcp-server v2.0.3 (blue)\n` +
                "Commit: git log -1 -S v2.1.0 -- Pulumi.production.yaml\n" +
                "Next: revert that commit on main, or the next deploy tries the release again. Then release a version that is " +
                "mended: npm run runbook -- run release --workload mcp-server\n",
        );
        await end({ ...back, colour: "blue" });
        assert.equal(aws.messages.length, 2);

        assert.match(await begin({ change: undefined }), /its stakeholders are told\.$/);
        await end();
        assert.deepEqual(subjects().slice(2), [
            "Release begins: mcp-server v2.1.0 (green), production",
            "Release done: mcp-server v2.1.0 (green), production",
        ]);
    });

    it("is that a release is done, though its gates passed only with another configuration", async () => {
        await begin();
        const { evidence } = cluster.entries[0]!;
        const tested: HistoryEntry = { ...release, hash: "4d3c2b1a", colour: "green", evidence, revision: 2 };
        cluster.ledger({ [app]: JSON.stringify([{ ...tested, completedAt: date }]) });
        assert.equal(await end(), "PASSED its stakeholders are told that it is done.");
        // The entry stays the one of what was tested.
        const { hash, revision, evidence: kept } = cluster.entries[0]!;
        assert.deepEqual([hash, revision, kept?.concluded], ["4d3c2b1a", 2, date]);
    });

    it("is nothing of a release that is tried without traffic, until it is to get some", async () => {
        await begin({ announcement: undefined });
        assert.deepEqual(subjects(), []);
        assert.equal(await end(), "PASSED nobody was told of its beginning, nor is of its end.");
        assert.match(
            await begin({ change: undefined }),
            /^PASSED v2\.1\.0 is known since .*: not checked again; its stakeholders are told\.$/,
        );
        assert.deepEqual(subjects(), ["Release begins: mcp-server v2.1.0 (green), production"]);
        const { approvers, announced } = cluster.entries[0]!.evidence!;
        assert.deepEqual([approvers, announced], [change.approvers, date]);
    });

    it("is of an app without colours too, and of one that nothing had run of before", async () => {
        runs(app, "v1.4.2");
        await begin({ colour: undefined });
        assert.match(aws.messages[0]!.get("Message")!, /^In place of: v1\.4\.2$/m);
        assert.match(aws.messages[0]!.get("Message")!, /^Next: its pods replace those that run/m);
        cluster.ledger();
        cluster.remove("services", app);
        await begin();
        assert.doesNotMatch(aws.messages[1]!.get("Message")!, /In place of/);
        await end();
        assert.match(aws.messages[2]!.get("Message")!, /^Next: nothing is left to do\.$/m);
    });

    it("is nothing of a release that lacks what the checklist asks for", async () => {
        assert.match(await begin({ change: undefined }), /^FAILED it has no change record/);
        assert.deepEqual(subjects(), []);
    });

    describe("at the moment a release fails", () => {
        /** Ends where nothing happens any more: a watch that finds nothing goes on. */
        async function watch(more: Partial<WatchPlan> = {}, options: Partial<WatchOptions> = {}) {
            const plan: WatchPlan = {
                ...{ subject, namespace, app, colour: "green", release, ledger: "mcp-releases" },
                ...{ deadlineSeconds: 1, rolloutSeconds: 300, ...ANNOUNCEMENT, ...more },
            };
            const read = parseWatchPlan(JSON.parse(JSON.stringify(plan)));
            return lineOf(await runWatch(read, { ...around(), pollSeconds: 0.02, ...options }));
        }

        /** A Job of the release that has failed, and what its container said at last. */
        function fails(name: string, at: string, ended?: object, reason = "BackoffLimitExceeded"): void {
            const failed = { type: "Failed", status: "True", lastTransitionTime: at, reason };
            cluster.put("jobs", name, { status: { conditions: [failed] } });
            if (ended === undefined) return;
            const terminated = { exitCode: 1, reason: "Error", ...ended };
            const containerStatuses = [
                { name: "gate", ready: false, restartCount: 0, state: { terminated } },
            ];
            const labels = { "batch.kubernetes.io/job-name": name };
            cluster.put("pods", `${name}-x`, { status: { phase: "Failed", containerStatuses } }, labels);
        }

        /** Pods of the release that do not become ready. */
        function rollsOut(ready = 0): void {
            const labels = { "app.kubernetes.io/version": "v2.1.0" };
            cluster.put("deployments", "mcp-server-green", {
                spec: { template: { metadata: { labels } } },
                status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: ready },
            });
            cluster.put(
                "pods",
                "mcp-server-green-1",
                {
                    status: {
                        phase: "Pending",
                        containerStatuses: [
                            {
                                name: "server",
                                ready: false,
                                state: { waiting: { reason: "ImagePullBackOff" } },
                            },
                        ],
                    },
                },
                { app, ...labels },
            );
        }

        const soak = "mcp-server-green-soak-0a1b2c3d-9f8e7d6c";
        const second = date.replace(".000Z", "Z");
        const PULLED = "mcp-server-green-1 server waits: ImagePullBackOff";

        beforeEach(async () => {
            await begin();
            aws.messages.length = 0;
        });

        it("is which gate failed and why, what has the traffic, and what to do", async () => {
            cluster.service("green");
            runs("mcp-server-green", "v2.1.0");
            fails(soak, second, { message: `FAILED ${subject}: 958 requests, 100 errors.` });
            assert.equal(
                await watch(),
                "PASSED its stakeholders are told that it has failed: soak, 958 requests, 100 errors.",
            );
            assert.deepEqual(subjects(), ["Release failed: mcp-server v2.1.0 (green), production"]);
            assert.equal(
                aws.messages[0]!.get("Message"),
                "The release of mcp-server v2.1.0 (green) in production has failed.\n\n" +
                    "In place of: v2.0.3 (blue)\nTicket: CHG-1042\nDashboard: https://console/#dashboard\n" +
                    `Failed: soak gate, at ${second}\nReason: 958 requests, 100 errors\nHas the traffic: v2.1.0 (green)\n` +
                    "Commit: git log -1 -S v2.1.0 -- Pulumi.production.yaml\n" +
                    "Next: the release command and the deploy workflow take it back now, and a notice says so. After pulumi " +
                    "up, or with --keep-failed, take it back: npm run runbook -- run rollback --workload mcp-server\n",
            );
            assert.deepEqual(cluster.entries[0]!.failed, {
                gate: "soak",
                at: second,
                reason: "958 requests, 100 errors",
            });
        });

        it("is the reason that the gate has recorded, where it has", async () => {
            const [entry] = cluster.entries;
            const failed = { gate: "soak", at: date, reason: "all of a long reason" };
            cluster.ledger({ [app]: JSON.stringify([{ ...entry!, failed }]) });
            fails(soak, second, { message: "all of" });
            await watch();
            assert.match(aws.messages[0]!.get("Message")!, /^Reason: all of a long reason$/m);
            assert.deepEqual(cluster.entries[0]!.failed, failed);
        });

        it("is what ended a Job without words, and of an app without colours how to go back", async () => {
            const own = { app, subject: "mcp-server v2.1.0", colour: undefined };
            cluster.ledger();
            runs(app, "v1.4.2");
            await begin(own);
            runs(app, "v2.1.0");
            for (const [ended, name, reason] of [
                [{ exitCode: 3 }, "smoke", "gate ended: Error \\(exit code 3\\)"],
                [undefined, "dump", "DeadlineExceeded"],
            ] as const) {
                fails(`mcp-server-${name}-0a1b2c3d-9f8e7d6c`, second, ended, "DeadlineExceeded");
                await watch(own);
                const text = aws.messages.at(-1)!.get("Message")!;
                assert.match(text, new RegExp(`^Failed: ${name} gate, at .*\nReason: ${reason}$`, "m"));
                assert.match(text, /run rollback --workload mcp-server --version v1\.4\.2$/m);
                assert.doesNotMatch(text, /^Has the traffic/m);
                cluster.remove("jobs", `mcp-server-${name}-0a1b2c3d-9f8e7d6c`);
                const [entry] = cluster.entries;
                cluster.ledger({ [app]: JSON.stringify([{ ...entry!, failed: undefined }]) });
            }
        });

        it("is of a rollout that takes too long", async () => {
            rollsOut();
            let time = 0;
            await watch({}, { now: () => (time += 200_000) });
            assert.match(
                aws.messages[0]!.get("Message")!,
                new RegExp(`^Failed: rollout, at ${date}\nReason: not done within 300 s: ${PULLED}$`, "m"),
            );
            assert.equal(cluster.entries[0]!.failed!.gate, "rollout");
        });

        it("is of a rollout that is taken back before anything else tells", async () => {
            rollsOut();
            cluster.onRequest = (request, nth) => {
                if (request === "get deployments" && nth === 4) runs("mcp-server-green", "v2.0.9");
            };
            await watch();
            assert.equal(aws.messages.length, 2);
            assert.match(aws.messages[0]!.get("Message")!, new RegExp(`it was given up: ${PULLED}$`, "m"));
        });

        it("is nothing while the release goes on, nor of what failed before or is another app's", async () => {
            rollsOut(2);
            fails(soak, "2026-11-23T11:59:59Z", { message: "of the attempt before" });
            fails("mcp-server-blue-soak-0a1b2c3d-9f8e7d6c", second);
            fails("chat-ui-smoke-0a1b2c3d-9f8e7d6c", second);
            cluster.onRequest = (request, nth) => {
                if (request !== "list jobs" || nth !== 5) return;
                const [entry] = cluster.entries;
                const evidence = { ...entry!.evidence!, concluded: date };
                cluster.ledger({ [app]: JSON.stringify([{ ...entry!, evidence }]) });
            };
            assert.equal(await watch(), `PASSED its stakeholders know since ${date} how it ended.`);
            assert.deepEqual(subjects(), []);
        });

        it("is nothing of a release whose beginning they do not know", async () => {
            cluster.ledger();
            assert.equal(await watch(), "PASSED its stakeholders do not know that it begins.");
        });

        it("is that it was taken back, too, once: at a look, or when the update that does so deletes the Job", async () => {
            runs("mcp-server-green", "v2.1.0");
            cluster.service("green");
            const [known] = cluster.entries;
            for (const stops of [false, true]) {
                aws.messages.length = 0;
                cluster.ledger({ [app]: JSON.stringify([known]) });
                cluster.service("green");
                fails(soak, second, { message: `FAILED ${subject}: too many errors.` });
                const stop = new AbortController();
                let looks = 0;
                cluster.onRequest = (request) => {
                    if (aws.messages.length === 0 || request !== "get configmaps" || (looks += 1) !== 2)
                        return;
                    cluster.service("blue");
                    if (stops) stop.abort(new Error("stopped by SIGTERM"));
                };
                assert.equal(
                    await watch({}, { signal: stop.signal }),
                    "PASSED its stakeholders are told that it has failed, soak, and was taken back.",
                );
                cluster.onRequest = () => {};
                assert.deepEqual(
                    subjects(),
                    ["failed", "taken back"].map(
                        (what) => `Release ${what}: mcp-server v2.1.0 (green), production`,
                    ),
                );
                assert.match(
                    aws.messages[1]!.get("Message")!,
                    /^Reason: too many errors\nServing: mcp-server v2\.0\.3 \(blue\)$/m,
                );
                assert.equal(cluster.entries[0]!.evidence!.takenBack, date);
            }
        });

        it("is tried again by the Job where it cannot be sent", async () => {
            fails(soak, second);
            aws.answers = [[403, ""]];
            assert.equal(await watch(), "FAILED SNS: status 403.");
        });
    });

    it("stops a release whose notice cannot be sent, until it is sent", async () => {
        aws.answers = [[403, told("AuthorizationError", "no")]];
        const failed = "FAILED its stakeholders are not told: SNS: status 403, AuthorizationError, no.";
        assert.equal(await begin(), failed);
        assert.deepEqual(cluster.entries, []);
        assert.equal(await begin(), "PASSED approved by change board, platform lead.");
        assert.deepEqual(subjects(), ["Release begins: mcp-server v2.1.0 (green), production"]);
    });

    it("is the reason of a release that skips the checklist, which they do not hold up", async () => {
        const skip = { version: "v2.1.0", skip: "outage INC-7" };
        await begin({ change: skip });
        assert.match(aws.messages[0]!.get("Message")!, /^Without the checklist: outage INC-7$/m);
        cluster.ledger();
        aws.answers = [[403, ""]];
        assert.equal(await begin({ change: skip }), "PASSED skipped: outage INC-7.");
        assert.equal(cluster.entries[0]!.evidence!.unannounced, "SNS: status 403");
        // It has begun: no later notice announces its start, or the completion of an unannounced release.
        await begin({ change: skip });
        await end();
        assert.equal(aws.messages.length, 1);
    });

    it("may be nothing at all, for a reason that the ledger keeps", async () => {
        await begin({ announcement: { unannounced: "one team, one room" } });
        assert.equal(cluster.entries[0]!.evidence!.unannounced, "one team, one room");
        assert.deepEqual(aws.requests, []);
    });

    it("does not roll back a completed release when the notice of completion fails", async () => {
        await begin();
        aws.answers = [
            [500, ""],
            [500, ""],
            [500, ""],
        ];
        const line = "PASSED it is done, but its stakeholders are NOT TOLD so: SNS: status 500.";
        assert.equal(await end(), line);
        assert.equal(cluster.entries[0]!.evidence!.concluded, undefined);
        assert.match(await end(), /are told that it is done\.$/);
        cluster.remove("configmaps", "mcp-releases");
        assert.match(
            await end(),
            /^PASSED it is done, but .* NOT TOLD so: the release history, .* is missing/,
        );
        cluster.failing = 500;
        assert.match(await end(), /^PASSED it is done, but .* NOT TOLD so: the API server has not answered/);
    });

    it("needs the right to see what runs", async () => {
        cluster.denied.add("get deployments");
        assert.match(
            await begin(),
            /^FAILED its stakeholders are not told: the ServiceAccount lacks the right/,
        );
    });

    it("goes to a topic", () => {
        const plan = { subject, deadlineSeconds: 1, namespace, app, release, ledger: "x", ...ANNOUNCEMENT };
        assert.throws(() => parseNoticePlan({ ...plan, topic: "mcp-releases" }), {
            message: 'topic: found "mcp-releases", expected the ARN of an SNS topic',
        });
    });
});

const missing = whyNoS3();
const suite = missing ? describe.skip : describe;

suite(`a message to a server that speaks SNS${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(60_000);
    const subscriber: string[] = [];
    let aws: S3;
    let agent: Listening;
    let inbox: Listening;
    let credentials: Record<string, string>;
    let topic: string;

    before(async () => {
        aws = await startS3("unused");
        agent = await listen(createServer((_, answer) => answer.end(JSON.stringify(credentials))));
        inbox = await listen(
            createServer((asked, answer) => {
                let body = "";
                asked.setEncoding("utf8").on("data", (part: string) => (body += part));
                asked.on("end", () => {
                    const { Type, Subject, Message } = JSON.parse(body) as Record<string, string>;
                    if (Type === "Notification") subscriber.push(`${Subject}: ${Message}`);
                    answer.end();
                });
            }),
        );
    });
    after(() => {
        aws.stop();
        agent.close();
        inbox.close();
    });

    /** What the server answers to a request of the old sort, which is XML. */
    async function call(service: string, parameters: Record<string, string>): Promise<string> {
        const scope = `Credential=x/20260101/ap-south-1/${service}/aws4_request`;
        const answer = await aws.ask("/", {
            method: "POST",
            headers: {
                authorization: `AWS4-HMAC-SHA256 ${scope}`,
                "content-type": "application/x-www-form-urlencoded",
            },
            body: new URLSearchParams(parameters),
        });
        const body = await answer.text();
        assert.equal(answer.status, 200, body);
        return body;
    }

    const valueOf = (body: string, tag: string) =>
        new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(body)?.[1] ?? assert.fail(body);

    const send = (secret: string) => {
        credentials = { ...credentials, SecretAccessKey: secret };
        return publish(
            { topic, subject: "Release begins", text: "mcp-server: 100 % & “more”" },
            {
                log: () => undefined,
                signal: new AbortController().signal,
                env: {
                    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${agent.port}`,
                    AWS_ENDPOINT_URL_SNS: aws.env["AWS_ENDPOINT_URL"],
                },
                ...soon,
            },
        );
    };

    it("reaches who is subscribed, by a signature that the server comes to as well", async () => {
        topic = valueOf(await call("sns", { Action: "CreateTopic", Name: "mcp-releases" }), "TopicArn");
        const Endpoint = `http://127.0.0.1:${inbox.port}/`;
        await call("sns", { Action: "Subscribe", TopicArn: topic, Protocol: "http", Endpoint });
        const role = { RoleName: "notices", Path: "/", AssumeRolePolicyDocument: "{}" };
        const created = await call("iam", { Action: "CreateRole", Version: "2010-05-08", ...role });
        const Statement = [{ Effect: "Allow", Action: "sns:Publish", Resource: "*" }];
        await call("iam", {
            Action: "PutRolePolicy",
            Version: "2010-05-08",
            RoleName: "notices",
            PolicyName: "notices",
            PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
        });
        const assumed = await call("sts", {
            Action: "AssumeRole",
            Version: "2011-06-15",
            RoleArn: valueOf(created, "Arn"),
            RoleSessionName: "pod",
        });
        // From here on it requires rights.
        await aws.ask("/moto-api/reset-auth", { method: "POST", body: "0" });
        credentials = {
            AccessKeyId: valueOf(assumed, "AccessKeyId"),
            Token: valueOf(assumed, "SessionToken"),
        };
        const secret = valueOf(assumed, "SecretAccessKey");
        await send(secret);
        assert.deepEqual(subscriber, ["Release begins: mcp-server: 100 % & “more”"]);
        await assert.rejects(send("another"), { message: /^SNS: status 403, SignatureDoesNotMatch/ });
        await aws.ask("/moto-api/reset-auth", { method: "POST", body: "inf" });
        topic = topic.replace("mcp-releases", "gone");
        await assert.rejects(send(secret), { message: /^SNS: status 404, NotFound/ });
        assert.equal(subscriber.length, 1);
    });
});
