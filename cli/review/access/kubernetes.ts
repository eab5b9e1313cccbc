import { REGISTRIES_ANNOTATION } from "../../../core/labels";
import { type RecordedResource, type Recording } from "../../../offline/record";
import { asList } from "../../../policies/statements";
import { type Properties } from "../../../policies/unknown";
import {
    type AccessChange,
    byText,
    type CompareAccess,
    type Grant,
    inputsOf,
    lasting,
    NOT_KNOWN,
    sourcesOf,
} from "./grant";
import { podsOf } from "./network";

const isKind = ({ type }: RecordedResource, kind: string) =>
    type.startsWith("kubernetes:") && type.endsWith(`:${kind}`);

/** One verb on one kind of object that RBAC allows a subject. */
interface Right {
    readonly subject: string;
    readonly verb: string;
    readonly resource: string;
    /** One object; `*` for all of the kind. */
    readonly object: string;
    readonly place: string;
}

/** What RBAC newly allows. */
export const compareRbac: CompareAccess = (before, after) => {
    const [old, now] = [before, after].map(rightsOf) as [Right[], Right[]];
    const beyond = (
        some: readonly Right[],
        others: readonly Right[],
        kind: "gained" | "lost",
    ): AccessChange[] => {
        const left = some.filter((one) => !others.some((other) => includes(other, one)));
        const bySentence = new Map<string, Right[]>();
        for (const right of left) {
            const key = [right.subject, right.resource, right.object, right.place].join(" ");
            bySentence.set(key, [...(bySentence.get(key) ?? []), right]);
        }
        return [...bySentence.values()].map(([first, ...rest]) => {
            const { subject, resource, object, place } = first!;
            const verbs = [...new Set([first!, ...rest].map(({ verb }) => verb))].join(", ");
            return {
                subject,
                may: `${verbs} ${resource}${object === "*" ? "" : ` ${object}`} ${place}`,
                kind,
            };
        });
    };
    return [...beyond(now, old, "gained"), ...beyond(old, now, "lost")];
};

function includes(other: Right, one: Right): boolean {
    return (
        other.subject === one.subject &&
        (["verb", "resource", "object"] as const).every(
            (part) => other[part] === "*" || other[part] === one[part],
        ) &&
        (other.place === "in every namespace" || other.place === one.place)
    );
}

function rightsOf({ resources }: Recording): Right[] {
    const roles = new Map<string, Properties[]>(
        resources
            .filter((resource) => isKind(resource, "Role") || isKind(resource, "ClusterRole"))
            .filter(({ type }) => type.includes("rbac.authorization"))
            .map((resource) => {
                const { metadata, rules } = inputsOf(resource);
                const kind = resource.type.split(":").at(-1)!;
                return [`${kind} ${metadata?.name ?? resource.name}`, (rules ?? []) as Properties[]] as const;
            }),
    );
    return resources.flatMap((resource) => {
        const isWide = isKind(resource, "ClusterRoleBinding");
        if (!isWide && !isKind(resource, "RoleBinding")) {
            return [];
        }
        const { metadata, roleRef, subjects } = inputsOf(resource);
        const place = isWide ? "in every namespace" : `in namespace ${metadata?.namespace}`;
        const names = (asList(subjects) as Properties[]).map(({ kind, name, namespace }) =>
            kind === "ServiceAccount"
                ? `ServiceAccount ${namespace ?? metadata?.namespace}/${name}`
                : `${kind} ${name}`,
        );
        const role = `${roleRef?.kind} ${roleRef?.name}`;
        const rights = roles.get(role)?.flatMap(rightsOfRule) ?? [
            { verb: "do what", resource: `${role} allows`, object: "*" },
        ];
        return names.flatMap((subject) => rights.map((right) => ({ subject, place, ...right })));
    });
}

function rightsOfRule({ apiGroups, resources, verbs, resourceNames, nonResourceURLs }: Properties) {
    const groups = asList(apiGroups).map(String);
    const kinds = [
        ...asList(resources).flatMap((resource) =>
            (groups.length === 0 ? [""] : groups).map((group) =>
                resource === "*" && group === "*"
                    ? "*"
                    : `${String(resource)}${group === "" ? "" : `.${group}`}`,
            ),
        ),
        ...asList(nonResourceURLs).map(String),
    ];
    const objects = asList(resourceNames).length === 0 ? ["*"] : asList(resourceNames).map(String);
    return asList(verbs).flatMap((verb) =>
        kinds.flatMap((resource) => objects.map((object) => ({ verb: String(verb), resource, object }))),
    );
}

/** Secrets that pods read, their ServiceAccounts, what they share with the node, and their entry points. */
export const compareCluster: CompareAccess = byText(({ resources }) => {
    const secrets = new Map(
        resources
            .filter((resource) => isKind(resource, "Secret"))
            .map((resource) => [String(inputsOf(resource)["metadata"]?.name), resource.name]),
    );
    return resources.flatMap((resource) => [
        ...podsOf(resource).flatMap((pod) => podGrants(pod, resource, secrets)),
        ...wayGrants(resource),
        ...registryGrants(resource),
        ...hostGrants(resource),
        ...roleGrants(resource),
    ]);
});

function podGrants(
    { name, spec, namespace }: ReturnType<typeof podsOf>[number],
    resource: RecordedResource,
    secrets: ReadonlyMap<string, string>,
): Grant[] {
    const subject = `pods of ${name}`;
    const volumes = asList(spec["volumes"]) as Properties[];
    const containers = [...asList(spec["initContainers"]), ...asList(spec["containers"])] as Properties[];
    const mounted = volumes.flatMap(({ secret, projected }) => [
        secret?.secretName,
        ...(asList(projected?.sources) as Properties[]).map((source) => source["secret"]?.name),
    ]);
    const inEnvironment = containers.flatMap(({ env, envFrom }) => [
        ...(asList(env) as Properties[]).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
        ...(asList(envFrom) as Properties[]).map(({ secretRef }) => secretRef?.name),
    ]);
    const named = [...mounted, ...inEnvironment].filter((each) => each !== undefined).map(String);
    const read = [
        ...named.filter((each) => each !== NOT_KNOWN).map((each) => secrets.get(each) ?? each),
        ...(named.includes(NOT_KNOWN) ? sourcesOf(resource, "spec", /^kubernetes:core\/v1:Secret$/) : []),
    ];
    const token = (asList(volumes) as Properties[]).some(({ projected }) =>
        (asList(projected?.sources) as Properties[]).some(
            ({ serviceAccountToken }) => serviceAccountToken != null,
        ),
    );
    const onNode = [
        ...["hostNetwork", "hostPID", "hostIPC"].filter((key) => spec[key] === true),
        ...volumes.flatMap(({ hostPath }) => (hostPath === undefined ? [] : [`hostPath ${hostPath.path}`])),
        ...containers.flatMap(({ securityContext }) => [
            ...(securityContext?.privileged === true ? ["privileged"] : []),
            ...asList(securityContext?.capabilities?.add).map(
                (capability) => `capability ${String(capability)}`,
            ),
        ]),
    ];
    return [
        ...[...new Set(read)].map((secret) => ({ subject, may: `read Secret ${lasting(secret)}` })),
        ...[...new Set(onNode)].map((what) => ({ subject, may: `use the node (${what})` })),
        {
            subject,
            may: `act as ServiceAccount ${namespace}/${spec["serviceAccountName"] ?? "default"}`,
        },
        ...(spec["automountServiceAccountToken"] !== false || token
            ? [{ subject, may: "call the Kubernetes API with a token" }]
            : []),
    ];
}

/** Hosts in the configuration of pods. */
function hostGrants(resource: RecordedResource): Grant[] {
    if (!isKind(resource, "ConfigMap")) {
        return [];
    }
    const values = Object.values((inputsOf(resource)["data"] ?? {}) as Record<string, unknown>);
    return values.flatMap((value) => {
        const [, host] = /^[a-z][a-z+.-]*:\/\/(?:[^/@\s]*@)?([^/:\s?#]+)\S*$/i.exec(String(value)) ?? [];
        return host === undefined
            ? []
            : [{ subject: `pods with ConfigMap ${lasting(resource.name)}`, may: `be led to ${host}` }];
    });
}

/** AWS roles that a ServiceAccount names itself, in addition to Pod Identity. */
function roleGrants(resource: RecordedResource): Grant[] {
    const { metadata } = inputsOf(resource);
    const role: unknown = metadata?.annotations?.["eks.amazonaws.com/role-arn"];
    return isKind(resource, "ServiceAccount") && role !== undefined
        ? [
              {
                  subject: `pods of ServiceAccount ${metadata?.namespace}/${metadata?.name}`,
                  may: `act as ${String(role)}`,
              },
          ]
        : [];
}

/** Registries whose images the policies allow. */
function registryGrants(resource: RecordedResource): Grant[] {
    if (!isKind(resource, "Namespace")) {
        return [];
    }
    const { metadata } = inputsOf(resource);
    const registries = String(metadata?.annotations?.[REGISTRIES_ANNOTATION] ?? "").split(",");
    return registries
        .filter((registry) => registry !== "")
        .map((registry) => ({ subject: `images of ${registry}`, may: `run in namespace ${metadata?.name}` }));
}

/** Entry points of the cluster: Ingresses with annotations, and Services that are reachable from outside. */
function wayGrants(resource: RecordedResource): Grant[] {
    const { metadata, spec } = inputsOf(resource);
    if (isKind(resource, "Service")) {
        const { type = "ClusterIP", externalIPs, externalName } = spec ?? {};
        const outside = [
            ...(type === "NodePort" || type === "LoadBalancer" ? [`its ${type}`] : []),
            ...asList(externalIPs).map((address) => `address ${String(address)}`),
            ...(externalName === undefined ? [] : [`name ${externalName}`]),
        ];
        // The colour identifies the release, which is reported separately.
        const pods = Object.entries((spec?.selector ?? {}) as Record<string, string>)
            .filter(([key]) => key !== "version")
            .map(([key, value]) => `${key}=${value}`);
        const led = {
            subject: `clients of Service ${resource.name}`,
            may: `reach pods with ${pods.sort().join(", ")}`,
        };
        const ways = outside.map((way) => ({
            subject: "whoever reaches the nodes",
            may: `reach Service ${resource.name} by ${way}`,
        }));
        return [led, ...ways];
    }
    if (!isKind(resource, "Ingress")) {
        return [];
    }
    const annotations = Object.entries((metadata?.annotations ?? {}) as Record<string, string>).filter(
        ([key]) => !/(^|\.)(mcp\.msil|pulumi)\.com\//.test(key) && !OWN_ANNOTATIONS.test(key),
    );
    const subject = `clients of Ingress ${resource.name}`;
    return [
        ...(asList(spec?.rules) as Properties[]).flatMap(({ host = "*", http }) =>
            (asList(http?.paths) as Properties[]).map(({ path = "/", backend }) => ({
                subject,
                may: `reach ${backend?.service?.name ?? "another backend"} at ${host}${path}`,
            })),
        ),
        ...(spec?.defaultBackend === undefined
            ? []
            : [{ subject, may: `reach ${spec.defaultBackend.service?.name} at every other host` }]),
        ...annotations.map(([key, value]) => ({ subject, may: `do what ${key}: ${value} makes of it` })),
        ...(spec?.ingressClassName === undefined
            ? []
            : [{ subject: `clients of ${spec.ingressClassName}`, may: `reach Ingress ${resource.name}` }]),
    ];
}

/** Annotations that open nothing. */
const OWN_ANNOTATIONS =
    /^alb\.ingress\.kubernetes\.io\/(tags|load-balancer-name|healthcheck-|success-codes|target-type)/;
