import { readFileSync } from "node:fs";
import { isRecord } from "../../config/requiredInputs";
import { immutableInputs, replaces } from "../../offline/forceNew";
import { isObject, type Property, Secret } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { UsageError } from "../../offline/stackFile";
import { describeDifference, describeFound, type Difference, differences } from "./difference";
import { shellQuoted } from "../shell";
import { type Blocker, type Match } from "./problems";

/** An object as `kubectl get -o json` prints it. */
export interface KubernetesObject {
    apiVersion: string;
    kind: string;
    metadata: {
        name: string;
        namespace?: string;
        labels?: Record<string, string>;
        annotations?: Record<string, string>;
        ownerReferences?: unknown[];
        managedFields?: FieldsEntry[];
    };
    spec?: unknown;
    [key: string]: unknown;
}

/** Who set which fields of an object. */
interface FieldsEntry {
    manager?: string;
    operation?: string;
    subresource?: string;
    fieldsV1?: Record<string, unknown>;
}

/** How the objects are listed: what the messages name. */
const COMMAND = "kubectl get --show-managed-fields --output json";

/**
 * Objects of files that `kubectl get` has written.
 *
 * @param namespaces Namespaces that the stack declares, its own first.
 * @throws UsageError with every fault: no JSON, no List, no managed fields, an object twice, objects of other namespaces, no
 *     namespace of the stack.
 */
export function readObjects(files: readonly string[], namespaces: readonly string[]): KubernetesObject[] {
    const problems: string[] = [];
    const objects = new Map<string, KubernetesObject>();
    for (const file of files) {
        for (const [index, item] of itemsOf(file, problems).entries()) {
            const at = `--kubernetes: ${file}: items[${index}]`;
            if (!isKubernetesObject(item)) {
                problems.push(
                    `${at}: found ${describeFound(item)}, expected an object with kind and metadata.name`,
                );
                continue;
            }
            const key = keyOf(item);
            const { namespace } = item.metadata;
            if (namespace !== undefined && !namespaces.includes(namespace)) {
                problems.push(`${at}: found the namespace ${namespace}, expected ${namespaces.join(" or ")}`);
            } else if (objects.has(key)) {
                problems.push(`${at}: found ${subjectOf(item)} a second time, expected each object once`);
            }
            objects.set(key, item);
        }
    }
    // An object without fields, such as the service account default, has none.
    if (
        objects.size > 0 &&
        [...objects.values()].every(({ metadata }) => metadata.managedFields === undefined)
    ) {
        problems.push(`--kubernetes: found no metadata.managedFields, expected the output of ${COMMAND}`);
    }
    const own = namespaces[0]!;
    if (
        problems.length === 0 &&
        !objects.has(keyOf({ kind: "Namespace", apiVersion: "v1", metadata: { name: own } }))
    ) {
        problems.push(
            `--kubernetes: found no Namespace ${own}, expected the objects of the stack's own cluster`,
        );
    }
    if (problems.length > 0) {
        const shown = problems.slice(0, MOST_PROBLEMS);
        const more = problems.length - shown.length;
        throw new UsageError([...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"));
    }
    return [...objects.values()];
}

const MOST_PROBLEMS = 20;

function itemsOf(file: string, problems: string[]): unknown[] {
    const list = readJson("--kubernetes", file);
    if (!isRecord(list) || list["kind"] !== "List" || !Array.isArray(list["items"])) {
        const found =
            isRecord(list) && typeof list["kind"] === "string"
                ? `the kind ${list["kind"]}`
                : describeFound(list);
        problems.push(`--kubernetes: ${file}: found ${found}, expected the List of ${COMMAND}`);
        return [];
    }
    return list["items"];
}

/** @throws UsageError for a file that is not there, and for what is no JSON; it quotes nothing of the file. */
export function readJson(option: string, file: string): unknown {
    let text: string;
    try {
        text = readFileSync(file, "utf8");
    } catch (error) {
        throw new UsageError(`${option}: cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
    }
    try {
        return JSON.parse(text);
    } catch {
        throw new UsageError(
            `${option}: ${file}: found no JSON, expected the output that docs/adopting.md names`,
        );
    }
}

function isKubernetesObject(item: unknown): item is KubernetesObject {
    return (
        isRecord(item) &&
        typeof item["kind"] === "string" &&
        typeof item["apiVersion"] === "string" &&
        isRecord(item["metadata"]) &&
        typeof item["metadata"]["name"] === "string"
    );
}

/** What an object is known by in its cluster, whatever version of its group it is read in. */
function keyOf({
    apiVersion,
    kind,
    metadata: { name, namespace = "" },
}: Pick<KubernetesObject, "kind" | "apiVersion"> & {
    metadata: { name: string; namespace?: string };
}): string {
    const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
    return [group, kind, namespace, name].join("/");
}

const subjectOf = ({ kind, metadata: { name } }: KubernetesObject): string => `${kind} ${name}`;

/** What of the cluster's objects the stack declares, and what is in the way. */
export interface KubernetesAdoption {
    matches: Match[];
    blockers: Blocker[];
    /** Objects that no resource declares: they stay. */
    undeclared: string[];
}

/** Finds the objects that a stack declares. */
export function adoptObjects(recording: Recording, objects: readonly KubernetesObject[]): KubernetesAdoption {
    const left = new Map(objects.map((object) => [keyOf(object), object]));
    const matches: Match[] = [];
    const blockers: Blocker[] = [];
    for (const resource of recording.resources) {
        const key = declaredKey(resource);
        const object = key === undefined ? undefined : left.get(key);
        if (key === undefined || object === undefined) {
            continue;
        }
        left.delete(key);
        const found = distinct([
            ...differencesOf(resource, object),
            ...removals(resource.inputs, object, isTakenOver),
            ...immutableRemovals(resource, object),
        ]);
        const inTheWay = [
            ...immutableBlockers(resource, object, found),
            ...ownerBlockers(resource.inputs, object),
            ...lastAppliedBlockers(object),
            ...replicasBlockers(resource.inputs, object),
            ...serviceBlockers(resource.inputs, object, objects),
        ];
        blockers.push(...inTheWay);
        const { name, namespace } = object.metadata;
        matches.push({
            urn: resource.urn,
            type: resource.type,
            id: namespace === undefined ? name : `${namespace}/${name}`,
            subject: subjectOf(object),
            changes: found.map(({ path }) => path),
        });
    }
    const undeclared = [...left.values()].filter((object) => !isMadeByCluster(object)).map(subjectOf);
    return { matches, blockers, undeclared: undeclared.sort() };
}

function declaredKey({ type, inputs, read }: RecordedResource): string | undefined {
    const { apiVersion, kind, metadata } = inputs;
    if (!type.startsWith("kubernetes:") || read || !isObject(metadata)) {
        return undefined;
    }
    const { name, namespace } = metadata;
    return typeof apiVersion === "string" && typeof kind === "string" && typeof name === "string"
        ? keyOf({ apiVersion, kind, metadata: { name, ...(typeof namespace === "string" && { namespace }) } })
        : undefined;
}

/** What the cluster itself keeps in every namespace, and what belongs to an object that does not say so. */
function isMadeByCluster({ kind, metadata, ...object }: KubernetesObject): boolean {
    return (
        metadata.ownerReferences !== undefined ||
        metadata.namespace === undefined ||
        (kind === "ConfigMap" && metadata.name === "kube-root-ca.crt") ||
        (kind === "ServiceAccount" && metadata.name === "default") ||
        (kind === "Secret" && object["type"] === "kubernetes.io/service-account-token")
    );
}

/** What is compared beside the labels and annotations: the rest identifies the object, or is not the program's. */
const NOT_COMPARED = ["apiVersion", "kind", "metadata", "status", "stringData"];

/** Values of a Secret are not compared: its type and its keys are. */
function differencesOf({ inputs, options }: RecordedResource, object: KubernetesObject): Difference[] {
    const isIgnored = ignoredBy(options);
    const { metadata, stringData } = inputs;
    const { labels, annotations } = object.metadata;
    const data = isRecord(object["data"]) ? object["data"] : {};
    const keys = keysOf(stringData).filter((key) => !(key in data));
    // The values may be the same: they are not looked at.
    const values =
        stringData === undefined ? [] : [{ path: "data", found: "a secret", expected: "a secret" }];
    return [
        ...(isObject(metadata)
            ? [
                  ...differences(metadata["labels"], labels, "metadata.labels"),
                  ...differences(metadata["annotations"], annotations, "metadata.annotations"),
              ]
            : []),
        ...Object.entries(inputs)
            .filter(([key]) => !NOT_COMPARED.includes(key))
            .flatMap(([key, value]) => differences(value, object[key], key)),
        ...values,
        ...keys.map((key) => ({ path: `data.${key}`, found: undefined, expected: "a value" })),
    ].filter((each) => !isIgnored(each));
}

function ignoredBy({ ignoreChanges = [] }: RecordedResource["options"]): (difference: Difference) => boolean {
    return ({ path }) => ignoreChanges.some((each) => path === each || path.startsWith(`${each}.`));
}

function keysOf(secret: Property | undefined): string[] {
    const value = secret instanceof Secret ? secret.value : secret;
    return isObject(value) ? Object.keys(value) : [];
}

/* Owners. An update applies what is declared; a field that is not declared goes only where the provider owns it. It takes over
 * what kubectl has set, and nothing of other tools. */

const isTakenOver = ({ manager = "" }: FieldsEntry): boolean =>
    /^(kubectl|before-first-apply|pulumi-)/.test(manager);

/** Parts of the cluster that set fields of objects that others declare. */
const isController = ({ manager = "", subresource = "" }: FieldsEntry): boolean =>
    subresource !== "" || /^(kube-|kubelet$|cloud-controller-manager$|controller$)/.test(manager);

/** Fields that owners of a kind have set, that the program does not declare, and that are no defaults of the API. */
function removals(
    inputs: RecordedResource["inputs"],
    object: KubernetesObject,
    isOwner: (entry: FieldsEntry) => boolean,
): Difference[] {
    const paths = (object.metadata.managedFields ?? [])
        .filter((entry) => isOwner(entry) && (entry.subresource ?? "") === "")
        .flatMap(({ fieldsV1 = {} }) => {
            const fields = Object.entries(fieldsV1).filter(
                ([key]) => !["f:metadata", "f:status"].includes(key),
            );
            // The API keeps the text of stringData as data.
            const { stringData } = inputs;
            const declared: RecordedResource["inputs"] =
                stringData === undefined ? inputs : { ...inputs, data: stringData };
            return undeclaredFields(Object.fromEntries(fields), declared, object, "");
        });
    return distinct(paths);
}

/** One difference for each path. */
function distinct(found: readonly Difference[]): Difference[] {
    return [...new Map(found.map((each) => [each.path, each])).values()];
}

/**
 * What exists of a property that cannot change, and is not declared. An import makes it an input, also where the API has set it:
 * without it, the update would replace the object.
 */
function immutableRemovals(
    { type, inputs, options }: RecordedResource,
    object: KubernetesObject,
): Difference[] {
    const isIgnored = ignoredBy(options);
    return immutableInputs(type)
        .flatMap((path) => {
            const keys = path.split(".");
            const declared = keys.reduce<Property | undefined>(
                (at, key) => (isObject(at) ? at[key] : undefined),
                inputs,
            );
            const live = keys.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), object);
            return undeclaredValues(declared, live, path);
        })
        .filter((each) => !isIgnored(each));
}

function undeclaredValues(declared: Property | undefined, live: unknown, path: string): Difference[] {
    if (live === undefined) {
        return [];
    }
    if (declared === undefined) {
        return [{ path, found: live, expected: undefined }];
    }
    return isObject(declared) && isRecord(live)
        ? Object.entries(live).flatMap(([key, value]) =>
              undeclaredValues(declared[key], value, `${path}.${key}`),
          )
        : [];
}

function undeclaredFields(
    fields: Record<string, unknown>,
    declared: Property | undefined,
    live: unknown,
    path: string,
): Difference[] {
    if (declared instanceof Secret) {
        return undeclaredFields(fields, declared.value, live, path);
    }
    return Object.entries(fields).flatMap(([field, inner]) => {
        const [, kind, text] = /^([fk]):(.*)$/s.exec(field) ?? [];
        if (kind === undefined || text === undefined || !isRecord(inner)) {
            return [];
        }
        const next = kind === "f" ? memberOf(declared, live, text, path) : itemOf(declared, live, text, path);
        if (next === undefined) {
            return [];
        }
        if (next.declared === undefined) {
            return isDefault(text, next.live)
                ? []
                : [{ path: next.path, found: next.live, expected: undefined }];
        }
        return undeclaredFields(inner, next.declared, next.live, next.path);
    });
}

interface Place {
    declared: Property | undefined;
    live: unknown;
    path: string;
}

function memberOf(
    declared: Property | undefined,
    live: unknown,
    name: string,
    path: string,
): Place | undefined {
    // What is unknown may have any member.
    if (!isObject(declared)) {
        return undefined;
    }
    return {
        declared: declared[name],
        live: isRecord(live) ? live[name] : undefined,
        path: path === "" ? name : `${path}.${name}`,
    };
}

function itemOf(
    declared: Property | undefined,
    live: unknown,
    text: string,
    path: string,
): Place | undefined {
    if (!Array.isArray(declared)) {
        return undefined;
    }
    const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
    const isIt = (item: unknown) =>
        isRecord(item) &&
        keys.every(
            ([key, value]) => String(item[key] ?? (key === "protocol" ? "TCP" : "")) === String(value),
        );
    return {
        declared: (declared as readonly Property[]).find(isIt),
        live: Array.isArray(live) ? live.find(isIt) : undefined,
        path: `${path}[${keys
            .filter(([key]) => key !== "protocol")
            .map(([, value]) => String(value))
            .join(",")}]`,
    };
}

/** What the API puts in the place of what is left out: without the field, it is the same. */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
    allocateLoadBalancerNodePorts: [true],
    completionMode: ["NonIndexed"],
    defaultMode: [420],
    dnsPolicy: ["ClusterFirst"],
    failureThreshold: [3],
    imagePullPolicy: ["IfNotPresent", "Always"],
    internalTrafficPolicy: ["Cluster"],
    ipFamilies: [],
    ipFamilyPolicy: ["SingleStack"],
    initialDelaySeconds: [0],
    pathType: ["ImplementationSpecific"],
    periodSeconds: [10],
    progressDeadlineSeconds: [600],
    protocol: ["TCP"],
    replicas: [],
    restartPolicy: ["Always"],
    revisionHistoryLimit: [10],
    scheme: ["HTTP"],
    schedulerName: ["default-scheduler"],
    serviceAccount: [],
    sessionAffinity: ["None"],
    successThreshold: [1],
    terminationGracePeriodSeconds: [30],
    terminationMessagePath: ["/dev/termination-log"],
    terminationMessagePolicy: ["File"],
    timeoutSeconds: [1],
    type: ["ClusterIP", "RollingUpdate", "Opaque"],
};

function isDefault(name: string, value: unknown): boolean {
    const known = Object.hasOwn(DEFAULTS, name) ? DEFAULTS[name]! : undefined;
    return (
        known?.length === 0 ||
        known?.includes(value) === true ||
        (isRecord(value) && Object.entries(value).every(([key, inner]) => isDefault(key, inner)))
    );
}

/** The command that names the fields of another tool's as kubectl's, which the provider takes over. */
function ownerBlockers(inputs: RecordedResource["inputs"], object: KubernetesObject): Blocker[] {
    return (object.metadata.managedFields ?? []).flatMap((entry, index) => {
        const others = (each: FieldsEntry) => each === entry;
        if (isTakenOver(entry) || isController(entry)) {
            return [];
        }
        const kept = removals(inputs, object, others).map(({ path }) => path);
        if (kept.length === 0) {
            return [];
        }
        const path = `/metadata/managedFields/${index}/manager`;
        const patch = [
            { op: "test", path, value: entry.manager },
            { op: "replace", path, value: "kubectl" },
        ];
        return [
            {
                subject: subjectOf(object),
                reason:
                    `${entry.manager} owns ${kept.join(", ")}, which the program does not declare: ` +
                    "an update would leave it there",
                remedy: [
                    `kubectl ${onObject("patch", object)} --type json --patch ${shellQuoted(JSON.stringify(patch))}`,
                ],
            },
        ];
    });
}

/** What `kubectl apply` was given last, with the values of a Secret. The provider knows those of `data` as secrets alone. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function lastAppliedBlockers(object: KubernetesObject): Blocker[] {
    const { annotations = {} } = object.metadata;
    return object.kind !== "Secret" || !(LAST_APPLIED in annotations)
        ? []
        : [
              {
                  subject: subjectOf(object),
                  reason: `its annotation ${LAST_APPLIED} repeats its values, which the import would write to the state as they are`,
                  remedy: [`kubectl ${onObject("annotate", object)} ${LAST_APPLIED}-`],
              },
          ];
}

/** Words of a command of kubectl on an object. */
function onObject(verb: string, { kind, metadata: { name, namespace } }: KubernetesObject): string {
    const inNamespace = namespace === undefined ? "" : ` --namespace ${namespace}`;
    return `${verb} ${kind.toLowerCase()} ${name}${inNamespace}`;
}

function immutableBlockers(
    resource: RecordedResource,
    object: KubernetesObject,
    found: readonly Difference[],
): Blocker[] {
    const forced = found.filter(({ path }) => replaces(resource, path));
    if (forced.length === 0) {
        return [];
    }
    const labels = selectorOf(resource.inputs);
    return [
        {
            subject: subjectOf(object),
            reason: `it would be replaced, because these cannot change: ${forced.map(describeDifference).join("; ")}`,
            remedy:
                object.kind !== "Deployment" || labels === undefined
                    ? [
                          `kubectl ${onObject("delete", object)}, where nothing needs it; the first update makes it again`,
                      ]
                    : hasLabels(object, labels)
                      ? withSelector(object, labels)
                      : [
                            labelPods(object, labels),
                            "Then list and compare again: a Deployment of another selector takes these pods over.",
                        ],
        },
    ];
}

/** Labels by which a Deployment is declared to select its pods. */
function selectorOf({ spec }: RecordedResource["inputs"]): Record<string, string> | undefined {
    const selector = isObject(spec) ? spec["selector"] : undefined;
    const labels = isObject(selector) ? selector["matchLabels"] : undefined;
    return isObject(labels) ? (labels as Record<string, string>) : undefined;
}

function hasLabels(deployment: KubernetesObject, labels: Readonly<Record<string, string>>): boolean {
    const own = podOf(deployment).labels;
    return Object.entries(labels).every(([key, value]) => own[key] === value);
}

function labelPods(deployment: KubernetesObject, labels: Readonly<Record<string, string>>): string {
    const patch = JSON.stringify({ spec: { template: { metadata: { labels } } } });
    return `kubectl ${onObject("patch", deployment)} --patch ${shellQuoted(patch)}`;
}

/** Makes a Deployment again with another selector. The pods stay, because the new one takes over their ReplicaSet. */
function withSelector(deployment: KubernetesObject, labels: Readonly<Record<string, string>>): string[] {
    const { name } = deployment.metadata;
    const edit = [
        `.spec.selector.matchLabels = ${JSON.stringify(labels)}`,
        "del(.metadata.uid, .metadata.resourceVersion, .metadata.managedFields, .status)",
    ].join(" | ");
    return [
        `kubectl ${onObject("get", deployment)} --output json | jq ${shellQuoted(edit)} > ${name}.json`,
        `kubectl ${onObject("delete", deployment)} --cascade orphan && kubectl create --filename ${name}.json`,
    ];
}

/** Without a declared number, the update gives up the one that kubectl set, and one pod is left until the autoscaler acts. */
function replicasBlockers(inputs: RecordedResource["inputs"], object: KubernetesObject): Blocker[] {
    const { spec } = object;
    const replicas = isRecord(spec) ? spec["replicas"] : undefined;
    const declared = inputs["spec"];
    if (object.kind !== "Deployment" || typeof replicas !== "number" || replicas <= 1) {
        return [];
    }
    const owners = (object.metadata.managedFields ?? []).filter(({ fieldsV1 }) => {
        const fields = fieldsV1?.["f:spec"];
        return isRecord(fields) && "f:replicas" in fields;
    });
    const isScaled = owners.some((entry) => !isTakenOver(entry) || entry.subresource === "scale");
    return isScaled || (isObject(declared) && "replicas" in declared)
        ? []
        : [
              {
                  subject: subjectOf(object),
                  reason: `an update would leave 1 of its ${replicas} pods, because spec.replicas was never scaled`,
                  remedy: [`kubectl ${onObject("scale", object)} --replicas ${replicas + 1}`],
              },
          ];
}

/** What would take requests away from pods before those of the program have the traffic. */
function serviceBlockers(
    inputs: RecordedResource["inputs"],
    object: KubernetesObject,
    objects: readonly KubernetesObject[],
): Blocker[] {
    const { spec } = object;
    const declared = inputs["spec"];
    if (object.kind !== "Service" || !isRecord(spec) || !isObject(declared)) {
        return [];
    }
    const subject = subjectOf(object);
    const blockers: Blocker[] = [];
    if (spec["type"] !== "ClusterIP" && spec["type"] !== undefined) {
        blockers.push({
            subject,
            reason: `spec.type is ${describeFound(spec["type"])}, and the update would close that way in`,
            remedy: [
                "Move its clients to the Ingress, and then:",
                `kubectl ${onObject("patch", object)} --patch '{"spec":{"type":"ClusterIP"}}'`,
            ],
        });
    } else if (spec["clusterIP"] === "None" && declared["clusterIP"] !== "None") {
        blockers.push({
            subject,
            reason: "it is headless, which cannot change",
            remedy: [
                `kubectl ${onObject("delete", object)}, where nothing needs it; the first update makes it again`,
            ],
        });
    }
    const selector = declared["selector"];
    const app = isObject(selector) ? selector["app"] : undefined;
    const port = portOf(declared);
    const behind = podsBehind(object, objects);
    for (const deployment of behind) {
        const { labels, ports } = podOf(deployment);
        if (typeof app === "string" && labels["app"] !== app) {
            blockers.push({
                subject: subjectOf(deployment),
                reason: `its pods have the label app: ${labels["app"] ?? "none"}, expected ${app}: the NetworkPolicies of the first update would cut them off`,
                remedy: [labelPods(deployment, { app })],
            });
        }
        const target = targetOf(object, ports);
        if (port !== undefined && target !== undefined && target !== port) {
            blockers.push({
                subject: subjectOf(deployment),
                reason: `its pods listen on port ${target}, expected ${port}: the NetworkPolicies of the first update would cut them off`,
                remedy: [
                    `mcp:workloads.${typeof app === "string" ? app : object.metadata.name}.port: ${target}`,
                ],
            });
        }
    }
    const others = isObject(selector) ? extraKeys(spec["selector"], selector) : [];
    if (others.length > 0 && isObject(selector) && !("version" in selector)) {
        const labels = selector as Record<string, string>;
        const patch = [{ op: "replace", path: "/spec/selector", value: labels }];
        blockers.push({
            subject,
            reason: `it selects by ${others.join(" and ")}, too, which the pods of the first update do not have`,
            remedy: behind.every((deployment) => hasLabels(deployment, labels))
                ? [
                      `kubectl ${onObject("patch", object)} --type json --patch ${shellQuoted(JSON.stringify(patch))}`,
                  ]
                : ["Give its pods the label app, as this list says, then list and compare again"],
        });
    }
    return blockers;
}

function extraKeys(live: unknown, declared: Readonly<Record<string, Property>>): string[] {
    return isRecord(live) ? Object.keys(live).filter((key) => !(key in declared)) : [];
}

/** Number of the port that a Service is declared with. */
function portOf(spec: { readonly [key: string]: Property }): number | undefined {
    const { ports } = spec;
    const [first] = Array.isArray(ports) ? (ports as readonly Property[]) : [];
    return isObject(first) && typeof first["port"] === "number" ? first["port"] : undefined;
}

/** Port of the pods that a Service leads to. */
function targetOf({ spec }: KubernetesObject, named: Readonly<Record<string, number>>): number | undefined {
    const ports = isRecord(spec) && Array.isArray(spec["ports"]) ? (spec["ports"] as unknown[]) : [];
    const [first] = ports;
    if (!isRecord(first)) {
        return undefined;
    }
    const target = first["targetPort"] ?? first["port"];
    return typeof target === "string" ? named[target] : typeof target === "number" ? target : undefined;
}

/** Deployments whose pods a Service selects. */
export function podsBehind(
    { spec, metadata: { namespace } }: KubernetesObject,
    objects: readonly KubernetesObject[],
): KubernetesObject[] {
    const selector = isRecord(spec) && isRecord(spec["selector"]) ? Object.entries(spec["selector"]) : [];
    return objects.filter(
        (object) =>
            object.kind === "Deployment" &&
            object.metadata.namespace === namespace &&
            selector.length > 0 &&
            selector.every(([key, value]) => podOf(object).labels[key] === value),
    );
}

/** Labels, named ports and images of a Deployment's pods. */
export function podOf({ spec }: KubernetesObject): {
    labels: Record<string, string>;
    ports: Record<string, number>;
    containers: { name: string; image: string }[];
} {
    const template = isRecord(spec) && isRecord(spec["template"]) ? spec["template"] : {};
    const metadata = isRecord(template["metadata"]) ? template["metadata"] : {};
    const pod = isRecord(template["spec"]) ? template["spec"] : {};
    const containers = Array.isArray(pod["containers"]) ? pod["containers"].filter(isRecord) : [];
    const ports = containers.flatMap(({ ports: some }) => (Array.isArray(some) ? some.filter(isRecord) : []));
    return {
        labels: (isRecord(metadata["labels"]) ? metadata["labels"] : {}) as Record<string, string>,
        ports: Object.fromEntries(
            ports.map(({ name, containerPort }) => [String(name), Number(containerPort)]),
        ),
        containers: containers.map(({ name, image }) => ({ name: String(name), image: String(image) })),
    };
}
