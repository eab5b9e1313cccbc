import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { EXPORTED, type ExportPlan } from "../../jobs/export";
import { GROUPS } from "../../jobs/lib/kubernetes";
import { type BackupBucket } from "../storage/backupBucket";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareScheduledTask, program, taskPods } from "../tasks/task";
import { uploadPermissions, uploadStep } from "./upload";

/** Arguments of {@link ConfigurationExport}. */
export interface ConfigurationExportArgs {
    namespace: Input<string>;
    /** Name of the namespace, for the export itself. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    region: string;
    /** Where pods reach the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    bucket: BackupBucket;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** When it runs, as five fields of cron in the zone of the runbook. */
    schedule: string;
    /** Images it runs on, pinned. */
    images: { node: string; aws: string };
}

/** Most pods at the same time: one export. */
export const EXPORT_PODS = taskPods(1);

/** Limit of the export and its upload, in seconds. */
const DEADLINE_SECONDS = 600;

/** Of it, what is left to the upload. */
const UPLOAD_SECONDS = 300;

/** Name of the export on the disk that the steps share. */
const FILE = "configurations.json.gz";

/** The declared objects of the namespace every day below `kubernetes/` of the backup bucket. Section 7.1. */
export class ConfigurationExport extends ComponentResource {
    constructor(name: string, args: ConfigurationExportArgs, opts?: ComponentResourceOptions) {
        super("mcp:backup:ConfigurationExport", name, {}, opts);
        const { namespace, labels, bucket } = args;

        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [egressToNetwork(args.apiServer), HTTPS_EGRESS],
                rules: listRules(),
                aws: {
                    cluster: args.cluster,
                    permissions: uploadPermissions(bucket, ["kubernetes"], args.metrics),
                },
            },
            this,
        );
        const plan: ExportPlan = {
            namespace: args.namespaceName,
            file: FILE,
            deadlineSeconds: DEADLINE_SECONDS - UPLOAD_SECONDS,
        };
        declareScheduledTask(
            name,
            {
                access,
                schedule: args.schedule,
                deadlineSeconds: DEADLINE_SECONDS,
                scratch: "64Mi",
                steps: [
                    { name: "export", image: args.images.node, program: program("export", plan) },
                    uploadStep({
                        image: args.images.aws,
                        region: args.region,
                        bucket,
                        kind: "kubernetes",
                        label: args.namespaceName,
                        file: FILE,
                        metrics: args.metrics,
                    }),
                ],
                after: [bucket],
            },
            this,
        );
        this.registerOutputs();
    }
}

/** The right to list exactly what is exported, a rule for each group of the API. */
function listRules() {
    const resources = Object.keys(EXPORTED) as (keyof typeof EXPORTED)[];
    const groupOf = (resource: keyof typeof EXPORTED) => /^\/apis\/([^/]+)/.exec(GROUPS[resource])?.[1] ?? "";
    return [...new Set(resources.map(groupOf))].map((group) => ({
        apiGroups: [group],
        resources: resources.filter((resource) => groupOf(resource) === group),
        verbs: ["list"],
    }));
}
