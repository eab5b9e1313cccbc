import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Document, isMap, type Node, parseDocument, Scalar, YAMLMap } from "yaml";
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

/** Which workload's releases are meant, and where. */
export interface ReleasesOptions {
    /** Folder of the project. */
    root: string;
    stack: string;
    workload: string;
    /** Takes one line at a time. */
    log: (line: string) => void;
    /** Default: {@link runKubectl}. */
    kubectl?: Kubectl;
}

/** What the stack file has live. */
export interface Live {
    /** Missing where the workload has no colours. */
    colour?: Colour | undefined;
    version: string;
    /** Image reference, without digest. */
    reference: string;
    /** Its digest, where it is pinned. */
    digest?: string | undefined;
    /** Environment of its containers. Default: it is not compared. */
    config?: Record<string, string>;
}

/** A release as the stack file is to have it. */
export interface RestoredRelease {
    /** Name of the stack file, for messages. */
    file: string;
    workload: string;
    /** Missing where the workload has no colours. */
    colour?: Colour | undefined;
    version: string;
    /** Environment of this release alone. */
    config: Record<string, string>;
    /** Image reference, without digest. */
    reference: string;
    digest: string;
}

/** What {@link restore} has set. */
export interface Restored {
    version: string;
    /** The idle colour, which has it now. Missing where the workload has no colours. */
    colour?: Colour | undefined;
}

/** Prints the releases that the ledger of a workload remembers. */
export function listReleases(options: ReleasesOptions): void {
    const { values, workload } = readStack(options);
    options.log(renderReleases(readLedger(options, values), liveOf(values, workload)));
}

/**
 * Sets an earlier release in the stack file, on the idle colour where the workload has two: with the configuration and the
 * digest it ran with then. Prints how to roll it out.
 *
 * @param options.option How the revision is given on the command line. Default: `--revision`.
 * @returns What was set; undefined where the revision is live.
 * @throws UsageError for whatever cannot be restored; the file is unchanged then.
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

    // Entries of one image may differ in configuration: where the live one has its own, only its own entry is it.
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
    // Nothing is written that the next preview would refuse.
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
                log(`  ${path}.config.${key}: ${value}${was(former?.config[key])}`);
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

/** What a release needs beside its workload's configuration, and which of that it did not have. */
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

/** The releases as a table, oldest first, the live one marked. */
export function renderReleases(entries: readonly HistoryEntry[], live: Live): string {
    if (entries.length === 0) {
        return "The ledger has no releases yet.";
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
            ? `Live in the stack file, and not in the ledger: ${live.version}${on(live.colour, " on ")}`
            : `* live in the stack file${on(live.colour)}`;
    return [...lines, "", legend].join("\n");
}

/**
 * Text of a stack file with a release set and its image pinned; configuration and change record of the release that
 * was there go: the release history knows the one that is set. Every other character stays, which is why the text is spliced
 * and not printed again.
 *
 * @throws Error naming the file when its text cannot be spliced.
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
    // A check against the ways to write YAML that nobody thought of.
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
        // An alias stands for what was replaced.
        return false;
    }
}

/** The text with the fields as a release, in the form its map has; a new one takes one line. */
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
        // Sets the value alone where there is one, and keeps its comment.
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

/** A map of texts in quotes: no reader of YAML takes one for a number or a truth value. */
function quotedMap(texts: Record<string, string>): YAMLMap {
    const map = new YAMLMap();
    for (const [key, value] of Object.entries(texts)) {
        const scalar = new Scalar(value);
        scalar.type = Scalar.QUOTE_DOUBLE;
        map.set(key, scalar);
    }
    return map;
}

/** kubectl's current context. What an EKS cluster needs where there is none is one command. */
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

/** Reads a workload's key of the ledger, from the cluster the stack runs in. */
function readLedger(
    { workload, log, kubectl = runKubectl }: ReleasesOptions,
    values: StackValues,
): HistoryEntry[] {
    const { namespace, cluster, context } = values.kubernetes;
    if (context === undefined) {
        const current = currentContext(kubectl, values);
        log(`Reading the ledger by kubectl's current context, ${current}; the stack's is EKS ${cluster}.`);
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
 * The stack's values, with edits tried on them, and the workload among them.
 *
 * @throws UsageError for whatever is wrong with them, and for an account id that is still missing: the default
 * registry is the account's.
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

/** The release that has the traffic. */
function activeRelease(workload: WorkloadValues): ReleaseValues {
    return workload.strategy === "blueGreen" ? workload.releases[workload.live]! : workload.release;
}

/** The release of a colour, or the one of a workload without colours. */
function releaseOf(workload: WorkloadValues, colour: Colour | undefined): ReleaseValues | undefined {
    return workload.strategy === "rolling" ? workload.release : colour && workload.releases[colour];
}

function pinOf({ images: { pins } }: StackValues, reference: string): string | undefined {
    const pin = pins[reference];
    return pin === PLACEHOLDER_DIGEST ? undefined : pin;
}

/** The entry of what is live. A release that was restored has one of the other colour: it is not tested again. */
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
                ? `none: the ledger has no completed release of ${workload}`
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

/** Whether anything but the release that is set runs an image: its pin is then not that release's to change. */
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

function was(value: string | undefined): string {
    return value === undefined ? "" : ` (was ${value})`;
}
