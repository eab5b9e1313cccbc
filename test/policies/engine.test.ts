import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { type ResourceValidationPolicy, type StackValidationPolicy } from "@pulumi/policy";
import { type EngineOptions, enginePolicies } from "../../policies/engine";
import { exceptionsRule } from "../../policies/exceptions";
import { type Rule } from "../../policies/rule";
import { rules } from "../../policies/rules";
import { type Properties } from "../../policies/unknown";
import { exception, NOW } from "./exception";
import { SOUND } from "./compliantStack";

// The SDK keeps its types to itself.
const { unknownCheckingProxy } = createRequire(__filename)("@pulumi/policy/proxy") as {
    unknownCheckingProxy(props: Properties): Properties;
};

/** What the engine sends for a text that is known only after the update. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const PRIVILEGED = "kubernetes-pod-container-disallow-privileged";
const TIMEOUT = "kubernetes-deployment-require-rollout-timeout";
const CERTIFICATE = "kubernetes-ingress-disallow-expiring-certificate";
const SEVERITY = "aws-sns-topic-require-severity";
const TOPIC = "aws:sns/topic:Topic";
const MULTI_AZ = "aws-rds-instance-require-multi-az";
const COVERED = "kubernetes-pod-require-network-policy";
const pack = (...names: string[]) => rules.filter(({ name }) => names.includes(name));

/** A resource as the engine hands it to a policy, down to the proxies that throw at an unknown. */
function resource(type: string, name: string, props: Properties, seconds = 300): Properties {
    return {
        urn: name,
        type,
        name,
        props: unknownCheckingProxy(props),
        opts: {
            protect: true,
            customTimeouts: { createSeconds: seconds, updateSeconds: seconds, deleteSeconds: 0 },
        },
    };
}

const deployment = (
    name: string,
    { labels = { app: name }, containers = [] }: Properties,
    seconds?: number,
) =>
    resource(
        "kubernetes:apps/v1:Deployment",
        name,
        {
            metadata: { namespace: "mcp" },
            spec: { template: { metadata: { labels }, spec: { containers } } },
        },
        seconds,
    );

const network = (name: string, podSelector: unknown) =>
    resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", name, {
        metadata: { namespace: "mcp" },
        spec: { podSelector, policyTypes: ["Ingress", "Egress"] },
    });

/** Runs every policy as the engine does; each line is `policy on resource: message`. */
function run(judged: readonly Rule[], resources: readonly Properties[], options?: EngineOptions): string[] {
    const lines: string[] = [];
    for (const policy of enginePolicies(judged, options)) {
        const report = (message: string, urn?: string) => lines.push(`${policy.name} on ${urn}: ${message}`);
        const { validateResource } = policy as ResourceValidationPolicy;
        const { validateStack } = policy as StackValidationPolicy;
        for (const args of typeof validateResource === "function" ? resources : []) {
            (validateResource as unknown as (args: unknown, report: (message: string) => void) => void)(
                args,
                (message) => report(message, args["urn"]),
            );
        }
        (validateStack as ((args: unknown, report: unknown) => void) | undefined)?.({ resources }, report);
    }
    return lines;
}

describe("policies of the engine", () => {
    it("are one for each rule, plus those for undetermined, suppressed and wrongly exempted findings", () => {
        const policies = enginePolicies(rules);
        assert.deepEqual(
            policies.map(({ name }) => name),
            [
                ...rules.map(({ name }) => name),
                "undetermined-resource",
                "undetermined-stack",
                "suppressed-resource",
                "suppressed-stack",
                exceptionsRule.name,
            ],
        );
        for (const rule of rules) {
            const policy = policies.find(({ name }) => name === rule.name)!;
            assert.equal(policy.enforcementLevel, rule.enforcement);
            assert.equal(policy.severity, rule.severity);
            assert.equal(policy.description, rule.description);
            assert.equal("validateStack" in policy, rule.stack !== undefined);
        }
        for (const { enforcementLevel } of policies.slice(rules.length)) {
            assert.equal(enforcementLevel, "advisory");
        }
    });

    it("report a violation under the name of its rule", () => {
        const container = { name: "app", securityContext: { privileged: true } };
        assert.deepEqual(run(pack(PRIVILEGED), [deployment("web", { containers: [container] })]), [
            `${PRIVILEGED} on web: container app: is privileged`,
        ]);
    });

    it("report an unknown apart, and what is known beside it", () => {
        const containers = [
            { name: "app", securityContext: { privileged: UNKNOWN_TEXT } },
            { name: "sidecar", securityContext: { privileged: true } },
        ];
        assert.deepEqual(run(pack(PRIVILEGED), [deployment("web", { containers })]), [
            `${PRIVILEGED} on web: container sidecar: is privileged`,
            `undetermined-resource on web: ${PRIVILEGED}: spec.template.spec.containers.0.securityContext.privileged is known only after the update`,
        ]);
    });

    it("of the stack keep judging the other resources", () => {
        const resources = [
            deployment("unclear", { labels: { app: UNKNOWN_TEXT } }),
            deployment("covered", {}),
            deployment("open", {}),
            network("policy", { matchLabels: { app: "covered" } }),
        ];
        const unclear = `undetermined-stack on unclear: ${COVERED}: spec.template.metadata.labels.app is known only after the update`;
        assert.deepEqual(run(pack(COVERED), resources), [
            `${COVERED} on open: no NetworkPolicy covers its ingress`,
            `${COVERED} on open: no NetworkPolicy covers its egress`,
            unclear,
            unclear,
        ]);
    });

    it("of the stack take an unknown object for one that may match", () => {
        const resources = [deployment("web", {}), network("policy", UNKNOWN_TEXT)];
        assert.deepEqual(
            new Set(run(pack(COVERED), resources)),
            new Set([
                `undetermined-stack on web: ${COVERED}: spec.podSelector is known only after the update`,
            ]),
        );
        assert.deepEqual(run(pack(COVERED), [...resources, network("all", {})]), []);
    });

    it("say what an exception accepts apart, and what accepts nothing", () => {
        const container = { name: "app", securityContext: { privileged: true } };
        const resources = [
            {
                ...deployment("web", { containers: [container] }),
                urn: "urn:pulumi:production::mcp::type::web",
            },
            { ...deployment("api", {}), urn: "urn:pulumi:production::mcp::type::api" },
        ];
        const exceptions = {
            entries: [
                exception({ rule: PRIVILEGED, resource: "web" }),
                exception({ rule: COVERED, resource: "web" }),
                exception({ rule: PRIVILEGED, resource: "api" }),
            ],
            problems: ["exceptions[3].owner: found nothing, expected a text"],
        };
        const lines = run(pack(PRIVILEGED, COVERED), resources, { exceptions, now: NOW });
        const [web, api] = resources.map(({ urn }) => urn);
        const uncovered = ["ingress", "egress"].map((way) => `no NetworkPolicy covers its ${way}`);
        assert.deepEqual(lines, [
            ...uncovered.map((message) => `${COVERED} on ${api}: ${message}`),
            `suppressed-resource on ${web}: ${PRIVILEGED}: container app: is privileged`,
            ...uncovered.map((message) => `suppressed-stack on ${web}: ${COVERED}: ${message}`),
            `${exceptionsRule.name} on undefined: exceptions[3].owner: found nothing, expected a text`,
            `${exceptionsRule.name} on undefined: ${PRIVILEGED} on api (CHG-1): covers no finding`,
        ]);
    });

    it("of the stack see what an unknown is made of", () => {
        const topic = resource(TOPIC, "topic", { tags: { severity: "P1", "response-minutes": "15" } });
        const subscription = {
            ...resource("aws:sns/topicSubscription:TopicSubscription", "mail", { topic: UNKNOWN_TEXT }),
            propertyDependencies: { topic: [topic] },
        };
        assert.deepEqual(run(pack(SEVERITY), [topic, subscription]), []);
        assert.deepEqual(run(pack(SEVERITY), [topic, { ...subscription, propertyDependencies: {} }]), [
            `undetermined-stack on topic: ${SEVERITY}: topic is known only after the update`,
        ]);
    });

    it("see timeouts in seconds, and 0 as none", () => {
        assert.deepEqual(run(pack(TIMEOUT), [deployment("web", {}, 300)]), []);
        assert.deepEqual(run(pack(TIMEOUT), [deployment("web", {}, 0)]), [
            `${TIMEOUT} on web: customTimeouts.create is not set, expected 300s`,
            `${TIMEOUT} on web: customTimeouts.update is not set, expected 300s`,
        ]);
    });

    it("judge at the time that is given, or else at that of the call", () => {
        const ending = (end: string) =>
            resource("kubernetes:networking.k8s.io/v1:Ingress", "way-in", {
                metadata: { annotations: { "mcp.msil.com/certificate-not-after": end } },
            });
        const found = (end: string, now?: Date) => run(pack(CERTIFICATE), [ending(end)], now && { now });
        assert.deepEqual(found("2026-12-05T12:00:00Z", new Date("2026-11-23T12:00:00Z")), [
            `${CERTIFICATE} on way-in: ends in 12 days (2026-12-05)`,
        ]);
        assert.deepEqual(found("2026-12-05T12:00:00Z", new Date("2026-10-23T12:00:00Z")), []);
        assert.equal(found(new Date(Date.now() + 60_000).toISOString()).length, 1);
        assert.equal(found(new Date(Date.now() + 31 * 24 * 60 * 60_000).toISOString()).length, 0);
    });

    it("know a trial on AWS by the tag that the provider adds, as the engine hands it over, and by nothing else", () => {
        const database = (tags?: object) => ({
            ...resource("aws:rds/instance:Instance", "database", {
                multiAz: false,
                tags: { "mcp:tier": "trial" },
            }),
            ...(tags && {
                provider: { props: unknownCheckingProxy({ defaultTags: JSON.stringify({ tags }) }) },
            }),
        });
        const found = [`${MULTI_AZ} on database: is in one zone only`];
        assert.deepEqual(run(pack(MULTI_AZ), [database()]), found);
        assert.deepEqual(run(pack(MULTI_AZ), [database({ environment: "staging" })]), found);
        assert.deepEqual(run(pack(MULTI_AZ), [database({ "mcp:tier": "production" })]), found);
        assert.deepEqual(run(pack(MULTI_AZ), [database({ "mcp:tier": "trial" })]), []);
    });

    it("never throw and never pass in silence where all is unknown", () => {
        const unknown = Object.entries(SOUND).map(([name, { type, props, from = {} }]) => ({
            ...resource(type, name, Object.fromEntries(Object.keys(props).map((key) => [key, UNKNOWN_TEXT]))),
            propertyDependencies: Object.fromEntries(
                Object.entries(from).map(([property, names]) => [property, names.map((urn) => ({ urn }))]),
            ),
        }));
        const lines = run(rules, unknown);
        assert.deepEqual(
            lines.filter((line) => !line.startsWith("undetermined-")),
            [],
        );
        for (const { name } of rules) {
            assert.ok(
                lines.some((line) => line.includes(`: ${name}: `)),
                name,
            );
        }
    });
});
