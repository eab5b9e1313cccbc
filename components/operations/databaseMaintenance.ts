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

/** Most pods at the same time: the scheduled maintenance, and one by hand. */
export const MAINTENANCE_PODS = taskPods(2);

/** Arguments of {@link DatabaseMaintenance}. */
export interface DatabaseMaintenanceArgs extends DumpArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    /** Range of the network that the database is in. */
    network: string;
    /** Disk that the dump may take up, as a Kubernetes quantity. */
    scratch: string;
    /** When it may run: the hours, on the first such day of a month, and the parts of them in which nothing restarts. */
    window: Pick<WindowPlan, "weekday" | "start" | "end" | "open" | "offsetMinutes">;
    /** Limit of one run, in seconds. */
    deadlineSeconds: number;
    /**
     * When it looks whether the window is open, as five fields of cron in its zone: every day, so that a run that failed is
     * soon missed, and several times within the window, so that one that was interrupted is resumed.
     */
    schedule: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** A run beside the scheduled ones, which the update waits for; `force` is why it may leave the window. Default: none. */
    run?: { hash: string; label: string; force?: string | undefined } | undefined;
    /** Images the steps run on, pinned. */
    images: DumpArgs["images"] & { node: string };
}

/** How often a run goes on within one Job after it has failed. Each looks at the window again. */
const RETRIES = 3;

/**
 * Maintenance of the database, by the clock and on demand: a look at the window (section 5.1) and at what an interrupted
 * run has done, a verified dump below `manual/`, VACUUM, and a REINDEX that locks nobody out (section 5.2). A run that is
 * interrupted is resumed within its window, never beyond it. `TaskSucceeded` in CloudWatch counts every run that came
 * to its end, also when nothing was to be done.
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
            // Cron would take the first seven days of a month and a weekday for either of them.
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
