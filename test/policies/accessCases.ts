import { type Properties, UNKNOWN } from "../../policies/unknown";
import { type Case, policy } from "./compliantStack";

const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
const RULE = "kubernetesRole props rules 0";
const DATA = "settings props data";
const CONTAINER = "deployment props spec template spec containers 0";

const ingressRule = (props: Properties) => ({
    rule: { type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", props },
});
const settings = (data: unknown) => ({
    settings: { type: "kubernetes:core/v1:ConfigMap", props: { metadata: { namespace: "mcp" }, data } },
});
const egress = (to: unknown, ports?: unknown) => ({
    "network props spec egress": [
        { ...(to === undefined ? {} : { to }), ...(ports === undefined ? {} : { ports }) },
    ],
});
const block = (cidr: unknown, except?: unknown) => [
    { ipBlock: { cidr, ...(except === undefined ? {} : { except }) } },
];
const METADATA = ["network: egress.0 reaches the instance metadata service"];
const statement = (Action: unknown, Resource: unknown, more = {}) => ({
    "rolePolicy props policy": policy({ Effect: "Allow", Action, Resource, ...more }),
});
const trust = (Principal: object, Condition?: object) => ({
    "role props assumeRolePolicy": policy({ Effect: "Allow", Principal, Condition }),
});
const ISSUER = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com";

/** What the rules about access find in changed stacks, by rule. */
export const ACCESS_CASES: Record<string, Case[]> = {
    "aws-security-group-disallow-public-ingress": [
        [ingressRule({ cidrIpv4: "0.0.0.0/0" }), ["rule: lets 0.0.0.0/0 in"]],
        [ingressRule({ cidrIpv6: "::/0" }), ["rule: lets ::/0 in"]],
        // Larger than the private range that it begins with.
        [ingressRule({ cidrIpv4: "10.0.0.0/7" }), ["rule: lets 10.0.0.0/7 in"]],
        [ingressRule({ cidrIpv4: "10.0.0.0/8" })],
        [ingressRule({ cidrIpv4: "172.32.0.0/16" }), ["rule: lets 172.32.0.0/16 in"]],
        [ingressRule({ cidrIpv4: "172.31.0.0/16" })],
        [ingressRule({ cidrIpv6: "fd12::/64" })],
        [ingressRule({ referencedSecurityGroupId: "sg-1" })],
        [ingressRule({ cidrIpv4: UNKNOWN }), ["? rule: cidrIpv4 is known only after the update"]],
        [
            {
                group: {
                    type: "aws:ec2/securityGroup:SecurityGroup",
                    props: {
                        ingress: [
                            { cidrBlocks: ["10.1.0.0/16", "8.8.8.0/24"] },
                            UNKNOWN,
                            { ipv6CidrBlocks: ["::/0"] },
                        ],
                    },
                },
            },
            [
                "group: lets 8.8.8.0/24 in",
                "? group: ingress.1 is known only after the update",
                "group: lets ::/0 in",
            ],
        ],
        [
            {
                old: {
                    type: "aws:ec2/securityGroupRule:SecurityGroupRule",
                    props: { type: "ingress", cidrBlocks: ["0.0.0.0/0"] },
                },
            },
            ["old: lets 0.0.0.0/0 in"],
        ],
        [
            {
                old: {
                    type: "aws:ec2/securityGroupRule:SecurityGroupRule",
                    props: { type: "egress", cidrBlocks: ["0.0.0.0/0"] },
                },
            },
        ],
    ],
    "kubernetes-network-policy-disallow-everything": [
        ...[
            {},
            { from: [] },
            { from: [{ namespaceSelector: {} }] },
            { from: block("0.0.0.0/0") },
            { from: block("::/0") },
        ].map((rule): Case => [
            { "network props spec ingress": [rule] },
            ["network: ingress.0 lets everybody in"],
        ]),
        ...[
            { from: [{ podSelector: {} }] },
            { from: block("10.0.0.0/8") },
            { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "x" } } }] },
            { from: [{ namespaceSelector: { matchExpressions: [{ key: "team", operator: "Exists" }] } }] },
        ].map((rule): Case => [{ "network props spec ingress": [rule] }]),
        [egress(undefined), ["network: egress.0 lets pods connect to everything"]],
        [egress(block("0.0.0.0/0")), ["network: egress.0 lets pods connect to everything"]],
        [egress(undefined, [{ port: 443 }])],
        [
            { "network props spec ingress": [{ from: UNKNOWN }, {}] },
            [
                "? network: spec.ingress.0.from is known only after the update",
                "network: ingress.1 lets everybody in",
            ],
        ],
    ],
    "kubernetes-network-policy-disallow-metadata-service": [
        [egress(undefined), METADATA],
        [egress(undefined, [{ port: 80 }]), METADATA],
        [egress(undefined, [{ port: 1, endPort: 1024 }]), METADATA],
        [egress(undefined, [{ port: 81, endPort: 1024 }])],
        [egress(undefined, [{ port: 80, protocol: "UDP" }])],
        [egress(block("0.0.0.0/0"), [{ port: 443 }]), METADATA],
        [egress(block("0.0.0.0/0", ["169.254.0.0/16"]), [{ port: 443 }])],
        [egress(block("0.0.0.0/0", ["169.254.169.254/32"]))],
        [egress(block("0.0.0.0/0", ["169.254.169.0/25"])), METADATA],
        [egress(block("169.254.169.254/32")), METADATA],
        [egress(block("fd00:ec2::/32")), METADATA],
        [egress(block("169.254.170.23/32"), [{ port: 80 }])],
        [egress([{ podSelector: {} }])],
        [
            egress(block(UNKNOWN)),
            ["? network: spec.egress.0.to.0.ipBlock.cidr is known only after the update"],
        ],
    ],
    "kubernetes-role-disallow-escalation": [
        [
            { [`${RULE} resources`]: ["secrets"] },
            ["kubernetesRole: rules.0 allows get, list on every Secret"],
        ],
        [{ [`${RULE} resources`]: ["secrets"], [`${RULE} resourceNames`]: ["one"] }],
        [{ [`${RULE} resources`]: ["pods/exec"] }, ["kubernetesRole: rules.0 allows get, list on pods/exec"]],
        [
            { [`${RULE} resources`]: ["serviceaccounts/token"], [`${RULE} resourceNames`]: ["one"] },
            ["kubernetesRole: rules.0 allows get, list on serviceaccounts/token"],
        ],
        [
            { [`${RULE} resources`]: ["roles"], [`${RULE} verbs`]: ["bind", "escalate"] },
            ["kubernetesRole: rules.0 allows bind", "kubernetesRole: rules.0 allows escalate"],
        ],
        [
            { [`${RULE} resources`]: ["deployments"], [`${RULE} verbs`]: ["get", "patch"] },
            ["kubernetesRole: rules.0 allows patch on all deployments"],
        ],
        [
            {
                [`${RULE} resources`]: ["deployments", "deployments/scale"],
                [`${RULE} verbs`]: ["patch"],
                [`${RULE} resourceNames`]: ["mcp-server-blue"],
            },
        ],
        [
            {
                [`${RULE} verbs`]: UNKNOWN,
                "kubernetesRole props rules 1": { resources: ["nodes/proxy"], verbs: ["get"] },
            },
            [
                "? kubernetesRole: rules.0.verbs is known only after the update",
                "kubernetesRole: rules.1 allows get on nodes/proxy",
            ],
        ],
    ],
    "kubernetes-role-binding-disallow-everybody": [
        ...["system:authenticated", "system:anonymous", "system:serviceaccounts:mcp", "system:masters"].map(
            (name): Case => [
                { "binding props subjects": [{ kind: "Group", name }] },
                [`binding: is bound to ${name}`],
            ],
        ),
        [
            {
                "binding props subjects": [
                    { kind: "ServiceAccount", name: "gate" },
                    { kind: "Group", name: "operators" },
                ],
            },
        ],
        [
            {
                wide: {
                    type: `${RBAC}:ClusterRoleBinding`,
                    props: { subjects: [{ name: UNKNOWN }, { name: "system:unauthenticated" }] },
                },
            },
            [
                "? wide: subjects.0.name is known only after the update",
                "wide: is bound to system:unauthenticated",
            ],
        ],
    ],
    "kubernetes-config-disallow-secrets": [
        ...(
            [
                ["NOTE", "AKIAIOSFODNN7EXAMPLE", "an access key of AWS"],
                ["tls.pem", `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}\n`, "a private key"],
                ["NOTE", `use ghp_${"a1".repeat(18)}`, "a token of GitHub"],
                ["URL", "postgres://mcp:hunter2@db:5432/mcp", "a password in a URL"],
                ["JWT", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${"x".repeat(20)}`, "a signed token"],
                ["DB_PASSWORD", "hunter2", "a secret by its name"],
                ["apiKey", "hunter2", "a secret by its name"],
                ["smtp.password", "hunter2", "a secret by its name"],
            ] as const
        ).map(([key, value, what]): Case => [
            settings({ [key]: value }),
            [`settings: data.${key} is or has ${what}`],
        ]),
        // Plans of the gates are JSON.
        [
            settings({
                "plan.json": JSON.stringify({
                    requests: [{ headers: { Authorization: "Bearer hunter2", Accept: "*/*" } }],
                    release: { config: { DB_PASSWORD: "hunter2", URL: "https://u:hunter2@h", A: "b" } },
                    token: "/var/run/token",
                }),
            }),
            [
                "settings: data.plan.json.requests.0.headers.Authorization is or has a credential by its header",
                "settings: data.plan.json.release.config.DB_PASSWORD is or has a secret by its name",
                "settings: data.plan.json.release.config.URL is or has a password in a URL",
            ],
        ],
        [
            settings({
                DB_PASSWORD_FILE: "/run/secrets/password",
                TOKEN: "/run/secrets/token",
                DB_PASSWORD: "",
                TOKEN_URL: "https://login.example.com:443/token",
                MAX_TOKENS: "100",
                note: "-----BEGIN PRIVATE KEY----- begins one",
                code: "`postgres://${user}:${password}@${host}`",
            }),
        ],
        [
            { [`${CONTAINER} env 1`]: { name: "SESSION_SECRET", value: "hunter2" } },
            ["deployment: container mcp-server: the value of SESSION_SECRET is a secret by its name"],
        ],
        [
            {
                [`${CONTAINER} env 1`]: {
                    name: "SESSION_SECRET",
                    valueFrom: { secretKeyRef: { name: "session", key: "secret" } },
                },
            },
        ],
        [
            { ...settings({ NOTE: "" }), [`${DATA} NOTE`]: UNKNOWN, [`${DATA} TOKEN`]: "hunter2" },
            [
                "? settings: data.NOTE is known only after the update",
                "settings: data.TOKEN is or has a secret by its name",
            ],
        ],
    ],
    "aws-iam-policy-disallow-escalation": [
        ...["aws:iam/user:User", "aws:iam/accessKey:AccessKey"].map((type): Case => [
            { user: { type, props: { name: "ci" } } },
            ["user: is a user of AWS, or credentials of one, which do not expire"],
        ]),
        [{ group: { type: "aws:iam/group:Group", props: { name: "readers" } } }],
        [
            statement("iam:PassRole", "arn:aws:iam::1:role/*", {
                Condition: { StringEquals: { "iam:PassedToService": "x" } },
            }),
            ["rolePolicy: allows iam:PassRole"],
        ],
        // Applies to every caller over TLS.
        [
            statement("iam:PassRole", "arn:aws:iam::1:role/x", {
                Condition: { Bool: { "aws:SecureTransport": "true" } },
            }),
            ["rolePolicy: allows iam:PassRole"],
        ],
        [
            statement("sts:AssumeRole", "arn:aws:iam::1:role/*"),
            ["rolePolicy: allows sts:AssumeRole on roles that it does not name"],
        ],
        [statement("sts:AssumeRole", "arn:aws:iam::1:role/x")],
        [
            {
                "role props managedPolicyArns": [
                    "arn:aws:iam::aws:policy/AdministratorAccess",
                    "arn:aws:iam::1:policy/own",
                ],
            },
            ["role: attaches arn:aws:iam::aws:policy/AdministratorAccess"],
        ],
        [
            {
                "role props inlinePolicies": [
                    { policy: UNKNOWN },
                    { policy: policy({ Effect: "Allow", Action: "iam:PutRolePolicy" }) },
                ],
            },
            [
                "? role: inlinePolicies.0.policy is known only after the update",
                "role: allows iam:PutRolePolicy",
            ],
        ],
        [
            {
                attachment: {
                    type: "aws:iam/userPolicyAttachment:UserPolicyAttachment",
                    props: { policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" },
                },
            },
            ["attachment: attaches arn:aws:iam::aws:policy/ReadOnlyAccess"],
        ],
    ],
    "aws-iam-role-require-narrow-trust": [
        [trust({ Federated: ISSUER }), ["role: lets every token of an issuer assume the role"]],
        [
            trust(
                { Federated: ISSUER },
                { StringEquals: { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" } },
            ),
            ["role: lets every token of an issuer assume the role"],
        ],
        [
            trust({ Federated: ISSUER }, { StringLike: { "token.actions.githubusercontent.com:sub": "*" } }),
            ["role: lets every token of an issuer assume the role"],
        ],
        [
            trust(
                { Federated: ISSUER },
                { StringLike: { "token.actions.githubusercontent.com:sub": "repo:msil/mcp:*" } },
            ),
        ],
        [
            trust({ AWS: "arn:aws:iam::999999999999:root" }),
            ["role: lets arn:aws:iam::999999999999:root assume the role without a condition"],
        ],
        [trust({ AWS: "arn:aws:iam::999999999999:root" }, { StringEquals: { "sts:ExternalId": "mcp" } })],
    ],
    "aws-kms-key-require-rotation": [
        [
            {
                "key props policy": policy(
                    {
                        Effect: "Allow",
                        Principal: { AWS: "arn:aws:iam::111111111111:root" },
                        Action: "kms:*",
                    },
                    { Effect: "Allow", Principal: { AWS: ["999999999999"] }, Action: "kms:Decrypt" },
                ),
            },
            ["key: is shared between the accounts 111111111111, 999999999999"],
        ],
        [
            {
                "key props policy": policy({
                    Effect: "Allow",
                    Principal: "*",
                    Action: "kms:Decrypt",
                    Condition: { StringLike: { "kms:CallerAccount": "*" } },
                }),
            },
            ["key: lets anybody use the key"],
        ],
    ],
};
