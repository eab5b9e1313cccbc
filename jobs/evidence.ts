import * as z from "zod/mini";
import { isSamePerson } from "../core/person";
import { runInCluster } from "./lib/clusterGate";
import { GateError, gateMain, type GateResult } from "./lib/gate";
import { ApiError, type ConfigMap, type Kubernetes } from "./lib/kubernetes";
import {
    approvalOf,
    approvedRelease,
    type Approval,
    isCompleted,
    isOfImage,
    ReleaseHistory,
    type HistoryEntry,
} from "./lib/releaseHistory";
import { beginning } from "./lib/releaseNotice";
import { runningVersion } from "./lib/runningVersion";
import { list, objectName, oneOf, parse, seconds, text, topicArn, ValidationError } from "./lib/schema";
import { publish, type SnsOptions } from "./lib/sns";

/** A change as it was approved. */
const changeRecord = z.strictObject({
    /** Version it was approved for. */
    version: text,
    ticket: z.optional(text),
    /** Who makes it. */
    author: z.optional(text),
    approvers: z.optional(list(text)),
    rollbackPlan: z.optional(text),
    /** Reason to do without all of the checklist: this version's own, no earlier one's. */
    skip: z.optional(text),
    /** Reason to do without another stack's validation. */
    unvalidated: z.optional(text),
});

/** A change as it was approved. */
export type ChangeRecord = z.infer<typeof changeRecord>;

/** The stack that must have completed the image before, and the ConfigMap with what it has; or why none must. */
const validation = z.union(
    [z.strictObject({ stack: text, configMap: objectName }), z.strictObject({ unvalidated: text })],
    "stack and configMap, or unvalidated",
);

/** The stack that must have completed the image before, and the ConfigMap with what it has; or why none must. */
export type Validation = z.infer<typeof validation>;

/** The SNS topic of the stakeholders and the environment they know; or why no notice is sent. */
const announcement = z.union(
    [z.strictObject({ topic: topicArn, environment: text }), z.strictObject({ unannounced: text })],
    "topic and environment, or unannounced",
);

/** The SNS topic of the stakeholders and the environment they know; or why no notice is sent. */
export type Announcement = z.infer<typeof announcement>;

/** What the pre-deployment checklist asks for before a release's first pod starts. Section 3.1. */
const approvalPlan = z.strictObject({
    /** Who is being released, for the lines printed: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Whole-run limit in seconds. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Key of the release's history in the ledger, and its name among what the other stack has completed. */
    app: objectName,
    /** Missing where the app has no colours. */
    colour: z.optional(oneOf("blue", "green")),
    release: approvedRelease,
    /** Name of the ConfigMap that remembers the releases. It must exist. */
    ledger: objectName,
    /** The change that brings the release. */
    change: z.optional(changeRecord),
    validation,
    /** Who is notified that it begins. Default: no notice yet, because it gets no traffic. */
    announcement: z.optional(announcement),
    /** Where its metrics are watched. */
    dashboard: z.optional(text),
});

/** What the pre-deployment checklist asks for before a release's first pod starts. Section 3.1. */
export type ApprovalPlan = z.infer<typeof approvalPlan>;

/** Key of that ConfigMap: images by app, as JSON. */
export const COMPLETED_KEY = "completed.json";

/** The gate's surroundings. */
export interface ApprovalOptions extends SnsOptions {
    /** Default: as the ServiceAccount of the pod this runs in. */
    cluster?: Kubernetes;
}

/** What the gate works with. */
type Context = ApprovalOptions & Required<Pick<ApprovalOptions, "cluster" | "date">>;

/** Asks for what the checklist wants of a release that the ledger does not know. Never rejects. */
export function runApproval(plan: ApprovalPlan, options: ApprovalOptions): Promise<GateResult> {
    return runInCluster("evidence", plan, options, (ctx) =>
        evidence(plan, { date: () => new Date(), ...options, ...ctx }),
    );
}

async function evidence(plan: ApprovalPlan, ctx: Context): Promise<string> {
    const { app, colour, namespace, release, change } = plan;
    const { cluster, date, log, signal } = ctx;
    const ledger = new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app });
    const keep = async (found: Approval) => {
        for (const [key, value] of Object.entries({ ticket: change?.ticket, ...found })) {
            if (value !== undefined) log(`  ${key}: ${String(value)}`);
        }
        await ledger.write(
            (all) => ({
                ...(approvalOf(all, release) ?? release),
                ...defined({ colour, ticket: change?.ticket }),
                evidence: found,
            }),
            signal,
        );
    };
    const { entries } = await ledger.read(signal);
    const approved = approvalOf(entries, release)?.evidence;
    const completed = entries.find((entry) => isOfImage(entry, release) && isCompleted(entry));
    const since = approved?.at ?? completed?.completedAt;
    if (since !== undefined) {
        const line = `${release.version} is known since ${since}: not asked again`;
        if (approved === undefined || completed !== undefined || !isUntold(plan, approved)) return line;
        const told = await announce(plan, ctx);
        await keep({ ...approved, takenBack: undefined, ...told });
        return told.announced === undefined ? line : `${line}; its stakeholders are told`;
    }

    const problems = problemsOf(plan, entries);
    const validated = await validate(plan, cluster, signal);
    if (typeof validated === "string") problems.push(validated);
    // Without a record there are problems; said so that the compiler knows, too.
    if (typeof validated === "string" || change === undefined || problems.length > 0) {
        throw new GateError(problems.join("; "));
    }

    const { author, approvers, rollbackPlan, skip: skipped } = change;
    await keep({
        at: date().toISOString(),
        ...defined({ author, approvers, rollbackPlan, skipped, dashboard: plan.dashboard }),
        ...validated,
        // Last of all: nobody is told of a release that does not begin.
        ...(await announce(plan, ctx)),
    });
    return skipped === undefined ? `approved by ${approvers!.join(", ")}` : `skipped: ${skipped}`;
}

/** Whether stakeholders do not know that it begins: so far it was tried without traffic, or it was taken back before. */
function isUntold({ colour }: ApprovalPlan, { announced, unannounced, takenBack }: Approval): boolean {
    const isNew = colour !== undefined && announced === undefined && unannounced === undefined;
    return isNew || takenBack !== undefined;
}

/**
 * Tells the stakeholders that the release begins. One that nobody can be told of does not begin, unless it skips the
 * checklist: the reason why nobody was told is then kept.
 */
async function announce(
    plan: ApprovalPlan,
    ctx: Context,
): Promise<Pick<Approval, "replaces" | "announced" | "unannounced">> {
    const { announcement, change, release } = plan;
    if (announcement === undefined) return {};
    if ("unannounced" in announcement) return announcement;
    const skipped = change?.version === release.version ? change.skip : undefined;
    try {
        const replaces = await runningVersion(plan, ctx);
        const { topic, environment } = announcement;
        const notice = beginning({ ...plan, environment, replaces, ticket: change?.ticket, skipped });
        await publish({ topic, ...notice }, ctx);
        return { ...defined({ replaces }), announced: ctx.date().toISOString() };
    } catch (error) {
        if (!(error instanceof GateError) || ctx.signal.aborted) throw error;
        if (skipped !== undefined) return { unannounced: error.message };
        throw new GateError(`its stakeholders are not told: ${error.message}`);
    }
}

/** What the change record lacks. */
export function problemsOf(
    { change, release: { version } }: ApprovalPlan,
    entries: readonly HistoryEntry[],
): string[] {
    if (change === undefined) {
        return [
            "it has no change record: its `change` is to have version, ticket, approvers and rollbackPlan, or a reason to skip",
        ];
    }
    if (change.version !== version) {
        return [`its change record is of ${change.version}, not of ${version}`];
    }
    const { skip, author, approvers = [] } = change;
    if (skip === undefined) {
        const own = approvers.find((approver) => author !== undefined && isSamePerson(approver, author));
        return own === undefined ? [] : [`its approver ${own} is its author, ${author}`];
    }
    // Whoever sets a version alone, in the record too, leaves the reason of the one before it there.
    const earlier = entries.findLast(
        (entry) => entry.evidence?.skipped === skip && entry.version !== version,
    );
    return earlier === undefined
        ? []
        : [`its reason to skip, ${JSON.stringify(skip)}, is that of ${earlier.version}, and not its own`];
}

/** Who must have completed the image: a change with a reason of its own needs nobody. */
export function validationOf({ change, validation }: ApprovalPlan): Validation {
    return change?.unvalidated === undefined ? validation : { unvalidated: change.unvalidated };
}

/** Which stack has completed the image, or why none need have; as a text, what is wrong. */
async function validate(
    plan: ApprovalPlan,
    cluster: Kubernetes,
    signal: AbortSignal,
): Promise<Pick<Approval, "validatedBy" | "unvalidated"> | string> {
    const {
        app,
        change,
        release: { image },
    } = plan;
    if (change?.skip !== undefined) return {};
    const validation = validationOf(plan);
    if ("unvalidated" in validation) return validation;

    const { stack, configMap } = validation;
    const completed = await completedImages(configMap, cluster, signal);
    const theirs = Object.hasOwn(completed, app) ? completed[app]! : undefined;
    const digest = digestOf(image);
    if (digest !== undefined && theirs !== undefined && digestOf(theirs) === digest)
        return { validatedBy: stack };
    const found = theirs === undefined ? `nothing of ${app}` : theirs;
    return `${stack} has completed ${found}, not ${digest ?? image}`;
}

async function completedImages(
    name: string,
    cluster: Kubernetes,
    signal: AbortSignal,
): Promise<Record<string, string>> {
    try {
        const { data = {} } = await cluster.get<ConfigMap>({ resource: "configmaps", name }, signal);
        return parse(z.record(z.string(), text), JSON.parse(data[COMPLETED_KEY] ?? "{}"));
    } catch (error) {
        const readable = error instanceof SyntaxError || error instanceof ValidationError;
        if (!readable && !(error instanceof ApiError && error.status === 404)) throw error;
        throw new GateError(
            `ConfigMap ${name}, with what the other stack has completed, is ${readable ? "garbled" : "gone"}: bring it back with: pulumi up --refresh`,
        );
    }
}

function digestOf(image: string): string | undefined {
    return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
}

/** Without the keys that have no value: the ledger is read by exact shapes. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
        [K in keyof T]?: Exclude<T[K], undefined>;
    };
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export const parseApprovalPlan = (raw: unknown): ApprovalPlan => parse(approvalPlan, raw);

if (require.main === module) {
    void gateMain(parseApprovalPlan, runApproval);
}
