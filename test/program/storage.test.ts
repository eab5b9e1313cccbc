import assert from "node:assert/strict";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { BACKUPS, LOG_RETENTION_DAYS } from "../../core/numbers";
import { changesOf, linesOf, only, recordStack } from "../support";

const BUCKET = "aws:s3/bucket:Bucket";
const LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
const LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration";
const KEY = "aws:kms/key:Key";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const shown = (resource: RecordedResource): any => displayed(resource.inputs as never);
const inputsOf = (recording: Recording, type: string, name: string) => shown(only(recording, type, name));

describe("the buckets", () => {
    const recordings: Record<string, Recording> = {};
    before(async () => {
        for (const stack of ["production", "staging"]) {
            recordings[stack] = await recordStack(stack);
        }
    });

    for (const stack of ["production", "staging"]) {
        it(`of ${stack} are all versioned, encrypted with a separate key, private and TLS only`, () => {
            const { resources } = recordings[stack]!;
            // The one that ElastiCache writes to has separate tests.
            const buckets = resources.filter(
                ({ type, name }) => type === BUCKET && !name.endsWith("-redis-backup"),
            );
            assert.equal(buckets.length, 2);
            for (const bucket of buckets) {
                const { bucket: name, forceDestroy } = shown(bucket);
                assert.equal(forceDestroy, false);
                const of = (type: string) => {
                    const found = resources.filter(
                        (each) =>
                            each.type === `aws:s3/${type[0]!.toLowerCase()}${type.slice(1)}:${type}` &&
                            each.inputs["bucket"] === name,
                    );
                    assert.equal(found.length, 1, `${found.length} ${type} of ${name}`);
                    return found[0]!;
                };
                assert.equal(shown(of("BucketVersioning")).versioningConfiguration.status, "Enabled");
                const encryption = of("BucketServerSideEncryptionConfiguration");
                const [rule] = shown(encryption).rules;
                assert.equal(rule.applyServerSideEncryptionByDefault.sseAlgorithm, "aws:kms");
                assert.ok(encryption.dependencies.some((urn) => urn.includes(KEY)));
                assert.deepEqual(shown(of("BucketPublicAccessBlock")), {
                    bucket: name,
                    blockPublicAcls: true,
                    blockPublicPolicy: true,
                    ignorePublicAcls: true,
                    restrictPublicBuckets: true,
                });
                assert.equal(
                    shown(of("BucketOwnershipControls")).rule.objectOwnership,
                    "BucketOwnerEnforced",
                );
                const [deny] = JSON.parse(shown(of("BucketPolicy")).policy).Statement;
                assert.deepEqual(
                    [deny.Effect, deny.Principal, deny.Action, deny.Resource, deny.Condition],
                    [
                        "Deny",
                        "*",
                        "s3:*",
                        [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
                        { Bool: { "aws:SecureTransport": "false" } },
                    ],
                );
                for (const { noncurrentVersionExpiration, abortIncompleteMultipartUpload, status } of shown(
                    of("BucketLifecycleConfiguration"),
                ).rules) {
                    assert.equal(status, "Enabled");
                    assert.ok(noncurrentVersionExpiration.noncurrentDays >= 1);
                    assert.equal(abortIncompleteMultipartUpload.daysAfterInitiation, 7);
                }
            }
        });
    }

    it("keep backups as long as the runbook's table says, and the weekly ones in Glacier", () => {
        const { rules, transitionDefaultMinimumObjectSize } = inputsOf(
            recordings["production"]!,
            LIFECYCLE,
            "mcp-production-backups",
        );
        const kept = Object.fromEntries(
            rules.map((rule: any) => [
                rule.filter.prefix,
                [rule.expiration?.days, ...rule.transitions.map((each: any) => each.storageClass)],
            ]),
        );
        assert.deepEqual(kept, {
            "daily/": [BACKUPS.postgresql.daily.retentionDays],
            "weekly/": [BACKUPS.postgresql.weekly.retentionDays, "GLACIER"],
            "kubernetes/": [BACKUPS.kubernetes.retentionDays],
            "manual/": [undefined],
        });
        assert.deepEqual(
            [30, 365, 90],
            [
                BACKUPS.postgresql.daily.retentionDays,
                BACKUPS.postgresql.weekly.retentionDays,
                BACKUPS.kubernetes.retentionDays,
            ],
        );
        assert.equal(transitionDefaultMinimumObjectSize, "varies_by_storage_class");
        // What is overwritten or given up goes, too.
        for (const { noncurrentVersionExpiration, abortIncompleteMultipartUpload } of rules) {
            assert.deepEqual(noncurrentVersionExpiration, { noncurrentDays: 7 });
            assert.deepEqual(abortIncompleteMultipartUpload, { daysAfterInitiation: 7 });
        }
    });

    it("are protected in production, and not in staging", () => {
        for (const [stack, expected] of Object.entries({ production: true, staging: undefined })) {
            const { resources } = recordings[stack]!;
            const own = resources.filter(
                ({ type, name }) => (type === BUCKET || type === KEY) && /-(audit|backups)$/.test(name),
            );
            assert.equal(own.length, 4);
            assert.deepEqual(
                own.map(({ options }) => options.protect),
                own.map(() => expected),
            );
        }
    });
});

describe("what holds data", () => {
    it("is protected: removing it from production is refused", async () => {
        const production = await recordStack("production");
        const refused = compare(production, { ...production, resources: [] }).filter(
            (change) => change.refused,
        );
        const stores = [
            BUCKET,
            "aws:rds/instance:Instance",
            "aws:elasticache/replicationGroup:ReplicationGroup",
        ];
        assert.deepEqual(
            refused
                .filter(({ resource: { type } }) => stores.includes(type))
                .map(({ operation, resource: { name } }) => `${operation} ${name}`)
                .sort(),
            [
                "delete mcp-production",
                "delete mcp-production-audit",
                "delete mcp-production-backups",
                "delete mcp-production-cache",
                "delete mcp-production-redis-backup",
            ],
        );
    });
});

describe("the audit archive", () => {
    let production: Recording;
    let staging: Recording;
    before(async () => {
        production = await recordStack("production");
        staging = await recordStack("staging");
    });

    it("keeps every event for seven years in production, and a trial's for days", () => {
        assert.equal(inputsOf(production, BUCKET, "mcp-production-audit").objectLockEnabled, true);
        assert.deepEqual(inputsOf(production, LOCK, "mcp-production-audit").rule, {
            defaultRetention: { mode: "COMPLIANCE", years: 7 },
        });
        assert.deepEqual(inputsOf(staging, LOCK, "mcp-staging-audit").rule, {
            defaultRetention: { mode: "GOVERNANCE", days: 7 },
        });
    });

    it("grows colder with time and never expires", () => {
        const [rule, ...others] = inputsOf(production, LIFECYCLE, "mcp-production-audit").rules;
        assert.deepEqual(others, []);
        assert.deepEqual(rule.transitions, [
            { days: 90, storageClass: "GLACIER_IR" },
            { days: 365, storageClass: "DEEP_ARCHIVE" },
        ]);
        assert.equal(rule.expiration, undefined);
        assert.deepEqual(inputsOf(staging, LIFECYCLE, "mcp-staging-audit").rules[0].transitions, []);
    });

    it("has a key that cannot be deleted, in production", () => {
        const denied = (recording: Recording, name: string) =>
            JSON.parse(inputsOf(recording, KEY, name).policy)
                .Statement.filter(({ Effect }: { Effect: string }) => Effect === "Deny")
                .flatMap(({ Action, Principal }: any) => [Principal, ...Action]);
        assert.deepEqual(denied(production, "mcp-production-audit"), [
            "*",
            "kms:DisableKey",
            "kms:ScheduleKeyDeletion",
        ]);
        assert.deepEqual(denied(staging, "mcp-staging-audit"), []);
    });

    it("is filled from a log group that can be searched for a year", () => {
        const group = inputsOf(production, "aws:cloudwatch/logGroup:LogGroup", "mcp-production-audit");
        assert.deepEqual(
            [group.name, group.retentionInDays, group.skipDestroy],
            ["/mcp/production/audit", LOG_RETENTION_DAYS, true],
        );
        assert.equal(LOG_RETENTION_DAYS, 365);
        const filter = inputsOf(
            production,
            "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
            "mcp-production-audit",
        );
        assert.deepEqual([filter.logGroup, filter.filterPattern], ["/mcp/production/audit", ""]);
    });

    it("is written an event a line, unpacked, by the day of the runbook's zone", () => {
        const { extendedS3Configuration: to, serverSideEncryption } = inputsOf(
            production,
            "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
            "mcp-production-audit",
        );
        assert.deepEqual(
            to.processingConfiguration.processors.map(({ type }: { type: string }) => type),
            ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"],
        );
        assert.equal(to.bucketArn, "arn:aws:s3:::msil-mcp-audit");
        assert.equal(to.customTimeZone, "Asia/Kolkata");
        assert.equal(serverSideEncryption.keyType, "CUSTOMER_MANAGED_CMK");
    });

    it("lets each service do its part, for this account and this log group alone", () => {
        const trust = (name: string) =>
            JSON.parse(inputsOf(production, "aws:iam/role:Role", name).assumeRolePolicy).Statement[0];
        assert.deepEqual(trust("mcp-production-audit-writer").Condition, {
            StringEquals: { "sts:ExternalId": "000000000000" },
        });
        assert.deepEqual(trust("mcp-production-audit-sender").Condition, {
            ArnLike: {
                "aws:SourceArn": "arn:aws:logs:ap-south-1:000000000000:log-group:/mcp/production/audit*",
            },
        });
        const rights = inputsOf(production, "aws:iam/rolePolicy:RolePolicy", "mcp-production-audit-sender");
        assert.deepEqual(JSON.parse(rights.policy).Statement, [
            {
                Effect: "Allow",
                Action: ["firehose:PutRecord", "firehose:PutRecordBatch"],
                Resource: ["arn:aws:firehose:ap-south-1:000000000000:deliverystream/mcp-production-audit"],
            },
        ]);
    });

    it("keeps its bucket when its retention grows", async () => {
        const changes = await changesOf("production", "mcp:archive.retention.years=10");
        assert.deepEqual(linesOf(changes), [`update ${LOCK} mcp-production-audit`]);
    });
});
