import { decode, isObject, type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { UsageError } from "../../offline/stackFile";

/** Fields that are read of a resource in an exported stack. */
interface StateResource {
    urn: string;
    type: string;
    custom?: boolean;
    external?: boolean;
    delete?: boolean;
    parent?: string;
    provider?: string;
    protect?: boolean;
    inputs?: Record<string, unknown>;
    dependencies?: string[];
    propertyDependencies?: Record<string, string[] | null>;
}

/**
 * Inputs in an exported stack (`pulumi stack export`), to be compared with a recording of the program. Encrypted
 * secrets and values that are unknown offline count as equal to the program's.
 *
 * @throws UsageError if the text is no such export, or of another stack.
 */
export function recordingOf(text: string, file: string, head: Recording): Recording {
    const exported = parsed(text, file);
    const all = exported.filter((resource) => resource.delete !== true);
    const [prefix] = head.resources[0]!.urn.split("::pulumi:");
    if (!all.some(({ urn }) => urn.startsWith(`${prefix}::`))) {
        const found = all[0]?.urn.split("::").slice(0, 2).join("::") ?? "no resource";
        throw new UsageError(`--against: ${file}: found ${found}, expected resources of ${prefix}`);
    }
    const declared = new Map(head.resources.map((resource) => [resource.urn, resource]));
    return { ...head, resources: all.map((resource) => recorded(resource, declared.get(resource.urn))) };
}

function parsed(text: string, file: string): StateResource[] {
    try {
        const { deployment } = JSON.parse(text) as { deployment: { resources: StateResource[] } };
        return deployment.resources.map((resource) => ({ ...resource, urn: String(resource.urn) }));
    } catch {
        throw new UsageError(
            `--against: ${file}: found no exported stack, expected what pulumi stack export writes`,
        );
    }
}

function recorded(resource: StateResource, head: RecordedResource | undefined): RecordedResource {
    const { urn, type, custom, external, parent = "", provider = "", protect } = resource;
    const inputs = decode(withoutMarks(resource.inputs ?? {})) as RecordedResource["inputs"];
    return {
        urn,
        type,
        name: urn.split("::").slice(3).join("::"),
        custom: custom === true,
        read: external === true,
        parent,
        provider: provider.split("::").slice(0, 4).join("::"),
        inputs: (head === undefined
            ? inputs
            : asFarAsKnown(inputs, head.inputs)) as RecordedResource["inputs"],
        dependencies: resource.dependencies ?? [],
        propertyDependencies: Object.fromEntries(
            Object.entries(resource.propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []]),
        ),
        options: protect === true ? { protect } : {},
        source: undefined,
    };
}

/** Without the providers' additions to the inputs: markers and generated names. */
function withoutMarks(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(withoutMarks);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    const named = Object.hasOwn((value as { annotations?: object }).annotations ?? {}, AUTONAMED);
    const marks = [DEFAULTS, AUTONAMED, ...(named ? ["name"] : [])];
    return Object.fromEntries(
        Object.entries(value).flatMap(([key, inner]) =>
            marks.includes(key) ? [] : [[key, withoutMarks(inner)]],
        ),
    );
}

const DEFAULTS = "__defaults";
const AUTONAMED = "pulumi.com/autonamed";

/** The state's value; the program's, if one of the two cannot be read or the provider sets it. */
function asFarAsKnown(state: Property | undefined, head: Property | undefined): Property | undefined {
    if (head === UNKNOWN || head instanceof Secret || state instanceof Secret) {
        return head;
    }
    // An empty object equals a missing one.
    if (isEmpty(state) && (head === undefined || isEmpty(head))) {
        return head;
    }
    if (Array.isArray(state) && Array.isArray(head)) {
        return state.map((inner: Property, index) => asFarAsKnown(inner, head[index]) ?? inner);
    }
    if (!isObject(state) || !isObject(head)) {
        return state;
    }
    return Object.fromEntries(
        [...new Set([...Object.keys(state), ...Object.keys(head)])].flatMap((key) => {
            const value = asFarAsKnown(state[key], head[key]);
            return value === undefined ? [] : [[key, value] as const];
        }),
    );
}

function isEmpty(value: Property | undefined): boolean {
    return value === undefined || (isObject(value) && Object.keys(value).length === 0);
}
