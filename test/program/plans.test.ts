import assert from "node:assert/strict";
import { parseCleanupPlan } from "../../jobs/cacheCleanup";
import { parseCertificatePlan } from "../../jobs/certificate";
import { parseDiagnosticsPlan } from "../../jobs/diagnostics";
import { parseApprovalPlan } from "../../jobs/evidence";
import { parseExportPlan } from "../../jobs/export";
import { parseHealthPlan } from "../../jobs/health";
import { parseJwksCachePlan } from "../../jobs/jwksCache";
import { parseNoticePlan } from "../../jobs/notice";
import { parseReleasePlan } from "../../jobs/release/plan";
import { parseUpgradePlan } from "../../jobs/upgrade";
import { parseWatchPlan } from "../../jobs/watch";
import { parseWindowPlan } from "../../jobs/window";
import { recordStack } from "../support";

const PARSERS: Readonly<Record<string, (raw: unknown) => unknown>> = {
    cacheCleanup: parseCleanupPlan,
    certificate: parseCertificatePlan,
    diagnostics: parseDiagnosticsPlan,
    evidence: parseApprovalPlan,
    export: parseExportPlan,
    health: parseHealthPlan,
    jwksCache: parseJwksCachePlan,
    notice: parseNoticePlan,
    release: parseReleasePlan,
    upgrade: parseUpgradePlan,
    watch: parseWatchPlan,
    window: parseWindowPlan,
};

/** Values at the bounds of their schemas, and everything that is done once. */
const EDITS = [
    "mcp:operations.healthCheck=INC-1",
    "mcp:operations.diagnostics=INC-1",
    "mcp:operations.clearJwksCache=INC-1",
    "mcp:operations.databaseMaintenance=INC-1",
    "mcp:operations.cacheCleanup=INC-1",
    "mcp:maintenance.upgrade.start=2027-01-10T02:00:00+05:30",
    "mcp:maintenance.upgrade.version=1.34",
    "mcp:workloads.mcp-server.soak.duration=12h",
    "mcp:workloads.mcp-server.soak.maxErrorRate=49",
    "mcp:workloads.mcp-server.soak.minimumRequests=1000000",
    "mcp:workloads.mcp-server.smoke.deadline=1h",
    "mcp:workloads.chat-ui.smoke.deadline=1h",
    "mcp:workloads.chat-ui.smoke.requests[0].timeout=5m",
    "mcp:workloads.chat-ui.smoke.requests[0].attempts=20",
    "mcp:ingress.address=[2001:db8::1]:65535",
    "mcp:health.apim=https://apim.example.com:65535/a/b",
];

describe("the plans of what runs in the cluster", () => {
    it("are taken by the programs that read them, with values at the bounds of what is accepted", async () => {
        const { resources } = await recordStack("production", ...EDITS);
        const met = new Set<string>();
        for (const { name, type, inputs } of resources) {
            const data =
                type === "kubernetes:core/v1:ConfigMap" ? (inputs["data"] as Record<string, unknown>) : {};
            const programs = Object.keys(data ?? {}).flatMap((key) => /^(\w+)\.js$/.exec(key)?.[1] ?? []);
            for (const [key, plan] of Object.entries(data ?? {})) {
                if (programs.length === 0 || !key.endsWith(".json") || typeof plan !== "string") {
                    continue;
                }
                const refusals = programs.map((program) => {
                    try {
                        PARSERS[program]!(JSON.parse(plan));
                        met.add(program);
                        return undefined;
                    } catch (error) {
                        return (error as Error).message;
                    }
                });
                assert.ok(refusals.includes(undefined), `${name} ${key}: ${refusals.join("; ")}`);
            }
        }
        assert.deepEqual(
            Object.keys(PARSERS).filter((program) => !met.has(program)),
            [],
        );
    });
});
