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

/** An approved change. */
const changeRecord = z.strictObject({
    /** Approved version. */
    version: text,
    ticket: z.optional(text),
    /** Author. */
    author: z.optional(text),
    approvers: z.optional(list(text)),
    rollbackPlan: z.optional(text),
    /** Reason to skip the checklist, for this version only. */
    skip: z.optional(text),
    /** Reason to skip validation by another stack. */
    unvalidated: z.optional(text),
});

/** An approved change. */
export type ChangeRecord = z.infer<typeof changeRecord>;

/** The stack that must have completed the image, and the ConfigMap with its images; or the reason for having none. */
const validation = z.union(
    [z.strictObject({ stack: text, configMap: objectName }), z.strictObject({ unvalidated: text })],
    "stack and configMap, or unvalidated",
);

/** The stack that must have completed the image, and the ConfigMap with its images; or the reason for having none. */
export type Validation = z.infer<typeof validation>;

/** The stakeholders' SNS topic and the environment's name in notices; or the reason for sending none. */
const announcement = z.union(
    [z.strictObject({ topic: topicArn, environment: text }), z.strictObject({ unannounced: text })],
    "topic and environment, or unannounced",
);

/** The stakeholders' SNS topic and the environment's name in notices; or the reason for sending none. */
export type Announcement = z.infer<typeof announcement>;

/** Requirements of the pre-deployment checklist before a release's first pod starts. Section 3.1. */
const approvalPlan = z.strictObject({
    /** The release, for log lines: "mcp-server v2.1.0 (green)". */
    subject: text,
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
    namespace: objectName,
    /** Key in the release history, and in the other stack's completed images. */
    app: objectName,
    /** Undefined for an app without colours. */
    colour: z.optional(oneOf("blue", "green")),
    release: approvedRelease,
    /** Name of the ConfigMap with the release history. It must exist. */
    ledger: objectName,
    /** The change record of the release. */
    change: z.optional(changeRecord),
    validation,
    /** Notice that it begins. Default: none yet, because it gets no traffic. */
    announcement: z.optional(announcement),
    /** URL of its metrics. */
    dashboard: z.optional(text),
});

/** Requirements of the pre-deployment checklist before a release's first pod starts. Section 3.1. */
export type ApprovalPlan = z.infer<typeof approvalPlan>;

/** Key of that ConfigMap: images by app, as JSON. */
export const COMPLETED_KEY = "completed.json";

/** Context of the gate. */
export interface ApprovalOptions extends SnsOptions {
    /** Default: the pod's ServiceAccount. */
    cluster?: Kubernetes;
}

/** Dependencies of the gate's steps. */
type Context = ApprovalOptions & Required<Pick<ApprovalOptions, "cluster" | "date">>;

/** Checks the requirements of a release that is not in the history. Never rejects. */
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
        const line = `${release.version} is known since ${since}: not checked again`;
        if (approved === undefined || completed !== undefined || !isUntold(plan, approved)) return line;
        const told = await announce(plan, ctx);
        await keep({ ...approved, takenBack: undefined, ...told });
        return told.announced === undefined ? line : `${line}; its stakeholders are told`;
    }

    const problems = problemsOf(plan, entries);
    const validated = await validate(plan, cluster, signal);
    if (typeof validated === "string") problems.push(validated);
    // Without a record there are problems; for the compiler.
    if (typeof validated === "string" || change === undefined || problems.length > 0) {
        throw new GateError(problems.join("; "));
    }

    const { author, approvers, rollbackPlan, skip: skipped } = change;
    await keep({
        at: date().toISOString(),
        ...defined({ author, approvers, rollbackPlan, skipped, dashboard: plan.dashboard }),
        ...validated,
        // Last: notify only after all checks have passed.
        ...(await announce(plan, ctx)),
    });
    return skipped === undefined ? `approved by ${approvers!.join(", ")}` : `skipped: ${skipped}`;
}

/** Whether stakeholders were not notified: it was staged only, or rolled back before. */
function isUntold({ colour }: ApprovalPlan, { announced, unannounced, takenBack }: Approval): boolean {
    const isNew = colour !== undefined && announced === undefined && unannounced === undefined;
    return isNew || takenBack !== undefined;
}

/**
 * Notifies stakeholders that the release begins. If that fails, the release does not begin, unless it skips the
 * checklist; the history then has the reason.
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
    // An edit of the version alone, including the record's, leaves the earlier version's reason.
    const earlier = entries.findLast(
        (entry) => entry.evidence?.skipped === skip && entry.version !== version,
    );
    return earlier === undefined
        ? []
        : [`its reason to skip, ${JSON.stringify(skip)}, is that of ${earlier.version}, and not its own`];
}

/** Stack that must have completed the image; a change may have a reason for none. */
export function validationOf({ change, validation }: ApprovalPlan): Validation {
    return change?.unvalidated === undefined ? validation : { unvalidated: change.unvalidated };
}

/** Which stack completed the image, or the reason for none; a text is a problem. */
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
            `ConfigMap ${name}, with what the other stack has completed, is ${readable ? "corrupt" : "missing"}: restore it with: pulumi up --refresh`,
        );
    }
}

function digestOf(image: string): string | undefined {
    return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
}

/** Without undefined keys: the history's schema is strict. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
        [K in keyof T]?: Exclude<T[K], undefined>;
    };
}

/** Parses a plan's file; throws an error with path, found and expected. */
export const parseApprovalPlan = (raw: unknown): ApprovalPlan => parse(approvalPlan, raw);

if (require.main === module) {
    void gateMain(parseApprovalPlan, runApproval);
}
