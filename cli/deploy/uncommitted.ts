import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { SECRET_KEYS } from "../../config";
import { masked } from "../../core/credentials";
import { git } from "../git";
import { shellWord } from "../shell";
import { type Update, type Values, valuesBelow } from "./lastUpdate";

/** A value that differs between a commit and an update. */
export interface ChangedValue {
    readonly path: string;
    /** Undefined if there is none. */
    readonly committed: string | undefined;
    readonly found: string | undefined;
}

/** The change as text, such as `mcp:workloads.chat-ui.scaling.min: 3 => 6`. */
export function describeValue({ path, committed, found }: ChangedValue): string {
    const [before, after] = [committed, found].map((text) => text && masked(path, text));
    return `${path}: ${before ?? "nothing"} => ${after ?? "removed"}`;
}

/** Command that sets the value as found. */
export function commandFor(stack: string, { path, found }: ChangedValue): string {
    const action = found === undefined ? "rm" : "set";
    return [
        `pulumi config ${action} --stack ${stack} --path`,
        path,
        ...(found === undefined ? [] : [masked(path, found)]),
    ]
        .map((word, index) => (index === 0 ? word : shellWord(word)))
        .join(" ");
}

/**
 * Values of the last update that no commit has, and that an update with this stack file would revert: set by hand, or
 * by the rollback of a failed deploy. Ignores values that the stack file also has, and values that it has changed
 * since.
 */
export function lostValues(root: string, stack: string, update: Update): ChangedValue[] {
    const hidden = [...update.secretKeys, ...SECRET_KEYS.map((key) => `mcp:${key}`)];
    const file = stackFile(root, stack);
    if (file === undefined) {
        return [];
    }
    const next = valuesBelow(file, hidden);
    // If the commit is not in this checkout, all differences count as reverted.
    const committed = committedConfig(root, stack, baseOf(root, update));
    const before = committed === undefined ? next : valuesBelow(committed, hidden);
    const deployed = valuesBelow(update.config, hidden);
    return changesBetween(before, deployed).filter(
        ({ path, committed: was }) => next.get(path) === was && next.get(path) !== deployed.get(path),
    );
}

/** Values of the stack file that differ from the checked-out commit; none outside a repository. */
export function uncommittedValues(root: string, stack: string): ChangedValue[] {
    const committed = committedConfig(root, stack, "HEAD");
    const file = stackFile(root, stack);
    const hidden = SECRET_KEYS.map((key) => `mcp:${key}`);
    return committed === undefined || file === undefined
        ? []
        : changesBetween(valuesBelow(committed, hidden), valuesBelow(file, hidden));
}

function changesBetween(before: Values, after: Values): ChangedValue[] {
    return [...new Set([...before.keys(), ...after.keys()])]
        .filter((path) => before.get(path) !== after.get(path))
        .sort()
        .map((path) => ({ path, committed: before.get(path), found: after.get(path) }));
}

/** Merge base of an update's commit and the checked-out one; undefined if the commit is not in this checkout. */
export function baseOf(root: string, { commit }: Update): string | undefined {
    const { status, stdout } = git(root, "merge-base", commit ?? "", "HEAD");
    return status === 0 ? stdout.trim() : undefined;
}

/** A stack file's `config`; undefined if it cannot be read, which the preview reports. */
export function stackFile(root: string, stack: string): Record<string, unknown> | undefined {
    return configOf(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
}

/** The stack file's `config` at a commit; undefined if it did not exist, or the commit is unknown. */
function committedConfig(
    root: string,
    stack: string,
    commit: string | undefined,
): Record<string, unknown> | undefined {
    if (commit === undefined) {
        return undefined;
    }
    const { status, stdout } = git(root, "show", `${commit}:./Pulumi.${stack}.yaml`);
    return status === 0 ? configOf(stdout) : undefined;
}

/** Undefined if the text cannot be read, which the preview reports. */
function configOf(text: string): Record<string, unknown> | undefined {
    try {
        const { config } = parse(text, { merge: true }) as { config?: Record<string, unknown> };
        return config;
    } catch {
        return undefined;
    }
}
