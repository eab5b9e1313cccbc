import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import {
    type ComponentResource,
    type Input,
    jsonStringify,
    type Output,
    type Resource,
} from "@pulumi/pulumi";

/** Arguments of {@link declareServiceRole}. */
export interface ServiceRoleArgs {
    /** Service of AWS that takes the role on, such as `firehose.amazonaws.com`. */
    service: string;
    /** Account it does so for: else anybody's resources of that service could. */
    accountId: string;
    /** The one resource it does so for. Default: any of the account's. */
    sourceArn?: string;
    /** What it may do, and what must hold for it. Default: nothing more. */
    statements: readonly {
        actions: readonly string[];
        resources: readonly Input<string>[];
        condition?: Record<string, Record<string, string>>;
    }[];
}

/** A role, and what must exist before it can do anything. */
export interface ServiceRole {
    arn: Output<string>;
    ready: Resource[];
}

/** A role that one service of AWS takes on, for one account, with exactly the rights it is given. */
export function declareServiceRole(
    name: string,
    { service, accountId, sourceArn, statements }: ServiceRoleArgs,
    parent: ComponentResource,
): ServiceRole {
    const role = new Role(
        name,
        {
            assumeRolePolicy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [
                    {
                        Effect: "Allow",
                        Principal: { Service: service },
                        Action: "sts:AssumeRole",
                        Condition:
                            sourceArn === undefined
                                ? { StringEquals: { "aws:SourceAccount": accountId } }
                                : { StringLike: { "aws:SourceArn": sourceArn } },
                    },
                ],
            }),
        },
        { parent },
    );
    const rights = new RolePolicy(
        name,
        {
            role: role.id,
            policy: jsonStringify({
                Version: "2012-10-17",
                Statement: statements.map(({ actions, resources, condition }) => ({
                    Effect: "Allow",
                    Action: actions,
                    Resource: resources,
                    ...(condition && { Condition: condition }),
                })),
            }),
        },
        { parent },
    );
    return { arn: role.arn, ready: [rights] };
}
