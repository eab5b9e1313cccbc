import assert from "node:assert/strict";
import { parseCleanupPlan } from "../../jobs/cacheCleanup";
import { parseDiagnosticsPlan } from "../../jobs/diagnostics";
import { parseJwksCachePlan } from "../../jobs/jwksCache";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { changesOf, linesOf, only, recordStack } from "../support";

const ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role";
const JOB = "kubernetes:batch/v1:Job";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

describe("disabled tools", () => {
    const TOOL = "pulumi-nodejs:dynamic/operations:DisabledTool";

    it("are declared by an explicit provider, with the admin API's settings, and without the provider's code", async () => {
        const recording = await recordStack(
            "production",
            "mcp:disabledTools[0]=one",
            "mcp:disabledTools[1]=two",
        );
        const two = only(recording, TOOL, "two");
        const below = "urn:pulumi:production::mcp::mcp:operations:DisabledTools";
        assert.deepEqual(
            [two.urn, two.provider, two.inputs, two.options],
            [
                `${below}$${TOOL}::two`,
                `${below}$pulumi:providers:pulumi-nodejs::mcp-tools`,
                { api: "https://admin.mcp.msil.com/api/admin/tools", tool: "two", enabled: false },
                { deletedWith: "urn:pulumi:production::mcp::mcp:platform:Namespace::mcp-production" },
            ],
        );
        assert.deepEqual(only(recording, "pulumi:providers:pulumi-nodejs", "mcp-tools").inputs, {});
        assert.deepEqual(two.dependencies, []);
    });

    it("come and go one by one, and leave nothing behind", async () => {
        const [one, two] = ["mcp:disabledTools[0]=one", "mcp:disabledTools[1]=two"];
        const both = await recordStack("production", one, two);
        const changes = compare(await recordStack("production", one), both);
        assert.deepEqual(linesOf(changes.filter(({ operation }) => operation !== "same")), [
            `create ${TOOL} two`,
        ]);
        const { resources } = await recordStack("production");
        assert.deepEqual(
            resources.filter(({ type }) => type.includes("pulumi-nodejs") || type.includes("DisabledTools")),
            [],
        );
    });
});

describe("the operations", () => {
    let asked: Recording;
    before(async () => {
        asked = await recordStack(
            "production",
            "mcp:operations.diagnostics=INC-1",
            "mcp:operations.clearJwksCache=INC-1",
            "mcp:operations.cacheCleanup.run=INC-1",
            "mcp:operations.cacheCleanup.dryRun=true",
        );
    });
    const planOf = (program: string, step: string) =>
        JSON.parse(inputsOf(asked, "kubernetes:core/v1:ConfigMap", program).data[`${step}.json`]);

    it("may do exactly what they do", () => {
        assert.deepEqual(inputsOf(asked, ROLE, "mcp-diagnostics").rules, [
            { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
            { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
            { apiGroups: ["metrics.k8s.io"], resources: ["pods"], verbs: ["list"] },
            { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: ["list"] },
        ]);
        assert.deepEqual(inputsOf(asked, ROLE, "mcp-jwks-cache").rules, [
            { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        ]);
        const roles = asked.resources.filter(
            ({ type, name }) => type === ROLE && name === "mcp-cache-cleanup",
        );
        assert.deepEqual(roles, []);
        const { spec } = inputsOf(asked, JOB, "mcp-cache-cleanup-inc-1-dry").spec.template;
        assert.equal(spec.automountServiceAccountToken, false);
    });

    it("have no rights where no value asks for them", async () => {
        const { resources } = await recordStack("production");
        const names = resources.map(({ name }) => name);
        assert.ok(!names.includes("mcp-diagnostics") && !names.includes("mcp-jwks-cache"));
    });

    it("get the runbook's numbers and paths", () => {
        const { pattern, idleSeconds, dryRun } = parseCleanupPlan(
            planOf("mcp-cache-cleanup-inc-1-dry-program", "cleanup"),
        );
        assert.deepEqual([pattern, idleSeconds, dryRun], ["cache:*", 86_400, true]);
        const clear = parseJwksCachePlan(planOf("mcp-jwks-cache-inc-1-program", "clear"));
        assert.deepEqual(
            [clear.app, clear.port, clear.path],
            ["mcp-server", 8000, "/debug/clear-jwks-cache"],
        );
        const look = parseDiagnosticsPlan(planOf("mcp-diagnostics-inc-1-program", "look"));
        assert.deepEqual(
            [look.metrics, look.jwksStatus, look.cache, look.probes.map(({ name }) => name)],
            ["/metrics", "/debug/jwks-status", "cache", ["APIM", "Azure AD", "JWKS", "Login certificate"]],
        );
    });

    it("clean the cache up every day in the runbook's zone, never beside themselves, and for good", () => {
        const { spec } = inputsOf(asked, "kubernetes:batch/v1:CronJob", "mcp-cache-cleanup");
        assert.deepEqual(
            [spec.schedule, spec.timeZone, spec.concurrencyPolicy],
            ["30 4 * * *", "Asia/Kolkata", "Forbid"],
        );
        assert.equal(parseCleanupPlan(planOf("mcp-cache-cleanup-program", "cleanup")).dryRun, false);
    });

    it("run again for another ticket, and for the same one only once it is no dry run", async () => {
        assert.deepEqual(linesOf(await changesOf("production", "mcp:operations.cacheCleanup=INC-1")), [
            `create ${JOB} mcp-cache-cleanup-inc-1`,
            "create kubernetes:core/v1:ConfigMap mcp-cache-cleanup-inc-1-program",
        ]);
        assert.ok(only(asked, JOB, "mcp-cache-cleanup-inc-1-dry"));
    });
});
