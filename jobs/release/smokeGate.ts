import { GateError, throwIfStopped } from "../lib/gate";
import { runSmoke } from "./smokeRequests";
import { type ReleaseContext, timestamp } from "./context";
import { nextRevision } from "../lib/releaseHistory";
import { isOf, recall, updatedEntry } from "./history";
import { type ReleaseSmokePlan } from "./plan";

/**
 * Sends the smoke requests to the target, unless the history has them as passed. An app without colours already has
 * traffic: its release is always tested, and completed by this gate.
 */
export async function smoke(plan: ReleaseSmokePlan, ctx: ReleaseContext): Promise<string> {
    const { history, signal } = ctx;
    const { version } = plan.release;
    const { entries } = await recall(plan, ctx);
    const known = entries.find((entry) => isOf(plan, entry) && entry.smokeAt !== undefined);
    if (known !== undefined && plan.colour !== undefined)
        return `${version} passed at ${known.smokeAt}: not tested again`;

    const { passed, failed } = await runSmoke(plan.smoke, ctx);
    throwIfStopped(signal);
    const { length } = plan.smoke.requests;
    if (failed.length > 0)
        throw new GateError(`${failed.length} of ${length} requests failed: ${failed.join(", ")}`);
    const at = timestamp(ctx);
    const line = `${passed} of ${length} requests answered as planned`;
    if (plan.colour !== undefined) {
        await history.write((all) => updatedEntry(plan, all, { smokeAt: at }), signal);
        return line;
    }
    const { revision } = await history.write((all) => {
        const own = all.find((entry) => isOf(plan, entry));
        const completed = {
            revision: own?.revision ?? nextRevision(all),
            completedAt: own?.completedAt ?? at,
        };
        return updatedEntry(plan, all, { smokeAt: at, ...completed });
    }, signal);
    return `${line}; revision ${revision}`;
}
