import { type Properties, UNKNOWN } from "../../policies/unknown";
import {
    type Case,
    machine,
    PLAINTEXT,
    policy,
    SERVICE_ACCOUNT,
    SOUND,
    TOPIC_ARN,
    unsafe,
} from "./compliantStack";

/** What a rule says of a value that is not known. */
const unknown = (where: string) => `? ${where} is known only after the update`;
const OWN_NAME =
    "target: publishes in the name of EventBridge, which supports no condition in the policy of a topic or of its key: " +
    "AWS drops the message, or admits the rules of every account";
const NOT_OWN = "is not encrypted under a key of the account";

const trust = (Principal: object): Properties => ({
    "role props assumeRolePolicy": policy({ Effect: "Allow", Principal, Action: "sts:AssumeRole" }),
});

/** A key that is none, and what is said of one that is not known: by what it comes from, the resource or the alias. */
const ownKey = (name: string, property: string, found = NOT_OWN): Case[] => [
    ...[undefined, "", "alias/aws/sns", "arn:aws:kms:ap-south-1:111111111111:alias/aws/sns"].map(
        (value): Case => [{ [`${name} props ${property}`]: value }, [`${name}: ${found}`]],
    ),
    [{ [`${name} props ${property}`]: "alias/mcp" }],
    [{ [`${name} props ${property}`]: UNKNOWN, [`${name} from`]: { [property]: ["key"] } }],
    [{ [`${name} props ${property}`]: UNKNOWN }, [unknown(`${name}: ${property}`)]],
    // Not every value that a resource gives is a key.
    [
        { [`${name} props ${property}`]: UNKNOWN, [`${name} from`]: { [property]: ["role"] } },
        [unknown(`${name}: ${property}`)],
    ],
];

const isTrue = (name: string, property: string, found: string): Case[] => [
    [{ [`${name} props ${property}`]: false }, [`${name}: ${found}`]],
    [{ [`${name} props ${property}`]: undefined }, [`${name}: ${found}`]],
    [{ [`${name} props ${property}`]: UNKNOWN }, [unknown(`${name}: ${property}`)]],
];

const HOURLY: Properties = SOUND["hourlyPlan"]!.props["rules"][0];
const DUMP_ENV = "dailyDump props spec jobTemplate spec template spec containers 0 env";
const ENCRYPTION = "backupsEncryption props rules 0 applyServerSideEncryptionByDefault";

const EXPORT = {
    Effect: "Allow",
    Principal: { Service: "ap-south-1.elasticache-snapshot.amazonaws.com" },
    Action: ["s3:GetObject", "s3:PutObject"],
    Resource: ["arn:aws:s3:::mcp-backups/*"],
};

/** An exporting bucket's policy, with one difference. */
const exporting = (change: object) => ({
    [`${ENCRYPTION} sseAlgorithm`]: "AES256",
    "backupsPolicy props policy": JSON.stringify({
        Statement: [
            ...JSON.parse(SOUND["backupsPolicy"]!.props["policy"]).Statement,
            { ...EXPORT, ...change },
        ],
    }),
});

const composite = (alarmRule: unknown, alarmActions: string[]) => ({
    type: "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    props: { name: "composite", alarmRule, alarmActions },
});

/** What the rules of AWS find in changed stacks, by rule. */
export const AWS_CASES: Record<string, Case[]> = {
    "aws-sns-topic-require-severity": [
        [{ "topic props tags response-minutes": "30" }, ["topic: response-minutes is 30, expected 15"]],
        [
            { "topic props tags response-minutes": undefined },
            ["topic: response-minutes is not set, expected 15"],
        ],
        [{ "topic props tags severity": "P5" }, ["topic: severity is P5, expected one of P1, P2, P3, P4"]],
        [{ "topic props tags severity": undefined, subscription: undefined }],
        [{ subscription: undefined }, ["topic: has no subscription"]],
        [
            { "subscription props topic": "arn:aws:sns:ap-south-1:111111111111:other" },
            ["topic: has no subscription"],
        ],
        [
            { "subscription props topic": UNKNOWN, "topic props tags response-minutes": "30" },
            ["topic: response-minutes is 30, expected 15", "? topic: topic is known only after the update"],
        ],
        // Before it exists a topic has no ARN to compare: what the subscription's comes from tells.
        [{ "topic props arn": undefined }, ["? topic: arn is known only after the update"]],
        [{ "topic props arn": undefined, "subscription from": { topic: ["topic"] } }],
        [
            {
                "subscription props topic": UNKNOWN,
                "subscription from": { topic: ["other"] },
                other: SOUND["topic"],
            },
            ["topic: has no subscription"],
        ],
    ],
    "aws-cloudwatch-event-target-require-role": [
        [{ "target props roleArn": undefined }, [OWN_NAME]],
        [{ "target props roleArn": "" }, [OWN_NAME]],
        [{ "target props roleArn": UNKNOWN, "target from": { roleArn: ["role"] } }],
        [{ "target props roleArn": UNKNOWN }, ["? target: roleArn is known only after the update"]],
        // A state machine, say, has no such policy.
        [{ "target props roleArn": undefined, "target props arn": "arn:aws:states:any" }],
        [
            {
                "target props roleArn": undefined,
                "target props arn": UNKNOWN,
                "target from": { arn: ["topic"] },
            },
            [OWN_NAME],
        ],
        [
            {
                "target props roleArn": undefined,
                "target props arn": UNKNOWN,
                "target from": { arn: ["role"] },
            },
        ],
        [{ "target props arn": UNKNOWN }, ["? target: arn is known only after the update"]],
    ],
    "aws-cloudwatch-event-target-disallow-free-text": [
        ...["cause", "statusMessage", "reason"].map((field): Case => [
            { "target props inputTransformer inputPaths error": `$.detail.${field}` },
            [
                `target: inserts $.detail.${field}: a quotation mark in it breaks the message, and AWS drops it`,
            ],
        ]),
        [{ "target props inputTransformer": undefined }],
        [
            { "target props inputTransformer": UNKNOWN },
            ["? target: inputTransformer is known only after the update"],
        ],
    ],
    "aws-iam-policy-disallow-wildcard": [
        [
            {
                "rolePolicy props policy": policy({
                    Effect: "Allow",
                    Action: ["s3:*", "s3:Get?bject"],
                    Resource: "*",
                }),
            },
            [
                "rolePolicy: allows the action s3:*",
                "rolePolicy: allows the action s3:Get?bject",
                "rolePolicy: allows the resource *",
            ],
        ],
        ...["arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:s3:::a*", "arn:aws:iam::*:role/x"].map(
            (Resource): Case => [
                { "rolePolicy props policy": policy({ Effect: "Allow", Action: "s3:GetObject", Resource }) },
                [`rolePolicy: allows the resource ${Resource}`],
            ],
        ),
        [
            { "rolePolicy props policy": policy({ Effect: "Allow", NotAction: "iam:*", NotResource: "x" }) },
            [
                "rolePolicy: allows everything outside of NotAction",
                "rolePolicy: allows everything outside of NotResource",
            ],
        ],
        ...(
            [
                [{ StringEquals: { "cloudwatch:namespace": "MCP/production" } }, []],
                [{ StringLike: { "cloudwatch:namespace": "MCP/*" } }, ["rolePolicy: allows the resource *"]],
                [undefined, ["rolePolicy: allows the resource *"]],
            ] as const
        ).map(([Condition, found]): Case => [
            {
                "rolePolicy props policy": policy({
                    Effect: "Allow",
                    Action: "cloudwatch:PutMetricData",
                    Resource: "*",
                    Condition,
                }),
            },
            [...found],
        ]),
        // A policy as an object, with a single statement.
        [
            {
                "rolePolicy props policy": {
                    Statement: { Effect: "Allow", Action: "*", Resource: "arn:aws:s3:::a" },
                },
            },
            ["rolePolicy: allows the action *"],
        ],
        [
            {
                managed: {
                    type: "aws:iam/policy:Policy",
                    props: { policy: policy({ Effect: "Allow", Action: "*" }) },
                },
            },
            ["managed: allows the action *"],
        ],
        [{ "rolePolicy props policy": "not JSON" }],
        [{ "rolePolicy props policy": UNKNOWN }, ["? rolePolicy: policy is known only after the update"]],
    ],
    "aws-iam-role-require-narrow-trust": [
        [
            trust({ Service: "ec2.amazonaws.com", AWS: ["111111111111", "*"] }),
            [
                "role: lets anybody assume the role",
                "role: lets 111111111111 assume the role without a condition",
            ],
        ],
        ...["*", { AWS: "*" }].map((Principal): Case => [
            {
                "role props assumeRolePolicy": policy({
                    Effect: "Allow",
                    Principal,
                    Action: "sts:AssumeRole",
                }),
            },
            ["role: lets anybody assume the role"],
        ]),
        [
            { "role props assumeRolePolicy": policy({ Effect: "Allow", NotPrincipal: { AWS: "1" } }) },
            ["role: lets anybody assume the role"],
        ],
        [
            {
                "role props assumeRolePolicy": policy({
                    Effect: "Allow",
                    Principal: { Service: ["pods.eks.amazonaws.com"] },
                    Condition: { StringEquals: { "aws:RequestTag/kubernetes-namespace": "mcp" } },
                }),
            },
            ["role: lets the pods of every ServiceAccount assume the role"],
        ],
        // A pattern could be one that everything matches.
        [
            {
                "role props assumeRolePolicy": policy({
                    Effect: "Allow",
                    Principal: { Service: "pods.eks.amazonaws.com" },
                    Condition: { StringLike: SERVICE_ACCOUNT },
                }),
            },
            ["role: lets the pods of every ServiceAccount assume the role"],
        ],
        [
            {
                "role props assumeRolePolicy": policy({
                    Effect: "Allow",
                    Principal: { Service: "scheduler.amazonaws.com" },
                }),
            },
        ],
        [
            { "role props assumeRolePolicy": UNKNOWN },
            ["? role: assumeRolePolicy is known only after the update"],
        ],
    ],
    "aws-kms-key-require-rotation": [
        [{ "key props enableKeyRotation": undefined }, ["key: is not rotated"]],
        [{ "key props enableKeyRotation": undefined, "key props customerMasterKeySpec": "RSA_2048" }],
        [{ "key props deletionWindowInDays": 29 }, ["key: deletionWindowInDays is 29, expected 30"]],
        [{ "key props deletionWindowInDays": undefined }],
        [
            {
                "key props policy": policy({
                    Effect: "Allow",
                    Principal: "*",
                    Action: "kms:*",
                    Condition: {},
                }),
            },
            ["key: lets anybody use the key"],
        ],
        [{ "key props policy": undefined }],
        [
            { "key props policy": UNKNOWN, "key props enableKeyRotation": false },
            ["key: is not rotated", "? key: policy is known only after the update"],
        ],
        [
            { "key props enableKeyRotation": UNKNOWN, "key props deletionWindowInDays": 7 },
            [
                "? key: enableKeyRotation is known only after the update",
                "key: deletionWindowInDays is 7, expected 30",
            ],
        ],
    ],
    "aws-sns-topic-require-encryption": [
        ...[undefined, "", "alias/aws/sns", "arn:aws:kms:ap-south-1:1:alias/aws/sns"].map((key): Case => [
            { "topic props kmsMasterKeyId": key },
            ["topic: is not encrypted with a key of the account"],
        ]),
        [{ topicPolicy: undefined }, ["topic: no policy denies publishing without TLS"]],
        [{ topicPolicy: undefined, "topic props policy": policy(PLAINTEXT) }],
        ...[
            { Action: "sns:Subscribe" },
            { Principal: { AWS: "111111111111" } },
            { Condition: { Bool: { "aws:SecureTransport": "true" } } },
        ].map((change): Case => [
            { "topicPolicy props policy": policy({ ...PLAINTEXT, ...change }) },
            ["topic: no policy denies publishing without TLS"],
        ]),
        // Applies to every caller without TLS.
        [
            { "topicPolicy props policy": policy({ ...PLAINTEXT, Effect: "Allow" }) },
            ["topic: no policy denies publishing without TLS", "topic: is public"],
        ],
        [{ "topicPolicy props policy": policy({ ...PLAINTEXT, Action: ["sns:Receive", "SNS:*"] }) }],
        [
            {
                "topicPolicy props policy": policy(PLAINTEXT, {
                    Effect: "Allow",
                    Principal: { AWS: "*" },
                    Action: "sns:Publish",
                }),
            },
            ["topic: is public"],
        ],
        [
            { "topicPolicy props policy": UNKNOWN, "topic props kmsMasterKeyId": undefined },
            [
                "topic: is not encrypted with a key of the account",
                "? topic: policy is known only after the update",
            ],
        ],
        [
            { "topicPolicy props arn": UNKNOWN, "topic props kmsMasterKeyId": UNKNOWN },
            [
                "? topic: kmsMasterKeyId is known only after the update",
                "? topic: arn is known only after the update",
            ],
        ],
    ],

    "aws-eks-cluster-require-private-endpoint": [
        [
            { "cluster props vpcConfig": {} },
            [
                "cluster: vpcConfig.endpointPrivateAccess is not set, expected true",
                "cluster: vpcConfig.endpointPublicAccess is not set, expected false",
            ],
        ],
        [
            {
                "cluster props vpcConfig": { endpointPrivateAccess: UNKNOWN, endpointPublicAccess: true },
            },
            [
                unknown("cluster: vpcConfig.endpointPrivateAccess"),
                "cluster: vpcConfig.endpointPublicAccess is true, expected false",
            ],
        ],
    ],
    "aws-eks-cluster-require-control-plane-logs": [
        [
            { "cluster props enabledClusterLogTypes": ["api", "audit", "scheduler"] },
            ["authenticator", "controllerManager"].map((log) => `cluster: does not write the log ${log}`),
        ],
        [
            { "cluster props enabledClusterLogTypes": undefined },
            ["api", "audit", "authenticator", "controllerManager", "scheduler"].map(
                (log) => `cluster: does not write the log ${log}`,
            ),
        ],
        [{ "cluster props enabledClusterLogTypes": UNKNOWN }, [unknown("cluster: enabledClusterLogTypes")]],
    ],
    "aws-eks-cluster-require-secret-encryption": [
        ...["encryptionConfig", "encryptionConfig resources 0", "encryptionConfig provider keyArn"].map(
            (path): Case => [
                { [`cluster props ${path}`]: undefined },
                ["cluster: does not encrypt its Secrets under a key of the account"],
            ],
        ),
        [
            {
                "cluster props encryptionConfig provider keyArn": UNKNOWN,
                "cluster from": { encryptionConfig: ["key"] },
            },
        ],
        [
            { "cluster props encryptionConfig provider keyArn": UNKNOWN },
            [unknown("cluster: encryptionConfig.provider.keyArn")],
        ],
    ],
    "aws-rds-instance-require-encryption": isTrue("database", "storageEncrypted", "is not encrypted"),
    "aws-rds-instance-disallow-public-access": [
        [{ "database props publiclyAccessible": true }, ["database: has an address on the internet"]],
        [{ "database props publiclyAccessible": undefined }],
        [{ "database props publiclyAccessible": UNKNOWN }, [unknown("database: publiclyAccessible")]],
    ],
    "aws-rds-instance-require-multi-az": [
        ...isTrue("database", "multiAz", "is in one zone only"),
        [{ "database props multiAz": false, "database tier": "trial" }],
    ],
    "aws-rds-instance-require-deletion-protection": [
        ...isTrue("database", "deletionProtection", "deletionProtection is not true"),
        [{ "database protect": false }, ["database: is not protected from an update that deletes it"]],
        [
            { "database protect": false, "database props deletionProtection": UNKNOWN },
            [
                unknown("database: deletionProtection"),
                "database: is not protected from an update that deletes it",
            ],
        ],
        [{ "database protect": false, "database tier": "trial" }],
        // One that was restored may be removed again, until a Secret leads there.
        [
            {
                "database protect": false,
                "database props restoreToPointInTime": {},
                databaseSecret: undefined,
            },
        ],
        [
            { "database protect": false, "database props restoreToPointInTime": {} },
            ["database: is not protected from an update that deletes it"],
        ],
        [{ "database props restoreToPointInTime": UNKNOWN }, [unknown("database: restoreToPointInTime")]],
    ],
    "aws-rds-instance-require-query-logs": [
        [
            { "database props enabledCloudwatchLogsExports": ["upgrade"] },
            ["database: does not hand its log to CloudWatch"],
        ],
        [
            { "parameters props parameters 1 value": "-1" },
            ["database: log_min_duration_statement is -1, expected 0 or more"],
        ],
        [{ "parameters props parameters 1 value": "0" }],
        [
            { "parameters props parameters 1": undefined },
            ["database: log_min_duration_statement is not set, expected 0 or more"],
        ],
        [{ parameters: undefined }, ["database: log_min_duration_statement is not set, expected 0 or more"]],
        [
            {
                "database props enabledCloudwatchLogsExports": UNKNOWN,
                "parameters props parameters 1 value": UNKNOWN,
            },
            [unknown("database: enabledCloudwatchLogsExports"), unknown("database: parameters.1.value")],
        ],
        // The name of its group is not known, and what it comes from is.
        [
            {
                "database props parameterGroupName": UNKNOWN,
                "database from": { parameterGroupName: ["parameters"] },
            },
        ],
        [{ "database props parameterGroupName": UNKNOWN }, [unknown("database: parameterGroupName")]],
    ],
    "aws-rds-instance-require-tls": [
        [{ "parameters props parameters 0 value": "0" }, ["database: rds.force_ssl is 0, expected 1"]],
        [{ "parameters props parameters 0 value": 1 }],
        [
            { "database props parameterGroupName": "default.postgres17" },
            ["database: rds.force_ssl is not set, expected 1"],
        ],
        [{ "parameters props parameters 0 name": UNKNOWN }, [unknown("database: parameters.0.name")]],
        // Another group that is not known leaves this one found.
        [
            {
                "parameters props name": "mcp-17",
                other: { type: "aws:rds/parameterGroup:ParameterGroup", props: {} },
            },
        ],
    ],
    "aws-rds-instance-require-maintenance-window": [
        [
            { "database props maintenanceWindow": "sun:02:00-sun:04:00" },
            ["database: maintenanceWindow is sun:02:00-sun:04:00, expected sat:20:30-sat:22:30"],
        ],
        [
            { "database props maintenanceWindow": undefined },
            ["database: maintenanceWindow is not set, expected sat:20:30-sat:22:30"],
        ],
        [{ "database props maintenanceWindow": "Sat:20:30-Sat:22:30" }],
        [{ "database props maintenanceWindow": UNKNOWN }, [unknown("database: maintenanceWindow")]],
    ],
    "aws-rds-instance-require-dumps": [
        [
            { "backupsLifecycle props rules 0 expiration days": 29 },
            ["database: daily dumps are kept for 29 days, expected 30"],
        ],
        [
            { "backupsLifecycle props rules 0 expiration": undefined },
            ["database: daily dumps are kept for unlimited days, expected 30"],
        ],
        [
            { "backupsLifecycle props rules 1 status": "Disabled" },
            ["database: no bucket of the stack keeps weekly dumps"],
        ],
        [
            { backupsLifecycle: undefined },
            ["daily", "weekly"].map((kind) => `database: no bucket of the stack keeps ${kind} dumps`),
        ],
        [
            { "backupsLifecycle props rules 1 transitions 0 storageClass": "STANDARD_IA" },
            ["database: weekly dumps do not go to Glacier"],
        ],
        [{ backupsLifecycle: undefined, "database tier": "trial" }],
        [
            {
                "backupsLifecycle props rules 0 expiration days": UNKNOWN,
                "backupsLifecycle props rules 1 expiration days": 364,
            },
            [
                unknown("database: rules.0.expiration.days"),
                "database: weekly dumps are kept for 364 days, expected 365",
            ],
        ],
        // What services do not use is no loss.
        [{ dailyDump: undefined, databaseSecret: undefined }],
        // In the cluster's cron both 0 and 7 are Sunday.
        ...["0 21 * * 7", "0 21 * * SUN", "@weekly"].map((schedule): Case => [
            { "weeklyDump props spec schedule": schedule },
        ]),
        ...["0 21 * * *", "0 21 * * 0,3", "0 21 1 * *", "0 21,22 * * 0", "@monthly"].map((schedule): Case => [
            { "weeklyDump props spec schedule": schedule },
            [`database: weekly dumps are taken by ${schedule}, expected weekly ones`],
        ]),
        ...["0 23 ? * *", "0 23 * * 0-6", "0 23 * * 1-7", "@daily"].map((schedule): Case => [
            { "dailyDump props spec schedule": schedule },
        ]),
        ...["0 */12 * * *", "0 23 * * 1-6", "0 23 * * MON-SAT", "0 23 1 * *"].map((schedule): Case => [
            { "dailyDump props spec schedule": schedule },
            [`database: daily dumps are taken by ${schedule}, expected daily ones`],
        ]),
        ...[
            { dailyDump: undefined },
            { "dailyDump props spec suspend": true },
            { [`${DUMP_ENV} 0 value`]: "elsewhere" },
            { [`${DUMP_ENV} 1 value`]: "manual" },
            { [`${DUMP_ENV}`]: undefined },
            // It may be one of another database.
            { "dailyDump from": {} },
        ].map((change): Case => [change, ["database: no CronJob takes daily dumps of it"]]),
        [
            {
                [`${DUMP_ENV} 0 value`]: UNKNOWN,
                "dailyDump from": { spec: ["databaseSecret", "backups"] },
            },
        ],
        [
            { [`${DUMP_ENV} 0 value`]: UNKNOWN },
            [unknown("database: spec.jobTemplate.spec.template.spec.containers.0.env.0.value")],
        ],
        [
            {
                "dailyDump props spec schedule": UNKNOWN,
                "backupsLifecycle props rules 0 expiration days": 29,
            },
            ["database: daily dumps are kept for 29 days, expected 30", unknown("database: spec.schedule")],
        ],
    ],
    "aws-elasticache-replication-group-require-encryption": [
        ...isTrue("redis", "atRestEncryptionEnabled", "is not encrypted on its disk"),
        ...isTrue("redis", "transitEncryptionEnabled", "takes connections without TLS"),
        [{ "redis props transitEncryptionMode": "preferred" }, ["redis: takes connections without TLS"]],
        [{ "redis props transitEncryptionMode": undefined }],
        [{ "redis props authToken": undefined }, ["redis: lets anybody in"]],
        [{ "redis props authToken": undefined, "redis props userGroupIds": ["people"] }],
        // The token is generated in this update, so that it is unknown.
        [{ "redis props authToken": UNKNOWN, "redis from": { authToken: ["key"] } }],
        [{ "redis props authToken": UNKNOWN }, [unknown("redis: authToken")]],
    ],
    "aws-elasticache-replication-group-require-multi-az": [
        [
            { "redis props multiAzEnabled": undefined, "redis props automaticFailoverEnabled": false },
            [
                "redis: multiAzEnabled is not set, expected true",
                "redis: automaticFailoverEnabled is false, expected true",
            ],
        ],
        [{ "redis props multiAzEnabled": false, "redis tier": "trial" }],
        [
            { "redis props multiAzEnabled": UNKNOWN, "redis props automaticFailoverEnabled": false },
            [unknown("redis: multiAzEnabled"), "redis: automaticFailoverEnabled is false, expected true"],
        ],
    ],
    "aws-elasticache-replication-group-require-snapshots": [
        ...(
            [
                ["cron(30 0/6 ? * * *)", true],
                ["cron(0 */6 * * ? *)", true],
                ["cron(0 18,0,6,12 * * ? *)", true],
                ["rate(6 hours)", true],
                ["rate(1 day)", false],
                ["cron(0 0/7 * * ? *)", false],
                ["cron(0 0,6,12 * * ? *)", false],
                ["cron(0 0/6 ? * SUN *)", false],
                ["cron(0 0/6 1 * ? *)", false],
                ["cron(0/30 * * * ? *)", false],
                ["at(2026-11-23T12:00:00)", false],
            ] as const
        ).map(([expression, enough]): Case => [
            { "schedule props scheduleExpression": expression },
            enough ? [] : [`redis: snapshots are taken by ${expression}, expected every 6 hours`],
        ]),
        [{ "schedule props state": "DISABLED" }, ["redis: no schedule takes snapshots of it"]],
        [{ schedule: undefined }, ["redis: no schedule takes snapshots of it"]],
        [
            { "schedule props target arn": "arn:aws:lambda:ap-south-1:1:function:other" },
            ["redis: no schedule takes snapshots of it"],
        ],
        [
            { "snapshots props definition": machine("other") },
            ["redis: no state machine of the stack takes snapshots of it"],
        ],
        [{ snapshots: undefined }, ["redis: no state machine of the stack takes snapshots of it"]],
        // Before they exist, what the ARN comes from tells.
        [
            {
                "snapshots props arn": undefined,
                "schedule props target arn": UNKNOWN,
                "schedule from": { target: ["role", "snapshots"] },
            },
        ],
        [
            {
                "schedule props target arn": UNKNOWN,
                "schedule from": { target: ["other"] },
                other: { type: "aws:sfn/stateMachine:StateMachine", props: { definition: "{}" } },
            },
            ["redis: no schedule takes snapshots of it"],
        ],
        [
            { "schedule props target arn": UNKNOWN, "schedule from": { target: ["role"] } },
            [unknown("redis: target.arn")],
        ],
        [{ "snapshots props definition": UNKNOWN }, [unknown("redis: definition")]],
        [{ "redis props replicationGroupId": undefined }, [unknown("redis: replicationGroupId")]],
    ],
    "aws-elasticache-replication-group-require-snapshot-retention": [
        ...[6, 8].map((days): Case => [
            { "redisBucketLifecycle props rules 0 expiration days": days },
            [`redisBucket: snapshots are kept for ${days} days, expected 7`],
        ]),
        [
            { "redisBucketLifecycle props rules 0 filter prefix": "other/" },
            ["redisBucket: snapshots are kept for unlimited days, expected 7"],
        ],
        [
            { "snapshots props definition": machine("mcp-production", "elsewhere") },
            ["redis: its snapshots go to no bucket of the stack"],
        ],
        [{ snapshots: undefined }, ["redis: its snapshots go to no bucket of the stack"]],
        [
            { "redisBucketLifecycle props rules 0 expiration days": UNKNOWN },
            [unknown("redis: rules.0.expiration.days")],
        ],
        [{ "redisBucket props bucket": UNKNOWN }, [unknown("redis: bucket")]],
    ],
    "aws-s3-bucket-disallow-public-access": [
        [
            {
                "backupsBlock props blockPublicAcls": undefined,
                "backupsBlock props restrictPublicBuckets": false,
            },
            ["backups: blockPublicAcls is not true", "backups: restrictPublicBuckets is not true"],
        ],
        [
            { backupsBlock: undefined },
            ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].map(
                (key) => `backups: ${key} is not true`,
            ),
        ],
        [
            {
                "backupsBlock props blockPublicAcls": UNKNOWN,
                "backupsBlock props blockPublicPolicy": false,
            },
            [unknown("backups: blockPublicAcls"), "backups: blockPublicPolicy is not true"],
        ],
        // AWS names the bucket: what the block belongs to is known by what its name comes from.
        [
            {
                "backups props bucket": undefined,
                "backupsBlock props bucket": UNKNOWN,
                "backupsBlock from": { bucket: ["backups"] },
            },
        ],
        [
            { "backupsBlock props bucket": UNKNOWN, "backupsBlock from": { bucket: ["archive"] } },
            ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].map(
                (key) => `backups: ${key} is not true`,
            ),
        ],
    ],
    "aws-s3-bucket-require-encryption": [
        [
            { "backupsVersioning props versioningConfiguration status": "Suspended" },
            ["backups: is not versioned"],
        ],
        [{ backupsVersioning: undefined }, ["backups: is not versioned"]],
        [{ backupsEncryption: undefined }, [`backups: ${NOT_OWN}`]],
        [{ [`${ENCRYPTION} sseAlgorithm`]: "AES256" }, [`backups: ${NOT_OWN}`]],
        [{ [`${ENCRYPTION} sseAlgorithm`]: "aws:kms:dsse" }],
        ...[undefined, "alias/aws/s3"].map((key): Case => [
            { [`${ENCRYPTION} kmsMasterKeyId`]: key },
            [`backups: ${NOT_OWN}`],
        ]),
        [
            {
                [`${ENCRYPTION} kmsMasterKeyId`]: UNKNOWN,
                "backupsEncryption from": { bucket: ["backups"], rules: ["key"] },
            },
        ],
        [
            {
                [`${ENCRYPTION} kmsMasterKeyId`]: UNKNOWN,
                "backupsVersioning props versioningConfiguration status": UNKNOWN,
            },
            [
                unknown("backups: versioningConfiguration.status"),
                unknown("backups: rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"),
            ],
        ],
        // ElastiCache exports to a bucket by its policy, and restores from none under a customer key.
        [exporting({})],
        [exporting({ Effect: "Deny" }), [`backups: ${NOT_OWN}`]],
        [exporting({ Action: "s3:GetObject" }), [`backups: ${NOT_OWN}`]],
        [exporting({ Principal: { Service: "backup.amazonaws.com" } }), [`backups: ${NOT_OWN}`]],
    ],
    "aws-s3-bucket-require-tls": [
        [{ backupsPolicy: undefined }, ["backups: no policy denies it and its objects without TLS"]],
        ...[
            { Effect: "Allow" },
            { Action: "s3:GetObject" },
            { Principal: { AWS: "111111111111" } },
            { Condition: { Bool: { "aws:SecureTransport": "true" } } },
            { Resource: "arn:aws:s3:::mcp-backups/*" },
            { Resource: ["arn:aws:s3:::other", "arn:aws:s3:::other/*"] },
        ].map((change): Case => [
            { "backupsPolicy props policy": policy({ ...unsafe("mcp-backups"), ...change }) },
            ["backups: no policy denies it and its objects without TLS"],
        ]),
        [{ "backupsPolicy props policy": UNKNOWN }, [unknown("backups: policy")]],
        [{ "backupsPolicy props policy": JSON.parse(policy(unsafe("mcp-backups"))) }],
    ],
    "aws-s3-bucket-require-compliance-lock": [
        [
            { "archiveLock props rule defaultRetention mode": "GOVERNANCE" },
            ["archive: its Object Lock is in mode GOVERNANCE, expected COMPLIANCE"],
        ],
        [
            { archiveLock: undefined },
            [
                "archive: its Object Lock is in mode none, expected COMPLIANCE",
                "archive: its Object Lock holds for 0 years, expected 7 years",
            ],
        ],
        [
            { "archiveLock props rule defaultRetention years": 6 },
            ["archive: its Object Lock holds for 6 years, expected 7 years"],
        ],
        [{ "archiveLock props rule defaultRetention years": 8 }],
        [
            { "archiveLock props rule defaultRetention": { mode: "COMPLIANCE", days: 2556 } },
            ["archive: its Object Lock holds for 2556 days, expected 7 years"],
        ],
        [{ "archiveLock props rule defaultRetention": { mode: "COMPLIANCE", days: 2557 } }],
        [{ auditSubscription: undefined }, ["auditLog: its events go to no bucket of the stack"]],
        [
            { "auditStream props extendedS3Configuration bucketArn": "arn:aws:s3:::elsewhere" },
            ["auditLog: its events go to no bucket of the stack"],
        ],
        [{ "auditLog tier": "trial", auditSubscription: undefined }],
        // The stream is of this update: the subscription leads there by what it is made of.
        [
            {
                "auditStream props arn": undefined,
                "auditSubscription props destinationArn": UNKNOWN,
                "auditSubscription from": { destinationArn: ["auditStream"] },
            },
        ],
        [{ "auditSubscription props destinationArn": UNKNOWN }, [unknown("auditLog: destinationArn")]],
        [
            { "archiveLock props rule defaultRetention": UNKNOWN },
            [unknown("auditLog: rule.defaultRetention")],
        ],
        [{ "auditLog props name": UNKNOWN }, [unknown("auditLog: name")]],
    ],
    "aws-s3-bucket-disallow-early-expiry": [
        [{ "archive props forceDestroy": true }, ["archive: forceDestroy is true"]],
        [
            { "archiveLifecycle props rules 0 expiration days": 2556 },
            ["archive: its lifecycle rule all expires events after 2556 days, expected none"],
        ],
        [{ "archiveLifecycle props rules 0 expiration days": 2557 }],
        [{ "archiveLifecycle props rules 0 noncurrentVersionExpiration": { noncurrentDays: 1 } }],
        [
            { "archiveLifecycle props rules 0 expiration date": "2033-01-01" },
            ["archive: its lifecycle rule all expires events on a date, expected none"],
        ],
        [
            {
                "archiveLifecycle props rules 0 expiration days": 1,
                "archiveLifecycle props rules 0 status": "Disabled",
            },
        ],
        [{ "archiveLifecycle props rules": undefined }],
        // Whether there is an archive is another rule's question.
        [{ auditStream: undefined, "archive props forceDestroy": true }],
        [{ "backups props forceDestroy": true }],
        [
            { "archive props forceDestroy": UNKNOWN, "archiveLifecycle props rules 0 expiration days": 1 },
            [
                unknown("archive: forceDestroy"),
                "archive: its lifecycle rule all expires events after 1 days, expected none",
            ],
        ],
        [{ "archiveLifecycle props rules 0 expiration": UNKNOWN }, [unknown("auditLog: rules.0.expiration")]],
    ],
    "aws-cloudwatch-log-group-require-retention": [
        ...[364, 366].map((days): Case => [
            { "serverLog props retentionInDays": days },
            [`serverLog: retentionInDays is ${days}, expected 365`],
        ]),
        [{ "auditLog props retentionInDays": 30 }],
        ...[undefined, 0].map((days): Case => [
            { "serverLog props retentionInDays": days, "auditLog props retentionInDays": days },
            [
                "auditLog: retentionInDays is not set, expected a number of days",
                "serverLog: retentionInDays is not set, expected 365",
            ],
        ]),
        [
            { "serverLog props retentionInDays": 364, "serverLog props name": "/acme/emea-1/server" },
            ["serverLog: retentionInDays is 364, expected 365"],
        ],
        [{ "serverLog props retentionInDays": 30, "serverLog tier": "trial" }],
        [{ "serverLog props retentionInDays": 30, "serverLog props name": "/aws/states/server" }],
        [{ "serverLog props retentionInDays": UNKNOWN }, [unknown("serverLog: retentionInDays")]],
    ],
    "aws-cloudwatch-log-group-require-encryption": ownKey("serverLog", "kmsKeyId"),
    "aws-cloudwatch-alarm-require-actions": [
        [{ "alarm props alarmActions": [] }, ["alarm: has no actions"]],
        [{ "alarm props alarmActions": undefined }, ["alarm: has no actions"]],
        [{ "alarm props actionsEnabled": false }, ["alarm: has no actions"]],
        [{ "alarm props alarmActions": [UNKNOWN], "alarm from": { alarmActions: ["topic"] } }],
        [{ "alarm props alarmActions": [UNKNOWN] }, [unknown("alarm: alarmActions.0")]],
        [{ "alarm props actionsEnabled": UNKNOWN }, [unknown("alarm: actionsEnabled")]],
        // A composite alarm may do it for others, with or without quotes around their names.
        ...['ALARM("error-rate") OR ALARM(slow)', "ALARM(slow) OR ALARM(error-rate)"].map(
            (alarmRule): Case => [
                { "alarm props alarmActions": undefined, composite: composite(alarmRule, [TOPIC_ARN]) },
            ],
        ),
        [
            {
                "alarm props alarmActions": undefined,
                composite: composite("ALARM(error-rate-2)", [TOPIC_ARN]),
            },
            ["alarm: has no actions"],
        ],
        [
            { "alarm props alarmActions": undefined, composite: composite("ALARM(error-rate)", []) },
            ["alarm: has no actions"],
        ],
        [
            { "alarm props alarmActions": undefined, composite: composite(UNKNOWN, [TOPIC_ARN]) },
            [unknown("alarm: alarmRule")],
        ],
    ],
    "aws-cloudwatch-alarm-require-error-rate": [
        ...[4, 6, undefined].map((threshold): Case => [
            { "alarm props threshold": threshold },
            ["errors: no alarm rings when more than 5 % of the requests fail"],
        ]),
        [
            { "alarm props comparisonOperator": "GreaterThanOrEqualToThreshold" },
            ["errors: no alarm rings when more than 5 % of the requests fail"],
        ],
        // Not a rate of anything.
        [
            { "alarm props metricQueries 2": undefined },
            ["errors: no alarm rings when more than 5 % of the requests fail"],
        ],
        [
            {
                "alarm props metricQueries": undefined,
                "alarm props metricName": "Requests",
                "alarm props namespace": "MCP/production",
            },
            ["errors: no alarm rings when more than 5 % of the requests fail"],
        ],
        [{ alarm: undefined }, ["errors: no alarm rings when more than 5 % of the requests fail"]],
        [{ errors: undefined, "alarm props threshold": 6 }],
        [
            { "errors props metricTransformation namespace": "MCP/staging" },
            ["errors: no alarm rings when more than 5 % of the requests fail"],
        ],
        [{ "alarm props threshold": UNKNOWN }, [unknown("errors: threshold")]],
        [{ "errors props metricTransformation": UNKNOWN }, [unknown("errors: metricTransformation")]],
    ],
    "aws-cloudwatch-alarm-require-severity": [
        [{ "alarm props tags response-minutes": "30" }, ["alarm: response-minutes is 30, expected 15"]],
        [{ "alarm props tags": undefined }, ["alarm: severity is not set, expected one of P1, P2, P3, P4"]],
        [
            { "alarm props tags": { severity: "P2", "response-minutes": "30" } },
            ["alarm: calls no topic of severity P2", "alarm: calls a topic of severity P1, expected P2"],
        ],
        [{ "alarm props alarmActions": [] }, ["alarm: calls no topic of severity P1"]],
        // What else it does is another question.
        [{ "alarm props alarmActions 1": "arn:aws:ssm:ap-south-1:1:opsitem:1" }],
        [
            { "topic props tags": undefined },
            ["alarm: calls no topic of severity P1", "alarm: calls a topic of severity none, expected P1"],
        ],
        [
            {
                "topic props arn": undefined,
                "alarm props alarmActions": [UNKNOWN],
                "alarm from": { alarmActions: ["topic"] },
            },
        ],
        [{ "alarm props alarmActions": [UNKNOWN] }, [unknown("alarm: alarmActions.0")]],
        [{ "alarm props tags": UNKNOWN }, [unknown("alarm: tags")]],
    ],
    "aws-sfn-state-machine-require-logs": [
        [
            {
                "snapshots props loggingConfiguration": undefined,
                "snapshots props tracingConfiguration": undefined,
            },
            ["snapshots: loggingConfiguration.level is OFF, expected ALL", "snapshots: is not traced"],
        ],
        [
            { "snapshots props loggingConfiguration level": "ERROR" },
            ["snapshots: loggingConfiguration.level is ERROR, expected ALL"],
        ],
        [
            {
                "snapshots props loggingConfiguration level": UNKNOWN,
                "snapshots props tracingConfiguration enabled": false,
            },
            [unknown("snapshots: loggingConfiguration.level"), "snapshots: is not traced"],
        ],
    ],
    "aws-scheduler-schedule-require-encryption": ownKey("schedule", "kmsKeyArn"),
    "aws-scheduler-schedule-require-time-zone": [
        [
            { "schedule props scheduleExpressionTimezone": undefined },
            ["schedule: scheduleExpressionTimezone is not set, expected Asia/Kolkata"],
        ],
        [
            { "schedule props scheduleExpressionTimezone": "UTC" },
            ["schedule: scheduleExpressionTimezone is UTC, expected Asia/Kolkata"],
        ],
        [
            {
                "schedule props scheduleExpressionTimezone": undefined,
                "schedule props scheduleExpression": "rate(6 hours)",
            },
        ],
        [
            { "schedule props scheduleExpressionTimezone": UNKNOWN },
            [unknown("schedule: scheduleExpressionTimezone")],
        ],
    ],
    "aws-backup-vault-require-encryption": ownKey("vault", "kmsKeyArn"),
    "aws-backup-plan-require-retention": [
        [
            { "dailyPlan props rules 0 lifecycle deleteAfter": 29 },
            ["dailyPlan: daily: is kept for 29 days, expected 30"],
        ],
        [{ "dailyPlan props rules 0 lifecycle deleteAfter": 31 }],
        [
            { "hourlyPlan props rules 0 lifecycle deleteAfter": 0 },
            ["hourlyPlan: hourly: is kept for 0 days, expected 1"],
        ],
        [{ "hourlyPlan props rules 0 lifecycle deleteAfter": 0, "hourlyPlan tier": "trial" }],
        // Kept until somebody deletes it.
        [{ "dailyPlan props rules 0 lifecycle": undefined }],
        // Not in the hours of the maintenance window, which differ by the day of the week.
        [
            {
                "hourlyPlan props rules": [
                    { ...HOURLY, schedule: "cron(0 0-4,6/1 ? * MON-SAT *)" },
                    { ...HOURLY, schedule: "cron(0 6-23 ? * 1 *)" },
                ],
            },
        ],
        ...[
            "cron(0 0/12 * * ? *)",
            "cron(0 1 ? * SUN *)",
            "cron(0 1 1 * ? *)",
            "rate(100 minutes)",
            "daily",
        ].map((schedule): Case => [
            { "dailyPlan props rules 0 schedule": schedule },
            [`dailyPlan: daily: runs by ${schedule}, expected hourly or daily`],
        ]),
        [{ "dailyPlan props rules 0 schedule": "rate(1 day)" }],
        // On two days a week a day apart.
        [
            { "dailyPlan props rules 0 schedule": "cron(0 1 ? * SUN,MON *)" },
            ["dailyPlan: daily: runs by cron(0 1 ? * SUN,MON *), expected hourly or daily"],
        ],
        ...[undefined, "UTC"].map((zone): Case => [
            { "dailyPlan props rules 0 scheduleExpressionTimezone": zone },
            [`dailyPlan: daily: scheduleExpressionTimezone is ${zone ?? "not set"}, expected Asia/Kolkata`],
        ]),
        [
            { "dailyPlan props rules 0 scheduleExpressionTimezone": UNKNOWN },
            [unknown("dailyPlan: rules.0.scheduleExpressionTimezone")],
        ],
        [
            { "dailyPlan props rules 1": HOURLY },
            ["dailyPlan: starts jobs up to 480 minutes late, when the next one is due already"],
        ],
        [
            { "hourlyPlan props rules 0 startWindow": 61 },
            ["hourlyPlan: starts jobs up to 61 minutes late, when the next one is due already"],
        ],
        [
            {
                "dailyPlan props rules 0 schedule": UNKNOWN,
                "hourlyPlan props rules 0 lifecycle deleteAfter": 0,
            },
            [
                "hourlyPlan: hourly: is kept for 0 days, expected 1",
                unknown("dailyPlan: rules.0.schedule"),
                unknown("dailyPlan: rules.0.schedule"),
            ],
        ],
    ],
    "aws-rds-instance-require-backup": [
        [{ hourlySelection: undefined }, ["database: no hourly plan of AWS Backup saves it"]],
        [{ dailyPlan: undefined }, ["database: no daily plan of AWS Backup saves it"]],
        [
            { dailyPlan: undefined, hourlyPlan: undefined },
            ["hourly", "daily"].map((kind) => `database: no ${kind} plan of AWS Backup saves it`),
        ],
        [
            { "dailySelection props resources 0": "arn:aws:rds:ap-south-1:111111111111:db:other" },
            ["database: no daily plan of AWS Backup saves it"],
        ],
        [{ "dailySelection props planId": "hourly" }, ["database: no daily plan of AWS Backup saves it"]],
        [{ dailySelection: undefined, "database tier": "trial" }],
        // What services do not use is no loss.
        [{ dailySelection: undefined, databaseSecret: undefined }],
        // Before they exist, what the plan's id and the instance's ARN come from tells.
        [
            {
                "dailySelection props planId": UNKNOWN,
                "dailySelection props resources": [UNKNOWN],
                "dailySelection from": { planId: ["dailyPlan"], resources: ["database"] },
            },
        ],
        [{ "dailySelection props planId": UNKNOWN }, [unknown("database: planId")]],
        // The hours of the instance's windows, in UTC in there, those before, and that of the daily snapshot are left out.
        ...(
            [
                ["0 0,2-3,6-23 ? * MON-SAT *", "0 0,6-23 ? * SUN *", undefined],
                [
                    "0 0,2-3,6-22 ? * MON-SAT *",
                    "0 0,6-23 ? * SUN *",
                    "MON 23:00, and 5 more hours of the week",
                ],
                ["0 0,2-3,6-23 ? * MON-SAT *", "0 0,7-23 ? * SUN *", "SUN 06:00"],
                ["0 0,2-3,6-23 ? * MON-SAT *", "0 6-23 ? * SUN *", "SUN 00:00"],
                [
                    "0 0,2-3,8 ? * MON-SAT *",
                    "0 0,6-23 ? * SUN *",
                    "MON 06:00, and 101 more hours of the week",
                ],
                ["0 0,3,6-23 ? * MON-SAT *", "0 0,6-23 ? * SUN *", "MON 02:00, and 5 more hours of the week"],
            ] as const
        ).map(([weekdays, sunday, left]): Case => [
            {
                "hourlyPlan props rules": [weekdays, sunday].map((cron) => ({
                    ...HOURLY,
                    schedule: `cron(${cron})`,
                })),
            },
            left === undefined ? [] : [`database: its hourly plan leaves out ${left}`],
        ]),
        // AWS has not chosen its windows yet.
        [
            {
                "database props backupWindow": UNKNOWN,
                "hourlyPlan props rules 0 schedule": "cron(0 0-4,6-23 ? * * *)",
            },
            [unknown("database: backupWindow")],
        ],
        [
            { "dailySelection props resources": UNKNOWN, hourlySelection: undefined },
            [unknown("database: resources"), unknown("database: resources")],
        ],
    ],
    "aws-iam-policy-disallow-escalation": [
        ...["iam:PutRolePolicy", "iam:CreateAccessKey", "IAM:AttachUserPolicy", "iam:PassRole"].map(
            (Action): Case => [
                {
                    "rolePolicy props policy": policy({
                        Effect: "Allow",
                        Action,
                        Resource: "arn:aws:iam::1:role/x",
                    }),
                },
                [`rolePolicy: allows ${Action}`],
            ],
        ),
        [
            {
                "rolePolicy props policy": policy({
                    Effect: "Allow",
                    Action: ["iam:PassRole", "iam:GetRole"],
                    Resource: "arn:aws:iam::1:role/x",
                    Condition: { StringEquals: { "iam:PassedToService": "backup.amazonaws.com" } },
                }),
            },
        ],
        [
            {
                "rolePolicy props policy": policy({
                    Effect: "Deny",
                    Action: "iam:PutRolePolicy",
                    Resource: "*",
                }),
            },
        ],
        [
            {
                attachment: {
                    type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                    props: { policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" },
                },
            },
            ["attachment: attaches arn:aws:iam::aws:policy/AdministratorAccess"],
        ],
        [
            {
                attachment: {
                    type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                    props: {
                        policyArn: "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
                    },
                },
            },
        ],
        [{ "rolePolicy props policy": UNKNOWN }, [unknown("rolePolicy: policy")]],
    ],
};
