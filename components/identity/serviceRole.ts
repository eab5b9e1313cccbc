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

/** What a role may do, and what must hold for it. Default: nothing more. */
export type Rights = readonly {
    actions: readonly string[];
    resources: readonly Input<string>[];
    condition?: Record<string, Record<string, string>>;
}[];

/** Arguments of {@link declareServiceRole}. */
export interface ServiceRoleArgs {
    /** Service of AWS that takes the role on, such as `firehose.amazonaws.com`. */
    service: string;
    /**
     * Account it does so for: else anybody's resources of that service could. Default: any, for a service that does
     * not say for whom; it is handed the role by its own account alone.
     */
    accountId?: string;
    /** The one resource it does so for. Default: any of the account's. */
    sourceArn?: string;
    /** External id that the service names, where it sends no source. Default: none. */
    externalId?: string;
    /** Names of AWS's own policies that it has. Default: none. */
    managed?: readonly string[];
    /** What it may do beside those. Default: nothing. */
    statements?: Rights;
}

/** A role, and what must exist before it can do anything. */
export interface ServiceRole {
    arn: Output<string>;
    ready: Resource[];
}

/** A role that one service of AWS takes on, for one account, with exactly the rights it is given. */
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
