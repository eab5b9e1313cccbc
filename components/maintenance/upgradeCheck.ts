import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type UpgradePlan } from "../../jobs/upgrade";
import { metricsPermission } from "../identity/podIdentity";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareScheduledTask, program, succeededStep, taskPods } from "../tasks/task";

/** Arguments of {@link UpgradeCheck}. */
export interface UpgradeCheckArgs {
    namespace: Input<string>;
    /** Name of that namespace, which is the prefix of cluster-wide names. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    region: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    apiServer: { cidr: string; port: number };
    /** Target version of the cluster: "1.34". */
    version: string;
    /** Schedule, as five fields of cron in the runbook's time zone. */
    schedule: string;
    /** Images of the steps, pinned. */
    images: { node: string; aws: string };
}

/** Maximum number of pods at the same time: one check. */
export const UPGRADE_PODS = taskPods(1);

/** Deadline of one run, in seconds. */
const DEADLINE_SECONDS = 120;

/**
 * Checks for obstacles of the planned Kubernetes upgrade: version skew, disruption budgets that allow no eviction, and
 * API versions in use that the new version removes. The Job fails while there is an obstacle, and publishes
 * `TaskSucceeded` to CloudWatch when there is none. Section 5.1.
 */
export class UpgradeCheck extends ComponentResource {
    constructor(name: string, args: UpgradeCheckArgs, opts?: ComponentResourceOptions) {
        super("mcp:maintenance:UpgradeCheck", name, {}, opts);
        const { namespace, labels, apiServer, region, metrics, images } = args;
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [egressToNetwork(apiServer), HTTPS_EGRESS],
                aws: { cluster: args.cluster, permissions: [metricsPermission(metrics)] },
                clusterRole: {
                    name: `${args.namespaceName}-upgrade-check`,
                    rules: [
                        { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
                        { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: ["list"] },
                        { nonResourceURLs: ["/version", "/metrics"], verbs: ["get"] },
                    ],
                },
            },
            this,
        );
        declareScheduledTask(
            name,
            {
                access,
                deadlineSeconds: DEADLINE_SECONDS,
                steps: [
                    {
                        name: "check",
                        image: images.node,
                        program: program("upgrade", {
                            version: args.version,
                            deadlineSeconds: DEADLINE_SECONDS,
                        } satisfies UpgradePlan),
                    },
                    succeededStep({ image: images.aws, region, metrics, task: name }),
                ],
                schedule: args.schedule,
            },
            this,
        );
        this.registerOutputs();
    }
}
