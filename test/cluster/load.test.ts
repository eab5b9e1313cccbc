import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { BlueGreenWorkload } from "../../components/workload/blueGreenWorkload";
import { type BlueGreenWorkloadArgs } from "../../components/workload/workload";
import { type Manifest, manifestsOf } from "../../offline/manifests";
import { EXAMPLE } from "../components/example";
import { recordProgram } from "../support";
import { Api, eventually, type List, pathOf, type Resource } from "./api";
import { type ControlPlane, lent, startControlPlane, whyNoCluster } from "./control-plane";
import { startLoad } from "./load-client";
import { type PodRunner, RUN_BY_POD_RUNNER, startPodRunner } from "./pod-runner";
import { type ServiceProxy, startServiceProxy, watchEndpoints } from "./service-proxy";

/* A client sends requests to a blue-green workload while it is released, restarted and rolled back. Its manifests, and the order
 * in which they change, are the component's. Pods are real processes, which end as their manifest says, behind a proxy that
 * follows the EndpointSlices as kube-proxy does. The tests play the engine: they apply and wait, where it does. */

const PER_SECOND = 200;
const { min: REPLICAS } = EXAMPLE.scaling;

/** Replaces the soak, in milliseconds: longer than any proxy takes to follow the switch. */
const SOAK_MILLISECONDS = 3000;

type DeploymentManifest = Manifest & {
    metadata: { annotations?: Record<string, string> };
    spec: {
        template: {
            metadata: { labels: Record<string, string> };
            spec: { containers: { env: object[]; lifecycle?: object }[] };
        };
    };
};

/** How pods end. Without what keeps requests from failing then, some must fail: otherwise the drill proves nothing. */
const ENDS: Record<
    string,
    (container: DeploymentManifest["spec"]["template"]["spec"]["containers"][0]) => void
> = {
    "as declared": () => undefined,
    "without the preStop hook": (container) => delete container.lifecycle,
    "without draining": (container) => (container.env = [{ name: "DRAIN", value: "no" }]),
};

const missing = lent ? "a cluster is lent, and its nodes run no processes of this machine" : whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`requests during a release${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(240_000);
    let cluster: ControlPlane;
    let api: Api;
    let pods: PodRunner;
    let proxy: ServiceProxy;
    let end: () => void;
    /** Fewest ready endpoints of the Service since the last look. */
    let fewest = Infinity;
    const applied = new Map<string, string>();

    before(async function () {
        this.timeout(30 * 60_000);
        cluster = await startControlPlane({ log: (line) => console.log(`    ${line}`) });
        api = Api.from(cluster.kubeconfig);
        await api.post("/api/v1/namespaces", { metadata: { name: "apps" } });
        pods = startPodRunner(api, "apps");
        await update({ active: "blue" });
        proxy = await startServiceProxy(api, "apps", "api");
        end = watchEndpoints(api, "apps", "api", ({ ready }) => (fewest = Math.min(fewest, ready.length)));
        await sleep(2000);
    });
    after(async () => {
        end?.();
        proxy?.close();
        await pods?.stop();
        await cluster?.stop();
    });

    for (const [how, change] of Object.entries(ENDS)) {
        const declared = how === "as declared";
        it(`${declared ? "none fails" : "some fail"} where pods end ${how}: blue, green, a restart of green, and blue again`, async () => {
            fewest = Infinity;
            const load = startLoad(proxy, PER_SECOND);
            await update({ active: "green" }, change);
            await update({ active: "green", restart: how }, change);
            await update({ active: "blue", restart: how }, change);
            const { sent, failed, longestGap, answered, failures } = await load.stop();
            console.log(
                `        pods end ${how}: ${sent} requests sent, ${failed} failed, longest gap ${Math.round(longestGap)} ms` +
                    (failed > 0 ? ` (${JSON.stringify(failures)})` : ""),
            );
            assert.ok(answered["api-blue"]! > 0 && answered["api-green"]! > 0, JSON.stringify(answered));
            assert.equal(fewest, REPLICAS);
            if (declared) assert.deepEqual(failures, {});
            else assert.ok(failed > 0, "it makes no difference");
        });
    }

    /** Applies what the component declares and what has changed, in its order, and waits as the engine and the gates do. */
    async function update(
        args: Partial<BlueGreenWorkloadArgs>,
        change: (typeof ENDS)[string] = () => undefined,
    ): Promise<void> {
        const recording = await recordProgram(
            () => void new BlueGreenWorkload("api", { ...EXAMPLE, ...args }).promote(),
        );
        for (const manifest of manifestsOf(recording, (secret) => secret)) {
            if (manifest.kind === "Job") {
                if (/-soak-/.test(manifest.metadata.name)) await sleep(SOAK_MILLISECONDS);
                continue;
            }
            if (manifest.kind === "Deployment") {
                const { metadata, spec } = (manifest as DeploymentManifest).spec.template;
                Object.assign(metadata.labels, RUN_BY_POD_RUNNER);
                change(spec.containers[0]!);
            }
            const path = pathOf(manifest);
            if (applied.get(path) !== JSON.stringify(manifest)) {
                applied.set(path, JSON.stringify(manifest));
                await api.apply(path, manifest);
            }
            // Last of a colour's objects: then there are as many pods as it wants.
            if (manifest.kind === "HorizontalPodAutoscaler") await rolledOut(manifest.metadata.name);
        }
    }

    /** Waits until a colour has all of its pods, or none, and no others are left. */
    async function rolledOut(name: string): Promise<void> {
        const colour = name.split("-").at(-1)!;
        await eventually(
            `${name} is rolled out`,
            async () => {
                const { metadata, spec, status } = await api.get<
                    Resource<
                        { replicas: number },
                        { observedGeneration?: number; readyReplicas?: number; updatedReplicas?: number }
                    > & { metadata: { generation: number } }
                >(`/apis/apps/v1/namespaces/apps/deployments/${name}`);
                const { items } = await api.get<List<object>>(
                    `/api/v1/namespaces/apps/pods?labelSelector=app%3Dapi,version%3D${colour}`,
                );
                const wanted = spec.replicas === 0 ? 0 : REPLICAS;
                const { observedGeneration, readyReplicas = 0, updatedReplicas = 0 } = status;
                return (
                    observedGeneration === metadata.generation &&
                    [readyReplicas, updatedReplicas, items.length].every((count) => count === wanted)
                );
            },
            90,
        );
    }
});
