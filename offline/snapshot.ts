import { parsed } from "../config";
import { configPath } from "../config/problems";
import { loadExceptions } from "../policies/exceptions";
import { type Violation, type Rule } from "../policies/rule";
import { judgeRecording } from "./evaluate";
import { type Program } from "./program";
import { decode, encode, type Property } from "./property";
import { record, type RecordedResource, type Recording } from "./record";
import { isUsersToMend, readStackFile, type StackFile, stackNames } from "./stackFile";

/** What a stack declares at one state of the project, and what the rules of that state find in it. */
export interface StackSnapshot {
    readonly recording: Recording;
    readonly findings: readonly Violation[];
    /** The stack file's values by their paths, as JSON. Secrets and placeholders are left out. */
    readonly values: Readonly<Record<string, string>>;
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
            const recording = await record(program, file);
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

/** Every value that stands in the stack file and is no secret, by its path, as JSON. */
export function openValues({ config, secretKeys, placeholders }: StackFile): StackSnapshot["values"] {
    const hidden = [...secretKeys, ...placeholders.map(({ path }) => configPath(path))];
    const leaves = Object.entries(config).flatMap(([key, text]) => leavesOf(parsed(text), key));
    return Object.fromEntries(leaves.filter(([path]) => !hidden.some((each) => isAtOrBelow(path, each))));
}

function isAtOrBelow(path: string, other: string): boolean {
    return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

function leavesOf(value: unknown, path: string): [path: string, value: string][] {
    if (Array.isArray(value)) {
        return value.flatMap((inner, index) => leavesOf(inner, `${path}[${index}]`));
    }
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) =>
              leavesOf(inner, /^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`),
          )
        : [[path, JSON.stringify(value)]];
}

/** A snapshot as text, without its secrets. */
export function writeSnapshot(snapshot: Snapshot): string {
    return JSON.stringify(snapshot, (key, value: unknown) =>
        key === "inputs" || key === "outputs" ? encode(value as Property) : value,
    );
}

/** The snapshot that {@link writeSnapshot} wrote. */
export function readSnapshot(text: string): Snapshot {
    return JSON.parse(text, (key, value: unknown) =>
        // An input of that name is decoded with the inputs it is one of, and is the same for it.
        key === "inputs" || key === "outputs" ? (decode(value) as RecordedResource["inputs"]) : value,
    ) as Snapshot;
}
