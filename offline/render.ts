import { configPath } from "../config/problems";
import { type Violation } from "../policies/rule";
import { type Filter, shortType } from "./concern";
import { OPERATIONS, propertiesAsData, shortDigests } from "./describe";
import { fold, joined, list, unbroken } from "../core/fold";
import { type Paint, painter, PLAIN, type Screen } from "./layout";
import { overview } from "./overview";
import { type Preview } from "./preview";
import { countUnknowns, displayed } from "./property";
import { type RecordedResource } from "./record";
import { type Details, resourceTable } from "./resourceTable";
import { at, describeWorkloads, plural, versionOf } from "./summary";

/** Which parts of a preview to show, and the target of the output. */
export interface View extends Screen {
    /** All resources, outputs, commands and findings. */
    readonly full?: boolean;
    /** All properties of each shown resource. */
    readonly diff?: boolean;
    /** Only these resources. */
    readonly filter?: Filter | undefined;
}

/**
 * The preview as text: with edits their changes, otherwise a summary of the stack on one screen. `full` shows every
 * resource in a tree, as `pulumi preview` does.
 */
export function renderText(preview: Preview, view: View = PLAIN): string {
    const paint = painter(view);
    const sections = [
        heading(preview, view),
        ...(isSummary(preview, view)
            ? [overview(preview, view), workloadTable(preview, view), protectedKinds(preview, view)]
            : [
                  sentencesOf(preview)
                      .flatMap((sentence) => fold(sentence, view.width, "    "))
                      .join("\n"),
                  resources(preview, view, paint),
                  workloadTable(preview, view),
                  outputs(preview, view),
                  counts(preview, view),
              ]),
        refusals(preview, view, paint),
        placeholders(preview, view, paint),
        policies(preview, view, paint),
        isSummary(preview, view) ? hints(preview, view) : "",
    ];
    return `${joined(sections.filter((section) => section !== "").flatMap((section) => [section, ""]))}`;
}

/** Whether to summarize the stack by concern, instead of showing resources. */
function isSummary({ edits }: Preview, { full, diff, filter }: View): boolean {
    return edits.length === 0 && !full && !diff && filter === undefined;
}

/** The preview as data, with marks for secrets and unknowns. */
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

/** Effect of edits on the workloads. */
function sentencesOf({ changes, edits }: Preview): string[] {
    return edits.length > 0 ? describeWorkloads(changes) : [];
}

function heading({ recording: { project, stack }, edits }: Preview, { width }: View): string {
    const line =
        `Offline preview of ${project}/${stack}: what the program declares. Existing resources are not known, nor ` +
        "are values of providers ([unknown], or <name> for the id of a resource).";
    const compared = `Compared with Pulumi.${stack}.yaml: ${edits.join("  ")}`;
    return [...fold(line, width), ...(edits.length === 0 ? [] : fold(compared, width, "    "))].join("\n");
}

/** The shown resources: those that change, all, or those of a filter. */
function resources({ changes, edits }: Preview, view: View, paint: Paint): string {
    const { width, full, diff, filter = () => true } = view;
    const details: Details = diff ? "all" : edits.length > 0 ? "short" : "none";
    const table = resourceTable(changes, {
        width,
        paint,
        details,
        isShown: ({ operation, resource }) =>
            filter(resource) && (full === true || edits.length === 0 || operation !== "same"),
    });
    return table === "" ? "Nothing changes." : table;
}

/** For each Deployment: release, replicas and image. With edits, only changed ones. */
function workloadTable(preview: Preview, view: View): string {
    const {
        recording: { resources: all },
        changes,
        edits,
    } = preview;
    const { width, full, filter = () => true } = view;
    const changed = new Set(
        changes.filter(({ operation }) => operation !== "same").map(({ resource }) => resource.urn),
    );
    const deployments = all
        .filter((resource) => resource.type === "kubernetes:apps/v1:Deployment" && filter(resource))
        .map((deployment) => ({ deployment, autoscaler: autoscalerOf(deployment, all) }))
        .filter(
            (pair) =>
                edits.length === 0 ||
                full === true ||
                Object.values(pair).some((each) => each && changed.has(each.urn)),
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
    const lines = rows.map((row) => {
        const start = `    ${row
            .slice(0, 3)
            .map((cell, column) => cell.padEnd(widths[column]!))
            .join("  ")}`;
        if (isSummary(preview, view)) {
            return start.trimEnd();
        }
        const image = row[3]!;
        const short = `…/${image.split("/").at(-1)}`;
        const fitting = [image, short].find((text) => start.length + 2 + text.length <= width);
        return fitting === undefined ? `${start.trimEnd()}\n        ${short}` : `${start}  ${fitting}`;
    });
    return ["Workloads:", ...lines].join("\n");
}

function autoscalerOf(
    { inputs }: RecordedResource,
    all: readonly RecordedResource[],
): RecordedResource | undefined {
    return all.find(
        (each) =>
            each.type.endsWith(":HorizontalPodAutoscaler") &&
            at(each.inputs, "spec", "scaleTargetRef", "name") === at(inputs, "metadata", "name"),
    );
}

/** The autoscaler's bounds, otherwise the Deployment's replicas, 1 by default. */
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

function outputs({ recording, edits }: Preview, { width, full }: View): string {
    if (edits.length > 0 || !full) {
        return "";
    }
    const lines = Object.entries(recording.outputs).flatMap(([name, value]) =>
        fold(`    ${name}: ${JSON.stringify(displayed(value))}`, width, " ".repeat(8)),
    );
    return ["Outputs:", ...lines].join("\n");
}

/** Number of resources for each operation. */
function counts({ changes, recording, edits }: Preview, { width, full, filter = () => true }: View): string {
    const shown = changes.filter(({ resource }) => filter(resource));
    const parts = Object.entries(OPERATIONS).flatMap(([operation, { sign, phrase }]) => {
        const count = shown.filter((change) => change.operation === operation).length;
        return count === 0 ? [] : [`${`${sign} ${count}`.trim()} ${phrase}`];
    });
    const of = shown.length === changes.length ? "" : ` (${shown.length} of ${changes.length} match)`;
    const guarded = recording.resources.filter((resource) => resource.options.protect && filter(resource));
    const unknowns = recording.resources
        .filter(filter)
        .reduce((sum, { inputs }) => sum + countUnknowns(inputs), 0);
    return [
        `Resources${of}:`,
        ...list(parts, width, "    "),
        `    ${unknowns} inputs known only after the update`,
        `    ${guarded.length} protected`,
        // With edits, the table already shows protected resources that change.
        ...(guarded.length > 0 && (edits.length === 0 || full)
            ? fold(`${" ".repeat(8)}${eachNameOnce(guarded)}`, width, " ".repeat(8))
            : []),
    ].join("\n");
}

/** Names with their types, of which there may be several: `mcp-production (Namespace, Instance)`. */
function eachNameOnce(guarded: readonly RecordedResource[]): string {
    const kinds = new Map<string, string[]>();
    for (const { name, type } of guarded) {
        kinds.set(name, [...(kinds.get(name) ?? []), type.split(":").at(-1)!]);
    }
    return [...kinds].map(([name, alike]) => `${name} (${alike.join(", ")})`).join(", ");
}

/** Protected resources, by kind. */
function protectedKinds({ recording }: Preview, { width }: View): string {
    const kinds = new Map<string, number>();
    for (const { type, options } of recording.resources) {
        if (options.protect) {
            kinds.set(shortType(type), (kinds.get(shortType(type)) ?? 0) + 1);
        }
    }
    const items = [...kinds].map(([kind, count]) => unbroken(count === 1 ? kind : `${count} ${kind}`));
    return kinds.size === 0 ? "" : fold(`Protected: ${items.join(", ")}`, width, "    ").join("\n");
}

/** The command that lists the omitted resources. */
function fully({ recording: { stack } }: Preview): string {
    return unbroken(`npm run preview -- --full${stack === "production" ? "" : ` --stack ${stack}`}`);
}

function hints(preview: Preview, { width }: View): string {
    const options = ["--filter concern=backup", "--diff", "--set PATH=VALUE"].map(unbroken);
    const text = `${fully(preview)} shows everything; ${options.join(", ")} a part of it.`;
    return fold(text, width).join("\n");
}

function refusals({ changes }: Preview, { width }: View, paint: Paint): string {
    const refused = changes.filter((change) => change.refused);
    const lines = refused.flatMap(({ operation, resource, refusal }) =>
        fold(
            `    ${resource.type} ${resource.name}: ${refusal ?? `protected, ${OPERATIONS[operation].phrase}`}`,
            width,
            " ".repeat(8),
        ),
    );
    const title = refused.some(({ refusal }) => refusal !== undefined)
        ? "Refused by the engine or by AWS:"
        : "Refused by the engine, before it changes anything:";
    return lines.length === 0 ? "" : [paint("red", title), ...lines].join("\n");
}

/** Required inputs of an operator. With edits, only additional ones. */
function placeholders(preview: Preview, view: View, paint: Paint): string {
    const { placeholders: missing, before } = preview;
    const { width, full } = view;
    if (missing.length === 0) {
        return "";
    }
    const known = full ? new Set() : new Set(before?.placeholders.map(({ path }) => configPath(path)));
    const fresh = missing.filter(({ path }) => !known.has(configPath(path)));
    const title = `Placeholders: ${plural(missing.length, "value")} that only an operator can give`;
    if (fresh.length === 0 || (view.filter !== undefined && !full)) {
        const asBefore = fresh.length === 0 ? ", as before" : "";
        return fold(`${title}${asBefore}: ${fully(preview)} lists them.`, width, "    ").join("\n");
    }
    if (isSummary(preview, view)) {
        const text = `${title}: ${concernsOf(fresh).map(unbroken).join(", ")}`;
        return fold(text, width, "    ")
            .map((line) => paint("yellow", line))
            .join("\n");
    }
    const titled = fold(`${title}; without them the engine refuses to start.`, width, "    ");
    const commands = new Map<string, string[]>();
    for (const { path, command } of fresh) {
        commands.set(command, [...(commands.get(command) ?? []), configPath(path)]);
    }
    const others = missing.length - fresh.length;
    return [
        ...titled.map((line) => paint("yellow", line)),
        ...[...commands].flatMap(([command, paths]) => [
            // A command is not broken, so that it can be copied.
            `    ${command}`,
            ...paths.filter((path) => !command.includes(path)).map((path) => `        ${path}`),
        ]),
        ...(others > 0 ? [`    ${others} as before: ${fully(preview)} lists them`] : []),
    ].join("\n");
}

/** Paths of missing values; for several in a list or secret, the path that contains them: `mcp:images.pins (9)`. */
function concernsOf(missing: Preview["placeholders"]): string[] {
    const groups = new Map<string, string[]>();
    for (const { path } of missing) {
        const group = configPath(path.slice(0, 2));
        groups.set(group, [...(groups.get(group) ?? []), configPath(path)]);
    }
    return [...groups].map(([group, [first, ...others]]) =>
        others.length === 0 ? first! : `${group} (${others.length + 1})`,
    );
}

/** Findings of the rules. With edits, only new undetermined ones. */
function policies(preview: Preview, view: View, paint: Paint): string {
    const { findings, rules, before, recording } = preview;
    const { width, full, filter } = view;
    const violations = findings.filter(({ kind }) => kind === "violation");
    const suppressed = findings.filter(({ kind }) => kind === "suppressed");
    const undetermined = findings.filter(({ kind }) => kind === "undetermined");
    const folded = (indent: number, text: string) =>
        fold(`${" ".repeat(indent)}${text}`, width, " ".repeat(indent + 4));
    const where = ({ urn, message }: Violation) =>
        urn === "" ? message : `${urn.split("::").slice(2).join(" ")}: ${message}`;
    // The hash at the end of a gate's name differs between releases.
    const keyOf = ({ rule, message, urn }: Violation) =>
        `${rule} ${message} ${urn.replace(/-[0-9a-f]{8}$/, "")}`;
    const known = full
        ? new Set()
        : new Set(before?.findings.filter(({ kind }) => kind === "undetermined").map(keyOf));
    const shown = new Set(filter && recording.resources.filter(filter).map(({ urn }) => urn));
    const fresh = undetermined.filter(
        (finding) => !known.has(keyOf(finding)) && (filter === undefined || shown.has(finding.urn)),
    );
    const others = undetermined.length - fresh.length;
    const asBefore =
        before !== undefined && fresh.length === 0 && others > 0
            ? ` as before: ${fully(preview)} lists them`
            : "";
    const levels = new Map(rules.map((rule) => [rule.name, rule.enforcement]));
    const level = (finding: Violation) => (levels.get(finding.rule) === "mandatory" ? "red" : "yellow");
    const title = `Policies: ${rules.length} rules, ${violations.length} violations, ${suppressed.length} suppressed, ${undetermined.length} undetermined${asBefore}.`;
    const worst = violations.some((finding) => level(finding) === "red") ? "red" : "yellow";
    return [
        ...fold(title, width, "    ").map((line) => (violations.length > 0 ? paint(worst, line) : line)),
        ...violations.flatMap((finding) =>
            [`    ${finding.rule} [${levels.get(finding.rule)}]`, ...folded(8, where(finding))].map((line) =>
                paint(level(finding), line),
            ),
        ),
        ...suppressed.flatMap((finding) => {
            const { owner, ticket, expires, reason } = finding.exception!;
            return [
                ...folded(4, `suppressed  ${finding.rule}`),
                ...folded(8, where(finding)),
                ...folded(8, `${ticket}, accepted by ${owner} until ${expires}: ${reason}`),
            ];
        }),
        ...(isSummary(preview, view) ? [] : undeterminedNames(fresh, view)),
        ...(fresh.length > 0 && others > 0
            ? folded(
                  4,
                  `${others} undetermined ${before === undefined ? "elsewhere" : "as before"}: ${fully(preview)} lists them`,
              )
            : []),
    ].join("\n");
}

function undeterminedNames(findings: readonly Violation[], { width }: View): string[] {
    return [...new Set(findings.map(({ rule, message }) => `${rule}: ${message}`))].flatMap((title) => {
        const alike = findings.filter(({ rule, message }) => `${rule}: ${message}` === title);
        // A pod has as many findings as containers.
        const names = [...new Set(alike.map(({ urn }) => urn.split("::").at(-1)!))];
        return [
            ...fold(`    undetermined  ${title} (${names.length})`, width, " ".repeat(8)),
            ...list(names, width, " ".repeat(8)),
        ];
    });
}
