import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { decode, isObject, type Property, Secret, UNKNOWN } from "../../offline/property";
import {
    decodeInputs,
    type RecordedOptions,
    type RecordedResource,
    type Recording,
} from "../../offline/record";
import { root } from "../support";

/** A call of the engine's log (PULUMI_DEBUG_GRPC), with the fields of its request that the offline recorder keeps. */
interface Call {
    method: string;
    /** Missing while the call is being answered. */
    response?: { urn?: string };
    request: {
        urn?: string;
        type: string;
        name: string;
        custom?: boolean;
        parent?: string;
        provider?: string;
        dependencies?: string[];
        propertyDependencies?: Record<string, { urns?: string[] }>;
        object?: Record<string, unknown>;
        properties?: Record<string, unknown>;
        outputs?: Record<string, unknown>;
        protect?: boolean;
        retainOnDelete?: boolean;
        deleteBeforeReplace?: boolean;
        ignoreChanges?: string[];
        replaceOnChanges?: string[];
        additionalSecretOutputs?: string[];
        customTimeouts?: RecordedOptions["customTimeouts"];
        importId?: string;
        deletedWith?: string;
        sourcePosition?: { uri: string; line: number };
    };
}

/** What a program asked the real engine for, as the offline recorder would have it. */
export function registrationsIn(
    log: string,
    { project, stack }: Pick<Recording, "project" | "stack">,
): Recording {
    const calls = log
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Call)
        .filter(({ response }) => response !== undefined);
    const of = (method: string) =>
        calls.filter((call) => call.method === `/pulumirpc.ResourceMonitor/${method}`);
    const outputs = of("RegisterResourceOutputs").find(({ request }) =>
        request.urn!.includes("::pulumi:pulumi:Stack::"),
    );
    return {
        project,
        stack,
        resources: [...of("RegisterResource"), ...of("ReadResource")].map(registrationOf),
        outputs: decode(outputs?.request.outputs ?? {}) as Recording["outputs"],
    };
}

function registrationOf({ method, request, response }: Call): RecordedResource {
    const read = method.endsWith("/ReadResource");
    const dependencies = Object.entries(request.propertyDependencies ?? {}).flatMap(([key, { urns = [] }]) =>
        urns.length > 0 ? [[key, [...urns].sort()] as const] : [],
    );
    return {
        urn: response!.urn!,
        type: request.type,
        name: request.name,
        custom: read || request.custom === true,
        read,
        parent: request.parent ?? "",
        provider: (request.provider ?? "").split("::").slice(0, 4).join("::"),
        inputs: decodeInputs(request.object ?? request.properties ?? {}),
        dependencies: [...new Set(request.dependencies ?? [])].sort(),
        propertyDependencies: read ? {} : Object.fromEntries(dependencies),
        options: read ? {} : optionsOf(request),
        source: sourceOf(request),
    };
}

/** Position in the program, if no class of the SDK is in between: then the engine gets that class. */
function sourceOf({ sourcePosition }: Call["request"]): RecordedResource["source"] {
    if (sourcePosition === undefined || sourcePosition.uri.includes("/node_modules/")) return undefined;
    return { file: relative(root, fileURLToPath(sourcePosition.uri)), line: sourcePosition.line };
}

function optionsOf(request: Call["request"]): RecordedOptions {
    const { protect, retainOnDelete, deleteBeforeReplace, ignoreChanges, replaceOnChanges } = request;
    const { additionalSecretOutputs, customTimeouts, importId, deletedWith } = request;
    const all = {
        protect,
        retainOnDelete,
        deleteBeforeReplace,
        ignoreChanges,
        replaceOnChanges,
        additionalSecretOutputs,
        customTimeouts,
        import: importId,
        deletedWith,
    };
    return Object.fromEntries(
        Object.entries(all).filter(
            ([, value]) => value && (typeof value !== "object" || Object.keys(value).length > 0),
        ),
    );
}

/** How an offline recording compares with what the engine was asked for. */
export interface Conformance {
    /** Every difference, in a line; none is allowed. */
    differences: string[];
    /** Values that the engine got from a provider, which are unknown offline. */
    resolved: { urn: string; path: string }[];
    /** Values that follow from the inputs of an AWS resource (offline/awsOutputs.ts), and that the engine asks AWS for. */
    foretold: { urn: string; path: string }[];
    /** Values that neither knew. */
    unknown: number;
}

/** Compares everything there is to a registration; the order of registration is the program's affair. */
export function conformance(offline: Recording, engine: Recording): Conformance {
    const found: Conformance = { differences: [], resolved: [], foretold: [], unknown: 0 };
    const asked = new Map(engine.resources.map((resource) => [resource.urn, resource]));
    for (const resource of offline.resources) {
        const other = asked.get(resource.urn);
        asked.delete(resource.urn);
        if (other === undefined) {
            found.differences.push(`${resource.urn}: the engine was not asked for it`);
            continue;
        }
        for (const key of Object.keys(resource) as (keyof RecordedResource)[]) {
            if (key === "inputs") compareValues(resource.inputs, other.inputs, resource.urn, "", found);
            else if (key === "source" && other.source === undefined) continue;
            else if (text(resource[key]) !== text(other[key])) {
                found.differences.push(
                    `${resource.urn}: ${key}: offline ${text(resource[key])}, engine ${text(other[key])}`,
                );
            }
        }
    }
    found.differences.push(...[...asked.keys()].map((urn) => `${urn}: the engine alone was asked for it`));
    compareValues(offline.outputs, engine.outputs, "outputs", "", found);
    return found;
}

function text(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
            : inner,
    );
}

function compareValues(
    offline: Property | undefined,
    engine: Property | undefined,
    urn: string,
    path: string,
    found: Conformance,
): void {
    if (offline === UNKNOWN) {
        if (engine === UNKNOWN) found.unknown += 1;
        else found.resolved.push({ urn, path });
    } else if (engine === UNKNOWN) {
        found.foretold.push({ urn, path });
    } else if (offline instanceof Secret && engine instanceof Secret) {
        compareValues(offline.value, engine.value, urn, path, found);
    } else if ((isObject(offline) && isObject(engine)) || (Array.isArray(offline) && Array.isArray(engine))) {
        const [one, other] = [offline, engine] as Record<string, Property>[];
        for (const key of new Set([...Object.keys(one!), ...Object.keys(other!)])) {
            compareValues(one![key], other![key], urn, path === "" ? key : `${path}.${key}`, found);
        }
    } else if (offline !== engine) {
        const kind = (value: Property | undefined) =>
            value instanceof Secret
                ? "a secret"
                : value === UNKNOWN
                  ? "unknown"
                  : (JSON.stringify(value) ?? "nothing");
        found.differences.push(`${urn}: ${path}: offline ${kind(offline)}, engine ${kind(engine)}`);
    }
}
