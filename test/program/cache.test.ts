import assert from "node:assert/strict";
import { cacheSnapshotMachine } from "../../components/backup/cacheSnapshotMachine";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { BACKUPS, CACHE, LOG_RETENTION_DAYS, TIME_ZONE } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack, recordWithOutputs } from "../support";
import { arnOf, outputsOf } from "./deliveryPaths";

const GROUP = "aws:elasticache/replicationGroup:ReplicationGroup";
const BACKUP = "mcp-production-redis-backup";
const KEY = "aws:kms/key:Key";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);
const picked = (inputs: any, ...keys: string[]) => Object.fromEntries(keys.map((key) => [key, inputs[key]]));

describe("the cache", () => {
    let production: Recording;
    let staging: Recording;
    before(async () => {
        production = await recordStack("production");
        staging = await recordStack("staging");
    });

    it("of production is protected, in two zones, behind TLS and a token, encrypted under its own key", () => {
        const { options, propertyDependencies, inputs } = only(production, GROUP, "mcp-production-cache");
        assert.equal(options.protect, true);
        assert.ok(
            propertyDependencies["kmsKeyId"]!.some((urn) => urn.endsWith(`${KEY}::mcp-production-cache`)),
        );
        assert.equal(only(production, KEY, "mcp-production-cache").options.protect, true);
        const expected = {
            replicationGroupId: "mcp-production",
            engine: "redis",
            engineVersion: "7.1",
            numCacheClusters: 2,
            automaticFailoverEnabled: true,
            multiAzEnabled: true,
            port: CACHE.port,
            transitEncryptionEnabled: true,
            transitEncryptionMode: "required",
            authTokenUpdateStrategy: "ROTATE",
            atRestEncryptionEnabled: true,
            maintenanceWindow: "sat:20:30-sat:22:30",
            applyImmediately: false,
            snapshotRetentionLimit: 0,
        };
        const group = displayed(inputs as never) as any;
        assert.deepEqual(picked(group, ...Object.keys(expected)), expected);
        assert.deepEqual(
            propertyDependencies["authToken"]!.map((urn) => urn.split("::").slice(-1)),
            [["mcp-production-cache"]],
        );
    });

    it("of staging is one node that can go", () => {
        const group = inputsOf(staging, GROUP, "mcp-staging-cache");
        assert.deepEqual(picked(group, "numCacheClusters", "automaticFailoverEnabled", "multiAzEnabled"), {
            numCacheClusters: 1,
            automaticFailoverEnabled: false,
            multiAzEnabled: false,
        });
        assert.equal(only(staging, GROUP, "mcp-staging-cache").options.protect, undefined);
    });

    it("admits the cluster only", () => {
        const [rule, ...others] = production.resources.filter(
            ({ type, name }) => type.startsWith("aws:vpc/securityGroup") && name === "mcp-production-cache",
        );
        assert.deepEqual(others, []);
        assert.deepEqual(
            [rule!.inputs["fromPort"], rule!.inputs["toPort"], "cidrIpv4" in rule!.inputs],
            [6379, 6379, false],
        );
        const group = inputsOf(production, "aws:ec2/securityGroup:SecurityGroup", "mcp-production-cache");
        assert.equal("ingress" in group, false);
    });

    it("is reached by pods with its URL, through a policy that allows its port", () => {
        for (const name of ["mcp-server-blue", "mcp-server-green"]) {
            const { spec } = inputsOf(production, "kubernetes:apps/v1:Deployment", name).spec.template;
            const projected = spec.volumes.find((volume: any) => volume.name === "secrets").projected;
            const source = projected.sources.find((each: any) => each.secret.name === CACHE.secret);
            assert.deepEqual(source.secret.items, [{ key: CACHE.secretKey, path: "REDIS_URL" }]);
        }
        const { spec } = inputsOf(production, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "mcp-server");
        assert.ok(spec.egress.some(({ ports }: any) => ports?.some(({ port }: any) => port === CACHE.port)));
        const secret = only(production, "kubernetes:core/v1:Secret", CACHE.secret);
        assert.ok(secret.dependencies.some((urn) => urn.endsWith(`${GROUP}::mcp-production-cache`)));
    });

    it("is patched when the values say, in the zone of the runbook", async () => {
        const window = "mcp:cache.maintenanceWindow";
        const recording = await recordStack(
            "production",
            `${window}.weekday=mon`,
            `${window}.start=03:00`,
            `${window}.end=04:00`,
        );
        const { maintenanceWindow } = inputsOf(recording, GROUP, "mcp-production-cache");
        assert.equal(maintenanceWindow, "sun:21:30-sun:22:30");
    });

    it("grows by an update, without another in its place", async () => {
        const changes = await changesOf(
            "production",
            "mcp:cache.nodeType=cache.r7g.xlarge",
            "mcp:cache.replicas=2",
        );
        // Each node has separate alarms.
        const others = changes.filter(({ resource }) => !resource.type.startsWith("aws:cloudwatch/"));
        assert.deepEqual(linesOf(others), [`update ${GROUP} mcp-production-cache`]);
    });
});

describe("the snapshots of the cache", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    it("are taken every six hours by the clock of the runbook's zone", () => {
        const schedule = inputsOf(production, "aws:scheduler/schedule:Schedule", BACKUP);
        assert.deepEqual(
            picked(
                schedule,
                "scheduleExpression",
                "scheduleExpressionTimezone",
                "flexibleTimeWindow",
                "state",
            ),
            {
                scheduleExpression: "cron(0 0/6 * * ? *)",
                scheduleExpressionTimezone: TIME_ZONE,
                flexibleTimeWindow: { mode: "OFF" },
                state: undefined,
            },
        );
        assert.equal(BACKUPS.redis.everyHours, 6);
        assert.equal(schedule.target.retryPolicy.maximumEventAgeInSeconds, 3600);
    });

    it("are taken by the machine that is tested, once all it needs is there", () => {
        const { definition, loggingConfiguration, tracingConfiguration } = inputsOf(
            production,
            "aws:sfn/stateMachine:StateMachine",
            BACKUP,
        );
        assert.deepEqual(
            JSON.parse(definition),
            cacheSnapshotMachine({ group: "mcp-production", bucket: "msil-mcp-redis" }),
        );
        assert.deepEqual([loggingConfiguration.level, tracingConfiguration.enabled], ["ALL", true]);
        const { dependencies } = only(production, "aws:sfn/stateMachine:StateMachine", BACKUP);
        for (const type of ["aws:s3/bucketPolicy:BucketPolicy", "aws:iam/rolePolicy:RolePolicy"]) {
            assert.ok(
                dependencies.some((urn) => urn.endsWith(`${type}::${BACKUP}`)),
                type,
            );
        }
        const log = inputsOf(production, "aws:cloudwatch/logGroup:LogGroup", BACKUP);
        assert.deepEqual(
            [log.name, log.retentionInDays],
            [`/aws/vendedlogs/states/${BACKUP}`, LOG_RETENTION_DAYS],
        );
        const { policy } = inputsOf(production, KEY, "mcp-production-cache");
        assert.ok(policy.includes(`log-group:/aws/vendedlogs/states/${BACKUP}*`));
    });

    it("may be taken of this group, removed if the schedule took them, and put into this bucket", async () => {
        const recording = await recordWithOutputs("production", outputsOf);
        const { policy } = inputsOf(recording, "aws:iam/rolePolicy:RolePolicy", BACKUP);
        const arn = (resource: string) => `arn:aws:elasticache:ap-south-1:000000000000:${resource}`;
        // A restored group may take the place of the first.
        const names = ["mcp-production", "mcp-production-recovery"];
        const groups = names.map((name) => arn(`replicationgroup:${name}`));
        const scheduled = names.map((name) => arn(`snapshot:${name}-scheduled-*`));
        const bucket = "arn:aws:s3:::msil-mcp-redis";
        const key = arnOf(KEY, "mcp-production-cache");
        assert.deepEqual(
            JSON.parse(policy)
                .Statement.slice(0, -1)
                .map(({ Action, Resource }: any) => [Action, Resource]),
            [
                [["elasticache:CreateSnapshot"], [...groups, ...scheduled]],
                [["elasticache:CopySnapshot", "elasticache:DeleteSnapshot"], scheduled],
                [["elasticache:DescribeSnapshots"], [arn("snapshot:*")]],
                [["kms:DescribeKey"], [key]],
                [["kms:CreateGrant"], [key]],
                [["s3:ListAllMyBuckets"], ["*"]],
                [["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListBucket"], [bucket]],
                [["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [`${bucket}/*`]],
            ],
        );
    });

    it("go to a dedicated private bucket, which ElastiCache writes to, for as long as the runbook says", () => {
        const bucket = inputsOf(production, "aws:s3/bucket:Bucket", BACKUP);
        assert.deepEqual([bucket.bucket, bucket.forceDestroy], ["msil-mcp-redis", false]);
        assert.equal(only(production, "aws:s3/bucket:Bucket", BACKUP).options.protect, true);
        const of = (type: string) => {
            const token = `aws:s3/${type[0]!.toLowerCase()}${type.slice(1)}:${type}`;
            return inputsOf(production, token, BACKUP);
        };
        assert.equal(of("BucketVersioning").versioningConfiguration.status, "Enabled");
        assert.equal(of("BucketPublicAccessBlock").restrictPublicBuckets, true);
        assert.ok(of("BucketPolicy").policy.includes("aws:SecureTransport"));
        const [encryption] = of("BucketServerSideEncryptionConfiguration").rules;
        assert.equal(encryption.applyServerSideEncryptionByDefault.sseAlgorithm, "AES256");
        assert.equal(of("BucketOwnershipControls").rule.objectOwnership, "BucketOwnerEnforced");
        assert.deepEqual(
            JSON.parse(of("BucketPolicy").policy)
                .Statement.filter(({ Effect }: any) => Effect === "Allow")
                .map(({ Principal, Action, Resource }: any) => [Principal.Service, Action, Resource]),
            [
                [
                    "ap-south-1.elasticache-snapshot.amazonaws.com",
                    ["s3:GetBucketAcl", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                    ["arn:aws:s3:::msil-mcp-redis"],
                ],
                [
                    "ap-south-1.elasticache-snapshot.amazonaws.com",
                    ["s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
                    ["arn:aws:s3:::msil-mcp-redis/*"],
                ],
            ],
        );
        const [rule, ...others] = of("BucketLifecycleConfiguration").rules;
        assert.deepEqual(others, []);
        assert.deepEqual(
            [rule.filter.prefix, rule.expiration.days, rule.noncurrentVersionExpiration.noncurrentDays],
            ["", BACKUPS.redis.retentionDays, 1],
        );
        assert.equal(BACKUPS.redis.retentionDays, 7);
    });

    it("tell the people of P2 when a run fails", () => {
        const { eventPattern } = inputsOf(
            production,
            "aws:cloudwatch/eventRule:EventRule",
            `${BACKUP}-failed`,
        );
        assert.deepEqual(JSON.parse(eventPattern), {
            source: ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            detail: {
                stateMachineArn: [`arn:aws:states:ap-south-1:000000000000:stateMachine:${BACKUP}`],
                status: ["FAILED", "TIMED_OUT", "ABORTED"],
            },
        });
        const target = only(production, "aws:cloudwatch/eventTarget:EventTarget", `${BACKUP}-failed`);
        assert.ok(target.propertyDependencies["arn"]!.some((urn) => urn.endsWith("-incidents-p2")));
        const { inputPaths, inputTemplate } = (displayed(target.inputs as never) as any).inputTransformer;
        const parts = [...inputTemplate.matchAll(/<([a-z]+)>/g)].map(([, part]) => part);
        assert.deepEqual([...new Set(parts)].sort(), Object.keys(inputPaths).sort());
        // AWS puts a part into the sentence as it is: free text could end it.
        assert.equal(Object.values(inputPaths).includes("$.detail.cause"), false);
    });
});

describe("a cache that is restored", () => {
    const FILE = "mcp-production-scheduled-20260131003000000-0001.rdb";
    const RESTORED = "mcp-production-cache-recovery";

    it("is a second group like the first, from a file of the bucket or a snapshot", async () => {
        const recording = await recordStack("production", `mcp:cacheRecovery.snapshot=${FILE}`);
        const group = inputsOf(recording, GROUP, RESTORED);
        const { snapshotArns, ...rest } = group;
        assert.deepEqual(snapshotArns, [`arn:aws:s3:::msil-mcp-redis/${FILE}`]);
        const first = inputsOf(recording, GROUP, "mcp-production-cache");
        const own = { replicationGroupId: "mcp-production-recovery" };
        assert.deepEqual(
            { ...rest, finalSnapshotIdentifier: undefined },
            { ...first, finalSnapshotIdentifier: undefined, ...own },
        );
        assert.equal(only(recording, GROUP, RESTORED).options.protect, true);
        const named = await recordStack("production", "mcp:cacheRecovery.snapshot=mcp-production-before");
        assert.equal(inputsOf(named, GROUP, RESTORED).snapshotName, "mcp-production-before");
    });

    it("is what the services use, what is saved and what is watched, once it is active", async () => {
        const recording = await recordStack(
            "production",
            `mcp:cacheRecovery.snapshot=${FILE}`,
            "mcp:cache.active=recovery",
        );
        const secret = only(recording, "kubernetes:core/v1:Secret", CACHE.secret);
        assert.ok(secret.propertyDependencies["stringData"]!.some((urn) => urn.endsWith(`::${RESTORED}`)));
        // Its keys are counted before.
        assert.ok(secret.dependencies.some((urn) => urn.includes("::mcp-cache-compare-")));
        const { definition } = inputsOf(recording, "aws:sfn/stateMachine:StateMachine", BACKUP);
        assert.deepEqual(
            JSON.parse(definition),
            cacheSnapshotMachine({ group: "mcp-production-recovery", bucket: "msil-mcp-redis" }),
        );
        const alarm = "mcp-production-cache-silent-001";
        const { dimensions } = inputsOf(recording, "aws:cloudwatch/metricAlarm:MetricAlarm", alarm);
        assert.deepEqual(dimensions, { CacheClusterId: "mcp-production-recovery-001" });
    });
});
