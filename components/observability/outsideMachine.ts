/** Share of Route 53's checkers that must reach an endpoint: Route 53's own threshold. */
const LEAST_SHARE = 0.18;

/** One endpoint, as input of an execution. */
export interface CheckedEndpoint {
    /** Component of the metric. */
    name: string;
    /** Id of its health check. */
    id: string;
}

/**
 * Reads the results of Route 53's checkers for each endpoint, and publishes `Reachable`, 1 or 0, by `Component`. Route
 * 53's own metrics exist in one region only, not in that of the alarms. Section 2.1.
 */
export function outsideMachine({ metrics }: { metrics: string }): object {
    const call = (resource: string, args: object, rest: object) => ({
        Type: "Task",
        Resource: `arn:aws:states:::aws-sdk:${resource}`,
        Arguments: args,
        // The next run is a minute later.
        Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 3, MaxAttempts: 3, BackoffRate: 1 }],
        // A missing value triggers the alarm on missing data; the other endpoints are still published.
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
