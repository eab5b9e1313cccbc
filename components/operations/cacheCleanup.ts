import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type CleanupPlan } from "../../jobs/cacheCleanup";
import { CACHE_CLEANUP } from "../../core/numbers";
import { type Connection } from "../data/connection";
import { mountedCache, storesEgress } from "../observability/healthChecks";
import { declareTaskAccess } from "../tasks/access";
import { declareScheduledTask, declareTask, program, type TaskArgs, taskPods } from "../tasks/task";

/** Deadline of one run, in seconds. A million keys take some seconds. */
const DEADLINE_SECONDS = 1800;

/** Keys per batch. */
const BATCH = 1000;

/** Maximum number of pods at the same time: the scheduled cleanup, and one on demand. */
export const CLEANUP_PODS = taskPods(2);

/** Arguments of {@link CacheCleanup}. */
export interface CacheCleanupArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    cache: Connection;
    /** Range of the network that contains Redis. */
    network: string;
    /** Schedule, as five fields of cron in the runbook's time zone. */
    schedule: string;
    /** A run on demand, which the update waits for. Default: none. */
    run?: { hash: string; dryRun: boolean } | undefined;
    /** Node image, pinned. */
    nodeImage: string;
}

/** Removes keys of the cache that were not used for a day, on a schedule and on demand. Section 5.3. */
export class CacheCleanup extends ComponentResource {
    constructor(name: string, args: CacheCleanupArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:CacheCleanup", name, {}, opts);
        const { namespace, labels, cache, run } = args;
        const access = declareTaskAccess(
            name,
            { namespace, labels, egress: storesEgress({ cache }, args.network) },
            this,
        );
        const task = (dryRun: boolean): TaskArgs => ({
            access,
            deadlineSeconds: DEADLINE_SECONDS,
            steps: [
                {
                    name: "cleanup",
                    image: args.nodeImage,
                    program: program("cacheCleanup", {
                        pattern: CACHE_CLEANUP.pattern,
                        idleSeconds: CACHE_CLEANUP.idleHours * 3600,
                        batch: BATCH,
                        dryRun,
                        secrets: "cache",
                        deadlineSeconds: DEADLINE_SECONDS,
                    } satisfies CleanupPlan),
                    secrets: mountedCache(cache),
                },
            ],
            after: [cache.resource],
        });
        declareScheduledTask(name, { ...task(false), schedule: args.schedule }, this);
        if (run !== undefined) {
            declareTask(name, { ...task(run.dryRun), hash: run.hash, followsChanges: false }, this);
        }
        this.registerOutputs();
    }
}
