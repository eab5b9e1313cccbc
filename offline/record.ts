import { RunError } from "@pulumi/pulumi/errors";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- what it exports is replaced for a run
import sdkDebuggable = require("@pulumi/pulumi/runtime/debuggable");
// eslint-disable-next-line @typescript-eslint/no-require-imports -- what it exports is replaced for a run
import sdkResource = require("@pulumi/pulumi/runtime/resource");
import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import { MockMonitor, setMocks } from "@pulumi/pulumi/runtime/mocks";
import { disconnect, setMockOptions } from "@pulumi/pulumi/runtime/settings";
import { runInPulumiStack } from "@pulumi/pulumi/runtime/stack";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
    type ReadResourceRequest,
    ReadResourceResponse,
    type RegisterResourceOutputsRequest,
    type RegisterResourceRequest,
    RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { accountOf, type AwsAccount, awsOutputs } from "./awsOutputs";
import { type Program } from "./program";
import { decode, type Property, UNKNOWN_ON_THE_WIRE } from "./property";

/** Options of a registration that differ from their defaults. */
export interface RecordedOptions {
    protect?: true;
    retainOnDelete?: true;
    deleteBeforeReplace?: true;
    ignoreChanges?: readonly string[];
    replaceOnChanges?: readonly string[];
    additionalSecretOutputs?: readonly string[];
    customTimeouts?: { create?: string; update?: string; delete?: string };
    import?: string;
    deletedWith?: string;
}

/** A resource as the program registered it. */
export interface RecordedResource {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** False for components. */
    readonly custom: boolean;
    /** Looked up, not managed. */
    readonly read: boolean;
    /** URN of the parent; empty for the stack itself. */
    readonly parent: string;
    /** URN of the provider. */
    readonly provider: string;
    readonly inputs: Readonly<Record<string, Property>>;
    readonly dependencies: readonly string[];
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    readonly options: RecordedOptions;
    /** Position of the declaration in the program. */
    readonly source: { file: string; line: number } | undefined;
}

/** Everything that one run of the program registered. */
export interface Recording {
    readonly project: string;
    readonly stack: string;
    /** In the order of registration. */
    readonly resources: readonly RecordedResource[];
    readonly outputs: Readonly<Record<string, Property>>;
}

/** Inputs of a run, as the engine passes them. */
export interface ProgramInput {
    project: string;
    stack: string;
    /** Full key to value, objects as JSON. */
    config: Record<string, string>;
    secretKeys: string[];
}

/** Outputs that a run treats as known, in addition to the inputs, by type and name of a resource. */
export type OutputsOf = (type: string, name: string) => Record<string, JavaScriptValue>;

/** A program that can be recorded. */
type Runnable = Pick<Program, "file" | "run" | "locate">;

type Callback<T> = (error: unknown, response: T | undefined) => void;

/** The SDK formats every response for a debug message, even if none is shown: this text is cheap. */
class QuietResponse extends RegisterResourceResponse {
    override toString(): string {
        return "";
    }
}

/** The SDK's mock monitor, extended by the whole request and the engine's URNs. */
class Recorder extends MockMonitor {
    readonly recorded = new Map<string, RecordedResource>();
    /** For each AWS provider. */
    private readonly accounts = new Map<string, AwsAccount | undefined>();

    constructor(
        private readonly program: Runnable,
        private readonly input: ProgramInput,
        private readonly outputsOf: OutputsOf,
    ) {
        super({ call: () => ({}), newResource: () => ({ id: "", state: {} }) });
    }

    override async registerResource(
        request: RegisterResourceRequest,
        callback: Callback<RegisterResourceResponse>,
    ) {
        const propertyDependencies: Record<string, string[]> = {};
        request.getPropertydependenciesMap().forEach((value, key) => {
            if (value.getUrnsList().length > 0) {
                propertyDependencies[key] = [...value.getUrnsList()].sort();
            }
        });
        const inputs = request.getObject()?.toJavaScript() ?? {};
        const urn = this.add(request, inputs, {
            custom: request.getCustom(),
            read: false,
            propertyDependencies,
            options: optionsOf(request),
        });
        if (urn === undefined) {
            callback(new Error(`Duplicate resource ${request.getType()} ${request.getName()}`), undefined);
            return;
        }
        const response = new QuietResponse();
        response.setUrn(urn);
        // The id is empty, as in a preview of a new resource. Outputs are the inputs and what follows from them; other
        // outputs of the provider are unknown.
        const [type, name] = [request.getType(), request.getName()];
        if (type === "pulumi:providers:aws") {
            this.accounts.set(urn, accountOf(inputs));
        }
        const account = this.accounts.get(providerOf(request));
        const derived = account === undefined ? {} : awsOutputs(type, name, inputs, account);
        response.setObject(
            Struct.fromJavaScript({
                ...withAssignedName(type, inputs),
                ...derived,
                ...this.outputsOf(type, name),
            }),
        );
        callback(undefined, response);
    }

    override async readResource(request: ReadResourceRequest, callback: Callback<ReadResourceResponse>) {
        const inputs = request.getProperties()?.toJavaScript() ?? {};
        const urn = this.add(request, inputs, {
            custom: true,
            read: true,
            propertyDependencies: {},
            options: {},
        });
        if (urn === undefined) {
            callback(new Error(`Duplicate resource ${request.getType()} ${request.getName()}`), undefined);
            return;
        }
        const response = new ReadResourceResponse();
        response.setUrn(urn);
        response.setProperties(Struct.fromJavaScript(inputs));
        callback(undefined, response);
    }

    /** Stores what both kinds of request have in common; undefined if the URN exists already. */
    private add(
        request: RegisterResourceRequest | ReadResourceRequest,
        inputs: Record<string, JavaScriptValue>,
        rest: Pick<RecordedResource, "custom" | "read" | "propertyDependencies" | "options">,
    ): string | undefined {
        const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
        const urn = urnOf(this.input, parent, type, name);
        if (this.recorded.has(urn)) {
            return undefined;
        }
        this.recorded.set(urn, {
            urn,
            type,
            name,
            parent,
            provider: providerOf(request),
            inputs: decodeInputs(inputs),
            dependencies: [...new Set(request.getDependenciesList())].sort(),
            source: this.sourceOf(request),
            ...rest,
        });
        return urn;
    }

    /** The innermost frame of the program, below the SDK's. */
    private sourceOf(request: RegisterResourceRequest | ReadResourceRequest): RecordedResource["source"] {
        for (const frame of request.getStacktrace()?.getFramesList() ?? []) {
            const position = frame.getPc();
            const source =
                position && this.program.locate(position.getUri(), position.getLine(), position.getColumn());
            if (source !== undefined) {
                return source;
            }
        }
        return undefined;
    }

    outputs: Record<string, Property> = {};

    override registerResourceOutputs(request: RegisterResourceOutputsRequest, callback: Callback<object>) {
        if (
            request.getUrn() ===
            urnOf(this.input, "", STACK_TYPE, `${this.input.project}-${this.input.stack}`)
        ) {
            this.outputs = decode(request.getOutputs()?.toJavaScript() ?? {}) as Record<string, Property>;
        }
        callback(undefined, {});
    }
}

/** URN of a resource's provider, without the id that the request appends. */
function providerOf(request: RegisterResourceRequest | ReadResourceRequest): string {
    return request.getProvider().split("::").slice(0, 4).join("::");
}

const STACK_TYPE = "pulumi:pulumi:Stack";

/** A resource's URN by the engine's rule: the types of its ancestors, without the stack. */
function urnOf({ project, stack }: ProgramInput, parent: string, type: string, name: string): string {
    const parentType = parent.split("::")[2];
    const qualified = parentType === undefined || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
    return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

/** Source code of a dynamic provider, which is among its resources' inputs. */
const PROVIDER_CODE = "__provider";

/**
 * Decodes inputs without the code: its text depends on how the program was loaded, and its change alone changes no
 * resource.
 */
export function decodeInputs(inputs: object): Record<string, Property> {
    const all = Object.entries(decode(inputs) as Record<string, Property>);
    return Object.fromEntries(all.filter(([key]) => key !== PROVIDER_CODE));
}

/** The Kubernetes provider generates missing names, so such a name is unknown. */
function withAssignedName(
    type: string,
    inputs: Record<string, JavaScriptValue>,
): Record<string, JavaScriptValue> {
    if (!type.startsWith("kubernetes:") || !("metadata" in inputs)) {
        return inputs;
    }
    return { ...inputs, metadata: { name: UNKNOWN_ON_THE_WIRE, ...(inputs["metadata"] as object) } };
}

function optionsOf(request: RegisterResourceRequest): RecordedOptions {
    const timeouts = request.getCustomtimeouts();
    const customTimeouts = Object.fromEntries(
        Object.entries({
            create: timeouts?.getCreate(),
            update: timeouts?.getUpdate(),
            delete: timeouts?.getDelete(),
        }).filter(([, value]) => value),
    );
    const all = {
        protect: request.getProtect(),
        retainOnDelete: request.getRetainondelete(),
        deleteBeforeReplace: request.getDeletebeforereplace(),
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        customTimeouts,
        import: request.getImportid(),
        deletedWith: request.getDeletedwith(),
    };
    return Object.fromEntries(
        Object.entries(all).filter(
            ([, value]) => value && (typeof value !== "object" || Object.keys(value).length > 0),
        ),
    );
}

/**
 * Runs the program under the SDK's mocks and records every registration. Values that only a provider knows are unknown,
 * unless `outputsOf` returns them.
 *
 * @throws what the program throws; refused values arrive as a RunError with all problems in its message.
 */
export async function record(
    program: Runnable,
    input: ProgramInput,
    outputsOf: OutputsOf = () => ({}),
): Promise<Recording> {
    const restore = spare(program);
    try {
        return await run(program, input, outputsOf);
    } catch (error) {
        if (RunError.isInstance(error)) {
            throw error;
        }
        // A fault of the program: run again, with stack traces.
        restore();
        return await run(program, input, outputsOf);
    } finally {
        restore();
    }
}

/**
 * Disables what a run does not need, which takes half of its time: stack traces, the tracking of each promise, and the
 * wire encoding of messages. Returns a function that restores it.
 */
function spare(program: Runnable): () => void {
    const undo = [spareStacks(program), spareWatch(), spareEncoding()];
    return () => undo.forEach((each) => each());
}

/** The SDK records a stack trace for each promise and resource; only the program's frames are needed. */
function spareStacks(program: Runnable): () => void {
    const errors: { stackTraceLimit?: number | undefined; prepareStackTrace?: unknown } = Error;
    const { stackTraceLimit, prepareStackTrace } = errors;
    // Without a limit, no trace is recorded; the SDK sets one to find a resource's position.
    errors.stackTraceLimit = undefined;
    errors.prepareStackTrace = (_: Error, frames: NodeJS.CallSite[]) => {
        const lines = frames.map((frame) =>
            frame.getFileName() === program.file
                ? `    at program (${program.file}:${frame.getLineNumber()}:${frame.getColumnNumber()})`
                : "",
        );
        return ["Error", ...lines].join("\n");
    };
    return () => {
        errors.stackTraceLimit = stackTraceLimit;
        errors.prepareStackTrace = prepareStackTrace;
    };
}

/** Exported by the SDK, but not declared. */
const debuggable = sdkDebuggable as unknown as { debuggablePromise: <T>(promise: Promise<T>) => Promise<T> };

/** A resource, as the SDK registers it. */
interface Registered {
    readonly __name: string;
    readonly __pulumiType: string;
    readonly __parentResource?: Registered;
}

/** Exported by the SDK, but not declared. Further arguments are not read. */
const registrations = sdkResource as unknown as {
    registerResource: (resource: Registered, ...args: unknown[]) => void;
};

/** Position of the options among the arguments after the resource. */
const OPTIONS = 7;

/** The SDK tracks each promise to report leaks at exit; one check of the whole run reports the same. */
function spareWatch(): () => void {
    const { debuggablePromise } = debuggable;
    const { registerResource } = registrations;
    const cycles: string[] = [];
    debuggable.debuggablePromise = (promise) => promise;
    registrations.registerResource = (resource, ...args) => {
        cycles.push(...ownAncestors(resource, args[OPTIONS] as { dependsOn?: unknown }));
        registerResource(resource, ...args);
    };
    const unfinished = () => {
        const why = cycles.length === 0 ? "" : `: ${cycles.join("; ")}`;
        process.stderr.write(`The program waits for a value that never comes${why}.\n`);
        process.exitCode = 1;
    };
    process.once("exit", unfinished);
    return () => {
        debuggable.debuggablePromise = debuggablePromise;
        registrations.registerResource = registerResource;
        process.off("exit", unfinished);
    };
}

/**
 * Dependencies of a resource on what contains it. The SDK waits for all resources in a component that another one
 * depends on, so that two such siblings wait for each other.
 */
function ownAncestors(resource: Registered, { dependsOn }: { dependsOn?: unknown }): string[] {
    const found: string[] = [];
    for (let each = resource.__parentResource; each !== undefined; each = each.__parentResource) {
        if ([dependsOn].flat().includes(each)) {
            found.push(
                `${resource.__name} (${resource.__pulumiType}) depends on ${each.__name}, which contains it`,
            );
        }
    }
    return found;
}

/** Requests and responses stay in this process: their properties are passed as objects, with sorted keys. */
function spareEncoding(): () => void {
    const { fromJavaScript } = Struct;
    Struct.fromJavaScript = (value) => {
        const struct = new Struct();
        struct.toJavaScript = () => ordered(value) as Record<string, JavaScriptValue>;
        return struct;
    };
    return () => (Struct.fromJavaScript = fromJavaScript);
}

/** A copy with keys in the order of the wire format. */
function ordered(value: JavaScriptValue): JavaScriptValue {
    if (Array.isArray(value)) {
        return value.map(ordered);
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(
              Object.keys(value)
                  .sort()
                  .map((key) => [key, ordered((value as Record<string, JavaScriptValue>)[key]!)]),
          )
        : value;
}

async function run(program: Runnable, input: ProgramInput, outputsOf: OutputsOf): Promise<Recording> {
    const recorder = new Recorder(program, input, outputsOf);
    await setMocks({ call: () => ({}), newResource: () => ({ id: "", state: {} }) });
    setMockOptions(recorder, input.project, input.stack, true);
    setAllConfig(input.config, input.secretKeys);

    // A failed registration rejects a promise without a handler, as in the engine's language host. Node reports it in a
    // later task: each run waits for that task before the next run starts.
    let failed: (reason: unknown) => void = () => undefined;
    const failure = new Promise<never>((_, reject) => (failed = reject));
    process.on("unhandledRejection", failed);
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    const finished = async () => {
        await runInPulumiStack(async () => program.run());
        await disconnect();
        await settled();
    };
    try {
        await Promise.race([finished(), failure]);
    } finally {
        await settled();
        process.off("unhandledRejection", failed);
    }
    return {
        project: input.project,
        stack: input.stack,
        resources: [...recorder.recorded.values()],
        outputs: recorder.outputs,
    };
}
