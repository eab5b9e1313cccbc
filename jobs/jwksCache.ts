import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import { Kubernetes } from "./lib/kubernetes";
import { askPod, runningPods } from "./lib/pods";
import * as z from "zod/mini";
import { httpPath, parse, port, seconds, text } from "./lib/schema";

/** Pods whose key cache is cleared. Section 4.3.4 step 4. */
const jwksCachePlan = z.strictObject({
    namespace: text,
    /** Label `app` of the pods. */
    app: text,
    port,
    /** Path of the POST that clears the cache. */
    path: httpPath,
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
});

/** Pods whose key cache is cleared. Section 4.3.4 step 4. */
export type JwksCachePlan = z.infer<typeof jwksCachePlan>;

/** Clears the cache of every running pod, even after a failure. Never rejects. */
export async function runJwksCache(
    plan: JwksCachePlan,
    { log, signal }: GateContext,
    cluster = () => Kubernetes.ofThisPod({ namespace: plan.namespace, log }),
): Promise<GateResult> {
    const { app, port, path, deadlineSeconds } = plan;
    const deadline = `the deadline of ${deadlineSeconds} s passed`;
    return withTimeout(deadlineSeconds, deadline, signal, async (run) => {
        try {
            const pods = await runningPods(cluster(), app, run);
            let cleared = 0;
            for (const pod of pods) {
                const { error: error } = await askPod(pod, { port, path, method: "POST" }, run);
                log(error === undefined ? `✓ ${pod.name}: JWKS cache cleared` : `✗ ${pod.name}: ${error}`);
                cleared += error === undefined ? 1 : 0;
            }
            const passed = cleared === pods.length;
            return {
                passed,
                line: `${passed ? "PASSED" : "FAILED"} ${cleared} of ${pods.length} pods cleared.`,
            };
        } catch (error) {
            if (!(error instanceof GateError)) throw error;
            return { passed: false, line: `FAILED ${run.aborted ? reasonOf(run) : error.message}.` };
        }
    });
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseJwksCachePlan(raw: unknown): JwksCachePlan {
    return parse(jwksCachePlan, raw);
}

if (require.main === module) {
    void gateMain(parseJwksCachePlan, (plan, context) => runJwksCache(plan, context));
}
