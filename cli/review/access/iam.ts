import { documentOf } from "../../../offline/compare";
import { type RecordedResource, type Recording } from "../../../offline/record";
import { asList } from "../../../policies/statements";
import { type Properties } from "../../../policies/unknown";
import { type AccessChange, byText, type CompareAccess, inputsOf, NOT_KNOWN, sourcesOf } from "./grant";

/** One action on one resource that a policy allows or denies. */
interface Permission {
    readonly effect: "Allow" | "Deny";
    readonly subject: string;
    readonly action: string;
    readonly resource: string;
    /** As canonical JSON; empty for none. */
    readonly condition: string;
    /** Place of a resource policy: `on bucket mcp-audit`. */
    readonly place: string;
}

/** What AWS policies allow in addition, or no longer deny. */
export const comparePolicies: CompareAccess = (before, after) => {
    const [old, now] = [before, after].map(({ resources }) => resources.flatMap(permissionsOf)) as [
        Permission[],
        Permission[],
    ];
    const allowed = (some: readonly Permission[]) => some.filter(({ effect }) => effect === "Allow");
    const denied = (some: readonly Permission[]) => some.filter(({ effect }) => effect === "Deny");
    return [
        ...allowed(now)
            .filter((one) => !allowed(old).some((other) => includes(other, one)))
            .map((one) => change(one, "gained")),
        // A removed denial is a gain.
        ...denied(old)
            .filter((one) => !denied(now).some((other) => includes(other, one) || isRenamed(other, one)))
            .filter((one) => isThere(one, after))
            .map((one) => change(one, "gained")),
        ...allowed(old)
            .filter((one) => !allowed(now).some((other) => includes(other, one)))
            .map((one) => change(one, "lost")),
        ...unknowns(before, after),
    ];
};

/** Whether a policy denies the same for a renamed resource. */
function isRenamed(other: Permission, one: Permission): boolean {
    return other.resource !== one.resource && includes({ ...other, resource: one.resource }, one);
}

/** Whether the protected resource, or the bound principal, still exists. */
function isThere({ subject, place }: Permission, { resources }: Recording): boolean {
    return resources.some(
        ({ name, type }) =>
            !/polic/i.test(type) && (place.endsWith(` ${name}`) || subject.endsWith(` ${name}`)),
    );
}

function change(
    { effect, subject, action, resource, condition, place }: Permission,
    kind: "gained" | "lost",
): AccessChange {
    const verb = effect === "Deny" ? `do what was denied: ${action}` : action;
    const on = [resource === "" ? "" : ` on ${resource}`, place === "" ? "" : ` (${place})`].join("");
    return { subject, may: `${verb}${on}${condition === "" ? "" : ` if ${condition}`}`, kind };
}

function includes(other: Permission, one: Permission): boolean {
    return (
        other.place === one.place &&
        (other.condition === "" || other.condition === one.condition) &&
        matches(other.subject, one.subject) &&
        matches(other.action, one.action) &&
        matches(other.resource, one.resource)
    );
}

/** Whether a pattern of a policy includes another. */
function matches(pattern: string, text: string): boolean {
    if (pattern === text) {
        return true;
    }
    if (!/[*?]/.test(pattern)) {
        return false;
    }
    const source = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "i").test(text);
}

/** A document that changes and is known only after the update. */
function unknowns(before: Recording, after: Recording): AccessChange[] {
    const known = new Map(before.resources.map((resource) => [resource.urn, resource]));
    return after.resources.flatMap((resource) =>
        documentsOf(resource)
            .filter(({ document }) => document === undefined)
            .filter(({ property }) => {
                const old = known.get(resource.urn);
                return (
                    old === undefined ||
                    inputsOf(old)[property] !== NOT_KNOWN ||
                    String(old.propertyDependencies[property]) !==
                        String(resource.propertyDependencies[property])
                );
            })
            .map(({ subject, place }) => ({
                kind: "unknown" as const,
                subject: subject ?? "somebody",
                may: `do what is known only after the update${place === "" ? "" : ` (${place})`}`,
            })),
    );
}

interface PolicyDocument {
    property: string;
    /** Undefined if it is known only after the update. */
    document: Properties | undefined;
    /** Its principal; undefined if each statement names its own. */
    subject: string | undefined;
    /** What it is attached to, if not a role. */
    place: string;
    trust: boolean;
}

const read = new WeakMap<Properties, Pick<PolicyDocument, "property" | "document">[]>();

/** The inputs that are policies: each is read once, for what it allows and for what is not known. */
function policiesIn(inputs: Properties): Pick<PolicyDocument, "property" | "document">[] {
    const found =
        read.get(inputs) ??
        Object.entries(inputs).flatMap(([property, value]) => {
            const document = documentOf(value as string) as Properties | undefined;
            const isPolicy =
                document?.["Statement"] !== undefined || (value === NOT_KNOWN && /policy$/i.test(property));
            return isPolicy ? [{ property, document }] : [];
        });
    read.set(inputs, found);
    return found;
}

function documentsOf(resource: RecordedResource): PolicyDocument[] {
    const { type, name } = resource;
    if (!type.startsWith("aws:")) {
        return [];
    }
    const inputs = inputsOf(resource);
    const found = policiesIn(inputs);
    const inline = ((inputs["inlinePolicies"] ?? []) as Properties[]).map(({ policy }) => ({
        property: "inlinePolicies",
        document: documentOf(policy) as Properties | undefined,
    }));
    const kind = type.split(":").at(-1)!;
    return [...found, ...inline].map(({ property, document }) => {
        if (property === "assumeRolePolicy") {
            return { property, document, subject: undefined, place: `role ${name}`, trust: true };
        }
        const isOfRole = /^aws:iam\/(rolePolicy|role):/.test(type);
        const subject = isOfRole
            ? `role ${type.startsWith("aws:iam/role:") ? name : roleOf(resource)}`
            : type.startsWith("aws:iam/")
              ? `${kind} ${name}`
              : undefined;
        return {
            property,
            document,
            subject,
            place: subject === undefined ? `${kind} ${name}` : "",
            trust: false,
        };
    });
}

/** The role of a resource. */
function roleOf(resource: RecordedResource): string {
    return sourcesOf(resource, "role", /^aws:iam\/role:/)[0] ?? String(inputsOf(resource)["role"]);
}

function permissionsOf(resource: RecordedResource): Permission[] {
    return documentsOf(resource).flatMap(({ document, subject, place, trust }) =>
        (asList(document?.["Statement"]) as Properties[]).flatMap((statement) => {
            const { Effect, Condition } = statement;
            const condition = Condition === undefined ? "" : canonical(Condition);
            const subjects = subject === undefined ? principalsOf(statement) : [subject];
            const actions = trust ? ["act as the role"] : partOf(statement, "Action");
            const resources = trust ? [""] : partOf(statement, "Resource");
            return subjects.flatMap((each) =>
                actions.flatMap((action) =>
                    resources.map((on): Permission => {
                        return { effect: Effect, subject: each, action, resource: on, condition, place };
                    }),
                ),
            );
        }),
    );
}

/** What a statement names, or everything except its exclusions. */
function partOf(statement: Properties, part: "Action" | "Resource"): string[] {
    const left = asList(statement[`Not${part}`]);
    return left.length > 0 ? [`everything but ${left.join(", ")}`] : asList(statement[part]).map(String);
}

function principalsOf({ Principal, NotPrincipal }: Properties): string[] {
    if (NotPrincipal !== undefined) {
        return [`everybody but ${canonical(NotPrincipal)}`];
    }
    if (typeof Principal !== "object" || Principal === null) {
        return [Principal === "*" ? "everybody" : String(Principal)];
    }
    return Object.entries(Principal as Properties).flatMap(([kind, names]) =>
        asList(names).map((name) =>
            name === "*" ? "everybody" : kind === "AWS" ? String(name) : `${kind} ${String(name)}`,
        ),
    );
}

/** JSON normalized by sorting keys and lists. */
function canonical(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        Array.isArray(inner)
            ? [...inner].sort()
            : typeof inner === "object" && inner !== null
              ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
              : inner,
    );
}

/** Users of roles, their AWS managed policies, and other openings of AWS resources. */
export const compareRoles: CompareAccess = byText(({ resources }) =>
    resources.flatMap((resource) => {
        const { type, name } = resource;
        if (!type.startsWith("aws:")) {
            return [];
        }
        const inputs = inputsOf(resource);
        const managed = asList(inputs["managedPolicyArns"]).map(String);
        switch (type) {
            case "aws:iam/role:Role":
                return managed.map((arn) => ({ subject: `role ${name}`, may: `do what ${arn} allows` }));
            case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
                return [
                    { subject: `role ${roleOf(resource)}`, may: `do what ${inputs["policyArn"]} allows` },
                ];
            case "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
                const role = sourcesOf(resource, "roleArn", /^aws:iam\/role:/)[0] ?? inputs["roleArn"];
                const account = `${inputs["namespace"]}/${inputs["serviceAccount"]}`;
                return [{ subject: `ServiceAccount ${account}`, may: `act as role ${role}` }];
            }
            case "aws:sns/topicSubscription:TopicSubscription": {
                const topic = sourcesOf(resource, "topic", /^aws:sns\/topic:/)[0] ?? inputs["topic"];
                return [
                    {
                        subject: `${inputs["protocol"]} ${inputs["endpoint"]}`,
                        may: `read what topic ${topic} sends`,
                    },
                ];
            }
            case "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":
                return ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"]
                    .filter((key) => inputs[key] !== true)
                    .map((key) => ({
                        subject: "everybody",
                        may: `be given access to bucket ${name} (${key} is off)`,
                    }));
            case "aws:s3/bucketAcl:BucketAcl":
                return ((inputs["accessControlPolicy"]?.grants ?? []) as Properties[])
                    .map(({ grantee, permission }) => ({
                        subject: `grantee ${grantee?.id ?? grantee?.uri ?? grantee?.emailAddress}`,
                        may: `${permission} bucket ${name}`,
                    }))
                    .concat(
                        /public|authenticated/.test(String(inputs["acl"]))
                            ? [{ subject: "everybody", may: `use bucket ${name} (${inputs["acl"]})` }]
                            : [],
                    );
        }
        if (inputs["publiclyAccessible"] === true) {
            return [{ subject: "the internet", may: `reach ${type} ${name}` }];
        }
        const groups = ["vpcSecurityGroupIds", "securityGroupIds"].flatMap((key) => {
            const ids = asList(inputs[key]).map(String);
            const given = ids.includes(NOT_KNOWN) ? sourcesOf(resource, key, /securityGroup:/) : [];
            return [...ids.filter((id) => id !== NOT_KNOWN), ...given];
        });
        if (groups.length > 0) {
            return groups.map((group) => ({ subject: `whatever ${group} lets in`, may: `reach ${name}` }));
        }
        return OPENING.test(type)
            ? [{ subject: `${type} ${name}`, may: `give access: ${canonical(inputs)}` }]
            : [];
    }),
);

/** Types that grant access by their existence; a person must judge each. */
const OPENING =
    /^aws:(kms\/grant|eks\/access\w*|iam\/(user|accessKey|group|openIdConnectProvider|samlProvider|policyAttachment|userPolicyAttachment|groupPolicyAttachment|userLoginProfile|instanceProfile)|lambda\/(permission|functionUrl)|ram\/\w+|s3\/(bucketReplicationConfig|accessPoint)|cloudwatch\/logSubscriptionFilter|cloudwatch\/eventPermission|ec2\/(vpcPeering\w*|networkAcl\w*|route|internetGateway|eip)|vpc\/\w*endpoint\w*|lb\/\w+|alb\/\w+|apigateway\w*\/\w+|cloudfront\/\w+|rds\/snapshot|rds\/clusterSnapshot|ec2\/amiLaunchPermission|rolesanywhere\/\w+):/i;
