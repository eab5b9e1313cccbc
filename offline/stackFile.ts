import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi/errors";
import { type Document, isSeq, parseDocument } from "yaml";
import { foreignKeys, parseStack, SECRET_KEYS, type StackValues } from "../config";
import { imageReferences } from "../config/images";
import { formatProblems } from "../config/problems";
import { asProblems, missingInputs, type RequiredInput, withPlaceholders } from "../config/requiredInputs";
import { type ProgramInput } from "./record";

/** Input the user can mend: shown as it is, without a stack trace. */
export class UsageError extends Error {}

/** Whether an error is the user's to mend: theirs is the message, and a stack trace is for faults of the program itself. */
export function isUsersToMend(error: unknown): boolean {
    return (
        error instanceof UsageError ||
        RunError.isInstance(error) ||
        (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))
    );
}

/** What a stack file says, ready for the program. */
export interface StackFile extends ProgramInput {
    /** Values that stand as placeholders until an operator sets them. */
    placeholders: RequiredInput[];
}

/** Names of the stacks a project has files for. */
export function stackNames(root: string): string[] {
    return readdirSync(root)
        .flatMap((file) => /^Pulumi\.([A-Za-z0-9_.-]+)\.yaml$/.exec(file)?.[1] ?? [])
        .sort();
}

/**
 * Reads a stack file as the engine would, edits applied and placeholders put where only an operator's value can
 * stand.
 *
 * @throws UsageError for an unknown stack, malformed YAML, malformed edits, or a secret outside `mcp:secrets`.
 */
export function readStackFile(root: string, stack: string, edits: readonly string[] = []): StackFile {
    const { project, own, others } = readValues(root, stack, edits);
    const placeholders = missingInputs(own, stack);
    const values = Object.entries(withPlaceholders(own, placeholders));
    return {
        project,
        stack,
        config: {
            ...others,
            ...Object.fromEntries(values.map(([key, value]) => [`${project}:${key}`, asText(value)])),
        },
        secretKeys: SECRET_KEYS.map((key) => `${project}:${key}`),
        placeholders,
    };
}

/** Whether a value is the account's id, which the default registry is named by. */
export const isAccount = ({ path }: RequiredInput): boolean => path.join(".") === "aws.accountId";

/**
 * A stack's values with edits tried on them, validated, with placeholders for what only an operator can give.
 *
 * @throws UsageError for whatever is wrong with the stack file, and for a missing value that is `needed`.
 */
export function valuesOf(
    root: string,
    stack: string,
    {
        edits = [],
        needed = () => false,
    }: { edits?: readonly string[]; needed?: (supply: RequiredInput) => boolean } = {},
): StackValues {
    const { project, own, others } = readValues(root, stack, edits);
    const missing = missingInputs(own, stack);
    const { values, problems } = parseStack(withPlaceholders(own, missing));
    const all = [
        ...foreignKeys(Object.keys(others), project),
        ...problems,
        ...asProblems(missing.filter(needed)),
    ];
    if (values === undefined || all.length > 0) {
        throw new UsageError(formatProblems(all));
    }
    return values;
}

/**
 * References of every image a stack runs.
 *
 * @throws UsageError as {@link valuesOf}, and for an account id that is still missing: the default registry is the
 * account's.
 */
export function imagesOf(root: string, stack: string): string[] {
    return imageReferences(valuesOf(root, stack, { needed: isAccount }));
}

/**
 * Edits as `pulumi config` takes them: `[]`, the place behind the last of a list, is the index that it is in the stack's
 * file; where the value stands in the list already it is the index of that, so that the same edit adds nothing again.
 */
export function indexedEdits(root: string, stack: string, edits: readonly string[]): string[] {
    const document = parseYaml(root, `Pulumi.${stack}.yaml`);
    return edits.map((edit) => {
        const concrete = indexed(document, edit);
        applyEdit(document, concrete);
        return concrete;
    });
}

/** Edits as what `pulumi config` is told: the paths that it removes first, and what it sets then. */
export function configOf(edits: readonly string[]): {
    removed: string[];
    set: (readonly [path: string, value: string])[];
} {
    const parts = edits.map(partsOf);
    return {
        removed: parts.flatMap(({ path, value }) => (value === undefined ? [path] : [])),
        set: parts.flatMap(({ path, value }) => (value === undefined ? [] : [[path, value] as const])),
    };
}

/** The parts of `PATH=VALUE`, or of `PATH-`, which takes the value away; no path where it is neither. */
function partsOf(edit: string): { path: string; value?: string | undefined } {
    const [, path = "", value] = /^([^=]*?)(?:-|=(.*))$/s.exec(edit) ?? [];
    return { path, value };
}

function readValues(root: string, stack: string, edits: readonly string[]) {
    const known = stackNames(root);
    if (!known.includes(stack)) {
        throw new UsageError(`--stack: found ${JSON.stringify(stack)}, expected one of ${known.join(", ")}`);
    }
    const project = String(parseYaml(root, "Pulumi.yaml").get("name"));
    const file = `Pulumi.${stack}.yaml`;
    const document = parseYaml(root, file);
    const problems = edits.flatMap((edit) => applyEdit(document, indexed(document, edit)) ?? []);
    if (problems.length > 0) {
        throw new UsageError(problems.join("\n"));
    }
    const config: unknown = (document.toJS() as { config?: unknown } | null)?.config;
    if (!isRecord(config)) {
        throw new UsageError(
            `${file}: config: found ${JSON.stringify(config) ?? "nothing"}, expected an object`,
        );
    }
    const own: Record<string, unknown> = {};
    const others: Record<string, string> = {};
    for (const [key, value] of Object.entries(config)) {
        if (key.startsWith(`${project}:`)) {
            own[key.slice(project.length + 1)] = withoutCiphertext(value, key, file, project);
        } else {
            others[key] = asText(value);
        }
    }
    return { project, own, others };
}

function parseYaml(root: string, file: string): Document {
    const document = parseDocument(readFileSync(join(root, file), "utf8"));
    // Those behind the first one are often its consequences.
    const [error] = document.errors;
    if (error !== undefined) {
        throw new UsageError(`${file} is not YAML:\n${error.message.trimEnd().replace(/^(?=.)/gm, "  ")}`);
    }
    return document;
}

/** Offline nothing can be decrypted: a secret that is set reads as a text that says so. */
function withoutCiphertext(value: unknown, key: string, file: string, project: string): unknown {
    if (Array.isArray(value)) {
        return value.map((inner) => withoutCiphertext(inner, key, file, project));
    }
    if (!isRecord(value)) {
        return value;
    }
    if (typeof value["secure"] === "string" && Object.keys(value).length === 1) {
        if (!SECRET_KEYS.some((secret) => key === `${project}:${secret}`)) {
            throw new UsageError(
                `${file}: ${key}: found an encrypted value, expected secrets only in ${SECRET_KEYS.map((secret) => `${project}:${secret}`).join(" and ")}`,
            );
        }
        return "[encrypted]";
    }
    return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, withoutCiphertext(inner, key, file, project)]),
    );
}

/** An edit as it may be shown: a secret's value is not. */
export function shownEdit(edit: string): string {
    return /^([^=:]+:)?(secrets|tls)\b/.test(edit) ? edit.replace(/=.*$/s, "=[secret]") : edit;
}

/** Puts the index in the place of a path's `[]`. */
function indexed(document: Document, edit: string): string {
    const [, path = "", value = ""] = /^([^=]*)\[\]=(.*)$/s.exec(edit) ?? [];
    const keys = parsePath(path);
    if (keys === undefined) {
        return edit;
    }
    const list = document.getIn(["config", ...keys]);
    const items = isSeq(list) ? (list.toJSON() as unknown[]).map(String) : [];
    const index = items.includes(value) ? items.indexOf(value) : items.length;
    return `${path}[${index}]=${value}`;
}

/** Applies an edit, read as `pulumi config` reads its paths and values; returns what is wrong with it. */
function applyEdit(document: Document, edit: string): string | undefined {
    const found = `--set: found ${JSON.stringify(shownEdit(edit))}, expected`;
    const { path: text, value } = partsOf(edit);
    const keys = parsePath(text);
    if (keys === undefined) {
        return `${found} PATH=VALUE, such as mcp:workloads.chat-ui.scaling.min=3`;
    }
    if (!String(keys[0]).includes(":")) {
        return `${found} mcp: before it, as in mcp:${text}=…`;
    }
    const list = /^\[(.*)\]$/s.exec(value ?? "");
    if (list !== null) {
        const first = list[1]!.split(",")[0]!.replace(/["']/g, "").trim();
        return `${found} one of the list after the other, such as ${shownEdit(`${text}[0]=${first}`)}`;
    }
    const path = ["config", ...keys];
    try {
        if (value !== undefined) {
            document.setIn(path, parseValue(value));
        } else if (document.hasIn(path)) {
            document.deleteIn(path);
        }
        return undefined;
    } catch {
        return `${found} a path through objects, not through a value`;
    }
}

/** Splits `mcp:images.pins["registry/name:tag"]` and `mcp:incident.contacts.P1[0]` into their keys. */
function parsePath(text: string): (string | number)[] | undefined {
    const keys: (string | number)[] = [];
    const token = /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|\["([^"]+)"\]/y;
    while (token.lastIndex < text.length) {
        const match = token.exec(text);
        if (match === null) {
            return undefined;
        }
        const [, name, index, quoted] = match;
        keys.push(index === undefined ? (name ?? quoted)! : Number(index));
    }
    return typeof keys[0] === "string" ? keys : undefined;
}

function parseValue(text: string): string | number | boolean {
    if (text === "true" || text === "false") {
        return text === "true";
    }
    return /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : text;
}

/** The engine hands objects over as JSON and scalars as they are. */
function asText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
