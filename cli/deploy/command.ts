import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { printableText } from "../../core/printable";
import { stackNames, UsageError, valuesOf } from "../../offline/stackFile";
import { ArgumentError, parseArgs } from "../args";
import { authorsOf } from "../authors";
import { git } from "../git";
import { replaceFile } from "../images/replaceFile";
import { Interruption } from "../interruption";
import { print, printError } from "../output";
import { notBegun, type RunResult, STATUS } from "../runbook/outcome";
import { describeReleases, selfApprovedReleases } from "./approvals";
import { readHistory, type Update } from "./lastUpdate";
import { applySummary, type Attempt, planSummary } from "./summary";
import { takeBack } from "./takeBack";
import {
    baseOf,
    type ChangedValue,
    commandFor,
    describeValue,
    lostValues,
    stackFile,
    uncommittedValues,
} from "./uncommitted";

const help = (
    root: string,
) => `Plans and applies the update of a stack in two steps, with an approval between them, as the deploy workflow does.

Usage: npm run deploy -- plan --stack NAME --folder FOLDER [--discard]
       npm run deploy -- apply --stack NAME --folder FOLDER

Both need the Pulumi CLI, and a checkout with
its whole history.

plan previews the update of a stack with the policies, and writes into FOLDER: the engine's plan, what it is of, and a
summary for those who approve it. It refuses a commit older than the deployed one, and to take back values that somebody has
deployed and not committed. apply carries the plan out. It refuses one that is stale: of another commit, or of before the
stack's last update. If the update fails, a release in it is rolled back, and the summary says why it failed and what to do.

  --stack NAME     stack that is deployed (${stackNames(root).join(", ")})
  --folder FOLDER  has plan.json, record.json and summary.md: plan writes them, and apply replaces the summary
  --discard        for plan: takes back what is deployed and not committed
  --help           this text

Exit status: 0 done, 1 bad input, refused or stale, 3 no Pulumi CLI, 4 the update failed, 5 it failed and was rolled
back, 130 interrupted. With 1 and 3 nothing has changed.
`;

/** Subject of a plan. */
const recordSchema = z.strictObject({
    stack: z.string(),
    commit: z.string(),
    /** The stack's last update when the plan was made; null before the first update. */
    lastUpdate: z.string().nullable(),
    /** Number of resources that change. */
    changes: z.number(),
});

const FILES = { plan: "plan.json", record: "record.json", summary: "summary.md" } as const;

/** `npm run deploy`. Returns the exit status. */
export async function deployCommand(root: string, args: string[]): Promise<number> {
    const [action, ...others] = args;
    if (args.includes("--help") || action === undefined) {
        print(help(root));
        return args.includes("--help") ? 0 : 1;
    }
    if (action !== "plan" && action !== "apply") {
        throw new ArgumentError(`found ${JSON.stringify(action)}, expected plan or apply`);
    }
    const { values } = parseArgs({
        args: others,
        options: {
            stack: { type: "string", default: "" },
            folder: { type: "string", default: "" },
            discard: { type: "boolean", default: false },
        },
    });
    const { stack, folder, discard } = values;
    const known = stackNames(root);
    const problems = [
        ...(known.includes(stack)
            ? []
            : [`--stack: found ${JSON.stringify(stack)}, expected one of ${known.join(", ")}`]),
        ...(folder === "" ? ["--folder: found nothing, expected a folder"] : []),
        ...(discard && action === "apply" ? ["--discard: found with apply, expected with plan"] : []),
    ];
    if (problems.length > 0) {
        throw new UsageError(problems.join("\n"));
    }
    const checkout = checkoutOf(root);
    const updates = readHistory(root, stack);
    const { NO_ENGINE } = await import("../runbook/run");
    if (updates === undefined) {
        printError(`${NO_ENGINE}\n`);
        return STATUS.noEngine;
    }
    const deploy: Deploy = { root, stack, folder, checkout, updates };
    return action === "plan" ? plan(deploy, discard) : apply(deploy);
}

/** Common inputs of both steps. */
interface Deploy {
    readonly root: string;
    readonly stack: string;
    /** Folder of plan, record and summary. */
    readonly folder: string;
    readonly checkout: Checkout;
    /** Updates of the stack, newest first. */
    readonly updates: readonly Update[];
}

/** The commit to deploy. */
interface Checkout {
    readonly commit: string;
    readonly subject: string;
    readonly author: string;
}

function checkoutOf(root: string): Checkout {
    const { status, stdout } = git(root, "log", "-1", "--format=%H%n%s%n%an <%ae>");
    const [commit = "", subject = "", author = ""] = stdout.split("\n");
    if (status !== 0 || commit === "") {
        throw new UsageError(
            "found no commit, expected a git checkout: a deploy is of a commit",
            "Clone the repository, and run this in the clone.",
        );
    }
    if (git(root, "rev-parse", "--is-shallow-repository").stdout.trim() === "true") {
        throw new UsageError(
            "found a shallow checkout, expected one with its history, which tells which commit is newer: git fetch --unshallow",
        );
    }
    return { commit, subject, author };
}

async function plan(deploy: Deploy, discard: boolean): Promise<number> {
    const { root, stack, folder, checkout, updates } = deploy;
    const [last] = updates;
    mkdirSync(folder, { recursive: true });
    const lost = last === undefined ? [] : lostValues(root, stack, last);
    const config = stackFile(root, stack) ?? {};
    const deployed = last?.config ?? {};
    const releases = describeReleases(config, deployed);
    const attempt: Attempt = { ...checkout, stack, last, lost, discards: discard, releases };
    const refuse = (reason: string): never => {
        write(folder, "summary", planSummary(attempt, { refused: reason }));
        throw new UsageError(reason);
    };
    const newer = last === undefined ? undefined : newerThan(root, checkout, last);
    if (newer !== undefined) {
        return refuse(newer);
    }
    if (lost.length > 0 && !discard) {
        return refuse(lostReason(stack, last!, lost));
    }
    const since = last && baseOf(root, last);
    const authors = since === undefined ? [] : authorsOf(root, `Pulumi.${stack}.yaml`, since);
    const selfApproved = selfApprovedReleases(config, deployed, authors);
    if (selfApproved.length > 0) {
        return refuse(
            `${selfApproved.join("\n")}\nSomebody else has to approve it, by name in the change record.`,
        );
    }
    const { JUDGED, openStack, Progress } = await import("../runbook/run");
    const engine = await openStack(root, stack);
    const planned = new Progress();
    const interruption = new Interruption();
    const result = await engine!
        .preview({
            ...JUDGED,
            diff: true,
            plan: join(folder, FILES.plan),
            signal: interruption.engineSignal,
            onEvent: planned.take,
        })
        .catch((error: unknown) => refuse(`The engine refuses the update: ${planned.reason(error)}`))
        .finally(() => interruption.forget());
    const changes = Object.entries(result.changeSummary)
        .filter(([operation]) => !["same", "read"].includes(operation))
        .reduce((sum, [, number]) => sum + number, 0);
    const record = { stack, commit: checkout.commit, lastUpdate: last?.id ?? null, changes };
    write(folder, "record", `${JSON.stringify(record, undefined, 2)}\n`);
    const summary = planSummary(attempt, { changes, lines: planned.changes, preview: result.stdout });
    write(folder, "summary", summary);
    print(`${result.stdout.trimEnd()}\n`);
    return STATUS.done;
}

/** Why the commit must not be deployed: a newer one is deployed. */
function newerThan(root: string, { commit }: Checkout, last: Update): string | undefined {
    const isOlder =
        last.commit !== undefined &&
        last.commit !== commit &&
        git(root, "merge-base", "--is-ancestor", commit, last.commit).status === 0;
    return isOlder
        ? `${short(commit)} is older than the deployed commit ${short(last.commit)} (${last.time}): it is not deployed over it. ` +
              "To go back, revert on main."
        : undefined;
}

function lostReason(stack: string, { time, message }: Update, lost: readonly ChangedValue[]): string {
    return [
        `The last update of ${stack} (${time}, ${JSON.stringify(message)}) set values that are not committed here:`,
        ...lost.map((value) => `  ${describeValue(value)}`),
        "This deploy would take them back. Commit them to main:",
        ...lost.map((value) => `  ${commandFor(stack, value)}`),
        "or, if they are to go, run the deploy workflow with discard.",
    ].join("\n");
}

async function apply(deploy: Deploy): Promise<number> {
    const { root, stack, folder, checkout, updates } = deploy;
    const [last] = updates;
    const attempt: Attempt = { ...checkout, stack, last, lost: [], discards: false, releases: [] };
    const stale = staleness(deploy);
    if (stale !== undefined) {
        const reason = `The plan is stale: ${stale}. Nothing was changed. Run the whole workflow again for a new plan and its approval.`;
        write(folder, "summary", planSummary(attempt, { refused: reason }));
        throw new UsageError(reason);
    }
    const { openStack, update, updateOnceFree } = await import("../runbook/run");
    const engine = await openStack(root, stack);
    const interruption = new Interruption();
    const lines: string[] = [];
    const log = (line: string) => {
        lines.push(line);
        print(`${line}\n`);
    };
    const { kubernetes } = valuesOf(root, stack);
    const options = { refresh: false, interruption, kubernetes, log };
    let result: RunResult = notBegun("interrupted");
    let workloads: readonly string[] = [];
    try {
        const message = `${checkout.subject} (${short(checkout.commit)})`;
        result = await update(engine!, { ...options, plan: join(folder, FILES.plan) }, message);
        const succeeded = updates.find((each) => each.succeeded);
        const file = join(root, `Pulumi.${stack}.yaml`);
        const back = succeeded && takeBack(readFileSync(file, "utf8"), succeeded.config);
        // If nothing was done, for example because the stack is locked, there is nothing to roll back.
        if (result.outcome === "failed" && result.changes.length > 0 && back !== undefined) {
            log(`The update failed: ${result.reason}\nRolling back ${back.workloads.join(", ")} …`);
            replaceFile(file, back.text);
            ({ workloads } = back);
            const undone = await updateOnceFree(engine!, options, `${message}: rolled back`);
            result =
                undone.outcome === "done"
                    ? { ...undone, outcome: "rolledBack", reason: result.reason }
                    : { ...undone, reason: `${result.reason}\nThe rollback failed too: ${undone.reason}` };
        }
    } finally {
        interruption.forget();
        const due = workloads.length === 0 ? [] : uncommittedValues(root, stack);
        write(folder, "summary", applySummary(attempt, { ...result, workloads, due, lines }));
    }
    if (result.outcome !== "done") {
        printError(`${result.reason}\n`);
    }
    return STATUS[result.outcome];
}

/**
 * Why the plan does not match the commit and the stack's state; undefined if it does.
 *
 * @throws UsageError if there is no plan.
 */
function staleness({ stack, folder, checkout, updates: [last] }: Deploy): string | undefined {
    const file = join(folder, FILES.record);
    let read: unknown;
    try {
        read = JSON.parse(readFileSync(file, "utf8"));
    } catch {
        // Reported below.
    }
    const { data: record } = recordSchema.safeParse(read);
    if (record === undefined || !existsSync(join(folder, FILES.plan))) {
        throw new UsageError(
            `--folder: found no plan in ${folder}, expected what npm run deploy -- plan wrote`,
        );
    }
    if (record.stack !== stack) {
        return `it is of the stack ${record.stack}`;
    }
    if (record.commit !== checkout.commit) {
        return `it is of the commit ${short(record.commit)}, and ${short(checkout.commit)} is checked out`;
    }
    if (record.lastUpdate === (last?.id ?? null)) {
        return undefined;
    }
    const update = last && [
        last.time,
        JSON.stringify(last.message),
        ...(last.commit ? [`commit ${short(last.commit)}`] : []),
    ];
    return `${stack} was updated since (${update?.join(", ") ?? "and its history is gone"})`;
}

function write(folder: string, file: keyof typeof FILES, text: string): void {
    writeFileSync(join(folder, FILES[file]), file === "summary" ? printableText(text) : text);
}

function short(commit: string | undefined): string {
    return commit?.slice(0, 10) ?? "";
}
