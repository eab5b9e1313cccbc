import assert from "node:assert/strict";
import { cacheSnapshotMachine } from "../../components/backup/cacheSnapshotMachine";
import { BACKUPS } from "../../core/numbers";
import { execute, type Fake, type Run, TaskError } from "./interpreter";

const GROUP = "mcp-production";
const BUCKET = "msil-mcp-redis";
const START = "2026-02-01T00:30:00.000Z";
const SNAPSHOT = "mcp-production-scheduled-20260201003000000";
const TAKING = 150;
const COPYING = 200;
const HOUR = 3600;

const call = (action: string) => `arn:aws:states:::aws-sdk:${action}`;
const CREATE = call("elasticache:createSnapshot");
const DESCRIBE = call("elasticache:describeSnapshots");
const COPY = call("elasticache:copySnapshot");
const DELETE = call("elasticache:deleteSnapshot");
const LIST = call("s3:listObjectsV2");

const error = (name: string) => new TaskError(`ElastiCache.${name}Exception`, "why");

/** Fails so many times before it does what it would. */
function failing(times: number, name: string, then: Fake): Fake {
    let left = times;
    return (...args) => {
        if (left-- > 0) {
            throw error(name);
        }
        return then(...args);
    };
}

/** ElastiCache and S3 as far as a run sees them: a snapshot and its copy take their time. */
function aws(others: string[] = [], pageSize = 50) {
    const snapshots = [...others];
    const taken = new Map<string, number>();
    const copied = new Map<string, number>();
    const fakes: Record<string, Fake> = {
        [CREATE]: ({ ReplicationGroupId, SnapshotName }, { seconds }) => {
            assert.equal(ReplicationGroupId, GROUP);
            if (snapshots.includes(SnapshotName)) {
                throw error("SnapshotAlreadyExists");
            }
            snapshots.push(SnapshotName);
            taken.set(SnapshotName, seconds + TAKING);
            return { Snapshot: { SnapshotStatus: "creating" } };
        },
        [DESCRIBE]: (
            { SnapshotName, ReplicationGroupId, SnapshotSource, MaxRecords, Marker },
            { seconds },
        ) => {
            if (SnapshotName !== undefined) {
                const status = seconds < taken.get(SnapshotName)! ? "creating" : "available";
                return { Snapshots: [{ SnapshotName, SnapshotStatus: status }] };
            }
            // "user" is what AWS calls those that it did not take by itself.
            assert.deepEqual([ReplicationGroupId, SnapshotSource, MaxRecords], [GROUP, "user", 50]);
            const from = Number(Marker ?? 0);
            const page = snapshots.slice(from, from + pageSize).map((name) => ({ SnapshotName: name }));
            const more = from + pageSize < snapshots.length ? String(from + pageSize) : "";
            return { Snapshots: page, Marker: more };
        },
        [COPY]: ({ SourceSnapshotName, TargetSnapshotName, TargetBucket }, { seconds }) => {
            assert.deepEqual([SourceSnapshotName, TargetBucket], [TargetSnapshotName, BUCKET]);
            assert.ok(seconds >= taken.get(SourceSnapshotName)!, "copied before it was taken");
            copied.set(TargetSnapshotName, seconds + COPYING);
            return {};
        },
        [LIST]: ({ Bucket, Prefix }, { seconds }) => {
            assert.equal(Bucket, BUCKET);
            const there = seconds >= (copied.get(Prefix) ?? Infinity);
            return there ? { Contents: [{ Key: `${Prefix}-0001.rdb`, Size: 4096 }] } : {};
        },
        [DELETE]: () => ({}),
    };
    return fakes;
}

const run = async (fakes: Record<string, Fake>) =>
    execute(cacheSnapshotMachine({ group: GROUP, bucket: BUCKET }), { fakes, time: START });
const deleted = ({ calls }: Run) =>
    calls.filter(({ resource }) => resource === DELETE).map((each) => each.arguments.SnapshotName);
const times = ({ calls }: Run, resource: string) =>
    calls.filter((each) => each.resource === resource).map(({ seconds }) => seconds);

describe("the snapshots of Redis", () => {
    it("are taken, awaited, copied, and looked for in the bucket", async () => {
        const done = await run(aws());
        assert.deepEqual([done.status, done.output], ["SUCCEEDED", { snapshot: SNAPSHOT }]);
        assert.deepEqual(
            done.calls.map((each) => each.resource.split(":").at(-1)),
            [
                "createSnapshot",
                ...["describeSnapshots", "describeSnapshots", "describeSnapshots"],
                "copySnapshot",
                ...["listObjectsV2", "listObjectsV2", "listObjectsV2", "listObjectsV2"],
                "describeSnapshots",
            ],
        );
        assert.equal(done.seconds, 3 * 60 + 4 * 60);
    });

    it("have unique names, by the millisecond their run began", async () => {
        for (const [time, name] of Object.entries({
            "2026-02-01T00:30:00Z": SNAPSHOT,
            "2026-02-01T00:30:00.007Z": "mcp-production-scheduled-20260201003000007",
        })) {
            const machine = cacheSnapshotMachine({ group: GROUP, bucket: BUCKET });
            const { output } = await execute(machine, { fakes: aws(), time });
            assert.deepEqual(output, { snapshot: name });
        }
    });

    it("fail if AWS does not take one", async () => {
        const failed = await run({
            ...aws(),
            [DESCRIBE]: () => ({ Snapshots: [{ SnapshotStatus: "failed" }] }),
        });
        assert.deepEqual(
            [failed.status, failed.error, failed.cause],
            ["FAILED", "SnapshotFailed", `${SNAPSHOT} ended as failed`],
        );
        assert.deepEqual([times(failed, COPY), deleted(failed)], [[], []]);
    });

    it("fail if the copy is refused, and remove nothing then", async () => {
        const fakes = {
            ...aws([`${GROUP}-scheduled-20260101003000000`]),
            [COPY]: failing(99, "SnapshotQuotaExceeded", () => ({})),
        };
        const failed = await run(fakes);
        assert.deepEqual(
            [failed.status, failed.error],
            ["FAILED", "ElastiCache.SnapshotQuotaExceededException"],
        );
        assert.deepEqual(deleted(failed), []);
    });

    it("fail if the copy does not come within two hours, or is empty, and remove nothing then", async () => {
        const old = [`${GROUP}-scheduled-20260101003000000`];
        const contents = [
            {},
            { Contents: [] },
            { Contents: [{ Key: `${SNAPSHOT}-0001.rdb`, Size: 0 }] },
            { Contents: [{ Key: `${SNAPSHOT}.test`, Size: 8 }] },
        ];
        for (const content of contents) {
            const failed = await run({ ...aws(old), [LIST]: () => content });
            assert.deepEqual(
                [failed.status, failed.error, failed.cause],
                ["FAILED", "CopyMissing", `${SNAPSHOT} is not in the bucket ${BUCKET}`],
            );
            assert.equal(failed.seconds, 3 * 60 + 2 * HOUR);
            assert.deepEqual(deleted(failed), []);
        }
    });

    it("are tried again when AWS has had too many requests", async () => {
        for (const resource of [CREATE, DESCRIBE, COPY]) {
            const fakes = aws();
            const throttled = await run({
                ...fakes,
                [resource]: failing(6, "ElastiCache", fakes[resource]!),
            });
            assert.equal(throttled.status, "SUCCEEDED", resource);
            const [first, second] = times(throttled, resource);
            assert.equal(second! - first!, 5);
            const more = aws();
            const failed = await run({ ...more, [resource]: failing(7, "ElastiCache", more[resource]!) });
            assert.equal(failed.error, "ElastiCache.ElastiCacheException", resource);
        }
    });

    it("wait while the group is busy, for an hour", async () => {
        const fakes = aws();
        const busy = "InvalidReplicationGroupState";
        const waited = await run({ ...fakes, [CREATE]: failing(12, busy, fakes[CREATE]!) });
        assert.equal(waited.status, "SUCCEEDED");
        assert.deepEqual(times(waited, CREATE).at(-1), HOUR);
        const failed = await run({ ...aws(), [CREATE]: failing(13, busy, () => ({})) });
        assert.equal(failed.error, "ElastiCache.InvalidReplicationGroupStateException");
    });

    it("go on when an answer was lost and what was asked for is there", async () => {
        const fakes = aws();
        const lost =
            (resource: string): Fake =>
            (...args) => {
                fakes[resource]!(...args);
                throw error("SnapshotAlreadyExists");
            };
        const done = await run({ ...fakes, [CREATE]: lost(CREATE), [COPY]: lost(COPY) });
        assert.deepEqual([done.status, done.output], ["SUCCEEDED", { snapshot: SNAPSHOT }]);
    });

    it("are given up before the next run, which AWS may start an hour late", async () => {
        const endless = await run({
            ...aws(),
            [DESCRIBE]: () => ({ Snapshots: [{ SnapshotStatus: "creating" }] }),
        });
        assert.deepEqual([endless.status, endless.seconds], ["TIMED_OUT", 5 * HOUR]);
        assert.equal(endless.seconds + HOUR, BACKUPS.redis.everyHours * HOUR);
    });

    it("go after a day, if the schedule took them: never what people took, nor another group's", async () => {
        const scheduled = (time: string) => `${GROUP}-scheduled-${time}`;
        const old = [scheduled("20260131002959999"), scheduled("20251231003000000")];
        const kept = [
            scheduled("20260131003000000"),
            scheduled("20260131183000000"),
            "before-upgrade",
            `${GROUP}-before-upgrade`,
            scheduled("before-upgrade"),
            scheduled("20250101"),
            `${scheduled("20251231003000000")}-mine`,
            `x-${scheduled("20251231003000000")}`,
        ];
        const done = await run(aws([...kept, ...old]));
        assert.deepEqual([done.status, deleted(done)], ["SUCCEEDED", old]);
        const none = await run(aws(kept));
        assert.deepEqual([none.status, deleted(none)], ["SUCCEEDED", []]);
        const one = await run(aws([old[0]!]));
        assert.deepEqual(deleted(one), [old[0]]);
    });

    it("are all found, however many people took", async () => {
        const people = Array.from({ length: 120 }, (_, index) => `release-${index}`);
        const old = `${GROUP}-scheduled-20260101003000000`;
        const done = await run(aws([...people, old]));
        assert.deepEqual(deleted(done), [old]);
    });

    it("may be gone already, or in use: that is the next run's business", async () => {
        const old = ["20260101003000000", "20260101063000000", "20260101123000000"].map(
            (time) => `${GROUP}-scheduled-${time}`,
        );
        const errors: Record<string, string> = {
            [old[0]!]: "SnapshotNotFound",
            [old[1]!]: "InvalidSnapshotState",
        };
        const done = await run({
            ...aws(old),
            [DELETE]: ({ SnapshotName }) => {
                const name = errors[SnapshotName];
                if (name !== undefined) {
                    throw error(name);
                }
                return {};
            },
        });
        assert.deepEqual([done.status, deleted(done)], ["SUCCEEDED", old]);
        assert.equal(done.seconds, 7 * 60);
    });
});
