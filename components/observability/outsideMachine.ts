/** Share of Route 53's checkers that must reach an endpoint, as Route 53 itself decides. */
const LEAST_SHARE = 0.18;

/** One endpoint, as an execution is given it. */
export interface CheckedEndpoint {
    /** Component of the metric. */
    name: string;
    /** Id of its health check. */
    id: string;
}

/**
 * Reads what Route 53's checkers in all their regions see of each endpoint, and publishes it as `Reachable`, 1 or 0, by
 * `Component`. Route 53's own metrics are in one region only, far from the alarms. Section 2.1.
 */
export function outsideMachine({ metrics }: { metrics: string }): object {
    const call = (resource: string, args: object, rest: object) => ({
        Type: "Task",
        Resource: `arn:aws:states:::aws-sdk:${resource}`,
        Arguments: args,
        // The next run is a minute away.
        Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 3, MaxAttempts: 3, BackoffRate: 1 }],
        // One that is not published is missed by the alarm on its silence; the others must not go with it.
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Not published" }],
        ...rest,
    });
    return {
        Comment: "How the platform is seen from outside",
        QueryLanguage: "JSONata",
        TimeoutSeconds: 50,
        StartAt: "Each endpoint",
        States: {
            "Each endpoint": {
                Type: "Map",
                Items: "{% $states.input.endpoints %}",
                ItemProcessor: {
                    StartAt: "Look at it",
                    States: {
                        "Look at it": call(
                            "route53:getHealthCheckStatus",
                            { HealthCheckId: "{% $states.input.id %}" },
                            {
                                Assign: {
                                    name: "{% $states.input.name %}",
                                    reachable: `{% ($all := $states.result.HealthCheckObservations; $count($all[$contains(StatusReport.Status, /^Success/)]) > ${LEAST_SHARE} * $count($all) ? 1 : 0) %}`,
                                },
                                Next: "Publish it",
                            },
                        ),
                        "Publish it": call(
                            "cloudwatch:putMetricData",
                            {
                                Namespace: metrics,
                                MetricData: [
                                    {
                                        MetricName: "Reachable",
                                        Dimensions: [{ Name: "Component", Value: "{% $name %}" }],
                                        Value: "{% $reachable %}",
                                        Unit: "None",
                                    },
                                ],
                            },
                            { End: true },
                        ),
                        "Not published": { Type: "Succeed" },
                    },
                },
                Next: "Done",
            },
            Done: { Type: "Succeed" },
        },
    };
}
