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
    /** Version of the add-on. Default: AWS's for the cluster, when it is installed. */
    version?: string | undefined;
    /** How long what the metrics are made of stays searchable, in days. The metrics stay by themselves. */
    retentionDays: number;
}

/** Namespace and ServiceAccount of the add-on's agents, which the add-on itself makes. */
const AGENT = { namespace: "amazon-cloudwatch", serviceAccount: "cloudwatch-agent" };

/**
 * What pods use of CPU and memory, and how often they restart, in the namespace `ContainerInsights`. Section 4.3.3. It
 * is an add-on of the whole cluster: one stack of those on a cluster has it.
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
        // Declared before the agents make it for ever and without a key.
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
                    // Nothing else the agents could do: no traces, and no instrumentation put into the services.
                    agent: {
                        config: {
                            logs: {
                                metrics_collected: { kubernetes: { enhanced_container_insights: true } },
                            },
                        },
                    },
                    // The pods' logs have their own way.
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
