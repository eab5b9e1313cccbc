import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { judgeRecording } from "../../offline/judge";
import { rules } from "../../policies/rules";
import { type Recording } from "../../offline/record";
import { STEPS } from "../golden";
import { recordStack } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { conformance, registrationsIn } from "./registrations";
import { type EngineEvent, type Stack } from "./stack";

/* What the offline preview records is what the real engine is asked to register, in every state of the platform's
 * life that has a golden dump. Both start from nothing, with the same values. */

const states = new Map<string, { stack: string; edits: readonly string[] }>(
    ["production", "staging"].map((stack) => [stack, { stack, edits: [] }]),
);
for (const [step, { before, after }] of Object.entries(STEPS)) {
    for (const [when, edits] of Object.entries({ before, after })) {
        const known = [...states.values()].some(({ edits: others }) => String(others) === String(edits));
        if (!known) states.set(`production ${when} ${step}`, { stack: "production", edits });
    }
}

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`what the engine is asked to register${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(120_000);
    let lab: Lab;
    let stacks: Record<string, Stack>;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
        stacks = { production: await lab.stack("production"), staging: await lab.stack("staging") };
    });
    after(() => lab?.close());

    for (const [name, { stack: stackName, edits }] of states) {
        it(`is what is recorded offline: ${name}`, async () => {
            const stack = await stacks[stackName]!.set(...edits);
            const offline = await recordStack(stackName, ...stack.valuesWith(edits));
            const engine = registrationsIn(await logOfPreview(stack), offline);
            const { differences, resolved, unknown } = conformance(offline, engine);
            assert.deepEqual(differences, []);
            const unexplained = resolved.filter(({ urn, path }) => !isProvidersWork(offline, urn, path));
            assert.deepEqual(unexplained, []);
            console.log(
                `        ${engine.resources.length} resources; ${unknown} values unknown to both, ` +
                    `${resolved.length} that a provider told the engine`,
            );
        });
    }

    it("is judged by the policy pack as it is offline", async () => {
        // One replica is too few outside of staging.
        const edits = ["mcp:workloads.chat-ui.scaling.min=1"];
        const stack = await stacks["production"]!.set(...edits);
        const { status, output, events } = await stack.preview({}, "--policy-pack", "policies");
        assert.notEqual(status, 0, output);
        const engine = events.flatMap(({ policyEvent }) => (policyEvent ? [findingOf(policyEvent)] : []));
        const offline = judgeRecording(await recordStack("production", ...stack.valuesWith(edits)), rules);
        const lines = offline
            .map(({ rule, urn, kind, message }) => [urn, kind, rule, message].join(" "))
            .sort();
        assert.deepEqual(engine.sort(), lines);
        assert.equal(lines.filter((line) => line.includes(" violation ")).length, 1);
        assert.ok(lines.some((line) => line.includes(" undetermined ")));
    });

    it("is not taken for equal when one value differs", async () => {
        const stack = await stacks["staging"]!.set();
        const engine = registrationsIn(await logOfPreview(stack), { project: "mcp", stack: "staging" });
        const edit = "mcp:workloads.chat-ui.scaling.max=3";
        const { differences } = conformance(
            await recordStack("staging", ...stack.valuesWith([edit])),
            engine,
        );
        assert.deepEqual(
            differences.filter((line) => line.includes("HorizontalPodAutoscaler")),
            [
                "urn:pulumi:staging::mcp::mcp:workload:Workload$kubernetes:autoscaling/v2:HorizontalPodAutoscaler::chat-ui: " +
                    "spec.maxReplicas: offline 3, engine 2",
            ],
        );
    });

    async function logOfPreview(stack: Stack): Promise<string> {
        const log = join(lab.folder, "calls.json");
        rmSync(log, { force: true });
        const { status, output } = await stack.preview({ PULUMI_DEBUG_GRPC: log });
        assert.equal(status, 0, output);
        return readFileSync(log, "utf8");
    }
});

/** A finding as the engine tells it: below the policy's description, and of a policy of its own where undetermined. */
function findingOf({
    policyName,
    message,
    resourceUrn = "",
}: NonNullable<EngineEvent["policyEvent"]>): string {
    const [, ...lines] = message.trim().split("\n");
    const finding = lines.join("\n");
    return policyName.startsWith("undetermined-")
        ? [resourceUrn, "undetermined", finding.replace(": ", " ")].join(" ")
        : [resourceUrn, "violation", policyName, finding].join(" ");
}

/** Whether a value comes from what is looked up, or from an object that the Kubernetes provider names. */
function isProvidersWork({ resources }: Recording, urn: string, path: string): boolean {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const sources = byUrn.get(urn)?.propertyDependencies[path.split(".")[0]!] ?? [];
    return sources.some((source) => {
        const { read, type, inputs } = byUrn.get(source)!;
        const { name } = (inputs["metadata"] ?? {}) as { name?: unknown };
        return read || (type.startsWith("kubernetes:") && name === undefined);
    });
}
