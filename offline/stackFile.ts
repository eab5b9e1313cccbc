import { readdirSync } from "node:fs";
import { join } from "node:path";
import { foreignKeys, parseComplete, plainSecret, SECRET_KEYS, type StackValues } from "../config";
import { ENCRYPTED } from "../config/certificates";
import { imageReferences } from "../config/images";
import { formatProblems, NAMESPACE, type Problem, shown } from "../config/problems";
import { rawProblems } from "../config/raw";
import { masked } from "../core/credentials";
import {
    isRecord,
    missingInputs,
    PLACEHOLDER_ACCOUNT,
    type RequiredInput,
    withPlaceholders,
} from "../config/requiredInputs";
import { type ProgramInput } from "./record";
import { UsageError } from "./usageError";
import { readYaml } from "./yamlFile";

export { isUsersToMend, UsageError } from "./usageError";

/** A stack file's values, ready for the program. */
export interface StackFile extends ProgramInput {
    /** Values with placeholders, which an operator must still set. */
    placeholders: RequiredInput[];
    /** Whether it has a secret in plain text, as an edit may set one. */
    holdsSecrets: boolean;
}

/** Names of the stacks with a file. */
export function stackNames(root: string): string[] {
    return readdirSync(root)
        .flatMap((file) => /^Pulumi\.([A-Za-z0-9_.-]+)\.yaml$/.exec(file)?.[1] ?? [])
        .sort();
}

/**
 * Reads a stack file as the engine does, with edits applied, and placeholders for values that only an operator can
 * set.
 *
 * @throws UsageError for an unknown stack, malformed YAML, malformed edits, a secret in plain text or outside
 * `mcp:secrets`, and values that the engine reads differently.
 */
export function readStackFile(root: string, stack: string, edits: readonly string[] = []): StackFile {
    const { project, own, others, problems } = readValues(root, stack, edits);
    if (Object.keys(own).length === 0) {
        problems.push(...foreignKeys(Object.keys(others), project));
    }
    if (problems.length > 0 || rawProblems(own).endless) {
        throw new UsageError(formatProblems(parseComplete(own, stack, problems, () => false).problems));
    }
    const placeholders = missingInputs(own, stack);
    const values = Object.entries(withPlaceholders(own, placeholders));
    return {
        project,
        stack,
        config: {
            ...others,
            ...Object.fromEntries(values.map(([key, value]) => [`${NAMESPACE}:${key}`, asText(value)])),
        },
        secretKeys: SECRET_KEYS.map((key) => `${NAMESPACE}:${key}`),
        placeholders,
        holdsSecrets: SECRET_KEYS.some((key) => holdsPlainText(own[key])),
    };
}

/** Whether a value is the account's id, which is part of the default registry. */
export const isAccount = ({ path }: RequiredInput): boolean => path.join(".") === "aws.accountId";

/**
 * A stack's values with edits applied, validated, with placeholders for values that only an operator can set.
 *
 * @throws UsageError for any problem of the stack file, and for a missing value that is `needed`.
 */
export function valuesOf(
    root: string,
    stack: string,
    {
        edits = [],
        needed = () => false,
    }: { edits?: readonly string[]; needed?: (supply: RequiredInput) => boolean } = {},
): StackValues {
    const { project, own, others, problems: known } = readValues(root, stack, edits);
    const foreign = foreignKeys(Object.keys(others), project);
    const { values, problems } = parseComplete(own, stack, [...foreign, ...known], needed);
    if (values === undefined) {
        throw new UsageError(formatProblems(problems));
    }
    return values;
}

/**
 * References of every image a stack runs.
 *
 * @throws UsageError as {@link valuesOf}, and for a missing account id, which is part of the default registry.
 */
export function imagesOf(root: string, stack: string): string[] {
    return imageReferences(valuesOf(root, stack, { needed: isAccount }));
}

/**
 * Edits as `pulumi config` takes them: `[]`, the end of a list, becomes an index. If the list already has the value, it
 * is that value's index, so that repeating an edit adds nothing.
 */
export function indexedEdits(root: string, stack: string, edits: readonly string[]): string[] {
    const { config } = readConfig(root, stack);
    return edits.map((edit) => {
        const concrete = indexed(config, edit);
        applyEdit(config, concrete);
        return concrete;
    });
}

/** Edits as steps of `pulumi config`: paths to remove first, then values to set. */
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

/** The parts of `PATH=VALUE`, or of `PATH-`, which removes the value; no path for other texts. */
function partsOf(edit: string): { path: string; value?: string | undefined } {
    const [, path = "", value] = /^([^=]*?)(?:-|=(.*))$/s.exec(edit) ?? [];
    return { path, value };
}

function readValues(root: string, stack: string, edits: readonly string[]) {
    const known = stackNames(root);
    if (!known.includes(stack)) {
        throw new UsageError(`--stack: found ${shown(stack)}, expected one of ${known.join(", ")}`);
    }
    const { value: settings } = readYaml(join(root, "Pulumi.yaml"), "Pulumi.yaml");
    const project = isRecord(settings) ? settings["name"] : undefined;
    if (typeof project !== "string") {
        throw new UsageError(`Pulumi.yaml: name: found ${shown(project)}, expected the project's name`);
    }
    const { config, problems } = readConfig(root, stack);
    for (const secret of SECRET_KEYS) {
        const plain = plainPaths(config[`${NAMESPACE}:${secret}`], [secret]);
        problems.push(...plain.map((path) => plainSecret(path, stack)));
    }
    const malformed = edits.flatMap((edit) => applyEdit(config, indexed(config, edit)) ?? []);
    if (malformed.length > 0) {
        throw new UsageError(malformed.join("\n"));
    }
    const file = fileOf(stack);
    const entries = Object.entries(config);
    const own = Object.fromEntries(
        entries.flatMap(([key, value]) =>
            key.startsWith(`${NAMESPACE}:`)
                ? [[key.slice(NAMESPACE.length + 1), withoutCiphertext(value, key, file)]]
                : [],
        ),
    );
    const aws = own["aws"];
    if (isRecord(aws) && aws["accountId"] === PLACEHOLDER_ACCOUNT) {
        const expected = "the account's real id: this is the preview's placeholder";
        problems.push({ path: "mcp:aws.accountId", found: PLACEHOLDER_ACCOUNT, expected });
    }
    const others = Object.fromEntries(
        entries.flatMap(([key, value]) => (key.startsWith(`${NAMESPACE}:`) ? [] : [[key, asText(value)]])),
    );
    return { project, own, others, problems };
}

/** The mapping below `config` in a stack file. */
function readConfig(root: string, stack: string): { config: Record<string, unknown>; problems: Problem[] } {
    const file = fileOf(stack);
    const { value, problems } = readYaml(join(root, file), file);
    const config = isRecord(value) ? value["config"] : undefined;
    if (!isRecord(config)) {
        throw new UsageError(`${file}: config: found ${shown(config)}, expected an object`);
    }
    if (rawProblems(config).endless) {
        throw new UsageError(formatProblems(rawProblems(config).problems));
    }
    // Aliases resolve to one shared object, but an edit is of one place.
    return { config: JSON.parse(JSON.stringify(config)) as typeof config, problems };
}

const fileOf = (stack: string) => `Pulumi.${stack}.yaml`;

/** Paths of secret values that are not encrypted. */
function plainPaths(value: unknown, path: readonly PropertyKey[]): (readonly PropertyKey[])[] {
    if (value === undefined || value === null || isCiphertext(value)) {
        return [];
    }
    return typeof value === "object"
        ? Object.entries(value).flatMap(([key, inner]) => plainPaths(inner, [...path, key]))
        : [path];
}

/** Pulumi's format of an encrypted value. */
function isCiphertext(value: unknown): boolean {
    return isRecord(value) && typeof value["secure"] === "string" && Object.keys(value).length === 1;
}

/** Placeholder of an encrypted secret; of an endpoint, a URL. */
const ENCRYPTED_VALUES = { text: ENCRYPTED, url: "https://encrypted.invalid/" };

/** Nothing can be decrypted offline: an encrypted secret reads as a placeholder. */
function withoutCiphertext(value: unknown, key: string, file: string): unknown {
    if (Array.isArray(value)) {
        return value.map((inner) => withoutCiphertext(inner, key, file));
    }
    if (!isRecord(value)) {
        return value;
    }
    if (isCiphertext(value)) {
        if (!SECRET_KEYS.some((secret) => key === `${NAMESPACE}:${secret}`)) {
            throw new UsageError(
                `${file}: ${key}: found an encrypted value, expected secrets only in ${SECRET_KEYS.map((secret) => `${NAMESPACE}:${secret}`).join(" and ")}`,
            );
        }
        return key === `${NAMESPACE}:endpoints` ? ENCRYPTED_VALUES.url : ENCRYPTED_VALUES.text;
    }
    return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, withoutCiphertext(inner, key, file)]),
    );
}

/** Whether a value contains more than placeholders of encrypted values. */
function holdsPlainText(value: unknown): boolean {
    return typeof value === "object" && value !== null
        ? Object.values(value).some(holdsPlainText)
        : value !== undefined && value !== ENCRYPTED_VALUES.text && value !== ENCRYPTED_VALUES.url;
}

/** An edit as it may be shown: without a secret's value. */
export function shownEdit(edit: string): string {
    const [, path, value] = /^([^=]*)=(.*)$/s.exec(edit) ?? [];
    if (path === undefined || value === undefined) {
        return edit;
    }
    const isHidden = new RegExp(`^([^:]+:)?(${SECRET_KEYS.join("|")})\\b`).test(path);
    return `${path}=${isHidden ? "[secret]" : masked(path, value)}`;
}

/** Replaces a path's `[]` by the index. */
function indexed(config: unknown, edit: string): string {
    const [, path = "", value = ""] = /^([^=]*)\[\]=(.*)$/s.exec(edit) ?? [];
    const keys = parsePath(path);
    if (keys === undefined) {
        return edit;
    }
    const list = keys.reduce<unknown>(
        (at, key) =>
            Array.isArray(at) || isRecord(at) ? (at as Record<PropertyKey, unknown>)[key] : undefined,
        config,
    );
    const items = Array.isArray(list) ? list.map(String) : [];
    const index = items.includes(value) ? items.indexOf(value) : items.length;
    return `${path}[${index}]=${value}`;
}

/** Applies an edit, with paths and values parsed as by `pulumi config`; returns the problem, if any. */
function applyEdit(config: Record<string, unknown>, edit: string): string | undefined {
    const { path: text, value } = partsOf(edit);
    const unset = value === undefined && edit.endsWith("-");
    const found = unset
        ? `--unset: found ${shown(text)}, expected`
        : `--set: found ${shown(shownEdit(edit))}, expected`;
    const keys = parsePath(text);
    if (keys === undefined) {
        return unset
            ? `${found} PATH, such as mcp:workloads.chat-ui.scaling.memory`
            : `${found} PATH=VALUE, such as mcp:workloads.chat-ui.scaling.min=3`;
    }
    if (!String(keys[0]).includes(":")) {
        return `${found} mcp: before it, as in mcp:${text}${unset ? "" : "=…"}`;
    }
    const list = /^\[(.*)\]$/s.exec(value ?? "");
    if (list !== null) {
        const first = list[1]!.split(",")[0]!.replace(/["']/g, "").trim();
        return `${found} one of the list after the other, such as ${shownEdit(`${text}[0]=${first}`)}`;
    }
    const parsed = value === undefined ? undefined : parseValue(value);
    const expected = setAt(config, keys, parsed);
    return expected && `${found} ${expected}`;
}

/** Sets a value below `at`, or removes it if undefined; returns what is expected of the path, if it is invalid. */
function setAt(at: unknown, [key, ...rest]: (string | number)[], value: unknown): string | undefined {
    const isIndex = typeof key === "number";
    if (!(isIndex ? Array.isArray(at) : isRecord(at))) {
        return "a path through objects, not through a value";
    }
    const holder = at as Record<PropertyKey, unknown>;
    const length = isIndex ? (at as unknown[]).length : Infinity;
    if (isIndex && key > length) {
        return `an index of at most ${length}, which is behind the last of the list`;
    }
    if (key === "__proto__") {
        return "a key other than __proto__";
    }
    if (rest.length > 0) {
        // Own properties only, not inherited ones such as a constructor.
        const inner = Object.hasOwn(holder, key!) ? holder[key!] : undefined;
        if (value === undefined && inner === undefined) {
            return undefined;
        }
        holder[key!] = inner ?? (typeof rest[0] === "number" ? [] : {});
        return setAt(holder[key!], rest, value);
    }
    if (value !== undefined) {
        holder[key!] = value;
    } else if (isIndex) {
        (at as unknown[]).splice(key, 1);
    } else {
        delete holder[key!];
    }
    return undefined;
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

/** The engine passes objects as JSON and scalars as texts. */
function asText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
