import { styleText } from "node:util";
import { configPath } from "../config/problems";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { type Violation } from "../policies/rule";
import { type Change, type Operation, type PropertyChange } from "./compare";
import { type Preview } from "./preview";
import { countUnknowns, displayed, type Property, UNKNOWN } from "./property";
import { type RecordedResource } from "./record";
import { type TreeNode, treeOf } from "./tree";
import { at, describeWorkloads, plural, versionOf } from "./summary";

type Style = Parameters<typeof styleText>[0];

/** How each operation is shown. */
export const OPERATIONS: Record<Operation, { sign: string; style: Style; phrase: string }> = {
    create: { sign: "+", style: "green", phrase: "to create" },
    read: { sign: ">", style: "cyan", phrase: "to read" },
    update: { sign: "~", style: "yellow", phrase: "to update" },
    "update or replace": { sign: "~?", style: "yellow", phrase: "to update or replace" },
    replace: { sign: "+-", style: "magenta", phrase: "to replace" },
    delete: { sign: "-", style: "red", phrase: "to delete" },
    same: { sign: "", style: "reset", phrase: "unchanged" },
};

/** The preview as text that reads like `pulumi preview`. */
export function renderText(preview: Preview, colour: boolean): string {
    const paint = (style: Style, text: string) =>
        colour && text !== "" ? styleText(style, text, { validateStream: false }) : text;
    const sections = [
        heading(preview),
        sentencesOf(preview).join("\n"),
        resourceTable(preview, paint),
        propertyDetails(preview.changes, paint),
        workloadTable(preview),
        outputs(preview),
        summary(preview),
        refusals(preview, paint),
        placeholders(preview),
        policies(preview, paint),
    ];
    return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/** The preview as data; secrets and unknowns are marked, not shown. */
export function renderJson(preview: Preview): string {
    const { recording, changes, edits, placeholders: missing, findings } = preview;
    const report = {
        offline: true,
        project: recording.project,
        stack: recording.stack,
        edits,
        workloads: sentencesOf(preview),
        resources: changes.map(({ operation, resource, properties, because, refused }) => ({
            operation,
            ...resource,
            inputs: displayed(resource.inputs),
            changes: propertiesAsData(properties),
            because,
            refused,
        })),
        outputs: displayed(recording.outputs),
        placeholders: missing.map(({ path, command }) => ({ path: configPath(path), command })),
        findings,
    };
    return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** What edits mean for the workloads. */
function sentencesOf({ changes, edits }: Preview): string[] {
    return edits.length > 0 ? describeWorkloads(changes) : [];
}

/** Changed properties as data, as the preview and a review tell them. */
export function propertiesAsData(properties: readonly PropertyChange[]): object[] {
    return properties.map(({ path, before, after }) => ({
        path,
        before: before === undefined ? undefined : displayed(before),
        after: after === undefined ? undefined : displayed(after),
    }));
}

type Paint = (style: Style, text: string) => string;

function heading({ recording, edits }: Preview): string {
    const line =
        `Offline preview of ${recording.project}/${recording.stack}: declared resources, no cloud plan; ` +
        "what exists already is not known, nor are values a provider gives ([unknown]).";
    return edits.length === 0
        ? line
        : `${line}\nCompared with Pulumi.${recording.stack}.yaml: ${edits.join("  ")}`;
}

function resourceTable({ changes, edits }: Preview, paint: Paint): string {
    const rows = treeOf(changes).flatMap((node) => rowsOf(node, edits.length > 0, "", ""));
    if (rows.length === 0) {
        return "Nothing changes.";
    }
    const width = (pick: (row: Row) => string) => Math.max(...rows.map((row) => pick(row).length));
    const typeWidth = width(({ type }) => type);
    const nameWidth = width(({ name }) => name);
    const lines = rows.map(({ operation, type, name, info }) => {
        const { sign, style } = OPERATIONS[operation];
        return ` ${paint(style, sign.padEnd(2))}  ${type.padEnd(typeWidth)}  ${name.padEnd(nameWidth)}  ${info}`.trimEnd();
    });
    return [`     ${"Type".padEnd(typeWidth)}  ${"Name".padEnd(nameWidth)}  Info`, ...lines].join("\n");
}

interface Row {
    operation: Operation;
    type: string;
    name: string;
    info: string;
}

/** The rows of a node, or none where nothing in it changes and only changes are asked for. */
function rowsOf(node: TreeNode<Change>, onlyChanges: boolean, indent: string, childIndent: string): Row[] {
    const kept = node.children.filter((child) => !onlyChanges || hasChange(child));
    if (onlyChanges && !hasChange(node)) {
        return [];
    }
    const { operation, resource, properties } = node.item;
    const roots = [...new Set(properties.map(({ path }) => path.split(/[.[]/)[0]))];
    const info = [
        resource.options.protect ? "protected" : "",
        versionOf(resource) ?? "",
        roots.length > 0 ? `[diff: ~${roots.join(",")}]` : "",
    ];
    return [
        {
            operation,
            type: `${indent}${resource.type}`,
            name: resource.name,
            info: info.filter(Boolean).join("  "),
        },
        ...kept.flatMap((child, index) => {
            const last = index === kept.length - 1;
            return rowsOf(
                child,
                onlyChanges,
                `${childIndent}${last ? "└─ " : "├─ "}`,
                `${childIndent}${last ? "   " : "│  "}`,
            );
        }),
    ];
}

function hasChange(node: TreeNode<Change>): boolean {
    return node.item.operation !== "same" || node.children.some(hasChange);
}

function propertyDetails(changes: readonly Change[], paint: Paint): string {
    return changes
        .filter(({ properties }) => properties.length > 0)
        .map((change) => {
            const { operation, resource } = change;
            const { sign, style, phrase } = OPERATIONS[operation];
            const source = resource.source && `  ${resource.source.file}:${resource.source.line}`;
            return [
                `${paint(style, `${sign} ${resource.type} ${resource.name}`)} ${phrase}${source ?? ""}`,
                ...describeProperties(change).map((line) => `    ${line}`),
            ].join("\n");
        })
        .join("\n");
}

/** What becomes of each property, a line or some each. */
export function describeProperties({ properties, because }: Change): string[] {
    return properties.flatMap((property) => describe(property, because));
}

function describe({ path, before, after }: PropertyChange, because: readonly string[]): string[] {
    if (before === UNKNOWN && after === UNKNOWN) {
        return [`~ ${path}: new value from ${because.join(", ")}`];
    }
    if (before === undefined) {
        return [`+ ${path}: ${short(after)}`];
    }
    if (typeof before === "string" && typeof after === "string" && `${before}${after}`.includes("\n")) {
        const [old, fresh] = [before.split("\n"), after.split("\n")];
        return [
            `~ ${path}:`,
            ...old.filter((line) => !fresh.includes(line)).map((line) => `    - ${line.trim()}`),
            ...fresh.filter((line) => !old.includes(line)).map((line) => `    + ${line.trim()}`),
        ];
    }
    if (after === undefined) {
        return [`- ${path}: ${short(before)}`];
    }
    const [old, fresh] = apart(textOf(before), textOf(after));
    return [`~ ${path}: ${old} => ${fresh}`];
}

/** Longest text of a value that is shown whole, in characters. */
const LONGEST_VALUE = 120;

function short(value: Property | undefined): string {
    const text = textOf(value);
    return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 3)}...` : text;
}

function textOf(value: Property | undefined): string {
    return shortDigests(JSON.stringify(displayed(value ?? null)));
}

/** Two long texts from shortly before where they begin to differ, so that the difference is not what is cut off. */
function apart(before: string, after: string): [string, string] {
    const first = [...before].findIndex((_, index) => before[index] !== after[index]);
    const begin = Math.max(0, (first < 0 ? before.length : first) - LONGEST_VALUE / 4);
    return [before, after].map((text) => {
        const start = text.length > LONGEST_VALUE ? begin : 0;
        const end = start + LONGEST_VALUE;
        return `${start > 0 ? "..." : ""}${text.slice(start, end)}${end < text.length ? "..." : ""}`;
    }) as [string, string];
}

/** Digests by their first characters, as people compare them; a placeholder must not read like one at all. */
function shortDigests(text: string): string {
    return text
        .replaceAll(`@${PLACEHOLDER_DIGEST}`, "@[not pinned]")
        .replaceAll(/@(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "@$1");
}

/** Per Deployment: what runs, how many, from which image. With edits, only of those that they change. */
function workloadTable({ recording: { resources }, changes, edits }: Preview): string {
    const changed = new Set(
        changes.filter(({ operation }) => operation !== "same").map(({ resource }) => resource.urn),
    );
    const deployments = resources
        .filter(({ type }) => type === "kubernetes:apps/v1:Deployment")
        .map((deployment) => ({ deployment, autoscaler: autoscalerOf(deployment, resources) }))
        .filter(
            (pair) => edits.length === 0 || Object.values(pair).some((each) => each && changed.has(each.urn)),
        );
    if (deployments.length === 0) {
        return "";
    }
    const rows = deployments
        .map(({ deployment, autoscaler }) => {
            const containers = at(deployment.inputs, "spec", "template", "spec", "containers");
            const image = Array.isArray(containers) ? at(containers[0], "image") : undefined;
            return [
                deployment.name,
                versionOf(deployment) ?? "",
                replicasOf(deployment, autoscaler),
                shortDigests(String(displayed(image ?? null))),
            ];
        })
        .sort();
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
    const lines = rows.map(
        (row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`,
    );
    return ["Workloads:", ...lines].join("\n");
}

function autoscalerOf(
    { inputs }: RecordedResource,
    resources: readonly RecordedResource[],
): RecordedResource | undefined {
    return resources.find(
        (each) =>
            each.type.endsWith(":HorizontalPodAutoscaler") &&
            at(each.inputs, "spec", "scaleTargetRef", "name") === at(inputs, "metadata", "name"),
    );
}

/** The autoscaler's bounds, else the Deployment's own number, of which Kubernetes makes 1 where there is none. */
function replicasOf({ inputs }: RecordedResource, autoscaler: RecordedResource | undefined): string {
    const own = at(inputs, "spec", "replicas");
    if (own === 0) {
        return "idle, scaled to 0";
    }
    const [least, most] = ["minReplicas", "maxReplicas"].map((key) => at(autoscaler?.inputs, "spec", key));
    return autoscaler === undefined
        ? plural(Number(own ?? 1), "replica")
        : `${String(least)}-${String(most)} replicas`;
}

function outputs({ recording, edits }: Preview): string {
    if (edits.length > 0) {
        return "";
    }
    const lines = Object.entries(recording.outputs).map(
        ([name, value]) => `    ${name}: ${JSON.stringify(displayed(value))}`,
    );
    return ["Outputs:", ...lines].join("\n");
}

function summary({ changes, recording, before }: Preview): string {
    const counts = Object.entries(OPERATIONS).flatMap(([operation, { sign, phrase }]) => {
        const count = changes.filter((change) => change.operation === operation).length;
        return count === 0 ? [] : [`    ${`${sign} ${count}`.trim()} ${phrase}`];
    });
    const guarded = recording.resources.filter(({ options }) => options.protect);
    const unknowns = recording.resources.reduce((sum, { inputs }) => sum + countUnknowns(inputs), 0);
    return [
        "Resources:",
        ...counts,
        `    ${unknowns} inputs known only after the update`,
        `    ${guarded.length} protected`,
        // Edits that change what is protected have it in the table.
        ...(before === undefined ? wrapped(eachNameOnce(guarded)) : []),
    ].join("\n");
}

/** Names with what is called so, which may be more than one: `mcp-production (Namespace, Instance)`. */
function eachNameOnce(resources: readonly RecordedResource[]): string[] {
    const kinds = new Map<string, string[]>();
    for (const { name, type } of resources) {
        kinds.set(name, [...(kinds.get(name) ?? []), type.split(":").at(-1)!]);
    }
    return [...kinds].map(([name, alike]) => `${name} (${alike.join(", ")})`);
}

/** Longest line of a list of names, in characters. */
const LONGEST_LINE = 120;

/** A list as lines that are indented below what it is of. */
function wrapped(items: readonly string[]): string[] {
    const indent = " ".repeat(8);
    return items.reduce<string[]>((lines, item, index) => {
        const text = index < items.length - 1 ? `${item},` : item;
        const last = lines.at(-1);
        return last === undefined || `${last} ${text}`.length > LONGEST_LINE
            ? [...lines, `${indent}${text}`]
            : [...lines.slice(0, -1), `${last} ${text}`];
    }, []);
}

/** How to see what edits leave as it was. */
function listing({ recording: { stack } }: Preview): string {
    return `npm run preview${stack === "production" ? "" : ` -- --stack ${stack}`} lists them`;
}

function refusals({ changes }: Preview, paint: Paint): string {
    const refused = changes.filter((change) => change.refused);
    const lines = refused.map(
        ({ operation, resource, refusal }) =>
            `    ${resource.type} ${resource.name}: ${refusal ?? `protected, ${OPERATIONS[operation].phrase}`}`,
    );
    const title = refused.some(({ refusal }) => refusal !== undefined)
        ? "Refused by the engine or by AWS:"
        : "Refused by the engine, before it changes anything:";
    return lines.length === 0 ? "" : [paint("red", title), ...lines].join("\n");
}

/** What only an operator can give. With edits, only what they ask for beside what was missing before. */
function placeholders(preview: Preview): string {
    const { placeholders: missing, before } = preview;
    if (missing.length === 0) {
        return "";
    }
    const known = new Set(before?.placeholders.map(({ path }) => configPath(path)));
    const fresh = missing.filter(({ path }) => !known.has(configPath(path)));
    const title = `Placeholders: ${plural(missing.length, "value")} that only an operator can give`;
    if (fresh.length === 0) {
        return `${title}, as before: ${listing(preview)}.`;
    }
    const commands = new Map<string, string[]>();
    for (const { path, command } of fresh) {
        commands.set(command, [...(commands.get(command) ?? []), configPath(path)]);
    }
    const others = missing.length - fresh.length;
    return [
        `${title}; without them the engine refuses to start.`,
        ...[...commands].flatMap(([command, paths]) => [
            `    ${command}`,
            ...paths.filter((path) => !command.includes(path)).map((path) => `        ${path}`),
        ]),
        ...(others > 0 ? [`    ${others} as before: ${listing(preview)}`] : []),
    ].join("\n");
}

/** What the rules find. With edits, of what is undetermined only what was not before. */
function policies(preview: Preview, paint: Paint): string {
    const { findings, rules, before } = preview;
    const violations = findings.filter(({ kind }) => kind === "violation");
    const suppressed = findings.filter(({ kind }) => kind === "suppressed");
    const undetermined = findings.filter(({ kind }) => kind === "undetermined");
    const where = ({ urn, message }: Violation) =>
        urn === "" ? message : `${urn.split("::").slice(2).join(" ")}: ${message}`;
    // The hash at the end of a gate's name differs from release to release.
    const keyOf = ({ rule, message, urn }: Violation) =>
        `${rule} ${message} ${urn.replace(/-[0-9a-f]{8}$/, "")}`;
    const known = new Set(before?.findings.filter(({ kind }) => kind === "undetermined").map(keyOf));
    const fresh = undetermined.filter((finding) => !known.has(keyOf(finding)));
    const others = undetermined.length - fresh.length;
    const enforcement = new Map(rules.map((rule) => [rule.name, rule.enforcement]));
    return [
        `Policies: ${rules.length} rules, ${violations.length} violations, ${suppressed.length} suppressed, ${undetermined.length} undetermined${fresh.length === 0 && others > 0 ? ` as before: ${listing(preview)}` : ""}.`,
        ...violations.map((finding) => {
            const level = enforcement.get(finding.rule);
            const line = `    ${finding.rule} [${level}]\n        ${where(finding)}`;
            return paint(level === "mandatory" ? "red" : "yellow", line);
        }),
        ...suppressed.map((finding) => {
            const { owner, ticket, expires, reason } = finding.exception!;
            return [
                `    suppressed  ${finding.rule}`,
                `        ${where(finding)}`,
                `        ${ticket}, accepted by ${owner} until ${expires}: ${reason}`,
            ].join("\n");
        }),
        ...[...new Set(fresh.map(({ rule, message }) => `${rule}: ${message}`))].flatMap((title) => {
            const alike = fresh.filter(({ rule, message }) => `${rule}: ${message}` === title);
            // A pod has as many findings as containers.
            const names = [...new Set(alike.map(({ urn }) => urn.split("::").at(-1)!))];
            return [`    undetermined  ${title} (${names.length})`, ...wrapped(names)];
        }),
        ...(fresh.length > 0 && others > 0
            ? [`    ${others} undetermined as before: ${listing(preview)}`]
            : []),
    ].join("\n");
}
