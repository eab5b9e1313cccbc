import assert from "node:assert/strict";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import { type Resource } from "@pulumi/pulumi";
import { BlueGreenWorkload } from "../../components/workload/blueGreenWorkload";
import { type BlueGreenWorkloadArgs } from "../../components/workload/workload";
import { type Recording } from "../../offline/record";
import { displayed } from "../../offline/property";
import { only, predecessors, recordProgram, withoutHashes } from "../support";
import { EXAMPLE, release } from "./example";

/* The two phases of a blue-green workload, each alone, without the rest of a stack. */

const CANDIDATE = [
    "ConfigMap api-green-capacity-program",
    "ConfigMap api-green-config",
    "ConfigMap api-green-smoke-program",
    "Deployment api-green",
    "HorizontalPodAutoscaler api-green",
    "Job api-green-capacity-*",
    "Job api-green-smoke-*",
    "NetworkPolicy api",
    "NetworkPolicy api-gate",
    "PodDisruptionBudget api-green",
    "Role api-gate",
    "RoleBinding api-gate",
    "Service api-blue",
    "Service api-green",
    "ServiceAccount api",
    "ServiceAccount api-gate",
    "Workload api",
];
const SWITCH = ["ConfigMap api-green-soak-program", "Job api-green-soak-*", "Service api"];
const BLUE = [
    "ConfigMap api-blue-config",
    "Deployment api-blue",
    "HorizontalPodAutoscaler api-blue",
    "PodDisruptionBudget api-blue",
];
const BLUE_SMOKE = ["ConfigMap api-blue-smoke-program", "Job api-blue-smoke-*"];

function namesIn({ resources }: Recording): string[] {
    const own = resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
    return withoutHashes(own.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)).sort();
}

const recorded = (phases: (workload: BlueGreenWorkload) => void, args: Partial<BlueGreenWorkloadArgs> = {}) =>
    recordProgram(() => phases(new BlueGreenWorkload("api", { ...EXAMPLE, ...args })));
const candidate = () => undefined;
const promoted = (workload: BlueGreenWorkload) => void workload.promote();

describe("a blue-green workload's phases", () => {
    it("first declares the candidate: its pods and the gates before the switch, and nothing of the idle colour", async () => {
        assert.deepEqual(namesIn(await recorded(candidate)), CANDIDATE);
    });

    it("then the promotion: the switch, the soak behind it, and the idle colour behind that", async () => {
        const recording = await recorded(promoted);
        assert.deepEqual(namesIn(recording), [...CANDIDATE, ...SWITCH, ...BLUE].sort());
        const before = (type: string, name: string) =>
            withoutHashes([...predecessors(recording, type, name)]);
        const service = before("kubernetes:core/v1:Service", "api");
        assert.ok(service.includes("Job api-green-smoke-*"), String(service));
        const idle = before("kubernetes:apps/v1:Deployment", "api-blue");
        assert.ok(idle.includes("Job api-green-soak-*") && idle.includes("Service api"), String(idle));
        const { spec } = displayed(only(recording, "kubernetes:core/v1:Service", "api").inputs as never) as {
            spec: { selector: object };
        };
        assert.deepEqual(spec.selector, { app: "api", version: "green" });
    });

    it("has room between them for what moves the traffic from outside", async () => {
        const ingress = (dependsOn: readonly Resource[]) =>
            new Ingress("edge", { metadata: { name: "edge" } }, { dependsOn: [...dependsOn] });
        const recording = await recorded(
            (workload) => void workload.promote([ingress(workload.readyForTraffic)]),
            { alb: { weightedBy: "edge" } },
        );
        const before = (type: string, name: string) =>
            withoutHashes([...predecessors(recording, type, name)]);
        const beforeIngress = before("kubernetes:networking.k8s.io/v1:Ingress", "edge");
        for (const step of ["Service api-blue", "Service api-green", "Job api-green-smoke-*"]) {
            assert.ok(beforeIngress.includes(step), `${step} is not before the Ingress`);
        }
        assert.ok(!beforeIngress.includes("Service api"));
        assert.ok(before("kubernetes:core/v1:Service", "api").includes("Ingress edge"));
    });

    it("tests a staged colour in the first phase, behind nothing of the active one, and keeps its pods in the second", async () => {
        const staged = await recorded(candidate, { stage: "blue" });
        assert.deepEqual(namesIn(staged), [...CANDIDATE, ...BLUE, ...BLUE_SMOKE].sort());
        const before = [...predecessors(staged, "kubernetes:apps/v1:Deployment", "api-blue")];
        assert.deepEqual(
            before.filter((name) => name.includes("green")),
            [],
        );
        assert.deepEqual(
            namesIn(await recorded(promoted, { stage: "blue" })),
            [...CANDIDATE, ...BLUE, ...BLUE_SMOKE, ...SWITCH].sort(),
        );
    });

    it("has one colour where the other has no release", async () => {
        const recording = await recorded(promoted, { releases: { green: release("v2") } });
        assert.deepEqual(
            namesIn(recording),
            [...CANDIDATE, ...SWITCH].filter((name) => name !== "Service api-blue").sort(),
        );
    });

    it("refuses an active colour without a release", async () => {
        await assert.rejects(
            recorded(candidate, { releases: { blue: release("v1") } }),
            /releases\.green: found nothing, expected the release of this colour/,
        );
    });
});
