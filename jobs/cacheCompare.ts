import { join } from "node:path";
import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import { secretFiles } from "./lib/probes";
import { Redis } from "./lib/redis";
import * as z from "zod/mini";
import { parse, port, seconds, text, wholeNumber } from "./lib/schema";

/** What is compared before the services use a restored group. Section 7.2. */
const comparePlan = z.strictObject({
    /** Names of the first group and of the restored one. */
    primary: text,
    recovered: text,
    port,
    /** Least number of keys in the restored group. */
    atLeast: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    /** Limit of the whole run, in seconds. */
    deadlineSeconds: seconds,
});

/** What is compared before the services use a restored group. Section 7.2. */
export type ComparePlan = z.infer<typeof comparePlan>;

/** Counts the keys of both groups. Files of the task's secrets: `primary` and `recovered`, the hosts, and `password`. */
async function compare(plan: ComparePlan, { log, signal }: GateContext): Promise<GateResult> {
    const file = secretFiles(join(process.env["SECRETS"] ?? ""));
    const deadline = `the deadline of ${plan.deadlineSeconds} s passed`;
    return withTimeout(plan.deadlineSeconds, deadline, signal, async (run) => {
        const keysOf = async (group: "primary" | "recovered"): Promise<number> => {
            const target = { host: file(group), port: plan.port, password: file("password") };
            const redis = await Redis.connect(target, run);
            try {
                return Number(await redis.command("DBSIZE"));
            } finally {
                redis.close();
            }
        };
        try {
            const primary = await keysOf("primary").catch(reasonOfFailure);
            log(
                typeof primary === "number"
                    ? `– ${plan.primary}: ${primary} keys`
                    : `– ${plan.primary} cannot be asked: ${primary}`,
            );
            const recovered = await keysOf("recovered");
            log(`– ${plan.recovered}: ${recovered} keys`);
            return recovered < plan.atLeast
                ? {
                      passed: false,
                      line: `FAILED ${plan.recovered}: found ${recovered} keys, expected at least ${plan.atLeast}.`,
                  }
                : { passed: true, line: `PASSED ${plan.recovered} has ${recovered} keys.` };
        } catch (error) {
            if (!(error instanceof GateError)) throw error;
            const reason = run.aborted ? reasonOf(run) : error.message;
            return { passed: false, line: `FAILED ${plan.recovered} cannot be asked: ${reason}.` };
        }
    });
}

/** The first group may be what was lost: then only its keys are not counted. */
function reasonOfFailure(error: unknown): string {
    if (!(error instanceof GateError)) throw error;
    return error.message;
}

/** Checks what was read from a plan's file; throws an error with path, found and expected. */
export function parseComparePlan(raw: unknown): ComparePlan {
    return parse(comparePlan, raw);
}

if (require.main === module) {
    void gateMain(parseComparePlan, compare);
}
