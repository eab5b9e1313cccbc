import { setTimeout as sleep } from "node:timers/promises";
import { type KubernetesValues } from "../../config/kubernetes";
import { UsageError } from "../../offline/stackFile";
import { notBegun, type RunResult } from "./outcome";
import { abortRelease, describeJob, type AbortableRelease, type RunningJob, runningJobs } from "./soak";

/** Seconds between two checks of the Jobs of an update that is waited for. */
const LOOK_SECONDS = 5;

/** Seconds until the next attempt if no Job shows the other update's progress. */
const RETRY_SECONDS = 15;

/** Decision while another update holds the lock. */
export interface LockOptions {
    stack: string;
    access: KubernetesValues;
    /** Reason of the abort, which the gate prints. */
    why: string;
    /** Option given in advance: wait, or abort the other update's release. */
    choice: "wait" | "abort" | undefined;
    /** Prompts at the terminal, if there is one. */
    ask: ((question: string) => Promise<string>) | undefined;
    /** Whether to ask before the first attempt too. */
    looksFirst: boolean;
    signal: AbortSignal;
    log: (line: string) => void;
    /** Plans and updates once; `aborted` are the releases that were aborted for it. */
    attempt: (aborted: readonly AbortableRelease[]) => Promise<RunResult>;
}

const CHOICES = `  --wait        waits until it ends, and looks at the plan once more
  --abort-soak  aborts the release at its gate: its update takes it back, and this one goes on`;

/** Retries an update until it gets the lock, or there is no way to get it. */
export async function withLock(options: LockOptions): Promise<RunResult> {
    const { stack, access, choice, ask, log, signal } = options;
    const aborted: AbortableRelease[] = [];
    const abort = async (jobs: readonly RunningJob[]) => {
        for (const { release, ...job } of jobs) {
            if (release === undefined || aborted.some(({ workload }) => workload === release.workload))
                continue;
            log(`Aborting ${describeJob({ ...job, release })} …`);
            await abortRelease(access, { ...job, release }, options.why, signal);
            aborted.push(release);
        }
        return aborted.length > 0;
    };
    const isAbortable = (jobs: readonly RunningJob[]) => jobs.some(({ release }) => release !== undefined);

    if (choice === "abort") {
        // First, because every second counts.
        if (!(await abort(runningJobs(access)))) log(`No release is at its gates in ${access.namespace}.`);
    } else if (choice === undefined && ask !== undefined && options.looksFirst) {
        const jobs = jobsIfKnown(access);
        if (isAbortable(jobs)) {
            log(`A release is under way, and its update has the lock of the stack ${stack}:`);
            jobs.forEach((job) => log(`  ${describeJob(job)}`));
            const answer = await ask(
                "Wait for it, abort it (it is taken back), or try at once? (wait, abort or try) ",
            );
            if (answer === "abort") await abort(jobs);
            else if (answer === "wait") await jobsEnd(options);
            else if (answer !== "try") return notBegun("declined");
        }
    }
    for (;;) {
        const result = await options.attempt(aborted);
        const { lock } = result;
        if (lock === undefined) {
            return result;
        }
        const jobs = jobsIfKnown(access);
        const where = jobs.length === 0 ? ["No Job of it runs in the cluster."] : jobs.map(describeJob);
        const found = [
            `The stack ${stack} is locked by ${lock.holder}.`,
            ...where.map((line) => `  ${line}`),
        ];
        if (lock.stale) {
            return notBegun("locked", [...found, staleAdvice(stack, aborted)].join("\n"));
        }
        let chosen = choice === "abort" && aborted.length === 0 ? undefined : choice;
        if (chosen === undefined && ask !== undefined) {
            found.forEach(log);
            const abortable = isAbortable(jobs) ? "wait, abort or no" : "wait or no";
            const answer = await ask(
                `Wait for it${isAbortable(jobs) ? ", or abort it (it is taken back)" : ""}? (${abortable}) `,
            );
            if (answer === "wait") chosen = "wait";
            else if (answer === "abort" && isAbortable(jobs)) chosen = "abort";
            else return notBegun("declined");
            if (chosen === "abort") await abort(jobs);
        } else if (chosen === undefined) {
            return notBegun("locked", [...found, CHOICES, deadAdvice(stack)].join("\n"));
        }
        if (chosen === "wait") {
            found.forEach(log);
            await jobsEnd(options);
        }
    }
}

/** Waits until an update has no active Job; if there is none, waits a while. */
async function jobsEnd({ access, signal, log }: LockOptions): Promise<void> {
    log("Waiting for it …");
    let jobs = jobsIfKnown(access);
    await sleep((jobs.length === 0 ? RETRY_SECONDS : LOOK_SECONDS) * 1000, undefined, { signal });
    while (jobs.length > 0) {
        const before = jobs.map(({ name }) => name).join();
        jobs = jobsIfKnown(access);
        if (jobs.length > 0 && jobs.map(({ name }) => name).join() !== before) {
            jobs.forEach((job) => log(`  ${describeJob(job)}`));
        }
        await sleep(LOOK_SECONDS * 1000, undefined, { signal });
    }
}

function jobsIfKnown(access: KubernetesValues): RunningJob[] {
    try {
        return runningJobs(access);
    } catch (error) {
        if (error instanceof UsageError) return [];
        throw error;
    }
}

function staleAdvice(stack: string, aborted: readonly AbortableRelease[]): string {
    return [
        "That process has ended: the lock was left behind, and no update runs. Remove it, and run this again with --refresh:",
        `  pulumi cancel --stack ${stack} --yes`,
        ...aborted.map(
            ({ workload, version, colour }) =>
                `${workload} ${version} (${colour}) was aborted, and nothing has taken it back: npm run runbook -- run rollback --workload ${workload} --refresh`,
        ),
    ].join("\n");
}

function deadAdvice(stack: string): string {
    return `If that process has died, no update runs and the lock was left behind. Make sure of it at its host, or in its
workflow run; only then: pulumi cancel --stack ${stack} --yes, and run this again with --refresh.`;
}
