import { join } from "node:path";
import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import { secretFiles } from "./lib/probes";
import { Redis, RedisError, type RedisTarget } from "./lib/redis";
import * as z from "zod/mini";
import { parse, seconds, text, wholeNumber } from "./lib/schema";

/** Which keys of the cache are removed. Section 5.3. */
const cleanupPlan = z.strictObject({
    /** Glob of the keys: "cache:*". */
    pattern: text,
    /** Idle time after which a key is removed: neither read nor written. */
    idleSeconds: wholeNumber(1, 365 * 86_400),
    /** Approximate batch size of scanning and removing. */
    batch: wholeNumber(1, 10_000),
    /** Whether only to count. */
    dryRun: z.boolean(),
    /** Folder among the task's secrets, with the files `host`, `port` and `password`. */
    secrets: text,
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
});

/** Which keys of the cache are removed. Section 5.3. */
export type CleanupPlan = z.infer<typeof cleanupPlan>;

/** Result of a run. */
export interface CleanupResult {
    /** Matching keys; a key that the server moved meanwhile may count twice. */
    matched: number;
    /** Idle keys: removed, or counted in a dry run. */
    idle: number;
}

/** Removes idle keys in batches, while the server serves; keeps only one batch in memory. */
export async function runCleanup(
    { pattern, idleSeconds, batch, dryRun }: CleanupPlan,
    target: RedisTarget,
    signal: AbortSignal,
): Promise<CleanupResult> {
    const redis = await Redis.connect(target, signal);
    try {
        const result: CleanupResult = { matched: 0, idle: 0 };
        let cursor = "0";
        do {
            const scan = ["SCAN", cursor, "MATCH", pattern, "COUNT", String(batch)];
            const [next, keys] = (await redis.command(...scan)) as [string, string[]];
            const times = await redis.pipeline(keys.map((key) => ["OBJECT", "IDLETIME", key]));
            const refusal = times.find((time) => time instanceof RedisError);
            if (refusal !== undefined) throw refusal;
            // A deleted key has no idle time.
            const idle = keys.filter((_, index) => Number(times[index] ?? -1) >= idleSeconds);
            if (idle.length > 0 && !dryRun) await redis.command("UNLINK", ...idle);
            result.matched += keys.length;
            result.idle += idle.length;
            cursor = next;
        } while (cursor !== "0");
        return result;
    } finally {
        redis.close();
    }
}

/** Runs a plan. Never rejects: an error is its verdict. */
async function cleanup(plan: CleanupPlan, { log, signal }: GateContext): Promise<GateResult> {
    const { pattern, idleSeconds, dryRun, deadlineSeconds } = plan;
    log(`cache cleanup${dryRun ? ", dry run" : ""}: ${pattern} idle for ${idleSeconds} s or more`);
    const deadline = `the deadline of ${deadlineSeconds} s passed`;
    return withTimeout(deadlineSeconds, deadline, signal, async (run) => {
        try {
            const file = secretFiles(join(process.env["SECRETS"] ?? "", plan.secrets));
            const target = { host: file("host"), port: Number(file("port")), password: file("password") };
            const { matched, idle } = await runCleanup(plan, target, run);
            const done = dryRun ? "would be removed" : "removed";
            return { passed: true, line: `PASSED ${idle} of ${matched} keys ${done}.` };
        } catch (error) {
            if (!(error instanceof GateError)) throw error;
            return {
                passed: false,
                line: `FAILED cache cleanup: ${run.aborted ? reasonOf(run) : error.message}.`,
            };
        }
    });
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseCleanupPlan(raw: unknown): CleanupPlan {
    return parse(cleanupPlan, raw);
}

if (require.main === module) {
    void gateMain(parseCleanupPlan, cleanup);
}
