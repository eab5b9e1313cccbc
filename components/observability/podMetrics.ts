import { Addon } from "@pulumi/aws/eks/addon";
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareKey, logsUse } from "../encryption";
import { PodIdentity } from "../identity/podIdentity";

/** Arguments of {@link PodMetrics}. */
export interface PodMetricsArgs {
    /** EKS cluster. */
    cluster: string;
    accountId: string;
    region: string;
    /** Version of the add-on. Default: AWS's default for the cluster, at installation. */
    version?: string | undefined;
    /** Retention of the log events behind the metrics, in days. The metrics do not depend on it. */
    retentionDays: number;
}

/** Namespace and ServiceAccount of the add-on's agents, which the add-on creates. */
const AGENT = { namespace: "amazon-cloudwatch", serviceAccount: "cloudwatch-agent" };

/**
 * CPU, memory and restarts of pods, in the CloudWatch namespace `ContainerInsights`. Section 4.3.3. The add-on is
 * cluster-wide: only one stack of a cluster installs it.
 */
export class PodMetrics extends ComponentResource {
    constructor(name: string, args: PodMetricsArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:PodMetrics", name, {}, opts);
        const { cluster, accountId, region } = args;
        const logGroup = `/aws/containerinsights/${cluster}/performance`;
        const key = declareKey(
            name,
            {
                description: "What the metrics of the cluster's pods are made of",
                accountId,
                statements: [logsUse(args, logGroup)],
                protect: false,
            },
            this,
        );
        // Declared first, because the agents would create it without retention and key.
        const group = new LogGroup(
            name,
            {
                name: logGroup,
                logGroupClass: "STANDARD",
                retentionInDays: args.retentionDays,
                kmsKeyId: key.arn,
            },
            { parent: this },
        );
        const identity = new PodIdentity(
            name,
            {
                cluster,
                ...AGENT,
                permissions: [
                    {
                        actions: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                        resources: [`arn:aws:logs:${region}:${accountId}:log-group:${logGroup}:*`],
                    },
                ],
            },
            { parent: this },
        );
        new Addon(
            name,
            {
                clusterName: cluster,
                addonName: "amazon-cloudwatch-observability",
                addonVersion: args.version,
                configurationValues: JSON.stringify({
                    // Disables the agents' other functions: traces, and instrumentation of the services.
                    agent: {
                        config: {
                            logs: {
                                metrics_collected: { kubernetes: { enhanced_container_insights: true } },
                            },
                        },
                    },
                    // The log shipper handles the pods' logs.
                    containerLogs: { enabled: false },
                }),
                resolveConflictsOnCreate: "OVERWRITE",
                resolveConflictsOnUpdate: "OVERWRITE",
            },
            { parent: this, dependsOn: [group, identity] },
        );
        this.registerOutputs();
    }
}
