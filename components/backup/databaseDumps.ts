import { type Job } from "@pulumi/kubernetes/batch/v1";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { DATABASE } from "../../core/numbers";
import { asApplication, type Connection } from "../data/connection";
import { contentHash } from "../../core/hash";
import { type BackupBucket } from "../storage/backupBucket";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareScheduledTask, declareTask, type TaskArgs, type TaskStep, taskPods } from "../tasks/task";
import { type BackupKind, uploadPermissions, uploadStep } from "./upload";

/** What one dump is taken with. */
export interface DumpArgs {
    region: string;
    /** The Secret that leads to the database the services use: after a recovery that one is dumped. */
    connection: Connection;
    bucket: BackupBucket;
    /** Tables that a dump must hold. */
    tables: readonly string[];
    /** A dump that is smaller has lost something. In bytes. */
    minimumSize: number;
    /** Images the steps run on, pinned. */
    images: { postgres: string; aws: string };
}

/** Arguments of {@link DatabaseDumps}. */
export interface DatabaseDumpsArgs extends DumpArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    /** Range of the network that the database is in. */
    network: string;
    /** What the dumps are of, in their names. */
    subject: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** Times of the scheduled ones, as five fields of cron in the zone of the runbook. */
    daily: string;
    weekly: string;
    /** Names a dump that somebody wants now. Default: none. */
    manual?: string | undefined;
    /** Disk that a dump may take up, as a Kubernetes quantity. */
    scratch: string;
    /** Limit of one dump with its upload, in seconds. */
    deadline: number;
}

/** Most pods at the same time, beside the dumps before releases: both scheduled ones and one on demand. */
export const DUMP_PODS = taskPods(3);

/** Name of the dump on the disk that the steps share. */
const FILE = "database.dump";

/** A dump and its upload, both verified; `label` names it in the bucket, `metrics` is where it is reported. */
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
 * Dumps of the database into the backup bucket: below `daily/` and `weekly/` by the clock (section 7.1), below
 * `manual/` on demand (section 5.2 step 1) and before a release that changes the database (section 3.1). Each is
 * verified before and after its upload.
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
            // Nobody waits for the next one of those that are taken once.
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

    /** A dump that an update waits for, taken once for each hash; `label` names it in the bucket. */
    takeOnce(name: string, hash: string, label: string, parent: ComponentResource): Job {
        return declareTask(name, { ...this.task("manual", label), hash }, parent);
    }
}
