import { styleText } from "node:util";
import { configPath } from "../config/problems";
import { PLACEHOLDER_DIGEST } from "../config/supplies";
import { type Finding } from "../policies/rule";
import { type Change, type Operation, type PropertyChange } from "./compare";
import { type Preview } from "./preview";
import { countUnknowns, displayed, type Property, UNKNOWN } from "./property";
import { type RecordedResource } from "./record";
import { type TreeNode, treeOf } from "./tree";
import { at, describeWorkloads, versionOf } from "./words";

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
        workloadsOf(preview).join("\n"),
        resourceTable(preview, paint),
        propertyDetails(preview.changes, paint),
        workloadTable(preview.recording.resources),
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
        workloads: workloadsOf(preview),
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
function workloadsOf({ changes, edits }: Preview): string[] {
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
    return [
        after === undefined
            ? `- ${path}: ${short(before)}`
            : `~ ${path}: ${short(before)} => ${short(after)}`,
    ];
}

function short(value: Property | undefined): string {
    const text = shortDigests(JSON.stringify(displayed(value ?? null)));
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** Digests by their first characters, as people compare them; a placeholder must not read like one at all. */
function shortDigests(text: string): string {
    return text
        .replaceAll(`@${PLACEHOLDER_DIGEST}`, "@[not pinned]")
        .replaceAll(/@(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "@$1");
}

/** Per Deployment: what runs, how many, from which image. */
function workloadTable(resources: readonly RecordedResource[]): string {
    const deployments = resources.filter(({ type }) => type === "kubernetes:apps/v1:Deployment");
    if (deployments.length === 0) {
        return "";
    }
    const rows = deployments
        .map((deployment) => {
            const autoscaler = resources.find(
                ({ type, inputs }) =>
                    type.endsWith(":HorizontalPodAutoscaler") &&
                    at(inputs, "spec", "scaleTargetRef", "name") ===
                        at(deployment.inputs, "metadata", "name"),
            );
            const replicas = ["minReplicas", "maxReplicas"].map((key) =>
                String(at(autoscaler?.inputs, "spec", key) ?? "?"),
            );
            const containers = at(deployment.inputs, "spec", "template", "spec", "containers");
            const image = Array.isArray(containers) ? at(containers[0], "image") : undefined;
            const scaledAway = at(deployment.inputs, "spec", "replicas") === 0;
            return [
                deployment.name,
                versionOf(deployment) ?? "",
                scaledAway ? "idle, scaled to 0" : `${replicas.join("-")} replicas`,
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

function outputs({ recording, edits }: Preview): string {
    if (edits.length > 0) {
        return "";
    }
    const lines = Object.entries(recording.outputs).map(
        ([name, value]) => `    ${name}: ${JSON.stringify(displayed(value))}`,
    );
    return ["Outputs:", ...lines].join("\n");
}

function summary({ changes, recording }: Preview): string {
    const counts = Object.entries(OPERATIONS).flatMap(([operation, { sign, phrase }]) => {
        const count = changes.filter((change) => change.operation === operation).length;
        return count === 0 ? [] : [`    ${`${sign} ${count}`.trim()} ${phrase}`];
    });
    const guarded = recording.resources.filter(({ options }) => options.protect);
    const unknowns = recording.resources.reduce((sum, { inputs }) => sum + countUnknowns(inputs), 0);
    return [
        "Resources:",
        ...counts,
        `    ${guarded.length} protected${guarded.length > 0 ? `: ${eachNameOnce(guarded)}` : ""}`,
        `    ${unknowns} inputs known only after the update`,
    ].join("\n");
}

/** Names with what is called so, which may be more than one: `mcp-production (Namespace, Instance)`. */
function eachNameOnce(resources: readonly RecordedResource[]): string {
    const kinds = new Map<string, string[]>();
    for (const { name, type } of resources) {
        kinds.set(name, [...(kinds.get(name) ?? []), type.split(":").at(-1)!]);
    }
    return [...kinds].map(([name, alike]) => `${name} (${alike.join(", ")})`).join(", ");
}

function refusals({ changes }: Preview, paint: Paint): string {
    const refused = changes.filter((change) => change.refused);
    const lines = refused.map(
        ({ operation, resource }) =>
            `    ${resource.type} ${resource.name}: protected, ${OPERATIONS[operation].phrase}`,
    );
    return lines.length === 0
        ? ""
        : [paint("red", "Refused by the engine, before it changes anything:"), ...lines].join("\n");
}

function placeholders({ placeholders: missing }: Preview): string {
    if (missing.length === 0) {
        return "";
    }
    const commands = new Map<string, string[]>();
    for (const { path, command } of missing) {
        commands.set(command, [...(commands.get(command) ?? []), configPath(path)]);
    }
    return [
        `Placeholders: ${missing.length} values that only an operator can give; without them the engine refuses to start.`,
        ...[...commands].flatMap(([command, paths]) => [
            `    ${command}`,
            ...paths.filter((path) => !command.includes(path)).map((path) => `        ${path}`),
        ]),
    ].join("\n");
}

function policies({ findings, rules }: Preview, paint: Paint): string {
    const violations = findings.filter(({ kind }) => kind === "violation");
    const suppressed = findings.filter(({ kind }) => kind === "suppressed");
    const undetermined = findings.filter(({ kind }) => kind === "undetermined");
    const where = ({ urn, message }: Finding) =>
        urn === "" ? message : `${urn.split("::").slice(2).join(" ")}: ${message}`;
    // A pod has as many findings as containers.
    const names = (some: typeof findings) =>
        [...new Set(some.map(({ urn }) => urn.split("::").at(-1)))].join(", ");
    const enforcement = new Map(rules.map((rule) => [rule.name, rule.enforcement]));
    return [
        `Policies: ${rules.length} rules, ${violations.length} violations, ${suppressed.length} suppressed, ${undetermined.length} undetermined.`,
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
        ...[...new Set(undetermined.map(({ rule, message }) => `${rule}: ${message}`))].map((title) => {
            const alike = undetermined.filter(({ rule, message }) => `${rule}: ${message}` === title);
            return `    undetermined  ${title}\n        ${names(alike)}`;
        }),
    ].join("\n");
}
