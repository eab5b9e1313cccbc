import { type Exceptions, exceptionsRule, loadExceptions } from "../policies/exceptions";
import { type Violation, type Rule } from "../policies/rule";
import { type Change, compare } from "./compare";
import { judgeRecording } from "./evaluate";
import { type Program } from "./program";
import { type Recording } from "./record";
import { recordOnce } from "./recordings";
import { readStackFile, shownEdit, type StackFile } from "./stackFile";
import { refuseTakenNames } from "./takenNames";

/** Result of the offline preview of a stack. */
export interface Preview {
    readonly recording: Recording;
    /** Compared with the stack file if edits are given; otherwise everything is created. */
    readonly changes: readonly Change[];
    /** Edits to try, as typed, with secrets masked. */
    readonly edits: readonly string[];
    readonly placeholders: StackFile["placeholders"];
    readonly findings: readonly Violation[];
    /** The recording without the edits; undefined if there are none. */
    readonly before: Pick<Preview, "placeholders" | "findings"> | undefined;
    readonly rules: readonly Rule[];
}

/**
 * Records a stack's program offline with edits applied to its values, and evaluates the policies. Uses the project's
 * exemptions unless others are given.
 *
 * @throws UsageError for names that another stack file also uses.
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

/** Whether the update would be blocked: by the engine's protection, or by a mandatory rule. */
export function isBlocked({ changes, findings, rules }: Preview): boolean {
    const mandatory = new Set(
        rules.filter(({ enforcement }) => enforcement === "mandatory").map(({ name }) => name),
    );
    return (
        changes.some(({ refused }) => refused) ||
        findings.some(({ kind, rule }) => kind === "violation" && mandatory.has(rule))
    );
}
