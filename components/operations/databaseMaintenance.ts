import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type WindowPlan } from "../../jobs/window";
import { DATABASE } from "../../core/numbers";
import { type DumpArgs, dumpSteps } from "../backup/databaseDumps";
import { uploadPermissions } from "../backup/upload";
import { asApplication } from "../data/connection";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import {
    declareScheduledTask,
    declareTask,
    program,
    succeededStep,
    type TaskArgs,
    taskPods,
} from "../tasks/task";

/** Maximum number of pods at the same time: the scheduled maintenance, and one on demand. */
export const MAINTENANCE_PODS = taskPods(2);

/** Arguments of {@link DatabaseMaintenance}. */
export interface DatabaseMaintenanceArgs extends DumpArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    /** Range of the network that contains the database. */
    network: string;
    /** Disk that the dump may use, as a Kubernetes quantity. */
    scratch: string;
    /** Window: the hours, on the first such day of a month, and the parts of them in which nothing restarts. */
    window: Pick<WindowPlan, "weekday" | "start" | "end" | "open" | "offsetMinutes">;
    /** Deadline of one run, in seconds. */
    deadlineSeconds: number;
    /**
     * Schedule of the window check, as five fields of cron: daily, so that a failed run soon triggers an alarm, and
     * several times within the window, to resume an interrupted run.
     */
    schedule: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** A run on demand, which the update waits for; `force` is the reason to run outside the window. Default: none. */
    run?: { hash: string; label: string; force?: string | undefined } | undefined;
    /** Images of the steps, pinned. */
    images: DumpArgs["images"] & { node: string };
}

/** Retries within one Job. Each checks the window again. */
const RETRIES = 3;

/**
 * Maintenance of the database, on a schedule and on demand: checks the window (section 5.1) and the progress of an
 * interrupted run, takes a verified dump below `manual/`, runs VACUUM, and REINDEX without locking (section 5.2). An
 * interrupted run is resumed within its window only. `TaskSucceeded` in CloudWatch counts every completed run, even if
 * there was nothing to do.
 */
export class DatabaseMaintenance extends ComponentResource {
    constructor(name: string, args: DatabaseMaintenanceArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:DatabaseMaintenance", name, {}, opts);
        const { namespace, labels, bucket, connection, images, run } = args;
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [egressToNetwork({ cidr: args.network, port: DATABASE.port }), HTTPS_EGRESS],
                aws: {
                    cluster: args.cluster,
                    permissions: uploadPermissions(bucket, ["manual"], args.metrics),
                },
            },
            this,
        );
        const task = (label: string, window: Pick<WindowPlan, "scheduled" | "force" | "run">): TaskArgs => ({
            access,
            deadlineSeconds: args.deadlineSeconds,
            scratch: args.scratch,
            skippable: true,
            steps: [
                {
                    name: "window",
                    image: images.node,
                    program: program("window", {
                        ...args.window,
                        ...window,
                        limitSeconds: args.deadlineSeconds,
                    } satisfies WindowPlan),
                },
                {
                    name: "pending",
                    image: images.postgres,
                    ...asApplication("pending.sh", connection),
                },
                ...dumpSteps(args, "manual", label),
                {
                    name: "maintain",
                    image: images.postgres,
                    ...asApplication("maintain.sh", connection),
                },
                succeededStep({ image: images.aws, region: args.region, metrics: args.metrics, task: name }),
            ],
            after: [bucket, connection.resource],
        });
        declareScheduledTask(
            name,
            // Cron treats a day of the month and a weekday as alternatives.
            { ...task("maintenance", { scheduled: true }), schedule: args.schedule, retries: RETRIES },
            this,
        );
        if (run !== undefined) {
            const { hash, label, force } = run;
            declareTask(
                name,
                { ...task(label, { scheduled: false, run: label, force }), hash, followsChanges: false },
                this,
            );
        }
        this.registerOutputs();
    }
}
