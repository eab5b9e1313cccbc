import { GateError, type GateContext, gateMain, type GateResult } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import { type DisruptionBudget, Kubernetes, type Node } from "./lib/kubernetes";
import { parseSamples } from "./lib/metrics";
import * as z from "zod/mini";
import { parse, pattern, seconds } from "./lib/schema";

/** What to check before a Kubernetes upgrade. Section 5.1. */
const upgradePlan = z.strictObject({
    /** Target version of the control plane: "1.34". */
    version: pattern(/^1\.\d{2}$/, "a version such as 1.34"),
    /** Deadline of the run, in seconds. */
    deadlineSeconds: seconds,
});

/** What to check before a Kubernetes upgrade. Section 5.1. */
export type UpgradePlan = z.infer<typeof upgradePlan>;

/** Maximum version skew of kubelets, in minor versions. */
const OLDEST_KUBELET = 3;

/** Metric of requests since the server's start, by the release that removes their API. */
const DEPRECATED = "apiserver_requested_deprecated_apis";

/** Result of one check: obstacles, or a text that there are none. */
interface Found {
    well: string;
    blockers: string[];
}

/** Runs all checks, even after findings and errors. Never rejects. */
export async function runUpgrade(
    plan: UpgradePlan,
    { log, signal: parent }: GateContext,
    connect = () => Kubernetes.ofThisPod({ namespace: "", log }),
): Promise<GateResult> {
    const deadline = `the deadline of ${plan.deadlineSeconds} s passed`;
    let blockers = 0;
    await withTimeout(plan.deadlineSeconds, deadline, parent, async (signal) => {
        let known: Kubernetes | undefined;
        const cluster = () => (known ??= connect());
        for (const [title, check] of Object.entries(CHECKS)) {
            log(`=== ${title} ===`);
            try {
                const found = await check(cluster(), minorOf(plan.version), signal);
                for (const blocker of found.blockers) log(`  ✗ ${blocker}`);
                if (found.blockers.length === 0) log(`  ✓ ${found.well}`);
                blockers += found.blockers.length;
            } catch (error) {
                if (!(error instanceof GateError)) throw error;
                log(`  ✗ ${signal.aborted ? reasonOf(signal) : error.message}`);
                blockers += 1;
            }
        }
    });
    return blockers === 0
        ? { passed: true, line: `PASSED no obstacle for ${plan.version}.` }
        : { passed: false, line: `FAILED ${blockers} in the way of ${plan.version}.` };
}

const CHECKS: Readonly<
    Record<string, (cluster: Kubernetes, target: number, signal: AbortSignal) => Promise<Found>>
> = {
    "Versions of control plane and nodes": async (cluster, target, signal) => {
        const { major, minor } = JSON.parse(await cluster.page("/version", signal)) as Record<string, string>;
        const control = minorOf(`${major}.${minor}`);
        const nodes = await cluster.everywhere<Node>("nodes", signal);
        const blockers = nodes.flatMap(({ metadata: { name }, status }) => {
            const { kubeletVersion } = status.nodeInfo;
            const kubelet = minorOf(kubeletVersion);
            if (kubelet > control) return [`${name} has ${kubeletVersion}, newer than the control plane`];
            return target - kubelet > OLDEST_KUBELET
                ? [`${name} has ${kubeletVersion}, too old for 1.${target}: upgrade it first`]
                : [];
        });
        if (control !== target && control !== target - 1) {
            blockers.unshift(`the control plane has 1.${control}: it goes up by one minor version at a time`);
        }
        return {
            well: `the control plane has 1.${control}, and its ${nodes.length} nodes go with 1.${target}`,
            blockers,
        };
    },
    "Pod disruption budgets": async (cluster, _, signal) => {
        const budgets = await cluster.everywhere<DisruptionBudget>("poddisruptionbudgets", signal);
        return {
            well: `all ${budgets.length} let a pod go`,
            blockers: budgets.flatMap(({ metadata: { namespace, name }, status }) =>
                // A budget without pods blocks no eviction.
                status.disruptionsAllowed === 0 && status.expectedPods > 0
                    ? [
                          `${namespace}/${name} lets none of its ${status.expectedPods} pods go (${status.currentHealthy} healthy)`,
                      ]
                    : [],
            ),
        };
    },
    "APIs that are asked for and will be gone": async (cluster, target, signal) => {
        const page = await cluster.page("/metrics", signal);
        const lines = page.split("\n").filter((line) => line.startsWith(DEPRECATED));
        return {
            well: `none that is gone in 1.${target}, as far as the server that answered knows`,
            blockers: parseSamples(lines.join("\n")).flatMap(({ labels, value }) => {
                const { group, version, resource, removed_release: removed = "" } = labels;
                // The status is not observed yet.
                return value > 0 && removed !== "" && minorOf(removed) <= target
                    ? [`${group === "" ? "" : `${group}/`}${version} ${resource} is gone in ${removed}`]
                    : [];
            }),
        };
    },
};

/** The minor version of "1.34", "v1.33.5-eks-113cf36" or "1.33+". */
function minorOf(version: string): number {
    const [, minor] = /^v?1\.(\d+)/.exec(version) ?? [];
    if (minor === undefined)
        throw new GateError(`found the version ${JSON.stringify(version)}, expected 1.N`);
    return Number(minor);
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseUpgradePlan(raw: unknown): UpgradePlan {
    return parse(upgradePlan, raw);
}

if (require.main === module) {
    void gateMain(parseUpgradePlan, runUpgrade);
}
