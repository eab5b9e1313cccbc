import { type Job } from "@pulumi/kubernetes/batch/v1";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { DATABASE } from "../../core/numbers";
import { asApplication, type Connection } from "../data/connection";
import { contentHash } from "../../core/hash";
import { type BackupBucket } from "../storage/backupBucket";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareScheduledTask, declareTask, type TaskArgs, type TaskStep, taskPods } from "../tasks/task";
import { type BackupKind, uploadPermissions, uploadStep } from "./upload";

/** Common to all dumps. */
export interface DumpArgs {
    region: string;
    /** Secret with the URL of the active database. */
    connection: Connection;
    bucket: BackupBucket;
    /** Tables that a dump must contain. */
    tables: readonly string[];
    /** Minimum size of a dump, in bytes; a smaller one is incomplete. */
    minimumSize: number;
    /** Images of the steps, pinned. */
    images: { postgres: string; aws: string };
}

/** Arguments of {@link DatabaseDumps}. */
export interface DatabaseDumpsArgs extends DumpArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    /** Range of the network that contains the database. */
    network: string;
    /** Name of the dumped database, used in the dumps' names. */
    subject: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** Schedules, as five fields of cron in the runbook's time zone. */
    daily: string;
    weekly: string;
    /** Names a dump on demand. Default: none. */
    manual?: string | undefined;
    /** Disk that a dump may use, as a Kubernetes quantity. */
    scratch: string;
    /** Deadline of one dump and its upload, in seconds. */
    deadline: number;
}

/** Maximum number of pods at the same time, without dumps before releases: both scheduled dumps and one on demand. */
export const DUMP_PODS = taskPods(3);

/** File name of the dump on the volume that the steps share. */
const FILE = "database.dump";

/**
 * Steps of a verified dump and its upload. `label` names it in the bucket, `metrics` is the CloudWatch namespace of its
 * heartbeat.
 */
export function dumpSteps(
    { region, connection, bucket, tables, minimumSize, images }: DumpArgs,
    kind: BackupKind,
    label: string,
    metrics?: string,
): [TaskStep, TaskStep] {
    const dump = asApplication("dump.sh", connection);
    return [
        {
            name: "dump",
            image: images.postgres,
            ...dump,
            env: { FILE, TABLES: tables.join(" "), MINIMUM_BYTES: String(minimumSize), ...dump.env },
        },
        uploadStep({ image: images.aws, region, bucket, kind, label, file: FILE, metrics }),
    ];
}

/**
 * Dumps of the database in the backup bucket: scheduled below `daily/` and `weekly/` (section 7.1), on demand below
 * `manual/` (section 5.2 step 1) and before a release that migrates the database (section 3.1). Each is verified before
 * and after its upload.
 */
export class DatabaseDumps extends ComponentResource {
    private readonly task: (kind: BackupKind, label: string) => TaskArgs;

    constructor(name: string, args: DatabaseDumpsArgs, opts?: ComponentResourceOptions) {
        super("mcp:backup:DatabaseDumps", name, {}, opts);
        const { namespace, labels, connection, bucket } = args;

        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [egressToNetwork({ cidr: args.network, port: DATABASE.port }), HTTPS_EGRESS],
                aws: {
                    cluster: args.cluster,
                    permissions: uploadPermissions(bucket, ["daily", "weekly", "manual"], args.metrics),
                },
            },
            this,
        );
        this.task = (kind, label) => ({
            access,
            deadlineSeconds: args.deadline,
            scratch: args.scratch,
            // Dumps on demand have no heartbeat: no alarm expects the next one.
            steps: dumpSteps(args, kind, label, kind === "manual" ? undefined : args.metrics),
            after: [bucket, connection.resource],
        });
        for (const kind of ["daily", "weekly"] as const) {
            const schedule = args[kind];
            declareScheduledTask(`${name}-${kind}`, { ...this.task(kind, args.subject), schedule }, this);
        }
        if (args.manual !== undefined) {
            this.takeOnce(`${name}-manual`, contentHash(args.manual), args.manual, this);
        }
        this.registerOutputs();
    }

    /** Takes a dump once for each hash; the update waits for it. `label` names it in the bucket. */
    takeOnce(name: string, hash: string, label: string, parent: ComponentResource): Job {
        return declareTask(name, { ...this.task("manual", label), hash }, parent);
    }
}
