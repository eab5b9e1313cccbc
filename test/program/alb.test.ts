import assert from "node:assert/strict";
import { albAnnotations } from "../../components/edge/alb";
import { contentHash } from "../../core/hash";
import { compare } from "../../offline/compare";
import { displayed, Secret } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { type Issued, temporaryAuthority } from "../certificates";
import { BEHIND_ALB, linesOf, only, recordStack, withoutHashes } from "../support";

/* eslint-disable @typescript-eslint/no-explicit-any -- manifests are looked into as they are */
const ACM = "aws:acm/certificate:Certificate";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const JOB = "kubernetes:batch/v1:Job";
const NETWORK = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const SERVICE = "kubernetes:core/v1:Service";
const HOSTS = ["mcp.msil.com", "admin.mcp.msil.com"];
const SELECTOR = "mcp:ingress.alb.switch=selector";
const LIVE_GREEN = "mcp:workloads.mcp-server.live=green";

const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);
const changes = (one: Recording, other: Recording) =>
    withoutHashes(linesOf(compare(one, other).filter(({ operation }) => operation !== "same")));

/** The one Job of a gate, whatever its hash. */
function gate({ resources }: Recording, name: string): RecordedResource {
    const found = resources.filter(({ type, name: own }) => type === JOB && own.startsWith(`${name}-`));
    assert.equal(found.length, 1, name);
    return found[0]!;
}

/** Plan of a gate. */
const planOf = (recording: Recording, name: string): any =>
    JSON.parse(inputsOf(recording, CONFIG_MAP, `${name}-program`).data["plan.json"]);

const action = (blue: number, green: number) =>
    JSON.stringify({
        type: "forward",
        forwardConfig: {
            targetGroups: [
                { serviceName: "mcp-server-blue", servicePort: "http", weight: blue },
                { serviceName: "mcp-server-green", servicePort: "http", weight: green },
            ],
        },
    });

describe("the ingress behind an ALB", () => {
    const authority = temporaryAuthority();
    after(() => authority.remove());

    const pairOf = (name: string, { certificate, privateKey }: Issued, issuer?: Issued) => [
        `mcp:tls.${name}.certificate=${certificate}${issuer?.certificate ?? ""}`,
        `mcp:tls.${name}.privateKey=${privateKey}`,
    ];
    let root: Issued;
    let issued: Issued;
    let pair: string[];
    let alb: Recording;
    let selector: Recording;
    before(async () => {
        root = authority.issue("root", { authority: true });
        issued = authority.issue("old", { hosts: HOSTS, serial: "0aaaaaaaaa", issuer: root });
        pair = pairOf("mcp-tls", issued, root);
        alb = await recordStack("production", ...BEHIND_ALB, ...pair);
        selector = await recordStack("production", ...BEHIND_ALB, ...pair, SELECTOR);
    });

    it("gets its load balancer, TLS only, and each colour's weight", () => {
        const { metadata, spec } = inputsOf(alb, INGRESS, "mcp-ingress");
        const {
            "mcp.msil.com/certificate-not-after": notAfter,
            "mcp.msil.com/certificate-not-before": notBefore,
            ...annotations
        } = metadata.annotations;
        assert.ok(Date.parse(notBefore) < Date.parse(notAfter), `${notBefore} ${notAfter}`);
        assert.deepEqual(annotations, {
            "pulumi.com/skipAwait": "true",
            "alb.ingress.kubernetes.io/target-type": "ip",
            "alb.ingress.kubernetes.io/scheme": "internal",
            "alb.ingress.kubernetes.io/subnets": "subnet-0a1b2c3d4e5f60001,subnet-0a1b2c3d4e5f60002",
            "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP":80},{"HTTPS":443}]',
            "alb.ingress.kubernetes.io/ssl-redirect": "443",
            "alb.ingress.kubernetes.io/ssl-policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            // Its ARN, which AWS gives.
            "alb.ingress.kubernetes.io/certificate-arn": "[unknown]",
            "alb.ingress.kubernetes.io/load-balancer-attributes":
                "idle_timeout.timeout_seconds=60,routing.http.drop_invalid_header_fields.enabled=true",
            "alb.ingress.kubernetes.io/actions.mcp-server": action(100, 0),
            "mcp.msil.com/certificate-serial": "0AAAAAAAAA",
        });
        const backend = (path: string, name: string, port = "http") => ({
            path,
            pathType: "Prefix",
            backend: { service: { name, port: { name: port } } },
        });
        assert.deepEqual(spec, {
            ingressClassName: "alb",
            tls: [{ hosts: HOSTS }],
            rules: [
                {
                    host: "mcp.msil.com",
                    http: {
                        paths: [backend("/", "chat-ui"), backend("/mcp", "mcp-server", "use-annotation")],
                    },
                },
                { host: "admin.mcp.msil.com", http: { paths: [backend("/", "admin-portal")] } },
            ],
        });
        const { propertyDependencies } = only(alb, INGRESS, "mcp-ingress");
        assert.ok(
            propertyDependencies["metadata"]!.includes(only(alb, ACM, "mcp-ingress-mcp-tls").urn),
            "the ARN is that of the active certificate",
        );
    });

    it("has the values of the stack file", async () => {
        const edited = await recordStack(
            "production",
            ...BEHIND_ALB,
            ...pair,
            "mcp:ingress.alb.scheme=internet-facing",
            "mcp:ingress.alb.sslPolicy=ELBSecurityPolicy-TLS13-1-3-2021-06",
            "mcp:ingress.alb.idleTimeout=5m",
            'mcp:ingress.alb.attributes["deletion_protection.enabled"]=true',
        );
        const { annotations } = inputsOf(edited, INGRESS, "mcp-ingress").metadata;
        const of = (name: string) => annotations[`alb.ingress.kubernetes.io/${name}`];
        assert.equal(of("scheme"), "internet-facing");
        assert.equal(of("ssl-policy"), "ELBSecurityPolicy-TLS13-1-3-2021-06");
        assert.equal(
            of("load-balancer-attributes"),
            "idle_timeout.timeout_seconds=300,routing.http.drop_invalid_header_fields.enabled=true,deletion_protection.enabled=true",
        );
    });

    it("imports the pair into ACM in its parts, and puts no key into the cluster", () => {
        const { inputs } = only(alb, ACM, "mcp-ingress-mcp-tls");
        assert.deepEqual(inputs, {
            certificateBody: new Secret(issued.certificate.trim()),
            certificateChain: new Secret(root.certificate.trim()),
            privateKey: new Secret(issued.privateKey),
            tags: { Name: "mcp-ingress-mcp-tls" },
        });
        const secrets = alb.resources.filter(({ type }) => type === "kubernetes:core/v1:Secret");
        assert.ok(secrets.every(({ inputs }) => inputs["type"] !== "kubernetes.io/tls"));
        assert.doesNotMatch(JSON.stringify(alb.resources.map(({ inputs }) => displayed(inputs))), /BEGIN/);
    });

    it("imports a certificate that vouches for itself without a chain", async () => {
        const alone = authority.issue("alone", { hosts: HOSTS });
        const recording = await recordStack("production", ...BEHIND_ALB, ...pairOf("mcp-tls", alone));
        assert.equal("certificateChain" in only(recording, ACM, "mcp-ingress-mcp-tls").inputs, false);
    });

    it("asks each Service that is a target for its own readiness, and gives its pods time to leave", () => {
        const targets = (recording: Recording) =>
            Object.fromEntries(
                recording.resources.flatMap(({ type, name, inputs }) => {
                    const annotations = Object.entries(
                        (displayed(inputs as never) as any).metadata?.annotations ?? {},
                    ).filter(([key]) => key.startsWith("alb."));
                    return type === SERVICE && annotations.length > 0
                        ? [[name, Object.fromEntries(annotations)]]
                        : [];
                }),
            );
        const target = (path: string) => ({
            "alb.ingress.kubernetes.io/healthcheck-path": path,
            "alb.ingress.kubernetes.io/target-group-attributes": "deregistration_delay.timeout_seconds=60",
        });
        // The same whichever way the traffic moves: the controller acts on half of an update, too.
        for (const recording of [alb, selector]) {
            assert.deepEqual(targets(recording), {
                "admin-portal": target("/api/health"),
                "chat-ui": target("/"),
                "mcp-server": target("/ready"),
                "mcp-server-blue": target("/ready"),
                "mcp-server-green": target("/ready"),
            });
        }
        const { terminationGracePeriodSeconds, containers } = inputsOf(
            alb,
            "kubernetes:apps/v1:Deployment",
            "mcp-server-blue",
        ).spec.template.spec;
        assert.equal(terminationGracePeriodSeconds, 60);
        assert.deepEqual(containers[0].lifecycle, { preStop: { sleep: { seconds: 30 } } });
    });

    it("has the controller hold pods back until they are healthy targets", () => {
        const { labels } = inputsOf(alb, "kubernetes:core/v1:Namespace", "mcp-production").metadata;
        assert.equal(labels["elbv2.k8s.aws/pod-readiness-gate-inject"], "enabled");
    });

    it("lets the subnets of the ALB in, and no other namespace, in or out", () => {
        const ranges = [{ ipBlock: { cidr: "10.20.0.0/20" } }, { ipBlock: { cidr: "10.20.16.0/20" } }];
        for (const name of ["mcp-server", "admin-portal", "chat-ui"]) {
            const [{ from, ports }] = inputsOf(alb, NETWORK, name).spec.ingress;
            assert.deepEqual(from.slice(-2), ranges);
            assert.equal(ports.length, 1);
        }
        assert.deepEqual(inputsOf(alb, NETWORK, "mcp-ingress-gate").spec.egress, [
            { ports: [{ protocol: "TCP", port: 443 }] },
        ]);
        assert.doesNotMatch(
            JSON.stringify(alb.resources.filter(({ type }) => type === NETWORK).map(({ inputs }) => inputs)),
            /"kubernetes\.io\/metadata\.name":"ingress"/,
        );
    });

    it("moves the weights between the smoke gate and the Service, which the soak waits for", () => {
        const ingress = only(alb, INGRESS, "mcp-ingress");
        const service = only(alb, SERVICE, "mcp-server");
        const needs = (one: RecordedResource, other: RecordedResource) =>
            one.dependencies.includes(other.urn);
        assert.ok(needs(ingress, gate(alb, "mcp-server-blue-smoke")));
        for (const colour of ["blue", "green"]) {
            assert.ok(needs(ingress, only(alb, SERVICE, `mcp-server-${colour}`)));
        }
        assert.ok(needs(service, ingress));
        assert.ok(needs(gate(alb, "mcp-server-blue-soak"), service));
        // An unhealthy certificate must not hold a release back.
        const certificate = gate(alb, "mcp-ingress-certificate");
        assert.ok(needs(certificate, ingress));
        assert.ok(!needs(service, certificate));
    });

    it("is released to with one edit: the weights and the selector move, and nothing else of the way in", async () => {
        const green = await recordStack("production", ...BEHIND_ALB, ...pair, LIVE_GREEN);
        const { annotations } = inputsOf(green, INGRESS, "mcp-ingress").metadata;
        assert.equal(annotations["alb.ingress.kubernetes.io/actions.mcp-server"], action(0, 100));
        const [update, ...others] = compare(alb, green).filter(({ resource }) => resource.type === INGRESS);
        assert.deepEqual(others, []);
        assert.deepEqual(
            update!.properties.map(({ path }) => path),
            [0, 1].map(
                (group) =>
                    `metadata.annotations.alb.ingress.kubernetes.io/actions.mcp-server.forwardConfig.targetGroups[${group}].weight`,
            ),
        );
        assert.deepEqual(
            changes(alb, green).filter((line) => /edge|Ingress|Service |acm/.test(line)),
            [`update ${SERVICE} mcp-server`, `update ${INGRESS} mcp-ingress`],
        );
    });

    it("names no Service of a colour that has none", () => {
        const annotations = albAnnotations(
            {
                ...{ scheme: "internal", subnets: [], sslPolicy: "any", idleTimeout: 60, attributes: {} },
                weighted: { reports: { active: "blue", colours: ["blue"] } },
            },
            "arn",
        );
        assert.deepEqual(JSON.parse(annotations["alb.ingress.kubernetes.io/actions.reports"] as string), {
            type: "forward",
            forwardConfig: {
                targetGroups: [{ serviceName: "reports-blue", servicePort: "http", weight: 100 }],
            },
        });
    });

    it("leaves the switch to the selector where the stack file says so, and the Ingress out of it", async () => {
        const { metadata, spec } = inputsOf(selector, INGRESS, "mcp-ingress");
        assert.equal("alb.ingress.kubernetes.io/actions.mcp-server" in metadata.annotations, false);
        assert.deepEqual(
            spec.rules[0].http.paths.map(({ backend }: any) => backend.service),
            [
                { name: "chat-ui", port: { name: "http" } },
                { name: "mcp-server", port: { name: "http" } },
            ],
        );
        const ingress = only(selector, INGRESS, "mcp-ingress");
        assert.ok(!only(selector, SERVICE, "mcp-server").dependencies.includes(ingress.urn));
        const green = await recordStack("production", ...BEHIND_ALB, ...pair, SELECTOR, LIVE_GREEN);
        assert.equal(
            changes(selector, green).some((line) => line.includes("Ingress")),
            false,
        );
    });

    it("has the soak see the weights, and keep the old colour until the ALB has followed", () => {
        const { ingress, lingerSeconds } = planOf(alb, "mcp-server-blue-soak");
        assert.deepEqual({ ingress, lingerSeconds }, { ingress: "mcp-ingress", lingerSeconds: 60 });
        const { rules } = inputsOf(alb, "kubernetes:rbac.authorization.k8s.io/v1:Role", "mcp-server-gate");
        assert.deepEqual(
            rules.filter(({ resources }: any) => resources.includes("ingresses")),
            [
                {
                    apiGroups: ["networking.k8s.io"],
                    resources: ["ingresses"],
                    resourceNames: ["mcp-ingress"],
                    verbs: ["get"],
                },
            ],
        );
        const bySelector = planOf(selector, "mcp-server-blue-soak");
        assert.equal(bySelector.lingerSeconds, 60);
        assert.equal("ingress" in bySelector, false);
    });

    it("rotates by the same edits, through ACM: imported, named, and written over where its name stays", async () => {
        const fresh = pairOf("mcp-tls-new", authority.issue("new", { hosts: HOSTS, serial: "0bbbbbbbbb" }));
        const listed = "mcp:ingress.certificates[1]=mcp-tls-new";
        const added = await recordStack("production", ...BEHIND_ALB, ...pair, ...fresh, listed);
        const flipped = await recordStack(
            "production",
            ...[...BEHIND_ALB, ...pair, ...fresh, listed],
            "mcp:ingress.certificate=mcp-tls-new",
        );
        assert.deepEqual(changes(alb, added), [`create ${ACM} mcp-ingress-mcp-tls-new`]);
        assert.deepEqual(changes(added, flipped), [
            `create ${JOB} mcp-ingress-certificate-*`,
            `delete ${JOB} mcp-ingress-certificate-*`,
            `replace ${CONFIG_MAP} mcp-ingress-certificate-program`,
            `update ${INGRESS} mcp-ingress`,
        ]);
        assert.ok(
            only(flipped, INGRESS, "mcp-ingress").propertyDependencies["metadata"]!.includes(
                only(flipped, ACM, "mcp-ingress-mcp-tls-new").urn,
            ),
        );
        const again = authority.issue("again", { hosts: HOSTS, serial: "0ccccccccc", issuer: root });
        const rewritten = await recordStack("production", ...BEHIND_ALB, ...pairOf("mcp-tls", again, root));
        assert.deepEqual(
            linesOf(compare(alb, rewritten).filter(({ operation }) => operation !== "same")),
            [
                `replace ${CONFIG_MAP} mcp-ingress-certificate-program`,
                `replace ${JOB} mcp-ingress-certificate-${contentHash("mcp-tls")}`,
                `update ${ACM} mcp-ingress-mcp-tls`,
                `update ${INGRESS} mcp-ingress`,
            ].sort(),
        );
    });

    it("serves staging too", async () => {
        const staging = await recordStack("staging", ...BEHIND_ALB);
        assert.equal(inputsOf(staging, INGRESS, "mcp-ingress").spec.ingressClassName, "alb");
    });
});
