import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Document, isMap, type Node, parseDocument, Scalar, YAMLMap } from "yaml";
import { masked } from "../core/credentials";
import { LEDGER } from "../core/labels";
import { type StackValues } from "../config";
import { imageReferences, releaseReference } from "../config/images";
import { configPath } from "../config/problems";
import { getOwn } from "../core/getOwn";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { type ReleaseValues, type WorkloadValues } from "../config/workload";
import { type Colour } from "../core/numbers";
import { type HistoryEntry, parseEntries } from "../jobs/lib/releaseHistory";
import { ValidationError } from "../jobs/lib/schema";
import { isAccount, UsageError, valuesOf } from "../offline/stackFile";
import {
    block,
    endOfMap,
    FORMAT,
    indentOf,
    insertBelow,
    isBlockMap,
    parse,
    writePins,
} from "./images/stackPins";
import { replaceFile } from "./images/replaceFile";
import { inCluster, type Kubectl, runKubectl } from "./kubectl";

/** Workload, and access to its releases. */
export interface ReleasesOptions {
    /** Folder of the project. */
    root: string;
    stack: string;
    workload: string;
    /** Receives output line by line. */
    log: (line: string) => void;
    /** Default: {@link runKubectl}. */
    kubectl?: Kubectl;
}

/** The active release by the stack file. */
export interface Live {
    /** Undefined for a workload without colours. */
    colour?: Colour | undefined;
    version: string;
    /** Image reference, without digest. */
    reference: string;
    /** Its digest, if pinned. */
    digest?: string | undefined;
    /** Environment of its containers. Default: not compared. */
    config?: Record<string, string>;
}

/** A release for the stack file. */
export interface RestoredRelease {
    /** Name of the stack file, for messages. */
    file: string;
    workload: string;
    /** Undefined for a workload without colours. */
    colour?: Colour | undefined;
    version: string;
    /** Environment of this release only. */
    config: Record<string, string>;
    /** Image reference, without digest. */
    reference: string;
    digest: string;
}

/** Result of {@link restore}. */
export interface Restored {
    version: string;
    /** The idle colour that now has it. Undefined for a workload without colours. */
    colour?: Colour | undefined;
}

/** Prints the releases in a workload's release history. */
export function listReleases(options: ReleasesOptions): void {
    const { values, workload } = readStack(options);
    options.log(renderReleases(readLedger(options, values), liveOf(values, workload)));
}

/**
 * Sets an earlier release in the stack file, on the idle colour if the workload has two, with its configuration and
 * digest. Prints how to roll it out.
 *
 * @param options.option The option with the revision. Default: `--revision`.
 * @returns the release; undefined if the revision is live.
 * @throws UsageError if it cannot be restored. Then the file is unchanged.
 */
export function restore(
    options: ReleasesOptions & { revision?: string; option?: string },
): Restored | undefined {
    const { root, stack, workload: name, revision, log, option = "--revision" } = options;
    if (!/^[1-9]\d*$/.test(revision ?? "")) {
        const found = JSON.stringify(revision) ?? "nothing";
        throw new UsageError(
            `${option}: found ${found}, expected a number that npm run releases -- list shows`,
        );
    }
    const { values, workload } = readStack(options);
    const live = liveOf(values, workload);
    const idle = live.colour && (live.colour === "blue" ? "green" : "blue");
    const entries = readLedger(options, values);
    const entry = entryOf(entries, revision!, name, option);
    const { version } = entry;
    const reference = releaseReference(values, workload.image, version);
    const digest = digestOf(entry, reference);

    // Entries of one image may differ in configuration: if the live one has an entry with its own, only that one
    // matches.
    const plain = Object.keys(activeRelease(workload).config).length === 0;
    if (runs(live, entry) && (entry.config !== undefined || plain || entry === liveEntry(entries, live))) {
        log(`Revision ${revision}, ${version}, is live already${on(live.colour)}: nothing to restore.`);
        return undefined;
    }
    const pin = { path: configPath(["images", "pins", reference]), before: pinOf(values, reference) };
    if (pin.before !== undefined && pin.before !== digest && isUsedBeside(idle, name, reference, values)) {
        throw new UsageError(
            `${pin.path}: found ${pin.before}, which another release runs too, expected ${digest} as in ` +
                `revision ${revision}; push that image under a tag of its own`,
        );
    }
    const path = configPath(["workloads", name, ...(idle === undefined ? ["release"] : ["releases", idle])]);
    // Checks that the next preview accepts the result before it writes.
    readStack(options, [`${path}.version=${version}`, `${pin.path}=${digest}`]);

    const file = `Pulumi.${stack}.yaml`;
    const before = readFileSync(join(root, file), "utf8");
    const { config, lasting } = ownConfig(workload.config, entry);
    const release = { file, workload: name, colour: idle, version, config, reference, digest } as const;
    const after = restoreRelease(before, release);
    if (after === before) {
        log(`${file} has revision ${revision} of ${name}${on(idle, " on ")} already.`);
    } else {
        replaceFile(join(root, file), after);
        const former = releaseOf(workload, idle);
        const removed = Object.keys(former?.config ?? {}).filter((key) => config[key] === undefined);
        log(
            `${file} has revision ${revision} of ${name}${idle === undefined ? " now" : ` on ${idle} now, the idle colour`}:`,
        );
        log(`  ${path}.version: ${version}${was(former?.version)}`);
        if (former?.change !== undefined) {
            log(`  ${path}.change: removed${was(former.change.ticket ?? former.change.skip)}`);
        }
        for (const [key, value] of Object.entries(config)) {
            if (former?.config[key] !== value)
                log(`  ${path}.config.${key}: ${masked(key, value)}${was(former?.config[key], key)}`);
        }
        if (removed.length > 0) {
            log(`  ${path}.config: removed${was(removed.join(", "))}`);
        }
        log(`  ${pin.path}: ${digest}${was(pin.before)}`);
    }
    if (entry.config === undefined) {
        log(
            `The release history has no configuration of revision ${revision}: it runs with the present one.`,
        );
    }
    for (const key of lasting) {
        const present = configPath(["workloads", name, "config", key]);
        log(`${present}: revision ${revision} did not have it, and it stays`);
    }
    if (workload.strategy === "blueGreen" && workload.stage === idle) {
        log(`${idle} is staged: any pulumi up deploys and tests it, without moving the traffic.`);
    }
    const switched = idle && `${configPath(["workloads", name, "live"])}=${idle}`;
    log(idle === undefined ? "To roll it out:" : "To give it the traffic:");
    log(`  npm run preview -- --stack ${stack}${switched === undefined ? "" : ` --set ${switched}`}`);
    if (switched !== undefined) {
        log(`  pulumi config set --stack ${stack} --path ${switched.replace("=", " ")}`);
    }
    log(`  pulumi up --stack ${stack} --policy-pack policies`);
    return { version, colour: idle };
}

/** Differences between a release's configuration and its workload's, including removed variables. */
function ownConfig(
    common: Readonly<Record<string, string>>,
    { config }: HistoryEntry,
): { config: Record<string, string>; lasting: string[] } {
    if (config === undefined) {
        return { config: {}, lasting: [] };
    }
    return {
        config: Object.fromEntries(Object.entries(config).filter(([key, value]) => common[key] !== value)),
        lasting: Object.keys(common).filter((key) => config[key] === undefined),
    };
}

function on(colour: Colour | undefined, words = ", on "): string {
    return colour === undefined ? "" : words + colour;
}

/** The releases as a table, oldest first, with the live one marked. */
export function renderReleases(entries: readonly HistoryEntry[], live: Live): string {
    if (entries.length === 0) {
        return "The release history has no releases yet.";
    }
    const marked = liveEntry(entries, live);
    const rows = [
        ["", "Revision", "Colour", "Version", "Completed", "Ticket", "Note"],
        ...entries.map((entry) => {
            const { revision, colour, version, completedAt, ticket, note } = entry;
            const cells = [revision, colour, version, completedAt, ticket, note].map((cell) => cell ?? "-");
            return [entry === marked ? "*" : "", ...cells.map(String)];
        }),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    const lines = rows.map((row) =>
        row
            .map((cell, column) => cell.padEnd(widths[column]!))
            .join("  ")
            .trimEnd(),
    );
    const legend =
        marked === undefined
            ? `Live in the stack file, and not in the release history: ${live.version}${on(live.colour, " on ")}`
            : `* live in the stack file${on(live.colour)}`;
    return [...lines, "", legend].join("\n");
}

/**
 * Text of a stack file with a release set and its image pinned, and the configuration and change record of the replaced
 * release removed. The text is spliced, not reprinted, so that all other characters stay.
 *
 * @throws Error naming the file if its text cannot be spliced.
 */
export function restoreRelease(text: string, restored: RestoredRelease): string {
    const { file, workload, colour, version, config, reference, digest } = restored;
    const holder = colour === undefined ? [workload] : [workload, "releases"];
    const path = ["config", "mcp:workloads", ...holder];
    const key = colour ?? "release";
    const fields = { version, ...(Object.keys(config).length > 0 && { config }) };
    const where = configPath(["workloads", ...holder]);
    const refused = new UsageError(
        `${file} cannot be edited; write ${where} as block maps or maps of one line, without aliases`,
    );
    const expected = parse(text, file);
    const releases = expected.getIn(path);
    if (!isMap(releases)) {
        throw refused;
    }
    const edited = spliceRelease(text, releases, key, fields);
    expected.setIn([...path, key], fields);
    const after = parseDocument(edited);
    // Checks the result, for unexpected forms of YAML.
    if (after.errors.length > 0 || !meanTheSame(after, expected)) {
        throw refused;
    }
    const pinned = after.getIn(["config", "mcp:images", "pins", reference]) === digest;
    return pinned ? edited : writePins(edited, new Map([[reference, digest]]), file);
}

function meanTheSame(one: Document, other: Document): boolean {
    try {
        return isDeepStrictEqual(one.toJS(), other.toJS());
    } catch {
        // An alias refers to the replaced node.
        return false;
    }
}

/** The text with a release's fields, in the style of its map; a new map takes one line. */
function spliceRelease(
    text: string,
    releases: YAMLMap,
    name: string,
    fields: Record<string, string | Record<string, string>>,
): string {
    const old = releases.get(name, true) as Node | undefined;
    const release = new YAMLMap();
    release.flow = !isBlockMap(old);
    release.items = isMap(old) ? old.items.filter(({ key }) => typeof fields[String(key)] === "string") : [];
    for (const [key, value] of Object.entries(fields)) {
        // Sets only the value if it exists, and keeps its comment.
        release.set(key, typeof value === "string" ? value : quotedMap(value));
    }
    if (isBlockMap(old)) {
        const lines = block(release, indentOf(text, old), text).trim();
        return text.slice(0, old.range![0]) + lines + text.slice(endOfMap(text, old));
    }
    const added = new YAMLMap();
    added.set(name, release);
    if (old === undefined && isBlockMap(releases)) {
        return insertBelow(text, endOfMap(text, releases), block(added, indentOf(text, releases), text));
    }
    if (old === undefined) {
        added.flow = true;
        added.items.unshift(...releases.items);
    }
    const [start, end] = (old ?? releases).range!;
    const source = new Document(old === undefined ? added : release).toString(FORMAT).trimEnd();
    return text.slice(0, start) + source + text.slice(end);
}

/** A map of quoted texts, so that none is read as a number or boolean. */
function quotedMap(texts: Record<string, string>): YAMLMap {
    const map = new YAMLMap();
    for (const [key, value] of Object.entries(texts)) {
        const scalar = new Scalar(value);
        scalar.type = Scalar.QUOTE_DOUBLE;
        map.set(key, scalar);
    }
    return map;
}

/** kubectl's current context. For an EKS cluster without one, the error names the command that creates it. */
function currentContext(kubectl: Kubectl, { kubernetes: { cluster }, aws }: StackValues): string {
    try {
        return kubectl(["config", "current-context"]).trim();
    } catch (error) {
        if (!(error instanceof UsageError) || !error.message.includes("current-context is not set")) {
            throw error;
        }
        throw new UsageError(
            `kubectl has no current context. Set it: aws eks update-kubeconfig --name ${cluster} --region ${aws?.region}`,
        );
    }
}

/** Reads a workload's release history from the stack's cluster. */
function readLedger(
    { workload, log, kubectl = runKubectl }: ReleasesOptions,
    values: StackValues,
): HistoryEntry[] {
    const { namespace, cluster, context } = values.kubernetes;
    if (context === undefined) {
        const current = currentContext(kubectl, values);
        log(
            `Reading the release history by kubectl's current context, ${current}; the stack's is EKS ${cluster}.`,
        );
    }
    const answer = kubectl([...["get", "configmap", LEDGER, "-o", "json"], ...inCluster(values.kubernetes)]);
    const place = `ConfigMap ${LEDGER} in ${namespace}`;
    try {
        const { data } = JSON.parse(answer) as { data?: Record<string, string> };
        return data?.[workload] === undefined ? [] : parseEntries(data[workload]);
    } catch (error) {
        if (error instanceof ValidationError) {
            const problems = error.problems.map(
                ({ path, found, expected }) => `${workload}${path}: found ${found}, expected ${expected}`,
            );
            throw new UsageError(
                `${place}, ${problems.join("; ")}`,
                "docs/release-gates.md says what the history holds, and how a gate takes one that is corrupt.",
            );
        }
        throw new UsageError(
            `${place}: kubectl's answer is no ConfigMap in JSON`,
            "Is the kubectl on the PATH the real one? npm run doctor checks it.",
        );
    }
}

/**
 * The stack's values with edits applied, and the workload.
 *
 * @throws UsageError for invalid values, and for a missing account id, which is part of the default registry.
 */
function readStack(
    { root, stack, workload: name }: ReleasesOptions,
    edits: readonly string[] = [],
): { values: StackValues; workload: WorkloadValues } {
    const values = triedValues(root, stack, edits);
    const workload = getOwn(values.workloads, name);
    if (workload === undefined) {
        const known = Object.keys(values.workloads).join(", ");
        throw new UsageError(`--workload: found ${JSON.stringify(name)}, expected one of ${known}`);
    }
    return { values, workload };
}

function triedValues(root: string, stack: string, edits: readonly string[]): StackValues {
    try {
        return valuesOf(root, stack, { edits, needed: isAccount });
    } catch (error) {
        if (!(error instanceof UsageError) || edits.length === 0) throw error;
        throw new UsageError(
            `${error.message}\nwith these edits, which are not written:\n  ${edits.join("\n  ")}`,
        );
    }
}

function liveOf(values: StackValues, workload: WorkloadValues): Live {
    const { version, config } = activeRelease(workload);
    const reference = releaseReference(values, workload.image, version);
    return {
        colour: workload.strategy === "blueGreen" ? workload.live : undefined,
        version,
        reference,
        digest: pinOf(values, reference),
        config: { ...workload.config, ...config },
    };
}

/** The active release. */
function activeRelease(workload: WorkloadValues): ReleaseValues {
    return workload.strategy === "blueGreen" ? workload.releases[workload.live]! : workload.release;
}

/** The release of a colour, or of a workload without colours. */
function releaseOf(workload: WorkloadValues, colour: Colour | undefined): ReleaseValues | undefined {
    return workload.strategy === "rolling" ? workload.release : colour && workload.releases[colour];
}

function pinOf({ images: { pins } }: StackValues, reference: string): string | undefined {
    const pin = pins[reference];
    return pin === PLACEHOLDER_DIGEST ? undefined : pin;
}

/** The entry of the live release. After a restore it may be of the other colour: it is not tested again. */
function liveEntry(entries: readonly HistoryEntry[], live: Live): HistoryEntry | undefined {
    const candidates = entries.filter((entry) => runs(live, entry));
    return candidates.findLast(({ colour }) => colour === live.colour) ?? candidates.at(-1);
}

function runs({ reference, digest, config }: Live, entry: HistoryEntry): boolean {
    const isImage =
        digest === undefined
            ? entry.image.split("@")[0] === reference
            : entry.image === `${reference}@${digest}`;
    const isConfigKnown = config !== undefined && entry.config !== undefined;
    return isImage && (!isConfigKnown || isDeepStrictEqual(config, entry.config));
}

function entryOf(
    entries: readonly HistoryEntry[],
    revision: string,
    workload: string,
    option: string,
): HistoryEntry {
    const known = entries.flatMap((entry) => entry.revision ?? []).sort((one, other) => one - other);
    const entry = entries.findLast((each) => String(each.revision) === revision);
    if (entry === undefined) {
        const expected =
            known.length === 0
                ? `none: the release history has no completed release of ${workload}`
                : `one of ${known.join(", ")}`;
        throw new UsageError(`${option}: found ${revision}, expected ${expected}`);
    }
    return entry;
}

function digestOf({ revision, image }: HistoryEntry, reference: string): string {
    const digest = image.startsWith(`${reference}@`) ? image.slice(reference.length + 1) : "";
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
        throw new UsageError(
            `revision ${revision}, image: found ${JSON.stringify(image)}, expected ${reference}@sha256:…`,
        );
    }
    return digest;
}

/** Whether anything else runs the same image: then this release may not change its pin. */
function isUsedBeside(
    idle: Colour | undefined,
    name: string,
    reference: string,
    values: StackValues,
): boolean {
    const { [name]: workload, ...others } = values.workloads;
    const workloads =
        workload?.strategy === "blueGreen" && idle !== undefined
            ? { ...others, [name]: { ...workload, releases: { ...workload.releases, [idle]: undefined } } }
            : others;
    return imageReferences({ ...values, workloads }).includes(reference);
}

function was(value: string | undefined, name = ""): string {
    return value === undefined ? "" : ` (was ${masked(name, value)})`;
}
