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
    /** Name of the namespace that is exported. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    region: string;
    /** Address range of the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    bucket: BackupBucket;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** Schedule, as five fields of cron in the runbook's time zone. */
    schedule: string;
    /** Images of the steps, pinned. */
    images: { node: string; aws: string };
}

/** Maximum number of pods at the same time: one export. */
export const EXPORT_PODS = taskPods(1);

/** Deadline of the export and its upload, in seconds. */
const DEADLINE_SECONDS = 600;

/** Part of the deadline reserved for the upload. */
const UPLOAD_SECONDS = 300;

/** File name of the export on the volume that the steps share. */
const FILE = "configurations.json.gz";

/** Exports the namespace's declared objects daily, below `kubernetes/` of the backup bucket. Section 7.1. */
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

/** The right to list exactly the exported kinds, one rule for each API group. */
function listRules() {
    const resources = Object.keys(EXPORTED) as (keyof typeof EXPORTED)[];
    const groupOf = (resource: keyof typeof EXPORTED) => /^\/apis\/([^/]+)/.exec(GROUPS[resource])?.[1] ?? "";
    return [...new Set(resources.map(groupOf))].map((group) => ({
        apiGroups: [group],
        resources: resources.filter((resource) => groupOf(resource) === group),
        verbs: ["list"],
    }));
}
