import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Document, isMap, type Node, parseDocument, YAMLMap } from "yaml";
import { LEDGER } from "../core/labels";
import { type StackValues } from "../config";
import { imageReferences, releaseReference } from "../config/images";
import { configPath } from "../config/problems";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { type BlueGreenValues } from "../config/workload";
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
    colour: Colour;
    version: string;
    /** Image reference, without digest. */
    reference: string;
    /** Its digest, where it is pinned. */
    digest?: string | undefined;
}

/** A release as the stack file is to have it. */
export interface RestoredRelease {
    /** Name of the stack file, for messages. */
    file: string;
    workload: string;
    colour: Colour;
    version: string;
    /** Image reference, without digest. */
    reference: string;
    digest: string;
}

/** Prints the releases that the ledger of a workload remembers. */
export function listReleases(options: ReleasesOptions): void {
    const { values, workload } = readStack(options);
    options.log(renderReleases(readLedger(options, values), liveOf(values, workload)));
}

/**
 * Sets an earlier release on the idle colour of the stack file, pinned to the digest it ran with then, and prints
 * how to give it the traffic. It runs with the workload's present configuration: the ledger keeps none.
 *
 * @throws UsageError for whatever cannot be restored; the file is unchanged then.
 */
export function restore(options: ReleasesOptions & { revision?: string }): void {
    const { root, stack, workload: name, revision, log } = options;
    if (!/^[1-9]\d*$/.test(revision ?? "")) {
        const found = JSON.stringify(revision) ?? "nothing";
        throw new UsageError(`--revision: found ${found}, expected a number that list shows`);
    }
    const { values, workload } = readStack(options);
    const live = liveOf(values, workload);
    const idle = live.colour === "blue" ? "green" : "blue";
    const entries = readLedger(options, values);
    const entry = entryOf(entries, revision!, name);
    const { version } = entry;
    const reference = releaseReference(values, workload.image, version);
    const digest = digestOf(entry, reference);

    // Entries of one image may differ in configuration: where the live one has its own, only its own entry is it.
    const plain = Object.keys(workload.releases[live.colour]!.config).length === 0;
    if (runs(live, entry) && (plain || entry === liveEntry(entries, live))) {
        log(`Revision ${revision}, ${version}, is live already, on ${live.colour}: nothing to restore.`);
        return;
    }
    const pin = { path: configPath(["images", "pins", reference]), before: pinOf(values, reference) };
    if (pin.before !== undefined && pin.before !== digest && isUsedBeside(idle, name, reference, values)) {
        throw new UsageError(
            `${pin.path}: found ${pin.before}, which another release runs too, expected ${digest} as in ` +
                `revision ${revision}; push that image under a tag of its own`,
        );
    }
    const path = configPath(["workloads", name, "releases", idle]);
    // Nothing is written that the next preview would refuse.
    readStack(options, [`${path}.version=${version}`, `${pin.path}=${digest}`]);

    const file = `Pulumi.${stack}.yaml`;
    const before = readFileSync(join(root, file), "utf8");
    const release = { file, workload: name, colour: idle, version, reference, digest } as const;
    const after = restoreRelease(before, release);
    if (after === before) {
        log(`${file} has revision ${revision} of ${name} on ${idle} already.`);
    } else {
        replaceFile(join(root, file), after);
        const { config = {}, change, version: oldVersion } = workload.releases[idle] ?? {};
        const removed = Object.keys(config);
        log(`${file} has revision ${revision} of ${name} on ${idle} now, the idle colour:`);
        log(`  ${path}.version: ${version}${was(oldVersion)}`);
        if (change !== undefined) {
            log(`  ${path}.change: removed${was(change.ticket ?? change.skip)}`);
        }
        if (removed.length > 0) {
            log(`  ${path}.config: removed${was(removed.join(", "))}`);
        }
        log(`  ${pin.path}: ${digest}${was(pin.before)}`);
    }
    if (workload.stage === idle) {
        log(`${idle} is staged: any pulumi up deploys and tests it, without moving the traffic.`);
    }
    const switched = configPath(["workloads", name, "live"]);
    log(`To give it the traffic:`);
    log(`  npm run preview -- --stack ${stack} --set ${switched}=${idle}`);
    log(`  pulumi config set --stack ${stack} --path ${switched} ${idle}`);
    log(`  pulumi up --stack ${stack} --policy-pack policies`);
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
            ? `Live in the stack file, and not in the ledger: ${live.version} on ${live.colour}`
            : `* live in the stack file, on ${live.colour}`;
    return [...lines, "", legend].join("\n");
}

/**
 * Text of a stack file with a release set and its image pinned; configuration and change record of the release that
 * was there go: the ledger knows the one that is set. Every other character stays, which is why the text is spliced
 * and not printed again.
 *
 * @throws Error naming the file when its text cannot be spliced.
 */
export function restoreRelease(text: string, restored: RestoredRelease): string {
    const { file, workload, colour, version, reference, digest } = restored;
    const path = ["config", "mcp:workloads", workload, "releases"];
    const fields = { version };
    const where = configPath(["workloads", workload, "releases"]);
    const refused = new UsageError(
        `${file} cannot be edited; write ${where} as block maps or maps of one line, without aliases`,
    );
    const expected = parse(text, file);
    const releases = expected.getIn(path);
    if (!isMap(releases)) {
        throw refused;
    }
    const edited = spliceRelease(text, releases, colour, fields);
    expected.setIn([...path, colour], fields);
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

/** The text with the fields as a colour's release, in the form its map has; a new one takes one line. */
function spliceRelease(
    text: string,
    releases: YAMLMap,
    colour: Colour,
    fields: Record<string, string>,
): string {
    const old = releases.get(colour, true) as Node | undefined;
    const release = new YAMLMap();
    release.flow = !isBlockMap(old);
    release.items = isMap(old) ? old.items.filter(({ key }) => String(key) in fields) : [];
    for (const [key, value] of Object.entries(fields)) {
        // Sets the value alone where there is one, and keeps its comment.
        release.set(key, value);
    }
    if (isBlockMap(old)) {
        const lines = block(release, indentOf(text, old), text).trim();
        return text.slice(0, old.range![0]) + lines + text.slice(endOfMap(text, old));
    }
    const added = new YAMLMap();
    added.set(colour, release);
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
            throw new UsageError(`${place}, ${problems.join("; ")}`);
        }
        throw new UsageError(`${place}: kubectl's answer is no ConfigMap in JSON`);
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
): { values: StackValues; workload: BlueGreenValues } {
    const values = triedValues(root, stack, edits);
    const workload = Object.entries(values.workloads).find(([key]) => key === name)?.[1];
    if (workload?.strategy !== "blueGreen") {
        const found = `${JSON.stringify(name)}${workload === undefined ? "" : ", which is rolling"}`;
        const known = Object.entries(values.workloads).flatMap(([key, { strategy }]) =>
            strategy === "blueGreen" ? [key] : [],
        );
        const expected = known.length === 0 ? "a blue-green one" : `one of ${known.join(", ")}`;
        throw new UsageError(`--workload: found ${found}, expected ${expected}`);
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

function liveOf(values: StackValues, { image, live, releases }: BlueGreenValues): Live {
    const { version } = releases[live]!;
    const reference = releaseReference(values, image, version);
    return { colour: live, version, reference, digest: pinOf(values, reference) };
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

function runs({ reference, digest }: Live, { image }: HistoryEntry): boolean {
    return digest === undefined ? image.split("@")[0] === reference : image === `${reference}@${digest}`;
}

function entryOf(entries: readonly HistoryEntry[], revision: string, workload: string): HistoryEntry {
    const known = entries.flatMap((entry) => entry.revision ?? []).sort((one, other) => one - other);
    const entry = entries.findLast((each) => String(each.revision) === revision);
    if (entry === undefined) {
        const expected =
            known.length === 0
                ? `none: the ledger has no completed release of ${workload}`
                : `one of ${known.join(", ")}`;
        throw new UsageError(`--revision: found ${revision}, expected ${expected}`);
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

/** Whether anything but the idle colour runs an image: its pin is then not the idle colour's to change. */
function isUsedBeside(idle: Colour, name: string, reference: string, values: StackValues): boolean {
    const { releases, ...workload } = values.workloads[name] as BlueGreenValues;
    const others = { ...workload, releases: { ...releases, [idle]: undefined } };
    const workloads = { ...values.workloads, [name]: others };
    return imageReferences({ ...values, workloads }).includes(reference);
}

function was(value: string | undefined): string {
    return value === undefined ? "" : ` (was ${value})`;
}
