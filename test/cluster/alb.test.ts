import assert from "node:assert/strict";
import { type Manifest, manifestsOf } from "../../offline/manifests";
import { temporaryAuthority } from "../certificates";
import { whyNoMoto } from "../moto";
import { recordStack } from "../support";
import { Api, type ApiError, eventually, type List, pathOf, type Resource } from "./api";
import { standing, type Standing } from "./balancing";
import { type Cloud, startCloud } from "./cloud";
import { type ControlPlane, lent, startControlPlane, whyNoCluster } from "./control-plane";
import { type Controller, startController, whyNoController } from "./load-balancer-controller";

/*
 * What the AWS Load Balancer Controller makes of production behind an ALB: the real controller, a real API server, and
 * a stub of AWS, which stores all calls and reports every target as healthy. No requests are balanced, and AWS's timing
 * is not simulated.
 */

const NAMESPACE = "mcp-production";
const INGRESS = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses/mcp-ingress`;
const CERTIFICATE = "alb.ingress.kubernetes.io/certificate-arn";
const LIVE_GREEN = "mcp:workloads.mcp-server.live=green";
const SELECTOR = "mcp:ingress.alb.switch=selector";

/** What leads to the pods. */
const WAY_IN = ["Service", "Ingress"];

/** The same with the pods, and with what they need to start. */
const EVERYTHING = [
    ...["Namespace", "ServiceAccount", "ConfigMap", "Secret"],
    ...["Service", "Deployment", "HorizontalPodAutoscaler", "Ingress"],
];

type Pod = Resource<
    { readinessGates?: { conditionType: string }[] },
    { podIP?: string; conditions?: { type: string; status: string }[] }
>;

const isReady = ({ status }: Pod) =>
    status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
const gatesOf = ({ spec }: Pod) => (spec.readinessGates ?? []).map(({ conditionType }) => conditionType);

const eachOf = <From, To>(values: Record<string, From>, of: (value: From) => To): Record<string, To> =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, of(value)]));

const missing =
    (lent && "the cluster is shared, and this test installs a controller") ??
    whyNoController() ??
    whyNoMoto() ??
    whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`an ALB by the AWS Load Balancer Controller${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(180_000);
    const authority = temporaryAuthority();
    let cloud: Cloud;
    let cluster: ControlPlane;
    let controller: Controller;
    let api: Api;
    let certificate: string;

    before(async function () {
        this.timeout(30 * 60_000);
        cloud = await startCloud();
        const hosts = ["mcp.msil.com", "admin.mcp.msil.com"];
        certificate = await cloud.importCertificate(authority.issue("mcp-tls", { hosts }));
        cluster = await startControlPlane({ log: (line) => console.log(`    ${line}`) });
        api = Api.from(cluster.kubeconfig);
        await cloud.join(api);
        controller = await startController(cluster.kubeconfig, cloud);
    });
    after(async () => {
        controller?.stop();
        await cluster?.stop();
        cloud?.stop();
        authority.remove();
    });

    /** Puts production's objects of these kinds into the cluster, as an update with these edits would. */
    async function put(kinds: readonly string[], ...edits: string[]): Promise<void> {
        const subnets = cloud.subnets.flatMap(({ id, cidr }, index) => [
            `mcp:ingress.alb.subnets[${index}].id=${id}`,
            `mcp:ingress.alb.subnets[${index}].cidr=${cidr}`,
        ]);
        const recording = await recordStack("production", "mcp:ingress.className=alb", ...subnets, ...edits);
        for (const manifest of manifestsOf(recording, () => "planted")) {
            const { annotations } = manifest.metadata as { annotations?: Record<string, string> };
            // Only AWS can tell it.
            if (annotations && CERTIFICATE in annotations) annotations[CERTIFICATE] = certificate;
            if (kinds.includes(manifest.kind)) await api.apply(pathOf(manifest), manifest);
        }
    }

    /** The target groups as the controller knows them, by the Service whose pods are the targets. */
    async function bindings(): Promise<Record<string, { name: string; arn: string }>> {
        type Binding = Resource<{ serviceRef: { name: string }; targetGroupARN: string }>;
        const { items } = await api.get<List<Binding>>(
            `/apis/elbv2.k8s.aws/v1beta1/namespaces/${NAMESPACE}/targetgroupbindings`,
        );
        return Object.fromEntries(
            items.map(({ metadata: { name }, spec: { serviceRef, targetGroupARN: arn } }) => [
                serviceRef.name,
                { name, arn },
            ]),
        );
    }

    /** What is at AWS, with target groups by their Services. */
    async function now(): Promise<Standing> {
        return standing(
            cloud,
            eachOf(await bindings(), ({ arn }) => arn),
        );
    }

    /** The same, once the target groups have exactly these pods. */
    const nowWith = (pods: Record<string, string>) =>
        eventually("the pods are the targets", async () => {
            const found = await now();
            const expected: Record<string, (string | undefined)[]> = {};
            for (const [service, selector] of Object.entries(pods)) {
                expected[service] = (await podsOf(selector)).map(({ status }) => status.podIP).sort();
            }
            const { targetGroups } = found;
            assert.deepEqual(
                eachOf(targetGroups, ({ targets }) => targets),
                expected,
            );
            return found;
        });

    const podsOf = async (selector: string) =>
        (await api.get<List<Pod>>(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${selector}`)).items;
    const blue = "version%3Dblue";
    const green = "version%3Dgreen";
    const others = { "admin-portal": "app%3Dadmin-portal", "chat-ui": "app%3Dchat-ui" };
    const colours = { ...others, "mcp-server-blue": blue, "mcp-server-green": green };

    it("makes of the Ingress a load balancer with TLS alone, and a rule for every path", async () => {
        await put(EVERYTHING);
        await eventually("the Ingress has an address", async () => {
            type Served = Resource<object, { loadBalancer: { ingress?: object[] } }>;
            return (await api.get<Served>(INGRESS)).status.loadBalancer.ingress;
        });
        const { loadBalancers, listeners, rules } = await now();
        const subnets = cloud.subnets.map(({ id }) => id).sort();
        assert.deepEqual(loadBalancers, [
            { scheme: "internal", subnets, idleSeconds: "60", dropsInvalidHeaders: "true" },
        ]);
        const tls = { policy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", certificates: [certificate] };
        assert.deepEqual(listeners, [
            { port: 80, protocol: "HTTP", otherwise: "HTTP_301 HTTPS 443" },
            { port: 443, protocol: "HTTPS", tls, otherwise: "404" },
        ]);
        // An ALB takes the first that matches: the longest path. A target group alone has weight 1.
        assert.deepEqual(rules, [
            {
                host: "mcp.msil.com",
                paths: ["/mcp", "/mcp/*"],
                to: { "mcp-server-blue": 100, "mcp-server-green": 0 },
            },
            { host: "mcp.msil.com", paths: ["/*"], to: { "chat-ui": 1 } },
            { host: "admin.mcp.msil.com", paths: ["/*"], to: { "admin-portal": 1 } },
        ]);
    });

    it("asks each Service's own readiness, and has its pods as targets", async () => {
        await eventually("the live colour is at its size", async () => (await podsOf(blue)).length === 3);
        const { targetGroups } = await nowWith(colours);
        assert.deepEqual(
            eachOf(targetGroups, ({ health, drainSeconds }) => `${health}, ${drainSeconds} s to leave`),
            {
                "admin-portal": "/api/health every 15 s, 200, 60 s to leave",
                "chat-ui": "/ every 15 s, 200, 60 s to leave",
                "mcp-server-blue": "/ready every 15 s, 200, 60 s to leave",
                "mcp-server-green": "/ready every 15 s, 200, 60 s to leave",
            },
        );
    });

    it("gives a pod the gate of its target group, which one that was there before gets when it is replaced", async () => {
        await api.delete(`/api/v1/namespaces/${NAMESPACE}/pods`);
        await api.patch(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/mcp-server-green`, {
            spec: { replicas: 3 },
        });
        for (const [service, { name }] of Object.entries(await bindings())) {
            await eventually(`the pods of ${service} are ready, by their gate`, async () => {
                const pods = await podsOf(colours[service as keyof typeof colours]);
                assert.deepEqual(
                    pods.map(gatesOf),
                    pods.map(() => [`target-health.elbv2.k8s.aws/${name}`]),
                );
                return pods.length > 1 && pods.every(isReady);
            });
        }
    });

    it("changes the weights of one rule when the other colour goes live, and nothing else, there and back", async () => {
        const before = await nowWith(colours);
        for (const [edits, ofBlue, ofGreen] of [
            [[LIVE_GREEN], 0, 100],
            [[], 100, 0],
        ] as const) {
            await put(WAY_IN, ...edits);
            const to = { "mcp-server-blue": ofBlue, "mcp-server-green": ofGreen };
            await eventually("the weights have moved", async () => {
                assert.deepEqual((await now()).rules[0]!.to, to);
                return true;
            });
            const [first, ...rest] = before.rules;
            assert.deepEqual(await now(), { ...before, rules: [{ ...first!, to }, ...rest] });
        }
    });

    it("exchanges the targets where the selector is the switch, and gates no pod of the idle colour", async () => {
        await put(WAY_IN, SELECTOR);
        const { rules, targetGroups } = await nowWith({ ...others, "mcp-server": blue });
        assert.deepEqual(rules[0]!.to, { "mcp-server": 1 });
        assert.equal(targetGroups["mcp-server"]!.health, "/ready every 15 s, 200");
        await api.delete(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${green}`);
        await eventually("the idle colour is ready without gates", async () => {
            const pods = await podsOf(green);
            return pods.length === 3 && pods.every((pod) => isReady(pod) && gatesOf(pod).length === 0);
        });
        await put(WAY_IN, SELECTOR, LIVE_GREEN);
        await nowWith({ ...others, "mcp-server": green });
    });

    it("leaves nothing behind when a controller in the cluster takes over, whose class there must be", async () => {
        const [ingress] = manifestsOf(await recordStack("production"), () => "planted").filter(
            ({ kind }) => kind === "Ingress",
        ) as [Manifest];
        await assert.rejects(api.apply(INGRESS, ingress), ({ message }: ApiError) =>
            /IngressClass\S* "traefik" not found/.test(message),
        );
        await api.post("/apis/networking.k8s.io/v1/ingressclasses", {
            metadata: { name: "traefik" },
            spec: { controller: "traefik.io/ingress-controller" },
        });
        await eventually("the Ingress is taken", () => api.apply(INGRESS, ingress));
        await eventually("the load balancer and its target groups are gone", async () => {
            type Held = Resource & { metadata: { finalizers?: string[] } };
            const { metadata } = await api.get<Held>(INGRESS);
            assert.deepEqual(metadata.finalizers ?? [], []);
            assert.deepEqual(await now(), { loadBalancers: [], listeners: [], rules: [], targetGroups: {} });
            return true;
        });
    });
});
