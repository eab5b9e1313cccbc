import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareKey, logsUse } from "../encryption";

/** Arguments of {@link LogGroups}. */
export interface LogGroupsArgs<Name extends string> {
    /** Prefix of each name: `/mcp/production/`. */
    prefix: string;
    /** Rest of the name, such as `server`, and its retention in days. */
    retentionDays: Readonly<Record<Name, number>>;
    accountId: string;
    region: string;
    /**
     * Whether the log groups outlive the stack's declaration: a removed group stays in the account until its last event
     * expires, and its key cannot be deleted. A workload that is added back imports its group.
     */
    protect: boolean;
}

/** Log groups of the pods, encrypted with their own key. Section 5.3. */
export class LogGroups<Name extends string = string> extends ComponentResource {
    /** By name. Readers of a log group take it from here, so that it always exists. */
    public readonly groups: Readonly<Record<Name, LogGroup>>;

    constructor(name: string, args: LogGroupsArgs<Name>, opts?: ComponentResourceOptions) {
        super("mcp:observability:LogGroups", name, {}, opts);
        const { prefix, retentionDays, accountId, protect } = args;
        const names = Object.keys(retentionDays) as Name[];
        const key = declareKey(
            name,
            {
                description: "What pods print, in CloudWatch",
                accountId,
                statements: [logsUse(args, prefix)],
                protect,
            },
            this,
        );
        const declare = (group: Name) =>
            new LogGroup(
                `${name}-${group}`,
                {
                    name: prefix + group,
                    // The class cannot be changed later: only this one supports metric filters and subscriptions.
                    logGroupClass: "STANDARD",
                    retentionInDays: retentionDays[group],
                    kmsKeyId: key.arn,
                    skipDestroy: protect,
                },
                { parent: this },
            );
        this.groups = Object.fromEntries(names.map((group) => [group, declare(group)])) as Record<
            Name,
            LogGroup
        >;
        this.registerOutputs();
    }
}
