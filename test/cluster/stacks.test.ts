import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { type Manifest, manifestsOf } from "../../offline/manifests";
import { temporaryAuthority } from "../certificates";
import { BEHIND_ALB, recordStack } from "../support";
import { Api, type ApiError, eventually, type List, type Metadata, pathOf, type Resource } from "./api";
import { type ControlPlane, openCluster, whyNoCluster } from "./control-plane";
import { type JobRunner, startJobRunner } from "./job-runner";

/* Proves that a real API server takes every object of both stacks and that the gates work there with exactly the
 * rights they are given. It does not prove that packets are dropped, nor what a kubelet does: no containers run. */

const missing = whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`the stacks on a real API server${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(90_000);
    const authority = temporaryAuthority();
    const service = createServer((_, response) => {
        response.setHeader("content-type", "text/html").end("requests_total 1\n");
    });
    let cluster: ControlPlane;
    let runner: JobRunner;
    let api: Api;

    before(async function () {
        this.timeout(30 * 60_000);
        cluster = await openCluster({ log: (line) => console.log(`    ${line}`) });
        api = Api.from(cluster.kubeconfig);
        await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
        const address = { host: "127.0.0.1", port: (service.address() as AddressInfo).port };
        const names = ["mcp-server:8000", "mcp-server-blue:8000", "admin-portal:3001", "chat-ui:3000"];
        runner = startJobRunner(cluster.kubeconfig, {
            hosts: Object.fromEntries(names.map((name) => [name, address])),
        });
    });
    after(async () => {
        await runner?.stop();
        await cluster?.stop();
        service.close();
        authority.remove();
    });

    for (const stack of ["production", "staging"]) {
        const namespace = `mcp-${stack}`;
        const base = `/api/v1/namespaces/${namespace}`;
        const apps = `/apis/apps/v1/namespaces/${namespace}`;
        const prefix = stack === "production" ? "" : "staging.";

        describe(stack, () => {
            let manifests: Manifest[];

            it("goes in whole, with strict validation, into a namespace that enforces the restricted profile", async () => {
                const hosts = [`${prefix}mcp.msil.com`, `admin.${prefix}mcp.msil.com`];
                const { certificate, privateKey } = authority.issue(stack, { hosts });
                const recording = await recordStack(
                    stack,
                    `mcp:tls.mcp-tls.certificate=${certificate}`,
                    `mcp:tls.mcp-tls.privateKey=${privateKey}`,
                    // There is no controller that could serve it.
                    "mcp:ingress.verify=false",
                );
                manifests = manifestsOf(recording, (secret) => secret);
                assert.ok(manifests.length > 40);
                // In the order of registration, which is the order the engine creates them in.
                for (const manifest of manifests) {
                    await api.apply(pathOf(manifest), manifest);
                }
            });

            it("brings its Deployments up: their pods are admitted and fit the quota", async () => {
                const live = manifests
                    .filter(({ kind }) => kind === "Deployment")
                    .map(({ metadata }) => metadata.name);
                for (const name of live.filter((each) => !each.endsWith("-green"))) {
                    await eventually(
                        `${name} is available`,
                        async () => {
                            const { status } = await api.get<
                                Resource<object, { availableReplicas?: number }>
                            >(`${apps}/deployments/${name}`);
                            return (status.availableReplicas ?? 0) >= 1;
                        },
                        60,
                    );
                }
            });

            it("admits the pods of its CronJobs, as they would start them", async () => {
                const batch = `/apis/batch/v1/namespaces/${namespace}`;
                type CronJob = Resource<{ jobTemplate: { metadata: object; spec: object } }>;
                const { items } = await api.get<List<CronJob>>(`${batch}/cronjobs`);
                assert.ok(items.length >= 3);
                for (const { metadata, spec } of items) {
                    const { metadata: labelled, spec: job } = spec.jobTemplate;
                    const name = `${metadata.name}-tried`;
                    await api.post(`${batch}/jobs`, {
                        apiVersion: "batch/v1",
                        kind: "Job",
                        metadata: { ...labelled, name, namespace },
                        spec: job,
                    });
                    await eventually(
                        `${name} has a pod`,
                        async () => {
                            const pods = await api.get<List<Resource>>(
                                `${base}/pods?labelSelector=batch.kubernetes.io/job-name%3D${name}`,
                            );
                            return pods.items.length === 1;
                        },
                        30,
                    );
                    await api.delete(`${batch}/jobs/${name}?propagationPolicy=Background`);
                }
            });

            it("passes its gates with exactly the rights they have, and remembers the release", async () => {
                const jobs = manifests
                    .filter(({ kind }) => kind === "Job")
                    .map(({ metadata }) => metadata.name);
                for (const name of jobs) {
                    await eventually(
                        `${name} succeeds`,
                        async () => {
                            const { status } = await api.get<
                                Resource<object, { succeeded?: number; failed?: number }>
                            >(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
                            const { log } =
                                runner.runs.find((run) => run.namespace === namespace && run.job === name) ??
                                {};
                            assert.ok(!status.failed, `${name} failed:\n${log}`);
                            return status.succeeded === 1;
                        },
                        80,
                    );
                }
                const { data } = await api.get<{ data: Record<string, string> }>(
                    `${base}/configmaps/mcp-releases`,
                );
                const [entry, ...others] = JSON.parse(data["mcp-server"]!);
                assert.deepEqual([entry.revision, entry.colour, others], [1, "blue", []]);
                assert.ok(entry.completedAt);
            });

            it("refuses its gates everything else", async () => {
                const { status } = await api.post<Resource<object, { token: string }>>(
                    `${base}/serviceaccounts/mcp-server-gate/token`,
                    { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
                );
                const gate = api.withToken(status.token);
                const forbidden: [what: string, call: () => Promise<unknown>][] = [
                    ["read secrets", () => gate.get(`${base}/secrets`)],
                    ["read another ConfigMap", () => gate.get(`${base}/configmaps/kube-root-ca.crt`)],
                    ["delete pods", () => gate.delete(`${base}/pods/any`)],
                    ["patch a Service", () => gate.patch(`${base}/services/mcp-server`, {})],
                    ["patch a Deployment", () => gate.patch(`${apps}/deployments/mcp-server-blue`, {})],
                    ["scale another workload", () => gate.patch(`${apps}/deployments/chat-ui/scale`, {})],
                    ["look into another namespace", () => gate.get("/api/v1/namespaces/kube-system/pods")],
                ];
                for (const [what, call] of forbidden) {
                    await assert.rejects(call(), (error: ApiError) => error.status === 403, what);
                }
                await gate.get(`${base}/configmaps/mcp-releases`);
            });

            it("selects pods with every Service and NetworkPolicy", async () => {
                const { items: pods } = await api.get<List<Resource>>(`${base}/pods`);
                type Scheduled = Manifest & {
                    spec: {
                        jobTemplate: { spec: { template: { metadata: { labels: Metadata["labels"] } } } };
                    };
                };
                // What only the clock starts has no pods yet.
                const scheduled = manifests
                    .filter(({ kind }) => kind === "CronJob")
                    .map(
                        (manifest) => (manifest as Scheduled).spec.jobTemplate.spec.template.metadata.labels,
                    );
                const covers = (selector: Record<string, string>) =>
                    [...pods.map(({ metadata }) => metadata.labels), ...scheduled].some((labels) =>
                        Object.entries(selector).every(([key, value]) => labels?.[key] === value),
                    );
                type Selecting = Resource<{
                    selector?: Record<string, string>;
                    podSelector?: { matchLabels?: Record<string, string> };
                }>;
                const services = await api.get<List<Selecting>>(`${base}/services`);
                for (const { metadata, spec } of services.items) {
                    // The idle colour has no pods to select.
                    assert.ok(metadata.name.endsWith("-green") || covers(spec.selector!), metadata.name);
                }
                const policies = await api.get<List<Selecting>>(
                    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
                );
                for (const { metadata, spec } of policies.items) {
                    assert.ok(covers(spec.podSelector?.matchLabels ?? {}), metadata.name);
                }
            });

            it("goes behind an ALB, where its gate may read the weights of the Ingress, and of no other", async () => {
                const behindAlb = manifestsOf(await recordStack(stack, ...BEHIND_ALB), (secret) => secret);
                const differing = ["Namespace", "Service", "NetworkPolicy", "Role", "Ingress"];
                for (const manifest of behindAlb.filter(({ kind }) => differing.includes(kind))) {
                    await api.apply(pathOf(manifest), manifest);
                }
                const { status } = await api.post<Resource<object, { token: string }>>(
                    `${base}/serviceaccounts/mcp-server-gate/token`,
                    { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
                );
                const gate = api.withToken(status.token);
                const ingresses = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;
                const { metadata, spec } = await gate.get<
                    Resource<{ rules: { http: { paths: object[] } }[] }> & {
                        metadata: { annotations: Record<string, string> };
                    }
                >(`${ingresses}/mcp-ingress`);
                const action = JSON.parse(
                    metadata.annotations["alb.ingress.kubernetes.io/actions.mcp-server"]!,
                );
                assert.equal(action.forwardConfig.targetGroups[0].serviceName, "mcp-server-blue");
                assert.deepEqual(spec.rules[0]!.http.paths.at(-1), {
                    path: "/mcp",
                    pathType: "Prefix",
                    backend: { service: { name: "mcp-server", port: { name: "use-annotation" } } },
                });
                await assert.rejects(
                    gate.get(`${ingresses}/other`),
                    (error: ApiError) => error.status === 403,
                );
            });

            it("lets a node drain, one pod at a time", async () => {
                type Pod = Resource<object, { phase?: string }>;
                const { items } = await api.get<List<Pod>>(
                    `${base}/pods?labelSelector=app%3Dmcp-server,version%3Dblue`,
                );
                const evict = (name: string) =>
                    api.post(`${base}/pods/${name}/eviction`, {
                        apiVersion: "policy/v1",
                        kind: "Eviction",
                        metadata: { name, namespace },
                    });
                await evict(items[0]!.metadata.name);
                // How many more may go at this very moment depends on how fast kwok replaces pods; what the server
                // made of the budget does not.
                type Budget = Resource<object, { desiredHealthy?: number; expectedPods?: number }>;
                const budget = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/mcp-server-blue`;
                await eventually(
                    "all pods but one must stay",
                    async () => {
                        const { desiredHealthy, expectedPods } = (await api.get<Budget>(budget)).status;
                        return expectedPods === items.length && desiredHealthy === items.length - 1;
                    },
                    20,
                );
            });
        });
    }
});
