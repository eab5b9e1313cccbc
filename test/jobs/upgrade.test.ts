import assert from "node:assert/strict";
import { createServer } from "node:https";
import { Kubernetes } from "../../jobs/lib/kubernetes";
import { parseUpgradePlan, runUpgrade } from "../../jobs/upgrade";
import { type Issued, temporaryAuthority } from "../certificates";
import { listen } from "./servers";

const node = (name: string, kubeletVersion: string) => ({
    metadata: { name },
    status: { nodeInfo: { kubeletVersion } },
});

const budget = (name: string, disruptionsAllowed: number, expectedPods = 3) => ({
    metadata: { namespace: "mcp-test", name },
    status: { disruptionsAllowed, expectedPods, currentHealthy: expectedPods },
});

const deprecated = (labels: string, value = 1) => `apiserver_requested_deprecated_apis{${labels}} ${value}`;

/** A cluster that can be upgraded to 1.34. */
const WELL: Readonly<Record<string, unknown>> = {
    "/version": { major: "1", minor: "33+" },
    "/api/v1/nodes": { items: [node("one", "v1.33.5-eks-113cf36"), node("two", "v1.31.2")] },
    "/apis/policy/v1/poddisruptionbudgets": { items: [budget("mcp-server", 1), budget("nobody", 0, 0)] },
    "/metrics": [
        "# HELP apiserver_requested_deprecated_apis Deprecated APIs that have been requested.",
        deprecated(
            'group="flowcontrol",removed_release="1.35",resource="flowschemas",subresource="",version="v1beta3"',
        ),
        deprecated('group="",removed_release="",resource="componentstatuses",subresource="",version="v1"'),
        'apiserver_request_total{code="200"} 5',
    ].join("\n"),
};

describe("the check before a Kubernetes upgrade", () => {
    const { issue, remove } = temporaryAuthority();
    const closers: (() => void)[] = [];
    let authority: Issued;
    let served: Issued;

    before(() => {
        authority = issue("authority", { authority: true });
        served = issue("server", { hosts: ["localhost"], issuer: authority });
    });
    afterEach(() => {
        for (const close of closers.splice(0)) close();
    });
    after(remove);

    /** What is said of a cluster that answers so, and refuses everything else. */
    async function check(answers: Readonly<Record<string, unknown>>, version = "1.34") {
        const server = createServer(
            { cert: served.certificate, key: served.privateKey },
            ({ url, method, headers }, response) => {
                const answer = answers[url!];
                const known = headers.authorization === "Bearer t0ken" && method === "GET";
                if (!known || answer === undefined) {
                    response.writeHead(403).end("{}");
                } else {
                    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
                }
            },
        );
        const { port, close } = await listen(server);
        closers.push(close);
        const lines: string[] = [];
        const log = (line: string) => void lines.push(line);
        const { passed, line } = await runUpgrade(
            { version, deadlineSeconds: 60 },
            { log, signal: new AbortController().signal },
            () =>
                new Kubernetes({
                    server: { host: "localhost", port, ca: authority.certificate },
                    token: () => "t0ken",
                    namespace: "",
                    log,
                }),
        );
        return { passed, line, blockers: lines.filter((each) => each.startsWith("  ✗ ")), lines };
    }

    it("passes without obstacles, and prints what it checked", async () => {
        const { passed, line, lines } = await check(WELL);
        assert.deepEqual([passed, line], [true, "PASSED no obstacle for 1.34."]);
        assert.deepEqual(lines, [
            "=== Versions of control plane and nodes ===",
            "  ✓ the control plane has 1.33, and its 2 nodes go with 1.34",
            "=== Pod disruption budgets ===",
            "  ✓ all 2 let a pod go",
            "=== APIs that are asked for and will be gone ===",
            "  ✓ none that is gone in 1.34, as far as the server that answered knows",
        ]);
    });

    it("passes while the nodes follow a control plane that has the version already", async () => {
        const { passed } = await check({ ...WELL, "/version": { major: "1", minor: "34" } });
        assert.equal(passed, true);
    });

    it("finds versions that are too far apart", async () => {
        const nodes = { items: [node("old", "v1.30.9"), node("new", "v1.34.0"), node("fit", "v1.33.0")] };
        const { passed, line, blockers } = await check({ ...WELL, "/api/v1/nodes": nodes });
        assert.equal(passed, false);
        assert.equal(line, "FAILED 2 in the way of 1.34.");
        assert.deepEqual(blockers, [
            "  ✗ old has v1.30.9, too old for 1.34: upgrade it first",
            "  ✗ new has v1.34.0, newer than the control plane",
        ]);
        assert.deepEqual((await check(WELL, "1.35")).blockers, [
            "  ✗ the control plane has 1.33: it goes up by one minor version at a time",
            "  ✗ two has v1.31.2, too old for 1.35: upgrade it first",
            "  ✗ flowcontrol/v1beta3 flowschemas is gone in 1.35",
        ]);
    });

    it("finds budgets that let no pod go", async () => {
        const budgets = { items: [budget("admin-portal", 0), budget("mcp-server", 2)] };
        const { blockers } = await check({ ...WELL, "/apis/policy/v1/poddisruptionbudgets": budgets });
        assert.deepEqual(blockers, ["  ✗ mcp-test/admin-portal lets none of its 3 pods go (3 healthy)"]);
    });

    it("finds APIs in use that are removed by then, and no others", async () => {
        const labels = (removed: string, version: string) =>
            `group="policy",removed_release="${removed}",resource="podsecuritypolicies",subresource="",version="${version}"`;
        const { blockers } = await check({
            ...WELL,
            "/metrics": [
                deprecated(labels("1.34", "v1beta1")),
                deprecated(labels("1.25", "v1alpha1"), 0),
            ].join("\n"),
        });
        assert.deepEqual(blockers, ["  ✗ policy/v1beta1 podsecuritypolicies is gone in 1.34"]);
    });

    it("looks at the rest when it may not look at one, and does not pass", async () => {
        const { passed, blockers, lines } = await check({ ...WELL, "/metrics": undefined });
        assert.equal(passed, false);
        assert.deepEqual(blockers, [
            "  ✗ the ServiceAccount lacks the right to get /metrics in the cluster (403)",
        ]);
        assert.ok(lines.includes("  ✓ all 2 let a pod go"));
        assert.match(
            (await check({ ...WELL, "/version": { major: "2", minor: "0" } })).blockers[0]!,
            /found the version "2\.0", expected 1\.N/,
        );
    });

    it("takes a plan with a minor version alone", () => {
        assert.throws(
            () => parseUpgradePlan({ version: "v1.34.1", deadlineSeconds: 60 }),
            /version: found "v1\.34\.1", expected a version such as 1\.34/,
        );
    });
});
