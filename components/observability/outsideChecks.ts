import { HealthCheck } from "@pulumi/aws/route53/healthCheck";
import { ComponentResource, type ComponentResourceOptions, jsonStringify, type Output } from "@pulumi/pulumi";
import { declareSchedule } from "../automation/schedule";
import { declareStateMachine, logGroupOf } from "../automation/stateMachine";
import { declareKey, logsUse } from "../encryption";
import { type CheckedEndpoint, outsideMachine } from "./outsideMachine";

/** An HTTPS endpoint that is checked from outside. */
export interface OutsideEndpoint {
    /** Unique id. */
    id: string;
    /** Component of its metric: "Chat UI at mcp.msil.com". */
    name: string;
    host: string;
    path: string;
}

/** Arguments of {@link OutsideChecks}. */
export interface OutsideChecksArgs {
    endpoints: readonly OutsideEndpoint[];
    accountId: string;
    region: string;
    /** CloudWatch namespace of the metric. */
    metrics: string;
    /** Retention of the log, in days. */
    logDays: number;
}

/**
 * Route 53's checkers in several regions request the public hosts every ten seconds, and a state machine publishes the
 * results once a minute, independent of the cluster and its ingress. Sections 2.1 and 4.1.
 */
export class OutsideChecks extends ComponentResource {
    /** Health check of each endpoint, by its id. */
    public readonly checks: Readonly<Record<string, HealthCheck>>;

    constructor(name: string, args: OutsideChecksArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:OutsideChecks", name, {}, opts);
        const { endpoints, accountId, metrics, logDays } = args;
        this.checks = Object.fromEntries(
            endpoints.map((endpoint) => [endpoint.id, this.declareCheck(`${name}-${endpoint.id}`, endpoint)]),
        );
        const checks = Object.values(this.checks);
        const key = declareKey(
            name,
            {
                description: "Checks from outside: their log and their schedule",
                accountId,
                statements: [logsUse(args, logGroupOf(name))],
                protect: false,
            },
            this,
        );
        const machine = declareStateMachine(
            name,
            {
                definition: outsideMachine({ metrics }),
                accountId,
                statements: [
                    { actions: ["route53:GetHealthCheckStatus"], resources: checks.map(({ arn }) => arn) },
                    {
                        actions: ["cloudwatch:PutMetricData"],
                        resources: ["*"],
                        condition: { StringEquals: { "cloudwatch:namespace": metrics } },
                    },
                ],
                keyArn: key.arn,
                logDays,
            },
            this,
        );
        declareSchedule(
            name,
            {
                description: "Publishes what is seen from outside, once a minute",
                cron: "* * * * ? *",
                input: jsonStringify({
                    endpoints: endpoints.map(
                        (endpoint): Record<keyof CheckedEndpoint, string | Output<string>> => ({
                            name: endpoint.name,
                            id: this.checks[endpoint.id]!.id,
                        }),
                    ),
                }),
                stateMachineArn: machine.arn,
                accountId,
                keyArn: key.arn,
            },
            this,
        );
        this.registerOutputs();
    }

    private declareCheck(name: string, { name: component, host, path }: OutsideEndpoint): HealthCheck {
        return new HealthCheck(
            name,
            {
                type: "HTTPS",
                fqdn: host,
                port: 443,
                resourcePath: path,
                requestInterval: 10,
                failureThreshold: 3,
                tags: { Name: `${host}${path}`, Component: component },
            },
            { parent: this },
        );
    }
}
