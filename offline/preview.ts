import { type Exceptions, exceptionsRule, loadExceptions } from "../policies/exceptions";
import { type Violation, type Rule } from "../policies/rule";
import { type Change, compare } from "./compare";
import { judgeRecording } from "./evaluate";
import { type Program } from "./program";
import { type Recording } from "./record";
import { recordOnce } from "./recordings";
import { readStackFile, shownEdit, type StackFile } from "./stackFile";
import { refuseTakenNames } from "./takenNames";

/** What the offline preview of a stack found. */
export interface Preview {
    readonly recording: Recording;
    /** Against the stack file where edits were given, else everything is created. */
    readonly changes: readonly Change[];
    /** Edits the preview tries, as typed but for secrets. */
    readonly edits: readonly string[];
    readonly placeholders: StackFile["placeholders"];
    readonly findings: readonly Violation[];
    /** The same without the edits; undefined where none are given. */
    readonly before: Pick<Preview, "placeholders" | "findings"> | undefined;
    readonly rules: readonly Rule[];
}

/**
 * Runs a stack's program offline, with the edits tried on its values, and judges what it declares. Exceptions are those
 * of the project, unless others are given.
 *
 * @throws UsageError for names that another stack file has, too.
 */
export async function previewStack(
    root: string,
    program: Program,
    rules: readonly Rule[],
    stack: string,
    edits: readonly string[],
    exceptions: Exceptions = loadExceptions(root, rules),
): Promise<Preview> {
    const run = async (tried: readonly string[]) => {
        const file = readStackFile(root, stack, tried);
        const recording = await recordOnce(root, program, file);
        const findings = judgeRecording(recording, rules, new Date(), exceptions);
        return { recording, placeholders: file.placeholders, findings };
    };
    const after = await run(edits);
    refuseTakenNames(root, stack, edits);
    const before = edits.length === 0 ? undefined : await run([]);
    return {
        ...after,
        changes: compare(before?.recording ?? { ...after.recording, resources: [] }, after.recording),
        edits: edits.map(shownEdit),
        before,
        rules: [...rules, exceptionsRule],
    };
}

/** Whether something stops the update: the engine, which deletes and replaces nothing protected, or a mandatory rule. */
export function isBlocked({ changes, findings, rules }: Preview): boolean {
    const mandatory = new Set(
        rules.filter(({ enforcement }) => enforcement === "mandatory").map(({ name }) => name),
    );
    return (
        changes.some(({ refused }) => refused) ||
        findings.some(({ kind, rule }) => kind === "violation" && mandatory.has(rule))
    );
}
