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

/** What a stack declares at one state of the project, and what the rules of that state find in it. */
export interface StackSnapshot {
    readonly recording: Recording;
    readonly findings: readonly Violation[];
    /** The stack file's values by their paths, as JSON. Secrets and placeholders are left out. */
    readonly values: Readonly<Record<string, string>>;
}

/** What a state of the project judges by. */
export interface Pack {
    /** Without what they check. */
    readonly rules: readonly Rule[];
    readonly exceptions: readonly Exception[];
}

/** A state of the project, as its own code describes it. */
export interface ProjectSnapshot {
    readonly stacks: Snapshot;
    /** Undefined for one from before packs were part of a snapshot. */
    readonly pack?: Pack;
    /** What this state's rules and exceptions find in the stacks of another one, by stack. */
    readonly judged?: Readonly<Record<string, readonly Violation[]>>;
}

/** Each stack of a project, or why it cannot be told. */
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

/** Every value that is in the stack file and is no secret, by its path, as JSON. */
export function openValues({ config, secretKeys, placeholders }: StackFile): StackSnapshot["values"] {
    const hidden = [...secretKeys, ...placeholders.map(({ path }) => configPath(path))];
    const leaves = Object.entries(config).flatMap(([key, text]) => leavesOf(parsed(text), key));
    return Object.fromEntries(leaves.filter(([path]) => !hidden.some((each) => isAtOrBelow(path, each))));
}

function isAtOrBelow(path: string, other: string): boolean {
    return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

/** The values below a path that have none below them, as JSON, by their own paths. */
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

/** What the project judges by. */
export function packOf(root: string, rules: readonly Rule[]): Pack {
    return {
        rules: [...rules, exceptionsRule],
        exceptions: loadExceptions(root, rules).entries,
    };
}

/** What the project's rules and exceptions find in stacks that another state of it declares. */
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

/** The snapshot that {@link writeSnapshot} wrote, or its stacks alone as it was written before it had a pack. */
export function readSnapshot(text: string): ProjectSnapshot {
    const read = JSON.parse(text, (key, value: unknown) =>
        // An input of that name is decoded with the inputs it is one of, and is the same for it.
        key === "inputs" || key === "outputs" ? (decode(value) as RecordedResource["inputs"]) : value,
    ) as ProjectSnapshot | Snapshot;
    return "stacks" in read ? (read as ProjectSnapshot) : { stacks: read as Snapshot };
}
