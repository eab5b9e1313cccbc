import { type types } from "@pulumi/kubernetes";
import { type Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { type ComponentResource } from "@pulumi/pulumi";
import { metadataOf, type WorkloadArgs } from "./workload";

/** Scales a Deployment within the bounds of the values. Section 4.3.3 steps 3 and 4. */
export function declareAutoscaler(
    name: string,
    app: string,
    args: WorkloadArgs,
    deployment: Deployment,
    parent: ComponentResource,
): HorizontalPodAutoscaler {
    return new HorizontalPodAutoscaler(
        name,
        {
            metadata: metadataOf(name, app, args),
            spec: {
                scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment.metadata.name },
                minReplicas: args.scaling.min,
                maxReplicas: args.scaling.max,
                metrics: utilization(args.scaling),
                behavior: {
                    // Scales up at once, doubling within half a minute, and down slowly after five quiet minutes, so
                    // that the pods that the capacity gate counted still exist at the switch.
                    scaleUp: {
                        stabilizationWindowSeconds: 0,
                        policies: [
                            { type: "Percent", value: 100, periodSeconds: 30 },
                            { type: "Pods", value: 2, periodSeconds: 30 },
                        ],
                        selectPolicy: "Max",
                    },
                    scaleDown: {
                        stabilizationWindowSeconds: 300,
                        policies: [
                            { type: "Pods", value: 1, periodSeconds: 60 },
                            { type: "Percent", value: 10, periodSeconds: 60 },
                        ],
                        selectPolicy: "Max",
                    },
                },
            },
        },
        { parent },
    );
}

function utilization(scaling: WorkloadArgs["scaling"]): types.input.autoscaling.v2.MetricSpec[] {
    const targets = { cpu: scaling.cpu, memory: scaling.memory };
    return Object.entries(targets).flatMap(([name, averageUtilization]) =>
        averageUtilization === undefined
            ? []
            : [{ type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization } } }],
    );
}
