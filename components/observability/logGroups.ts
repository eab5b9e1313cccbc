import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareKey, logsUse } from "../encryption";

/** Arguments of {@link LogGroups}. */
export interface LogGroupsArgs<Name extends string> {
    /** Before each name: `/mcp/production/`. */
    prefix: string;
    /** What stands after it, such as `server`, and how long its events stay searchable, in days. */
    retentionDays: Readonly<Record<Name, number>>;
    accountId: string;
    region: string;
    /**
     * Whether the events outlive what wrote them: a group that leaves the program stays in the account until its last event
     * has expired, and nothing may delete the key. A workload that comes back imports its group.
     */
    protect: boolean;
}

/** Where what pods print can be searched, under a key of its own. Section 5.3. */
export class LogGroups<Name extends string = string> extends ComponentResource {
    /** By name. What reads a group is given it from here, so that it cannot name one that is not declared. */
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
                    // The class can never be changed: only this one takes metric filters and subscriptions.
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
