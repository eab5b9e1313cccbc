import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { judgeRecording } from "../../offline/evaluate";
import { loadExceptions } from "../../policies/exceptions";
import { rules } from "../../policies/rules";
import { type Recording } from "../../offline/record";
import { STEPS } from "../golden";
import { BEHIND_ALB, copyOfProject, recordStack } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { GREEN } from "./platform";
import { conformance, registrationsIn } from "./registrations";
import { type EngineEvent, type Stack } from "./stack";

/*
 * The offline recording equals the registrations at the real engine, in every state of the platform with a golden dump.
 * Both start empty, with the same values.
 */

const states = new Map<string, { stack: string; edits: readonly string[] }>(
    ["production", "staging"].map((stack) => [`${stack} @core`, { stack, edits: [] }]),
);
states.set("production behind an ALB", { stack: "production", edits: BEHIND_ALB });
states.set("production behind an ALB, released", { stack: "production", edits: [...BEHIND_ALB, GREEN] });
for (const [step, { before, after }] of Object.entries(STEPS)) {
    for (const [when, edits] of Object.entries({ before, after })) {
        const known = [...states.values()].some(({ edits: others }) => String(others) === String(edits));
        if (!known) states.set(`production ${when} ${step}`, { stack: "production", edits });
    }
}

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the registrations at the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(300_000);
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
            const { differences, resolved, foretold, unknown } = conformance(offline, engine);
            assert.deepEqual(differences, []);
            const invented = foretold.filter(({ urn, path }) => !isForetold(offline, urn, path));
            assert.deepEqual(invented, []);
            const unexplained = resolved.filter(({ urn, path }) => !isProvidersWork(offline, urn, path));
            assert.deepEqual(unexplained, []);
            console.log(
                `        ${engine.resources.length} resources; ${unknown} values unknown to both, ` +
                    `${foretold.length} that follow from inputs, ${resolved.length} that a provider told the engine`,
            );
        });
    }

    // One replica is too few outside of staging.
    const tooFew = ["mcp:workloads.chat-ui.scaling.min=1"];
    const accepted = {
        rule: "kubernetes-autoscaler-require-minimum",
        stack: "production",
        resource: "chat-ui",
        reason: "One pod serves a trial.",
        owner: "Platform Lead",
        ticket: "CHG-2041",
        expires: new Date(Date.now() + 30 * 24 * 3_600_000).toISOString().slice(0, 10),
    };
    for (const { what, stackName, edits, exceptions, kinds } of [
        { what: "staging @core", stackName: "staging", edits: [], exceptions: [], kinds: ["undetermined"] },
        {
            what: "a violation @core",
            stackName: "production",
            edits: tooFew,
            exceptions: [],
            kinds: ["undetermined", "violation"],
        },
        {
            what: "one that an exception accepts",
            stackName: "production",
            edits: tooFew,
            exceptions: [accepted],
            kinds: ["suppressed", "undetermined"],
        },
    ]) {
        it(`is judged by the policy pack as it is offline: ${what}`, async () => {
            const folder = copyOfProject();
            try {
                writeFileSync(join(folder, "policies", "exceptions.yaml"), stringify({ exceptions }));
                const stack = await (await lab.stackOfCopy(folder, stackName)).set(...edits);
                const { status, output, events } = await stack.preview({}, "--policy-pack", "policies");
                assert.equal(status === 0, !kinds.includes("violation"), output);
                const engine = events.flatMap(({ policyEvent }) =>
                    policyEvent ? [findingOf(policyEvent)] : [],
                );
                const recording = await recordStack(stackName, ...stack.valuesWith(edits));
                const offline = judgeRecording(recording, rules, new Date(), loadExceptions(folder, rules));
                const lines = offline
                    .map(({ rule, urn, kind, message }) => [urn, kind, rule, message].join(" "))
                    .sort();
                // What follows from inputs is unknown to the engine before AWS has said it.
                const open = engine.filter((line) => !lines.includes(line));
                assert.deepEqual(engine.filter((line) => lines.includes(line)).sort(), lines);
                assert.deepEqual(
                    open.filter(
                        (line) =>
                            !/^\S+ undetermined (aws-iam-|.* is known only after the update$)/.test(line),
                    ),
                    [],
                );
                assert.deepEqual([...new Set(offline.map(({ kind }) => kind))].sort(), kinds);
            } finally {
                rmSync(folder, { recursive: true });
            }
        });
    }

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

/** A finding in the engine's form: the policy's description first, and a separate policy for undetermined rules. */
function findingOf({
    policyName,
    message,
    resourceUrn = "",
}: NonNullable<EngineEvent["policyEvent"]>): string {
    const [, ...lines] = message.trim().split("\n");
    const finding = lines.join("\n");
    const kind = /^(?:undetermined|suppressed)(?=-)/.exec(policyName)?.[0];
    return kind === undefined
        ? [resourceUrn, "violation", policyName, finding].join(" ")
        : [resourceUrn, kind, finding.replace(": ", " ")].join(" ");
}

/** Whether a value comes from an AWS resource whose outputs follow from its inputs. */
function isForetold({ resources }: Recording, urn: string, path: string): boolean {
    // What the stack exports has no dependencies.
    if (urn === "outputs") return true;
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const { propertyDependencies } = byUrn.get(urn)!;
    const sources = propertyDependencies[path.split(".")[0]!] ?? [];
    return sources.some((source) => byUrn.get(source)!.type.startsWith("aws:"));
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
