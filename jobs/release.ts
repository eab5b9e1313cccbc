import { runInCluster } from "./lib/clusterGate";
import { GateError, gateMain, type GateResult } from "./lib/gate";
import { pause } from "./lib/kubernetes";
import { ReleaseHistory } from "./lib/releaseHistory";
import { capacity } from "./release/capacity";
import { type ReleaseContext, type ReleaseOptions } from "./release/context";
import { recordFailure } from "./release/history";
import { parseReleasePlan, type ReleasePlan } from "./release/plan";
import { smoke } from "./release/smokeGate";
import { soak } from "./release/soak";

/** Runs one gate of a release. Never rejects: an error is its verdict. */
export function runRelease(plan: ReleasePlan, options: ReleaseOptions): Promise<GateResult> {
    return runInCluster(plan.gate, plan, options, async ({ cluster, signal }) => {
        const { namespace, app } = plan;
        const ctx: ReleaseContext = {
            now: () => performance.now(),
            date: () => new Date(),
            sleep: pause,
            env: process.env,
            pollSeconds: 5,
            lineSeconds: 60,
            settleSeconds: 60,
            ...options,
            cluster,
            history: new ReleaseHistory(cluster, { namespace, configMap: plan.ledger, app }),
            signal,
        };
        try {
            return await check(plan, ctx);
        } catch (error) {
            // An interrupted gate has no verdict on its release.
            if (error instanceof GateError && !options.signal.aborted) {
                await recordFailure(plan, ctx, error.message);
            }
            throw error;
        }
    });
}

function check(plan: ReleasePlan, ctx: ReleaseContext): Promise<string> {
    switch (plan.gate) {
        case "capacity":
            return capacity(plan, ctx);
        case "smoke":
            return smoke(plan, ctx);
        case "soak":
            return soak(plan, ctx);
    }
}

if (require.main === module) {
    void gateMain(parseReleasePlan, runRelease);
}
