import { setTimeout as sleep } from "node:timers/promises";
import { type Stack as EngineStack } from "@pulumi/pulumi/automation";
import { type EngineEvent, type StepEventMetadata } from "@pulumi/pulumi/automation/events";
import { type KubernetesValues } from "../../config/kubernetes";
import { configOf, UsageError } from "../../offline/stackFile";
import { type Screen } from "../../offline/layout";
import { GateLines } from "./gateLines";
import { GateView } from "./gateView";
import { lockOf } from "./stackLock";
import { type StackFileEdit } from "./stackFileEdit";
import { type Interruption } from "../interruption";
import { notBegun, type Outcome, type RunResult } from "./outcome";

/** Inputs of a run. */
export interface RunOptions {
    root: string;
    stack: string;
    /** Id of the procedure, for the update's message. */
    id: string;
    /** As `path=value`, or `path-` to remove a value. */
    edits: readonly string[];
    /** Further changes of the stack file, such as pinning images. */
    prepare: () => Promise<void>;
    /** Asks for confirmation of these changes. */
    confirm: (changes: readonly string[]) => Promise<boolean>;
    /** Edits of the stack file. */
    file: StackFileEdit;
    /** Whether to restore the earlier values if the update fails. */
    goesBack: boolean;
    /**
     * Whether to skip the engine's preview, because a release was aborted for this run. The policies still check the
     * update.
     */
    urgent: boolean;
    /** Whether to wait for another update's lock, which is about to end. */
    waits: boolean;
    /** Whether a second update follows one that is done: it sets what AWS leaves out when it restores. Default: false. */
    updatesTwice?: boolean;
    /** Refreshes the state first. */
    refresh: boolean;
    /** Checked between the steps; the engine, once interrupted, completes its current step. */
    interruption: Interruption;
    /** Namespace of the gates' pods. */
    kubernetes: KubernetesValues;
    /** Receives output line by line. */
    log: (line: string) => void;
    /** Terminal that shows what the update waits for. Default: lines alone. */
    live?: Screen | undefined;
}

/** What to do if {@link openStack} finds no Pulumi CLI. */
export const NO_ENGINE = `There is no Pulumi CLI on the PATH. Version 3.259 is what the program is tried with: npx pulumi@3.259.0
fetches it, and https://www.pulumi.com/docs/install tells the other ways. Nothing was changed.`;

/** Milliseconds between two attempts to get the lock: each takes the CLI about a second. */
const RETRY_MILLISECONDS = 1000;

/** The policy pack runs in every preview and update, because some values are unknown offline. */
export const JUDGED = { policyPacks: ["policies"], color: "never" as const };

/**
 * The stack of a project's folder, as the engine knows it. Undefined without a Pulumi CLI.
 *
 * @throws UsageError if the engine does not find it.
 */
export async function openStack(root: string, name: string): Promise<EngineStack | undefined> {
    // Loaded here, because it takes a second and only this needs it.
    const { LocalWorkspace, PulumiCommand, Stack } = await import("@pulumi/pulumi/automation");
    const command = await PulumiCommand.get().catch(() => undefined);
    if (command === undefined) {
        return undefined;
    }
    const workspace = await LocalWorkspace.create({ workDir: root, pulumiCommand: command });
    return Stack.select(name, workspace).catch((error: unknown) => {
        throw new UsageError(
            `The engine does not find the stack ${name}: ${reasonOf(error)}`,
            "Log in to its backend with pulumi login. docs/first-deployment.md says how a stack begins.",
        );
    });
}

/**
 * Sets a procedure's values in the stack file and updates the stack: preview, confirmation, update. If the update does
 * not begin, the caller restores the file.
 */
export async function runProcedure(options: RunOptions): Promise<RunResult> {
    const { edits, id, file, urgent, refresh, interruption, log } = options;
    const stack = await openStack(options.root, options.stack);
    if (stack === undefined) {
        return notBegun("noEngine", NO_ENGINE);
    }

    const { removed, set } = configOf(edits);
    if (removed.length > 0) {
        await stack.removeAllConfig(removed, true);
    }
    await stack.setAllConfig(Object.fromEntries(set.map(([path, value]) => [path, { value }])), true);
    await options.prepare();
    file.finish();

    if (!urgent) {
        log("Previewing …");
        const planned = new Progress();
        const signal = interruption.engineSignal;
        const refusal = await stack.preview({ ...JUDGED, refresh, signal, onEvent: planned.take }).then(
            () => undefined,
            (error: unknown) => planned.reason(error),
        );
        interruption.signal.throwIfAborted();
        if (refusal !== undefined) {
            return notBegun("refused", refusal);
        }
        planned.changes.forEach((line) => log(`  ${line}`));
        if (!(await options.confirm(planned.changes))) {
            return notBegun("declined");
        }
    }

    const result = await (options.waits ? updateOnceFree : update)(stack, options, id);
    if (result.outcome === "done" && options.updatesTwice) {
        log("Updating once more, to set what AWS leaves out when it restores …");
        const second = await updateOnceFree(stack, options, `${id}, second update`);
        const unset = "What AWS left out is not set. Run pulumi up once more.";
        return {
            ...second,
            begun: true,
            changes: [...result.changes, ...second.changes],
            reason: second.outcome === "done" ? "" : `${second.reason}\n${unset}`.trim(),
        };
    }
    if (result.outcome !== "failed" || !options.goesBack) {
        return result;
    }
    log(`The update failed: ${result.reason}\nGoing back to the values before it …`);
    file.restore();
    file.finish();
    const undone = await updateOnceFree(stack, options, `${id}, taken back`);
    const changes = [...result.changes, ...undone.changes];
    if (undone.outcome === "done") {
        return { ...undone, outcome: "rolledBack", changes, reason: result.reason };
    }
    const wayBack =
        undone.outcome === "interrupted"
            ? `The way back was interrupted: pulumi up --stack ${options.stack} --policy-pack policies --refresh goes on with it.`
            : `The way back failed too: ${undone.reason}`;
    const { outcome } = undone;
    return {
        outcome: outcome === "interrupted" ? outcome : "failed",
        begun: true,
        changes,
        reason: `${result.reason}\n${wayBack}`,
    };
}

/** Updates as soon as no other update holds the lock, as a rollback must. */
export async function updateOnceFree(
    stack: EngineStack,
    options: Parameters<typeof update>[1],
    message: string,
): Promise<RunResult> {
    const { interruption, log } = options;
    for (let told = false; ; told = true) {
        const result = await update(stack, options, message);
        if (result.lock === undefined || result.lock.stale) {
            return result;
        }
        if (!told) log(`The stack is locked by ${result.lock.holder}: waiting …`);
        await sleep(RETRY_MILLISECONDS, undefined, { signal: interruption.signal }).catch(() => undefined);
        if (interruption.happened) {
            return notBegun("interrupted");
        }
    }
}

/** Updates the stack and prints progress. A `plan` is a file of the engine's preview, which allows no other step. */
export async function update(
    stack: EngineStack,
    {
        file,
        refresh,
        plan,
        interruption,
        kubernetes,
        log,
        live,
    }: Pick<RunOptions, "refresh" | "interruption" | "kubernetes" | "log" | "live"> & {
        file?: StackFileEdit;
        plan?: string;
    },
    message: string,
): Promise<RunResult> {
    if (file?.overtaken) {
        return notBegun(
            "locked",
            `Pulumi.${stack.name}.yaml was changed meanwhile, by another run in this folder: run this again.`,
        );
    }
    const gates = new GateLines(kubernetes, (name, line) =>
        view === undefined ? log(`    ${name}: ${line}`) : view.heard(name, line),
    );
    const view =
        live === undefined
            ? undefined
            : new GateView(live, gates.podsOf, (text) => process.stdout.write(text));
    const progress = new Progress(view?.log ?? log, ({ type, urn, op }, isOver) => {
        const name = nameIn(urn);
        if (op === "delete" || !WAITED.includes(type)) {
            return;
        }
        if (isOver) {
            view?.end(name);
            return;
        }
        view?.begin(name, type === JOB);
        if (type === JOB) gates.follow(name);
    });
    const end = (outcome: Outcome, reason: string): RunResult => {
        return { outcome, begun: true, changes: progress.changes, reason };
    };
    try {
        const signal = interruption.engineSignal;
        await stack.up({ ...JUDGED, refresh, plan, message, signal, onEvent: progress.take });
        return end("done", "");
    } catch (error) {
        if (lockOf(error) !== undefined) {
            const [latest] = await stack.history(1, 1).catch(() => []);
            const lock = lockOf(error, latest)!;
            return { ...notBegun("locked", `The stack is locked by ${lock.holder}.`), lock };
        }
        return interruption.happened
            ? end(
                  "interrupted",
                  "Interrupted: what was done stays done, and the same command with --refresh goes on.",
              )
            : end("failed", progress.reason(error));
    } finally {
        gates.stop();
        view?.stop();
    }
}

const JOB = "kubernetes:batch/v1:Job";

/** Types that an update waits for. */
const WAITED = [JOB, "kubernetes:apps/v1:Deployment"];

const CHANGING = ["create", "update", "delete", "replace"];

/** The engine's events as lines, and their summary. */
export class Progress {
    private readonly steps = new Set<string>();
    private readonly errors: string[] = [];

    constructor(
        private readonly log: (line: string) => void = () => undefined,
        private readonly passes: (step: StepEventMetadata, isOver: boolean) => void = () => undefined,
    ) {}

    get changes(): string[] {
        return [...this.steps].sort();
    }

    readonly take = (event: EngineEvent): void => {
        const { resourcePreEvent, resOutputsEvent, diagnosticEvent, policyEvent } = event;
        if (resourcePreEvent !== undefined && CHANGING.includes(resourcePreEvent.metadata.op)) {
            this.log(`  ${lineOf(resourcePreEvent.metadata)} …`);
            this.passes(resourcePreEvent.metadata, false);
        }
        if (resOutputsEvent !== undefined && CHANGING.includes(resOutputsEvent.metadata.op)) {
            this.steps.add(lineOf(resOutputsEvent.metadata));
            this.passes(resOutputsEvent.metadata, true);
            this.log(`  ${lineOf(resOutputsEvent.metadata)}, done`);
        }
        if (diagnosticEvent?.severity === "error") {
            this.errors.push(diagnosticEvent.message.trim());
        }
        if (policyEvent?.enforcementLevel === "mandatory") {
            const { policyName, resourceUrn = "", message } = policyEvent;
            this.errors.push(
                `${policyName}, ${nameIn(resourceUrn)}: ${message.trim().replaceAll("\n", " ")}`,
            );
        }
    };

    /** The engine's diagnostic, otherwise the error itself. */
    readonly reason = (error: unknown): string => [...new Set(this.errors)].join("\n") || reasonOf(error);
}

function lineOf({ op, type, urn }: StepEventMetadata): string {
    return `${op} ${type} ${nameIn(urn)}`;
}

function nameIn(urn: string): string {
    return urn.split("::").at(-1)!;
}

/** The last lines of the CLI's output: an Automation API error begins with all of it. */
function reasonOf(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    const errors = text.split("\n").filter((line) => /^\s*error: /.test(line));
    return (errors.length > 0 ? errors : text.trim().split("\n").slice(-3)).join("\n").trim();
}
