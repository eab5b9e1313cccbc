import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment";
import {
    type ComponentResource,
    type Input,
    jsonStringify,
    type Output,
    type Resource,
} from "@pulumi/pulumi";

/** Rights of a role, and their conditions. Default: none. */
export type Rights = readonly {
    actions: readonly string[];
    resources: readonly Input<string>[];
    condition?: Record<string, Record<string, string>>;
}[];

/** Arguments of {@link declareServiceRole}. */
export interface ServiceRoleArgs {
    /** AWS service that assumes the role, such as `firehose.amazonaws.com`. */
    service: string;
    /**
     * Account for which it does so; without it, resources of any account could. Default: any, for services that do not
     * send a source account and pass the role in their own account only.
     */
    accountId?: string;
    /** The one resource for which it does so. Default: any of the account. */
    sourceArn?: string;
    /** External id that the service sends instead of a source. Default: none. */
    externalId?: string;
    /** AWS managed policies of the role. Default: none. */
    managed?: readonly string[];
    /** Further rights. Default: none. */
    statements?: Rights;
}

/** A role, and what must exist before it has its rights. */
export interface ServiceRole {
    arn: Output<string>;
    ready: Resource[];
}

/** A role with exact rights, which one AWS service assumes for one account. */
export function declareServiceRole(
    name: string,
    { service, accountId, sourceArn, externalId, managed = [], statements = [] }: ServiceRoleArgs,
    parent: ComponentResource,
): ServiceRole {
    const conditions = {
        ...(externalId !== undefined && { StringEquals: { "sts:ExternalId": externalId } }),
        ...(accountId !== undefined && { StringEquals: { "aws:SourceAccount": accountId } }),
        ...(sourceArn !== undefined && { ArnLike: { "aws:SourceArn": sourceArn } }),
    };
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
                        ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
                    },
                ],
            }),
        },
        { parent },
    );
    const ready: Resource[] = managed.map(
        (policy) =>
            new RolePolicyAttachment(
                `${name}-${policy}`,
                { role: role.name, policyArn: `arn:aws:iam::aws:policy/service-role/${policy}` },
                { parent },
            ),
    );
    if (statements.length === 0) {
        return { arn: role.arn, ready };
    }
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
    return { arn: role.arn, ready: [...ready, rights] };
}
