import assert from "node:assert/strict";
import { judgeRecording } from "../../offline/evaluate";
import { type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { type Rule } from "../../policies/rule";
import { rules } from "../../policies/rules";
import { BEHIND_ALB, recordStack } from "../support";
import { edited } from "./edit";

type Mutation = (resources: readonly RecordedResource[]) => RecordedResource[];

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const BUDGET = "kubernetes:policy/v1:PodDisruptionBudget";
const NETWORK = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const SERVICE = "kubernetes:core/v1:Service";
const AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler";
const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const CRON_JOB = "kubernetes:batch/v1:CronJob";
const JOB = "kubernetes:batch/v1:Job";
const EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const TOPIC = "aws:sns/topic:Topic";
const ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role";
const CLUSTER = "aws:eks/cluster:Cluster";
const DATABASE = "aws:rds/instance:Instance";
const PARAMETERS = "aws:rds/parameterGroup:ParameterGroup";
const REDIS = "aws:elasticache/replicationGroup:ReplicationGroup";
const BUCKET = "aws:s3/bucket:Bucket";
const LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
const SCHEDULE = "aws:scheduler/schedule:Schedule";
const MACHINE = "aws:sfn/stateMachine:StateMachine";

/** Changes every resource of a type: sets a place in it, or removes it by undefined. */
const change =
    (type: string, path: string, value?: Property): Mutation =>
    (resources) =>
        resources.map((resource) =>
            resource.type === type ? (edited(resource, path, value) as RecordedResource) : resource,
        );

const remove =
    (type: string): Mutation =>
    (resources) =>
        resources.filter((resource) => resource.type !== type);

/** An EKS cluster of the stack's own: the one that it runs on is looked up, and is somebody else's to judge. */
const addCluster =
    (inputs: RecordedResource["inputs"]): Mutation =>
    (resources) => [...resources, { ...resources.at(-1)!, urn: `urn::${CLUSTER}`, type: CLUSTER, inputs }];

const endingAt = (end: string) =>
    change(INGRESS, "inputs metadata annotations mcp.msil.com/certificate-not-after", end);

const inSpec = (path: string, value?: Property) => change(DEPLOYMENT, `inputs spec ${path}`, value);
const inPod = (path: string, value?: Property) => inSpec(`template spec ${path}`, value);
const inContainer = (path: string, value?: Property) => inPod(`containers 0 ${path}`, value);
const PROBE = { tcpSocket: { port: 1 } };
const allow = (statement: object) => JSON.stringify({ Statement: [{ Effect: "Allow", ...statement }] });

/** For each rule a change of production that it must find: one that finds none could never fire. */
const MUTATIONS: Record<string, Mutation> = {
    "kubernetes-pod-container-disallow-privileged": inContainer("securityContext privileged", true),
    "kubernetes-pod-disallow-host-pid": inPod("hostPID", true),
    "kubernetes-pod-disallow-host-ipc": inPod("hostIPC", true),
    "kubernetes-pod-disallow-host-network": inPod("hostNetwork", true),
    "kubernetes-pod-container-disallow-privilege-escalation": inContainer(
        "securityContext allowPrivilegeEscalation",
    ),
    "kubernetes-pod-container-require-non-root": inPod("securityContext runAsNonRoot"),
    "kubernetes-pod-container-require-high-ids": inPod("securityContext runAsUser", 1000),
    "kubernetes-pod-container-require-dropped-capabilities": inContainer("securityContext capabilities"),
    "kubernetes-pod-container-require-seccomp": inPod("securityContext seccompProfile"),
    "kubernetes-pod-container-require-read-only-root": inContainer(
        "securityContext readOnlyRootFilesystem",
        false,
    ),
    "kubernetes-pod-disallow-unsafe-volumes": inPod("volumes 0", { name: "host", hostPath: { path: "/" } }),
    "kubernetes-pod-container-disallow-host-port": inContainer("ports 0 hostPort", 80),
    "kubernetes-pod-container-require-resources": inContainer("resources limits memory"),
    "kubernetes-pod-container-require-image-tag": inContainer("image", "registry/app:latest"),
    "kubernetes-pod-container-require-image-digest": inContainer("image", "registry/app:v1"),
    "kubernetes-object-disallow-default-namespace": change(SERVICE, "inputs metadata namespace", "default"),
    "kubernetes-pod-require-service-account": inPod("serviceAccountName"),
    "kubernetes-pod-disallow-token-mount": inPod("automountServiceAccountToken"),
    "kubernetes-pod-container-disallow-secret-env": inContainer("envFrom", [{ secretRef: { name: "s" } }]),
    "kubernetes-pod-container-require-liveness-probe": inContainer("livenessProbe"),
    "kubernetes-pod-container-require-readiness-probe": inContainer("readinessProbe"),
    "kubernetes-pod-container-require-distinct-probes": (resources) =>
        inContainer("livenessProbe", PROBE)(inContainer("readinessProbe", PROBE)(resources)),
    "kubernetes-pod-require-liveness-path": inContainer("livenessProbe httpGet path", "/alive"),
    "kubernetes-pod-require-readiness-path": inContainer("ports 0 containerPort", 8080),
    "kubernetes-deployment-require-rolling-update": inSpec("strategy rollingUpdate maxUnavailable", "25%"),
    "kubernetes-deployment-require-zone-spread": inPod("topologySpreadConstraints 0"),
    "kubernetes-deployment-require-disruption-budget": remove(BUDGET),
    "kubernetes-disruption-budget-require-eviction": change(BUDGET, "inputs spec maxUnavailable", 0),
    "kubernetes-autoscaler-require-target": change(AUTOSCALER, "inputs spec scaleTargetRef name", "gone"),
    "kubernetes-autoscaler-require-minimum": change(AUTOSCALER, "inputs spec minReplicas", 1),
    "kubernetes-autoscaler-disallow-static-replicas": inSpec("replicas", 3),
    "kubernetes-deployment-require-progress-deadline": inSpec("progressDeadlineSeconds", 600),
    "kubernetes-deployment-require-rollout-timeout": change(DEPLOYMENT, "options customTimeouts"),
    "kubernetes-job-require-deadline": change(JOB, "inputs spec ttlSecondsAfterFinished", 600),
    "kubernetes-cronjob-require-deadline": change(CRON_JOB, "inputs spec concurrencyPolicy", "Allow"),
    "kubernetes-pod-require-network-policy": remove(NETWORK),
    "kubernetes-network-policy-require-pods": change(NETWORK, "inputs spec podSelector", {
        matchLabels: { app: "x" },
    }),
    "kubernetes-service-require-pods": change(SERVICE, "inputs spec selector app", "gone"),
    "kubernetes-service-disallow-node-port": change(SERVICE, "inputs spec type", "LoadBalancer"),
    "kubernetes-ingress-require-tls": change(INGRESS, "inputs spec tls 0 hosts 1"),
    "kubernetes-ingress-require-modern-tls": change(
        INGRESS,
        "inputs metadata annotations alb.ingress.kubernetes.io/ssl-policy",
        "ELBSecurityPolicy-2016-08",
    ),
    "kubernetes-ingress-disallow-expiring-certificate": endingAt("2026-11-20T12:00:00Z"),
    "aws-sns-topic-require-severity": change(TOPIC, "inputs tags response-minutes", "60"),
    "kubernetes-pod-container-require-known-registry": inContainer("image", "docker.io/library/nginx:1.27"),
    "kubernetes-cronjob-require-time-zone": change(CRON_JOB, "inputs spec timeZone", "UTC"),
    "kubernetes-ingress-disallow-snippets": change(
        INGRESS,
        "inputs metadata annotations nginx.org/server-snippets",
        "deny all;",
    ),
    "kubernetes-namespace-require-backup": change(LIFECYCLE, "inputs rules 2 expiration days", 89),
    "kubernetes-role-disallow-wildcard": change(ROLE, "inputs rules 0 verbs 0", "*"),
    "kubernetes-role-binding-disallow-cluster-admin": change(
        `${ROLE}Binding`,
        "inputs roleRef name",
        "cluster-admin",
    ),
    "aws-eks-cluster-require-private-endpoint": addCluster({ vpcConfig: { endpointPublicAccess: true } }),
    "aws-eks-cluster-require-control-plane-logs": addCluster({ enabledClusterLogTypes: ["api"] }),
    "aws-eks-cluster-require-secret-encryption": addCluster({}),
    "aws-rds-instance-require-encryption": change(DATABASE, "inputs storageEncrypted", false),
    "aws-rds-instance-disallow-public-access": change(DATABASE, "inputs publiclyAccessible", true),
    "aws-rds-instance-require-multi-az": change(DATABASE, "inputs multiAz", false),
    "aws-rds-instance-require-deletion-protection": change(DATABASE, "options protect"),
    "aws-rds-instance-require-query-logs": change(
        DATABASE,
        "inputs enabledCloudwatchLogsExports 0",
        "upgrade",
    ),
    "aws-rds-instance-require-tls": change(PARAMETERS, "inputs parameters 0 value", "0"),
    "aws-rds-instance-require-maintenance-window": change(
        DATABASE,
        "inputs maintenanceWindow",
        "sun:02:00-sun:04:00",
    ),
    "aws-rds-instance-require-backup": remove("aws:backup/selection:Selection"),
    "aws-rds-instance-require-dumps": change(LIFECYCLE, "inputs rules 1 transitions 0"),
    "aws-elasticache-replication-group-require-encryption": change(
        REDIS,
        "inputs transitEncryptionEnabled",
        false,
    ),
    "aws-elasticache-replication-group-require-multi-az": change(REDIS, "inputs multiAzEnabled", false),
    "aws-elasticache-replication-group-require-snapshots": change(SCHEDULE, "inputs state", "DISABLED"),
    "aws-elasticache-replication-group-require-snapshot-retention": change(
        LIFECYCLE,
        "inputs rules 0 expiration days",
        6,
    ),
    "aws-s3-bucket-disallow-public-access": change(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "inputs blockPublicPolicy",
        false,
    ),
    "aws-s3-bucket-require-encryption": remove("aws:s3/bucketVersioning:BucketVersioning"),
    "aws-s3-bucket-require-tls": remove("aws:s3/bucketPolicy:BucketPolicy"),
    "aws-s3-bucket-require-compliance-lock": change(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "inputs rule defaultRetention mode",
        "GOVERNANCE",
    ),
    "aws-s3-bucket-disallow-early-expiry": change(BUCKET, "inputs forceDestroy", true),
    "aws-cloudwatch-log-group-require-retention": change(LOG_GROUP, "inputs retentionInDays"),
    "aws-cloudwatch-log-group-require-encryption": change(LOG_GROUP, "inputs kmsKeyId"),
    "aws-cloudwatch-alarm-require-actions": change(ALARM, "inputs alarmActions"),
    "aws-cloudwatch-alarm-require-error-rate": change(ALARM, "inputs threshold", 10),
    "aws-cloudwatch-alarm-require-severity": change(ALARM, "inputs tags", {
        severity: "P4",
        "response-minutes": "1440",
    }),
    "aws-cloudwatch-event-target-require-role": change(EVENT_TARGET, "inputs roleArn"),
    "aws-cloudwatch-event-target-disallow-free-text": change(
        EVENT_TARGET,
        "inputs inputTransformer inputPaths status",
        "$.detail.cause",
    ),
    "aws-iam-policy-disallow-wildcard": change(
        "aws:iam/rolePolicy:RolePolicy",
        "inputs policy",
        allow({ Action: "s3:*", Resource: "*" }),
    ),
    "aws-iam-policy-disallow-escalation": change(
        "aws:iam/rolePolicy:RolePolicy",
        "inputs policy",
        allow({ Action: "iam:PutRolePolicy", Resource: "arn:aws:iam::111122223333:role/x" }),
    ),
    "aws-iam-role-require-narrow-trust": change(
        "aws:iam/role:Role",
        "inputs assumeRolePolicy",
        allow({ Principal: { Service: "pods.eks.amazonaws.com" }, Action: "sts:AssumeRole" }),
    ),
    "aws-kms-key-require-rotation": change("aws:kms/key:Key", "inputs enableKeyRotation", false),
    "aws-sns-topic-require-encryption": change(TOPIC, "inputs kmsMasterKeyId"),
    "aws-sfn-state-machine-require-logs": change(MACHINE, "inputs tracingConfiguration enabled", false),
    "aws-scheduler-schedule-require-encryption": change(SCHEDULE, "inputs kmsKeyArn"),
    "aws-scheduler-schedule-require-time-zone": change(SCHEDULE, "inputs scheduleExpressionTimezone", "UTC"),
    "aws-backup-vault-require-encryption": change("aws:backup/vault:Vault", "inputs kmsKeyArn"),
    "aws-backup-plan-require-retention": change(
        "aws:backup/plan:Plan",
        "inputs rules 0 schedule",
        "cron(0 1 ? * SUN *)",
    ),
    "aws-security-group-disallow-public-ingress": change(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "inputs cidrIpv4",
        "0.0.0.0/0",
    ),
    "kubernetes-network-policy-disallow-everything": change(NETWORK, "inputs spec ingress", [{}]),
    "kubernetes-network-policy-disallow-metadata-service": change(NETWORK, "inputs spec egress", [{}]),
    "kubernetes-role-disallow-escalation": change(ROLE, "inputs rules 0 resources 0", "pods/exec"),
    "kubernetes-role-binding-disallow-everybody": change(
        `${ROLE}Binding`,
        "inputs subjects 0 name",
        "system:authenticated",
    ),
    "kubernetes-config-disallow-secrets": change(
        "kubernetes:core/v1:ConfigMap",
        "inputs data NOTE",
        "AKIAIOSFODNN7EXAMPLE",
    ),
};

/** Beside those: changes of production's schedules alone, by the rule that must find them. */
const SCHEDULES: Record<string, Mutation> = {
    "aws-rds-instance-require-dumps": change(CRON_JOB, "inputs spec schedule", "0 21 * * 0,3"),
    "kubernetes-namespace-require-backup": change(CRON_JOB, "inputs spec schedule", "0 21 * * 0,3"),
    "aws-rds-instance-require-backup": change(
        "aws:backup/plan:Plan",
        "inputs rules 0 schedule",
        "cron(0 8-23 ? * MON-SAT *)",
    ),
    "aws-elasticache-replication-group-require-snapshots": change(
        SCHEDULE,
        "inputs scheduleExpression",
        "cron(0 0/12 * * ? *)",
    ),
};

const judged = (recording: Recording, some: readonly Rule[], kind: "violation" | "undetermined") =>
    judgeRecording(recording, some).filter((finding) => finding.kind === kind);

describe("the program under its policies", () => {
    const recordings: Record<string, Recording> = {};

    before(async () => {
        for (const stack of ["production", "staging"]) {
            recordings[stack] = await recordStack(stack);
        }
    });

    for (const [stack, undetermined] of Object.entries({
        production: [
            // An address that AWS gives is in it.
            "kubernetes-config-disallow-secrets",
            "kubernetes-ingress-disallow-expiring-certificate",
            "kubernetes-pod-container-require-image-digest",
        ],
        staging: ["kubernetes-config-disallow-secrets", "kubernetes-ingress-disallow-expiring-certificate"],
    })) {
        it(`violates none of them in ${stack}`, () => {
            assert.deepEqual(judged(recordings[stack]!, rules, "violation"), []);
        });

        it(`leaves open in ${stack} only what AWS or an operator gives`, () => {
            const open = judged(recordings[stack]!, rules, "undetermined").map(({ rule }) => rule);
            assert.deepEqual([...new Set(open)].sort(), undetermined);
        });
    }

    for (const [what, edits] of Object.entries({
        "that weights switch": [],
        "that a selector switches": ["mcp:ingress.alb.switch=selector"],
    })) {
        it(`violates none of them behind an ALB ${what}, and leaves open what it leaves open without`, async () => {
            const behindAlb = await recordStack("production", ...BEHIND_ALB, ...edits);
            const open = (recording: Recording) =>
                new Set(judged(recording, rules, "undetermined").map(({ rule }) => rule));
            assert.deepEqual(judged(behindAlb, rules, "violation"), []);
            assert.deepEqual(open(behindAlb), open(recordings["production"]!));
        });
    }

    it("has a mutation for each rule", () => {
        assert.deepEqual(Object.keys(MUTATIONS).sort(), rules.map(({ name }) => name).sort());
    });

    for (const rule of rules) {
        it(`is found out by ${rule.name}`, () => {
            const { resources, ...production } = recordings["production"]!;
            const mutated = { ...production, resources: MUTATIONS[rule.name]!(resources) };
            assert.notDeepEqual(judged(mutated, [rule], "violation"), []);
        });
    }

    it("is changed for each rule in what it declares, but for those of a cluster", () => {
        const { resources } = recordings["production"]!;
        const declared = new Set(resources.map(({ urn }) => urn));
        const added = rules.filter(({ name }) =>
            MUTATIONS[name]!(resources).some(({ urn }) => !declared.has(urn)),
        );
        assert.deepEqual(
            added.map(({ name }) => name.replace(/-require-.*/, "")),
            Array.from({ length: 3 }, () => "aws-eks-cluster"),
        );
    });

    // A schedule is as much a part of these rules as how long something is kept.
    for (const [rule, mutation] of Object.entries(SCHEDULES)) {
        it(`is found out by ${rule} when nothing runs as often as it should`, () => {
            const { resources, ...production } = recordings["production"]!;
            const mutated = { ...production, resources: mutation(resources) };
            const [some] = rules.filter(({ name }) => name === rule);
            assert.notDeepEqual(judged(mutated, [some!], "violation"), []);
        });
    }

    it("is judged at the time that is given, or else now", () => {
        const { resources, ...production } = recordings["production"]!;
        const certificate = rules.filter(({ name }) => name.endsWith("-expiring-certificate"));
        const found = (end: string, now?: Date) =>
            judgeRecording({ ...production, resources: endingAt(end)(resources) }, certificate, now).map(
                ({ kind, message }) => `${kind}: ${message}`,
            );
        assert.deepEqual(found("2026-12-05T12:00:00Z", new Date("2026-11-23T12:00:00Z")), [
            "violation: ends in 12 days (2026-12-05)",
        ]);
        assert.deepEqual(found("2026-12-05T12:00:00Z", new Date("2026-10-23T12:00:00Z")), []);
        const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();
        assert.match(found(minutes(1)).join(), /^violation: ends in less than a day \(/);
        assert.match(found(minutes(-1)).join(), /^violation: ended less than a day ago \(/);
    });

    it("lets a database that was restored go again, until services use it", async () => {
        const protection = rules.filter(({ name }) => name.endsWith("-require-deletion-protection"));
        const found = async (...edits: string[]) => {
            const recording = await recordStack(
                "production",
                "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30",
                "mcp:recovery.protect=false",
                ...edits,
            );
            return judged(recording, protection, "violation").map(
                ({ urn, message }) => `${urn.split("::").at(-1)} ${message}`,
            );
        };
        assert.deepEqual(await found(), []);
        assert.deepEqual(await found("mcp:database.active=recovery"), [
            "mcp-recovery deletionProtection is not true",
            "mcp-recovery is not protected from an update that deletes it",
        ]);
    });

    it("gives pods on AWS no more than they ask for", async () => {
        const asked = "mcp:workloads.chat-ui.awsPermissions[0]";
        const recording = await recordStack(
            "production",
            `${asked}.actions[0]=s3:GetObject`,
            `${asked}.resources[0]=arn:aws:s3:::bucket/*`,
        );
        const types = new Set(recording.resources.map(({ type }) => type));
        assert.ok(types.has("aws:iam/role:Role") && types.has("aws:iam/rolePolicy:RolePolicy"));
        const iam = rules.filter(({ name }) => name.startsWith("aws-iam-"));
        const ofChatUi = judgeRecording(recording, iam).filter(({ urn }) => urn.endsWith("-chat-ui"));
        assert.deepEqual(ofChatUi, []);
    });
});

describe("judging a recording", () => {
    const recorded = (
        name: string,
        inputs: RecordedResource["inputs"],
        { custom = true, read = false } = {},
    ): RecordedResource => ({
        urn: name,
        type: "test",
        name,
        custom,
        read,
        parent: "",
        provider: "",
        inputs,
        dependencies: [],
        propertyDependencies: {},
        options: { protect: true, customTimeouts: { create: "5s" } },
        source: undefined,
    });
    const judge = (resources: RecordedResource[], ...check: NonNullable<Rule["resource"]>[]) =>
        judgeRecording(
            { project: "mcp", stack: "test", resources, outputs: {} },
            check.map((resource, index) => ({
                name: `rule-${"bac"[index]}`,
                description: "",
                severity: "low",
                enforcement: "advisory",
                frameworks: [],
                remediation: "",
                resource,
            })),
        ).map(({ urn, rule, kind, message }) => `${urn} ${rule} ${kind} ${message}`);

    it("unwraps secrets, in lists and objects too", () => {
        const inputs = { list: [new Secret({ key: new Secret("value") })] };
        assert.deepEqual(
            judge([recorded("a", inputs)], ({ props }, { report }) => report(JSON.stringify(props))),
            ['a rule-b violation {"list":[{"key":"value"}]}'],
        );
    });

    it("keeps unknowns, inside of secrets too", () => {
        const inputs = { secret: new Secret({ key: UNKNOWN }) };
        assert.deepEqual(
            judge([recorded("a", inputs)], ({ props }, { report }) => report(String(props["secret"].key))),
            ["a rule-b undetermined secret.key is known only after the update"],
        );
    });

    it("passes the options on, and leaves out components and what is only looked up", () => {
        const others = [
            recorded("component", {}, { custom: false }),
            recorded("looked-up", {}, { read: true }),
        ];
        assert.deepEqual(
            judge([...others, recorded("a", {})], (resource, { report }) =>
                report(
                    `${resource.protect} ${resource.customTimeouts.create} ${resource.customTimeouts.update}`,
                ),
            ),
            ["a rule-b violation true 5s undefined"],
        );
    });

    it("sorts by resource, then by rule", () => {
        const found = (_: unknown, { report }: { report(message: string): void }) => report("!");
        assert.deepEqual(
            judge([recorded("b", {}), recorded("B", {}), recorded("a", {})], found, found, found),
            [
                "B rule-a violation !",
                "B rule-b violation !",
                "B rule-c violation !",
                "a rule-a violation !",
                "a rule-b violation !",
                "a rule-c violation !",
                "b rule-a violation !",
                "b rule-b violation !",
                "b rule-c violation !",
            ],
        );
    });
});
