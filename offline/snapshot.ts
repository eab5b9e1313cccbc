import { parsed } from "../config";
import { configPath } from "../config/problems";
import { type Exception } from "../policies/exception";
import { exceptionsRule, loadExceptions } from "../policies/exceptions";
import { type Violation, type Rule } from "../policies/rule";
import { judgeRecording } from "./evaluate";
import { type Program } from "./program";
import { decode, encode, type Property } from "./property";
import { type RecordedResource, type Recording } from "./record";
import { recordOnce } from "./recordings";
import { isUsersToMend, readStackFile, type StackFile, stackNames } from "./stackFile";

/** Declarations of a stack at one state of the project, and the findings of that state's rules. */
export interface StackSnapshot {
    readonly recording: Recording;
    readonly findings: readonly Violation[];
    /** The stack file's values by path, as JSON, without secrets and placeholders. */
    readonly values: Readonly<Record<string, string>>;
}

/** Rules and exemptions of a state of the project. */
export interface Pack {
    /** Without their check functions. */
    readonly rules: readonly Rule[];
    readonly exceptions: readonly Exception[];
}

/** A state of the project, described by its own code. */
export interface ProjectSnapshot {
    readonly stacks: Snapshot;
    /** Undefined in snapshots without a pack. */
    readonly pack?: Pack;
    /** Findings of this state's rules and exemptions on the stacks of another one, by stack. */
    readonly judged?: Readonly<Record<string, readonly Violation[]>>;
}

/** Each stack of a project, or the reason why it cannot be recorded. */
export type Snapshot = Readonly<Record<string, StackSnapshot | { readonly problem: string }>>;

/** Runs the program once for each stack file of the project. */
export async function takeSnapshot(
    root: string,
    program: Program,
    rules: readonly Rule[],
): Promise<Snapshot> {
    const stacks: Record<string, Snapshot[string]> = {};
    const exceptions = loadExceptions(root, rules);
    for (const stack of stackNames(root)) {
        try {
            const file = readStackFile(root, stack);
            const recording = await recordOnce(root, program, file);
            stacks[stack] = {
                recording,
                findings: judgeRecording(recording, rules, new Date(), exceptions),
                values: openValues(file),
            };
        } catch (error) {
            if (!(error instanceof Error && isUsersToMend(error))) {
                throw error;
            }
            stacks[stack] = { problem: error.message };
        }
    }
    return stacks;
}

/** Every value of the stack file that is no secret, by path, as JSON. */
export function openValues({ config, secretKeys, placeholders }: StackFile): StackSnapshot["values"] {
    const hidden = [...secretKeys, ...placeholders.map(({ path }) => configPath(path))];
    const leaves = Object.entries(config).flatMap(([key, text]) => leavesOf(parsed(text), key));
    return Object.fromEntries(leaves.filter(([path]) => !hidden.some((each) => isAtOrBelow(path, each))));
}

function isAtOrBelow(path: string, other: string): boolean {
    return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

/** The leaf values below a path, as JSON, by their paths. */
export function leavesOf(value: unknown, path: string): [path: string, value: string][] {
    if (Array.isArray(value)) {
        return value.flatMap((inner, index) => leavesOf(inner, `${path}[${index}]`));
    }
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) =>
              leavesOf(inner, /^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`),
          )
        : [[path, JSON.stringify(value)]];
}

/** The project's rules and exemptions. */
export function packOf(root: string, rules: readonly Rule[]): Pack {
    return {
        rules: [...rules, exceptionsRule],
        exceptions: loadExceptions(root, rules).entries,
    };
}

/** Findings of the project's rules and exemptions on the stacks of another state. */
export function judgeStacks(
    root: string,
    stacks: Snapshot,
    rules: readonly Rule[],
): NonNullable<ProjectSnapshot["judged"]> {
    const exceptions = loadExceptions(root, rules);
    return Object.fromEntries(
        Object.entries(stacks).flatMap(([stack, snapshot]) =>
            "recording" in snapshot
                ? [[stack, judgeRecording(snapshot.recording, rules, new Date(), exceptions)]]
                : [],
        ),
    );
}

/** A snapshot as text, without its secrets. */
export function writeSnapshot(snapshot: ProjectSnapshot): string {
    return JSON.stringify(snapshot, (key, value: unknown) =>
        key === "inputs" || key === "outputs" ? encode(value as Property) : value,
    );
}

/** The snapshot that {@link writeSnapshot} wrote; of an older format without a pack, only its stacks. */
export function readSnapshot(text: string): ProjectSnapshot {
    const read = JSON.parse(text, (key, value: unknown) =>
        // An input of this name is decoded as part of its parent, with the same result.
        key === "inputs" || key === "outputs" ? (decode(value) as RecordedResource["inputs"]) : value,
    ) as ProjectSnapshot | Snapshot;
    return "stacks" in read ? (read as ProjectSnapshot) : { stacks: read as Snapshot };
}
