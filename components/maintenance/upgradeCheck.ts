import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type UpgradePlan } from "../../jobs/upgrade";
import { TASK_LABEL } from "../labels";
import { declareScheduledTask, program } from "../tasks/task";
import { declareGateAccess } from "../workload/gate";

/** Arguments of {@link UpgradeCheck}. */
export interface UpgradeCheckArgs {
    namespace: Input<string>;
    /** Name of that namespace, which begins the names of what belongs to the whole cluster. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    apiServer: { cidr: string; port: number };
    /** Version that the cluster is to have: "1.34". */
    version: string;
    /** When it is looked, as five fields of cron in the zone of the runbook. */
    schedule: string;
    /** Node image, pinned. */
    nodeImage: string;
}

/** Most runs at once. */
export const UPGRADE_TASKS = 1;

/** Limit of one run, in seconds. */
const DEADLINE_SECONDS = 120;

/**
 * What stands in the way of the Kubernetes upgrade that is planned: versions too far apart, disruption budgets that let
 * no pod go, and APIs that are asked for and will be gone. A Job fails as long as anything does. Section 5.1.
 */
export class UpgradeCheck extends ComponentResource {
    constructor(name: string, args: UpgradeCheckArgs, opts?: ComponentResourceOptions) {
        super("mcp:maintenance:UpgradeCheck", name, {}, opts);
        const { namespace, labels, apiServer } = args;
        const access = declareGateAccess(
            name,
            {
                namespace,
                labels,
                subject: name,
                label: TASK_LABEL,
                egress: [
                    {
                        to: [{ ipBlock: { cidr: apiServer.cidr } }],
                        ports: [{ protocol: "TCP", port: apiServer.port }],
                    },
                ],
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
                        image: args.nodeImage,
                        program: program("upgrade", {
                            version: args.version,
                            deadlineSeconds: DEADLINE_SECONDS,
                        } satisfies UpgradePlan),
                    },
                ],
                schedule: args.schedule,
            },
            this,
        );
        this.registerOutputs();
    }
}
