import { GateError, throwIfStopped } from "../lib/gate";
import { runSmoke } from "../smoke";
import { type ReleaseContext, timestamp } from "./context";
import { isOf, recall, updatedEntry } from "./history";
import { type ReleaseSmokePlan } from "./plan";

/** Sends the smoke requests to the target, unless the history has them as passed. */
export async function smoke(plan: ReleaseSmokePlan, ctx: ReleaseContext): Promise<string> {
    const { history, signal } = ctx;
    const { version } = plan.release;
    const { entries } = await recall(plan, ctx);
    const known = entries.find((entry) => isOf(plan, entry) && entry.smokeAt !== undefined);
    if (known !== undefined) return `${version} passed at ${known.smokeAt}: not asked again`;

    const { passed, failed } = await runSmoke(plan.smoke, ctx);
    throwIfStopped(signal);
    const { length } = plan.smoke.requests;
    if (failed.length > 0)
        throw new GateError(`${failed.length} of ${length} requests failed: ${failed.join(", ")}`);
    await history.write((all) => updatedEntry(plan, all, { smokeAt: timestamp(ctx) }), signal);
    return `${passed} of ${length} requests answered as planned`;
}
