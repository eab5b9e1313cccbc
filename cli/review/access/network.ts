import {
    type AddressRange,
    cidrsOf,
    EVERYWHERE,
    METADATA_SERVICE,
    overlap,
    rangeOf,
    without,
} from "../../../core/addresses";
import { type RecordedResource, type Recording } from "../../../offline/record";
import { covers } from "../../../policies/selectors";
import { type Properties } from "../../../policies/unknown";
import { type AccessChange, type CompareAccess, inputsOf, lasting, NOT_KNOWN, sourcesOf } from "./grant";

/** Traffic that one rule allows. */
interface Flow {
    /** Subject: `pods of chat-ui`, `security group mcp-production-database`. */
    readonly subject: string;
    readonly direction: "in" | "out";
    /** Addresses, or a description; `ANYTHING` for all. */
    readonly peer: string | readonly AddressRange[];
    readonly protocol: string;
    readonly from: number;
    readonly to: number;
    /** A named port is compared by its name. */
    readonly named?: string;
}

const ANYTHING = "everything";
const ANY_PROTOCOL = "any protocol";
const MOST = 65_535;

/** Traffic that NetworkPolicies and security groups newly allow. */
export const compareNetwork: CompareAccess = (before, after) => {
    const [old, now] = [before, after].map((recording) => [
        ...podFlows(recording),
        ...groupFlows(recording),
    ]) as [Flow[], Flow[]];
    return [
        ...now.flatMap((flow) => beyond(flow, old, "gained")),
        ...old.flatMap((flow) => beyond(flow, now, "lost")),
    ];
};

/** The part of a flow that no other allows, as text. */
function beyond(flow: Flow, others: readonly Flow[], kind: "gained" | "lost"): AccessChange[] {
    const alike = others.filter((other) => includesPorts(other, flow));
    if (alike.some(({ peer }) => peer === ANYTHING || peer === flow.peer)) {
        return [];
    }
    const known = alike.flatMap(({ peer }) => (typeof peer === "string" ? [] : peer));
    const left = typeof flow.peer === "string" ? flow.peer : without(flow.peer, known);
    return left.length === 0 ? [] : [{ ...sentenceOf({ ...flow, peer: left }), kind }];
}

function includesPorts(other: Flow, flow: Flow): boolean {
    return (
        other.subject === flow.subject &&
        other.direction === flow.direction &&
        (other.protocol === flow.protocol || other.protocol === ANY_PROTOCOL) &&
        (other.named === flow.named ||
            (other.named === undefined && other.from === 0 && other.to === MOST)) &&
        other.from <= flow.from &&
        flow.to <= other.to
    );
}

function sentenceOf({ subject, direction, peer, protocol, from, to, named }: Flow) {
    const range = from === to ? String(from) : `${from} to ${to}`;
    const port = named ?? (from === 0 && to === MOST ? "every port" : range);
    const place = protocol === ANY_PROTOCOL ? port : `${protocol} ${port}`;
    const others = typeof peer === "string" ? peer : describeAddresses(peer);
    return direction === "out"
        ? { subject, may: `connect to ${others} on ${place}` }
        : { subject: others, may: `connect to ${subject} on ${place}` };
}

/** Maximum number of listed address blocks. */
const MOST_BLOCKS = 4;

function describeAddresses(ranges: readonly AddressRange[]): string {
    const isEverywhere = EVERYWHERE.some(({ family, from, to }) =>
        ranges.some((range) => range.family === family && range.from === from && range.to === to),
    );
    const blocks = ranges.flatMap(cidrsOf);
    const listed = blocks.slice(0, MOST_BLOCKS).join(", ");
    const more = blocks.length > MOST_BLOCKS ? ` and ${blocks.length - MOST_BLOCKS} more blocks` : "";
    const metadata = METADATA_SERVICE.some((service) => ranges.some((range) => overlap(range, service)));
    return [
        isEverywhere ? `every address (${listed}${more})` : `${listed}${more}`,
        ...(metadata ? ["the instance metadata service among them"] : []),
    ].join(", ");
}

/** Allowed traffic of a stack's pods by the NetworkPolicies that select them; without one, all. */
function podFlows({ resources }: Recording): Flow[] {
    const policies = resources
        .filter(({ type }) => /^kubernetes:networking\.k8s\.io\/.*:NetworkPolicy$/.test(type))
        .map((resource) => {
            const { metadata, spec } = inputsOf(resource);
            return { namespace: metadata?.namespace, spec: (spec ?? {}) as Properties };
        });
    const pods = resources.flatMap(podsOf);
    const unselected = policies.filter(
        (policy) =>
            !pods.some((pod) => policy.namespace === pod.namespace && selects(policy.spec, pod.labels)),
    );
    return [
        ...pods.flatMap((pod) => {
            const own = policies.filter(
                ({ namespace, spec }) => namespace === pod.namespace && selects(spec, pod.labels),
            );
            return flowsOf(
                `pods of ${pod.name}`,
                own.map(({ spec }) => spec),
            );
        }),
        // Pods outside this stack.
        ...unselected.flatMap(({ namespace, spec }) =>
            flowsOf(`${describeSelector(spec["podSelector"], "pods")} in ${namespace}`, [spec]),
        ),
    ];
}

function flowsOf(subject: string, policies: readonly Properties[]): Flow[] {
    return (["in", "out"] as const).flatMap((direction) => {
        const own = policies.filter((spec) => governs(spec, direction));
        const all = { subject, direction, protocol: ANY_PROTOCOL, from: 0, to: MOST };
        if (own.length === 0) {
            return [{ ...all, peer: ANYTHING }];
        }
        const [list, side] = direction === "in" ? ["ingress", "from"] : ["egress", "to"];
        return own
            .flatMap((spec) => (spec[list!] ?? []) as Properties[])
            .flatMap((rule) => {
                const peers: Flow["peer"][] =
                    (rule[side!] ?? []).length === 0 ? [ANYTHING] : rule[side!].map(peerOf);
                const ports: Properties[] = rule["ports"] ?? [];
                const places =
                    ports.length === 0
                        ? [all]
                        : ports.map(({ protocol = "TCP", port, endPort }) => ({
                              ...all,
                              protocol: String(protocol),
                              ...(typeof port === "number"
                                  ? { from: port, to: Number(endPort ?? port) }
                                  : port === undefined
                                    ? {}
                                    : { named: String(port) }),
                          }));
                return peers.flatMap((peer) => places.map((place): Flow => ({ ...place, peer })));
            });
    });
}

/** Kubernetes derives unset directions from the rules. */
function governs({ policyTypes, egress }: Properties, direction: Flow["direction"]): boolean {
    const types: string[] = policyTypes ?? (egress == null ? ["Ingress"] : ["Ingress", "Egress"]);
    return types.includes(direction === "in" ? "Ingress" : "Egress");
}

function selects({ podSelector }: Properties, labels: Properties): boolean {
    return covers(podSelector ?? {}, labels);
}

function peerOf({ ipBlock, podSelector, namespaceSelector }: Properties): Flow["peer"] {
    if (ipBlock !== undefined) {
        const range = rangeOf(String(ipBlock.cidr));
        const excepted = ((ipBlock.except ?? []) as string[]).flatMap((cidr) => rangeOf(cidr) ?? []);
        return range === undefined ? String(ipBlock.cidr) : without([range], excepted);
    }
    const pods = describeSelector(podSelector, "pods");
    return namespaceSelector === undefined
        ? pods
        : `${pods} in ${describeSelector(namespaceSelector, "namespaces")}`;
}

function describeSelector(selector: Properties | undefined, what: string): string {
    const labels = Object.entries(selector?.["matchLabels"] ?? {}).map(
        ([key, value]) => `${key}=${String(value)}`,
    );
    const expressions = ((selector?.["matchExpressions"] ?? []) as Properties[]).map((expression) =>
        JSON.stringify(expression),
    );
    const all = [...labels, ...expressions];
    return all.length === 0 ? `all ${what}` : `${what} with ${all.join(", ")}`;
}

/** The pods of a resource. */
export function podsOf(
    resource: RecordedResource,
): { name: string; namespace: string; labels: Properties; spec: Properties }[] {
    const [, kind] =
        /^kubernetes:(?:apps|batch|core)\/.*:(Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Pod)$/.exec(
            resource.type,
        ) ?? [];
    if (kind === undefined) {
        return [];
    }
    const { metadata, spec, ...rest } = inputsOf(resource);
    const template =
        kind === "Pod"
            ? { metadata, spec, ...rest }
            : kind === "CronJob"
              ? spec?.jobTemplate?.spec?.template
              : spec?.template;
    return [
        {
            name: lasting(resource.name),
            namespace: metadata?.namespace ?? "default",
            labels: template?.metadata?.labels ?? {},
            spec: template?.spec ?? {},
        },
    ];
}

/** Traffic that security groups allow, by separate and inline rules. */
function groupFlows({ resources }: Recording): Flow[] {
    return resources.flatMap((resource) => {
        const inputs = inputsOf(resource);
        const named = /^aws:(?:vpc|ec2)\/securityGroup(Ingress|Egress)?Rule:/.exec(resource.type);
        if (named !== null) {
            const direction = named[1] === "Egress" || inputs["type"] === "egress" ? "out" : "in";
            const group =
                sourcesOf(resource, "securityGroupId", /securityGroup:/)[0] ??
                String(inputs["securityGroupId"]);
            return groupRule(`security group ${group}`, direction, inputs, resource);
        }
        if (!/^aws:ec2\/(securityGroup|defaultSecurityGroup):/.test(resource.type)) {
            return [];
        }
        return (["ingress", "egress"] as const).flatMap((list) =>
            ((inputs[list] ?? []) as Properties[]).flatMap((rule) =>
                groupRule(
                    `security group ${resource.name}`,
                    list === "egress" ? "out" : "in",
                    rule,
                    resource,
                ),
            ),
        );
    });
}

function groupRule(
    subject: string,
    direction: Flow["direction"],
    rule: Properties,
    resource: RecordedResource,
): Flow[] {
    const protocol = String(rule["ipProtocol"] ?? rule["protocol"] ?? "-1");
    const isAny = protocol === "-1" || protocol === "all";
    const { fromPort = 0, toPort = MOST } = rule;
    const ports =
        isAny || fromPort === -1 ? { from: 0, to: MOST } : { from: Number(fromPort), to: Number(toPort) };
    const base = { subject, direction, protocol: isAny ? ANY_PROTOCOL : protocol.toUpperCase(), ...ports };
    const cidrs = [
        rule["cidrIpv4"],
        rule["cidrIpv6"],
        ...(rule["cidrBlocks"] ?? []),
        ...(rule["ipv6CidrBlocks"] ?? []),
    ];
    const groups = [
        rule["referencedSecurityGroupId"],
        rule["sourceSecurityGroupId"],
        rule["prefixListId"],
        ...(rule["securityGroups"] ?? []),
        ...(rule["prefixListIds"] ?? []),
    ];
    return [
        ...cidrs.filter(Boolean).map((cidr) => {
            const range = rangeOf(String(cidr));
            return { ...base, peer: range === undefined ? String(cidr) : [range] };
        }),
        ...groups.filter(Boolean).map((group) => ({ ...base, peer: describeGroup(String(group), resource) })),
        ...(rule["self"] === true ? [{ ...base, peer: "members of the group itself" }] : []),
    ];
}

/** A group as text; an unknown id by the resource it comes from. */
function describeGroup(id: string, resource: RecordedResource): string {
    if (id !== NOT_KNOWN) {
        return `members of ${id}`;
    }
    const sources = ["referencedSecurityGroupId", "sourceSecurityGroupId", "ingress", "egress"].flatMap(
        (property) => sourcesOf(resource, property, /./),
    );
    return `members of the security group of ${sources.join(", ")}`;
}
