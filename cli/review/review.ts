import { masked } from "../../core/credentials";
import { type Change, compare } from "../../offline/compare";
import { type RecordedResource } from "../../offline/record";
import { type ProjectSnapshot, type Snapshot, type StackSnapshot } from "../../offline/snapshot";
import { UNKNOWN } from "../../offline/property";
import { describeWorkloads } from "../../offline/summary";
import { type Violation, type Rule } from "../../policies/rule";
import { type CostChange, costChanges } from "../../offline/costs";
import { selfApproved, unapproved } from "../../offline/releaseApproval";
import { catalogue } from "../../runbook/catalogue";
import { type Access, compareAccess } from "./access";
import { stricterOf, touchedJudges, weakened } from "./attention";
import { type ChangedFile } from "./baseCheckout";
import { lostOrder } from "./order";
import {
    lessProtected,
    loosened,
    loosenedOptions,
    newTypes,
    refusedByAws,
    sameVersionOtherImage,
} from "./risks";

/** Origin of a stack file's values, by git and the stack's history. */
export interface Provenance {
    /** Who has changed the file since the base. */
    readonly authors: readonly string[];
    /** Deployed values that no commit has, which the next deploy would revert. A sentence each. */
    readonly lost: readonly string[];
    /** Uncommitted values of the file, a sentence each. */
    readonly uncommitted: readonly string[];
}

const UNKNOWN_PROVENANCE: Provenance = { authors: [], lost: [], uncommitted: [] };

/** Effect of a change on one stack. */
export interface StackReview {
    readonly stack: string;
    /** Why the head or the base cannot be recorded. Then nothing else is set, or nothing is compared. */
    readonly problems: { readonly head?: string; readonly base?: string };
    /** Stateful resources that are deleted or replaced. */
    readonly endangered: readonly Change[];
    /** What AWS refuses although the engine does not, a sentence each. */
    readonly refusedByAws: readonly string[];
    readonly provenance: Provenance;
    /** Releases that the approval gate stops, those that skip it, and those that an author approves, a sentence each. */
    readonly unapproved: readonly string[];
    /** Protection of data that is removed, although nothing is deleted yet. */
    readonly unprotected: readonly string[];
    /** Changes of access. */
    readonly access: Access;
    /** Checks, alarms and backups that are removed or weakened. */
    readonly loosened: readonly string[];
    /** Images that change under the same version. */
    readonly images: readonly string[];
    readonly costs: readonly CostChange[];
    /** What cannot be compared offline although the change may affect it, a sentence each. */
    readonly notCompared: readonly string[];
    /** Releases, restarts and removals of workloads, a sentence each. */
    readonly workloads: readonly string[];
    /** Changed values, with the runbook's procedure that sets them. */
    readonly edits: readonly Edit[];
    readonly changes: readonly Change[];
    readonly findings: {
        readonly fresh: readonly Violation[];
        readonly fixed: readonly Violation[];
        readonly existing: readonly Violation[];
        /** Violations that an exemption covers. */
        readonly suppressed: readonly Violation[];
        readonly undetermined: readonly Violation[];
    };
    /** Position of a resource's declaration, by URN. */
    readonly sources: ReadonlyMap<string, NonNullable<RecordedResource["source"]>>;
}

/** A changed value of the stack file. */
export interface Edit {
    readonly path: string;
    /** As JSON; undefined if absent. */
    readonly before: string | undefined;
    readonly after: string | undefined;
    /** Title and section of the procedure. Default: no procedure sets this value. */
    readonly procedure: string | undefined;
}

/** Effect of a whole change. */
export interface Review {
    /** Description of the base. */
    readonly base: string;
    readonly stacks: readonly StackReview[];
    readonly rules: readonly Rule[];
    /** Changes that decide how changes are evaluated, a sentence each. Default: none. */
    readonly attention?: readonly string[];
    /** Changed files. Default: unknown. */
    readonly files?: readonly ChangedFile[];
}

/** Types whose loss is a loss of data, or of access to it. */
const STATEFUL =
    /^(aws:rds\/(instance|cluster):|aws:s3\/bucket:|aws:elasticache\/replicationGroup:|aws:kms\/key:|aws:backup\/vault:|aws:cloudwatch\/logGroup:|kubernetes:core\/v1:(Namespace|PersistentVolumeClaim)$|kubernetes:apps\/v1:StatefulSet$)/;

/** Reviews a whole change. The base's rules and exemptions apply in addition to its own. */
export function reviewProject({
    base,
    head,
    files,
    provenance = {},
}: {
    base: { words: string; snapshot: ProjectSnapshot };
    head: ProjectSnapshot;
    files: readonly ChangedFile[];
    /** For each stack's file. Default: none. */
    provenance?: Readonly<Record<string, Provenance>>;
}): Review {
    const { stacks, pack, judged } = base.snapshot;
    const isJudged = judged !== undefined || files.length === 0;
    const reviews = review(stacks, mergedFindings(head.stacks, judged), provenance);
    return {
        base: base.words,
        stacks: reviews.map((stack) => ({
            ...stack,
            notCompared: [...stack.notCompared, ...unknownPolicies(head.stacks[stack.stack], files)],
        })),
        rules: stricterOf(pack, head.pack?.rules ?? []),
        attention: [
            ...weakened(pack, head.pack),
            ...touchedJudges(files),
            ...(reviews.some(({ changes }) => changes.length > 0) ? [] : unseenCode(files)),
            ...(isJudged ? [] : ["is judged by its own rules alone, because those of the base do not run"]),
        ],
        files,
    };
}

/** Sources of the program: a change may affect values that are known only after the update. */
const PROGRAM = /^(index\.ts$|(components|config|core|stack)\/)/;

/** Changed sources of the program, of which the recordings show nothing: what runs outside of them is not seen. */
function unseenCode(files: readonly ChangedFile[]): string[] {
    const sources = files.map(({ path }) => path).filter((path) => PROGRAM.test(path));
    return sources.length === 0
        ? []
        : [
              `changes the program's code, and the recording shows no change: read ${sources.sort().join(", ")}`,
          ];
}

/** AWS policies that are known only after the update, if the program changes. */
function unknownPolicies(head: Snapshot[string] | undefined, files: readonly ChangedFile[]): string[] {
    if (head === undefined || "problem" in head || !files.some(({ path }) => PROGRAM.test(path))) {
        return [];
    }
    const unknown = head.recording.resources.filter(
        ({ type, inputs }) =>
            type.startsWith("aws:") &&
            Object.entries(inputs).some(([key, value]) => /policy$/i.test(key) && value === UNKNOWN),
    );
    return unknown.length === 0
        ? []
        : [
              `policies that are known only after the update, while the program changes: read where it declares ${unknown.map(({ name }) => name).join(", ")}`,
          ];
}

/** Stacks with the findings of both sides' rules: an exemption of one side only does not cover. */
function mergedFindings(stacks: Snapshot, judged: ProjectSnapshot["judged"] = {}): Snapshot {
    return Object.fromEntries(
        Object.entries(stacks).map(([name, stack]) => {
            const others = judged[name];
            return "problem" in stack || others === undefined
                ? [name, stack]
                : [name, { ...stack, findings: merged(others, stack.findings) }];
        }),
    );
}

function merged(base: readonly Violation[], head: readonly Violation[]): Violation[] {
    const ranks: readonly Violation["kind"][] = ["violation", "undetermined", "suppressed"];
    const found = new Map<string, Violation>();
    for (const kind of ranks) {
        for (const finding of [...base, ...head].filter((each) => each.kind === kind)) {
            const key = `${finding.rule} ${finding.urn}`;
            const known = found.get(key);
            // One rule may report several messages for a resource.
            if (known === undefined || known.kind === kind) {
                found.set(known === undefined ? key : `${key} ${finding.message}`, finding);
            }
        }
    }
    return [...new Map([...found.values()].map((each) => [JSON.stringify(each), each])).values()];
}

/** Compares the stacks' declarations at two states of the project. */
export function review(
    base: Snapshot,
    head: Snapshot,
    provenance: Readonly<Record<string, Provenance>> = {},
): StackReview[] {
    const stacks = [...new Set([...Object.keys(head), ...Object.keys(base)])].sort();
    return stacks.map((stack) => reviewStack(stack, base[stack], head[stack], provenance[stack]));
}

function reviewStack(
    stack: string,
    base: Snapshot[string] | undefined,
    head: Snapshot[string] | undefined,
    provenance: Provenance = UNKNOWN_PROVENANCE,
): StackReview {
    const after = head !== undefined && "recording" in head ? head : undefined;
    const before = base !== undefined && "recording" in base ? base : undefined;
    const problems = {
        ...(head !== undefined && "problem" in head ? { head: head.problem } : {}),
        ...(base !== undefined && "problem" in base ? { base: base.problem } : {}),
    };
    const nothing: StackSnapshot = {
        recording: { project: "", stack, resources: [], outputs: {} },
        findings: [],
        values: {},
    };
    // If a side cannot be recorded, nothing is compared: otherwise everything would count as new or deleted.
    const known = problems.head === undefined && problems.base === undefined;
    const [old, now] = known ? [before ?? nothing, after ?? nothing] : [nothing, nothing];
    const all = compare(old.recording, now.recording);
    const changes = all.filter(({ operation }) => operation !== "same");
    const access = compareAccess(old.recording, now.recording);
    const edits = editsBetween(old.values, now.values);
    return {
        stack,
        problems,
        endangered: changes.filter(isEndangered),
        refusedByAws: refusedByAws(changes),
        provenance,
        unapproved:
            before === undefined
                ? []
                : [...unapproved(changes), ...selfApproved(changes, provenance.authors)],
        unprotected: lessProtected(old.recording, all),
        access,
        loosened: [
            ...lostOrder(old.recording, now.recording),
            ...loosened(changes, edits),
            ...loosenedOptions(old.recording, now.recording),
            ...access.lostByServices,
        ],
        images: sameVersionOtherImage(old.recording, changes),
        costs: costChanges(old.recording, now.recording),
        notCompared: newTypes(old.recording, changes),
        workloads: before === undefined ? [] : describeWorkloads(changes),
        edits,
        changes,
        findings: judged(known ? old : nothing, after ?? nothing, known),
        sources: new Map(
            after?.recording.resources.flatMap(({ urn, source }) => (source ? [[urn, source] as const] : [])),
        ),
    };
}

function isEndangered({ operation, resource }: Change): boolean {
    return STATEFUL.test(resource.type) && ["delete", "replace", "update or replace"].includes(operation);
}

/** A finding is identified by rule and resource, independent of its message. */
function judged(old: StackSnapshot, now: StackSnapshot, known: boolean): StackReview["findings"] {
    const key = ({ rule, urn }: Violation) => `${rule} ${urn}`;
    const violations = ({ findings }: StackSnapshot) => findings.filter(({ kind }) => kind === "violation");
    const [were, are] = [old, now].map((side) => new Set(violations(side).map(key))) as [
        Set<string>,
        Set<string>,
    ];
    return {
        fresh: violations(now).filter((finding) => !were.has(key(finding))),
        fixed: known ? violations(old).filter((finding) => !are.has(key(finding))) : [],
        existing: violations(now).filter((finding) => were.has(key(finding))),
        suppressed: now.findings.filter(({ kind }) => kind === "suppressed"),
        undetermined: now.findings.filter(({ kind }) => kind === "undetermined"),
    };
}

function editsBetween(before: StackSnapshot["values"], after: StackSnapshot["values"]): Edit[] {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter((path) => before[path] !== after[path])
        .sort()
        .map((path) => {
            const [old, fresh] = [before[path], after[path]].map((text) => text && masked(path, text));
            return { path, before: old, after: fresh, procedure: procedureOf(path) };
        });
}

/** The catalogue's procedures that set the value, in the runbook's order. */
function procedureOf(path: string): string | undefined {
    const found = catalogue.filter(({ edits }) =>
        edits.some((edit) => {
            const pattern = edit.path
                .replace(/[.[\]]/g, "\\$&")
                .replace(/\{\w+\}/g, "[\\w-]+")
                // Any index of a list.
                .replace("\\[\\]", "\\[\\d+\\]");
            return new RegExp(`^${pattern}$`).test(path);
        }),
    );
    return found.length === 0
        ? undefined
        : found.map(({ title, sections }) => `${title} (${sections.join(", ")})`).join(" or ");
}

/**
 * Whether the change adds a violation of a mandatory rule, a stack that cannot be recorded any more, or something that
 * the engine refuses: deleting or replacing a protected resource.
 */
export function isRefused({ stacks, rules }: Review): boolean {
    return stacks.some(
        ({ problems, changes, findings, refusedByAws: refused }) =>
            problems.head !== undefined ||
            changes.some(({ refused }) => refused) ||
            refused.length > 0 ||
            findings.fresh.some((finding) => isMandatory(finding, rules)),
    );
}

/** Whether a violation blocks an update. */
export function isMandatory({ rule }: Violation, rules: readonly Rule[]): boolean {
    return rules.find(({ name }) => name === rule)?.enforcement === "mandatory";
}
