import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link podAlarms}. */
export interface PodAlarmsArgs {
    /** Name of the EKS cluster. */
    cluster: string;
    namespace: string;
    /** Deployments, and the maximum replicas of each. */
    deployments: Readonly<Record<string, number>>;
    /** Limit of a pod's use, in percent of its limit. */
    cpu: number;
    memory: number;
    /** Limit of container restarts within fifteen minutes. */
    restarts: number;
}

/** Pods, by the metrics of Container Insights. Section 4.3.3. */
export function podAlarms({ cluster, namespace, deployments, ...limits }: PodAlarmsArgs): Alarm[] {
    return [
        nodeAlarm(cluster),
        ...Object.entries(deployments).flatMap(([deployment, most]): Alarm[] => {
            const of = (name: string, statistic: Metric["statistic"]): Metric => ({
                namespace: "ContainerInsights",
                name,
                // Container Insights names a Deployment's pods by the Deployment.
                dimensions: { ClusterName: cluster, Namespace: namespace, PodName: deployment },
                statistic,
            });
            const common = {
                severity: "P3",
                procedure: "resource-exhaustion",
                missingData: "level",
                // Pods move between nodes.
                mutedIn: ["patches", "upgrade"],
            } as const;
            const usage = (what: "cpu" | "memory", words: string, cause: string): Alarm => ({
                ...common,
                id: `${deployment}-${what}`,
                meaning: `A pod of ${deployment} uses more than ${limits[what]} % of its ${words} limit.`,
                cause,
                resolution: `Scale up: mcp:workloads, scaling.min. If it is one pod alone, restart gracefully.`,
                metric: of(`pod_${what}_utilization_over_pod_limit`, "Maximum"),
                comparison: ">",
                threshold: limits[what],
                minutes: 5,
                periods: 3,
            });
            return [
                usage("cpu", "CPU", "More load than its pods can take, or a loop."),
                usage(
                    "memory",
                    "memory",
                    "More load than its pods can take, or a leak: beyond the limit it is killed.",
                ),
                {
                    ...common,
                    id: `${deployment}-restarts`,
                    meaning: `Containers of ${deployment} restarted more than ${limits.restarts} times in 15 minutes.`,
                    cause: "It crashes, is killed for its memory, or fails its liveness probe.",
                    resolution:
                        "kubectl describe pod shows the reason; roll the release back if it started with it.",
                    metric: of("pod_number_of_container_restarts", "Sum"),
                    comparison: ">",
                    threshold: limits.restarts,
                    minutes: 15,
                    missingData: "count",
                },
                {
                    ...common,
                    id: `${deployment}-at-maximum`,
                    meaning: `${deployment} has had all of its ${most} pods for 15 minutes: its autoscaler has no room left.`,
                    cause: "More load than it was made for, or pods that are slower than they were.",
                    resolution: "Raise scaling.max in mcp:workloads, if the nodes have room.",
                    // Each pod reports 1, once a minute.
                    metric: of("pod_status_running", "Sum"),
                    comparison: ">=",
                    threshold: most,
                    minutes: 1,
                    periods: 15,
                },
            ];
        }),
    ];
}

/** Nodes of the cluster: pods move away from a lost node, so that no other alarm may fire. */
function nodeAlarm(cluster: string): Alarm {
    return {
        id: "node-failed",
        severity: "P3",
        meaning: `A node of ${cluster} is not ready.`,
        cause: "Its machine failed, it has no memory or disk left, or a patch did not come up again.",
        resolution: "kubectl describe node shows the condition; its node group replaces a terminated node.",
        procedure: "resource-exhaustion",
        metric: {
            namespace: "ContainerInsights",
            name: "cluster_failed_node_count",
            dimensions: { ClusterName: cluster },
            statistic: "Maximum",
        },
        comparison: ">",
        threshold: 0,
        minutes: 5,
        periods: 2,
        missingData: "level",
        // Nodes restart one at a time.
        mutedIn: ["patches", "upgrade"],
    };
}
