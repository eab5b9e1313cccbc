import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { MaintenanceWindow } from "@pulumi/aws/ssm/maintenanceWindow";
import { MaintenanceWindowTarget } from "@pulumi/aws/ssm/maintenanceWindowTarget";
import { MaintenanceWindowTask } from "@pulumi/aws/ssm/maintenanceWindowTask";
import { PatchBaseline } from "@pulumi/aws/ssm/patchBaseline";
import { PatchGroup } from "@pulumi/aws/ssm/patchGroup";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { TIME_ZONE } from "../../core/numbers";
import { declareNotice } from "../automation/notice";
import { declareServiceRole } from "../identity/serviceRole";
import { declarePatchDocument, type PatchDocumentArgs } from "./patchDocument";

/** Arguments of {@link declarePatches}. */
export interface PatchesArgs {
    /** Six fields of AWS's cron, in the zone of the runbook. */
    cron: string;
    /** Time of day at which the window ends, such as 04:00, and its length, in hours. */
    end: string;
    hours: number;
    /** Value of the tag `PatchGroup` that selects the nodes. */
    patchGroup: string;
    /** Operating system of the nodes, as SSM names it. */
    operatingSystem: string;
    /** Age in days at which a patch is installed. */
    approveAfterDays: number;
    /** Cluster of the nodes, and the limit for draining a node. Default: no node restarts. */
    restart?: PatchDocumentArgs["restart"];
    accountId: string;
    region: string;
    /** Log group of the nodes' output, and its key. */
    logGroup: string;
    keyArn: Input<string>;
    /** Retention of the log, in days. */
    logDays: number;
    /** Topics for the start of the window and for failures, and their key. */
    topics: { begun: Input<string>; failed: Input<string>; keyArn: Input<string> };
}

/** Time for a node to accept its command, in seconds. */
const DELIVERY_SECONDS = 600;

/**
 * AWS does not support resource-level rights for these actions: commands are monitored, and cancelled at the end of the
 * window.
 */
const WATCHING = [
    "ssm:CancelCommand",
    "ssm:DescribeInstanceInformation",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "tag:GetResources",
];

/**
 * Security patches of the cluster's nodes in a weekly window, one node at a time, while enough time is left. After the
 * first failure no further node is patched until the next window. Section 5.1. Nodes need the SSM agent and the managed
 * policies AmazonSSMManagedInstanceCore and CloudWatchAgentServerPolicy.
 */
export function declarePatches(name: string, args: PatchesArgs, parent: ComponentResource): void {
    const { accountId, region, patchGroup } = args;
    const log = new LogGroup(
        name,
        { name: args.logGroup, retentionInDays: args.logDays, kmsKeyId: args.keyArn },
        { parent },
    );
    const baseline = new PatchBaseline(
        name,
        {
            name,
            description: `Security patches, ${args.approveAfterDays} days after they came out`,
            operatingSystem: args.operatingSystem,
            approvalRules: [
                {
                    approveAfterDays: args.approveAfterDays,
                    patchFilters: [{ key: "CLASSIFICATION", values: ["Security"] }],
                },
            ],
        },
        { parent },
    );
    const group = new PatchGroup(name, { baselineId: baseline.id, patchGroup }, { parent });
    const window = new MaintenanceWindow(
        name,
        {
            name,
            description: "Security patches of the nodes (section 5.1)",
            schedule: `cron(${args.cron})`,
            scheduleTimezone: TIME_ZONE,
            duration: args.hours,
            // In whole hours. Each node checks by itself that enough time is left.
            cutoff: 0,
        },
        { parent },
    );
    const nodes = new MaintenanceWindowTarget(
        name,
        {
            windowId: window.id,
            name,
            resourceType: "INSTANCE",
            targets: [{ key: "tag:PatchGroup", values: [patchGroup] }],
        },
        { parent },
    );
    const document = declarePatchDocument(name, args, parent);
    const role = declareServiceRole(
        name,
        {
            // The guide of maintenance windows documents no condition key that SSM sends here.
            service: "ssm.amazonaws.com",
            statements: [
                {
                    actions: ["ssm:SendCommand"],
                    resources: [`arn:aws:ssm:${region}:${accountId}:document/${name}`],
                },
                {
                    actions: ["ssm:SendCommand"],
                    resources: [`arn:aws:ec2:${region}:${accountId}:instance/*`],
                    condition: { StringEquals: { "ssm:resourceTag/PatchGroup": patchGroup } },
                },
                { actions: WATCHING, resources: ["*"] },
            ],
        },
        parent,
    );
    new MaintenanceWindowTask(
        name,
        {
            windowId: window.id,
            name,
            description:
                "Installs the missing security patches of a node, and restarts it if they require it",
            taskType: "RUN_COMMAND",
            taskArn: document.name,
            priority: 1,
            targets: [{ key: "WindowTargetIds", values: [nodes.id] }],
            // A bad patch breaks at most one node.
            maxConcurrency: "1",
            maxErrors: "0",
            cutoffBehavior: "CANCEL_TASK",
            serviceRoleArn: role.arn,
            taskInvocationParameters: {
                runCommandParameters: {
                    timeoutSeconds: DELIVERY_SECONDS,
                    cloudwatchConfig: { cloudwatchOutputEnabled: true, cloudwatchLogGroupName: log.name },
                },
            },
        },
        { parent, dependsOn: [group, ...role.ready] },
    );

    const restarts = args.restart ? "Nodes are drained and restart one at a time." : "No node restarts.";
    const executions = (status: string[]) => ({
        source: ["aws.ssm"],
        "detail-type": ["Maintenance Window Execution State-change Notification"],
        detail: { "window-id": [window.id], status },
    });
    declareNotice(
        `${name}-begun`,
        {
            description: "The window of the security patches has begun",
            pattern: executions(["IN_PROGRESS"]),
            topic: { arn: args.topics.begun, keyArn: args.topics.keyArn },
            accountId,
            region,
            parts: { start: "$.detail.start-time" },
            sentence: `${name}: security patches are installed since <start>, for ${args.hours} hours at most. ${restarts}`,
        },
        parent,
    );
    declareNotice(
        `${name}-failed`,
        {
            description: "The security patches did not come to an end",
            pattern: executions(["FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"]),
            topic: { arn: args.topics.failed, keyArn: args.topics.keyArn },
            accountId,
            region,
            parts: {
                status: "$.detail.status",
                window: "$.detail.window-id",
                run: "$.detail.window-execution-id",
            },
            sentence: `${name}: security patches ended as <status>. See ${args.logGroup}, and: aws ssm describe-maintenance-window-execution-tasks --window-execution-id <run> (window <window>)`,
        },
        parent,
    );
}
