import assert from "node:assert/strict";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

describe("values of the cache", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "one subnet",
            "cache/subnets",
            ["subnet-00000000"],
            'mcp:cache.subnets: found ["subnet-00000000"], expected at least two subnets, in different zones',
        ],
        [
            "a node type of another service",
            "cache/nodeType",
            "db.r6g.large",
            'mcp:cache.nodeType: found "db.r6g.large", expected a node type, such as cache.r7g.large',
        ],
        [
            "a version that is no Redis of ElastiCache",
            "cache/version",
            "8.0",
            'mcp:cache.version: found "8.0", expected 7.0 or 7.1',
        ],
        [
            "no copy in production",
            "cache/replicas",
            0,
            "mcp:cache.replicas: found 0, expected at least 1 in production",
        ],
        [
            "more copies than there can be",
            "cache/replicas",
            6,
            "mcp:cache.replicas: found 6, expected a whole number from 0 to 5",
        ],
        [
            "a short maintenance window",
            "cache/maintenanceWindow",
            { weekday: "sun", start: "02:00", end: "02:59" },
            'mcp:cache.maintenanceWindow: found {"weekday":"sun","start":"02:00","end":"02:59"}, expected at least an hour',
        ],
        [
            "the bucket of the dumps",
            "cache/snapshotBucket",
            "msil-mcp-backups",
            'mcp:cache.snapshotBucket: found "msil-mcp-backups", expected a bucket other than those of dumps and audit events, because ElastiCache writes to it directly',
        ],
        [
            "the bucket of the archive",
            "cache/snapshotBucket",
            "msil-mcp-audit",
            'mcp:cache.snapshotBucket: found "msil-mcp-audit", expected a bucket other than those of dumps and audit events, because ElastiCache writes to it directly',
        ],
        [
            "a restored group in use that there is not",
            "cache/active",
            "recovery",
            'mcp:cache.active: found "recovery", expected primary, because there is no mcp:cacheRecovery',
        ],
        [
            "a snapshot that ElastiCache would not name so",
            "cacheRecovery",
            { snapshot: "s3://msil-mcp-redis/file.rdb" },
            'mcp:cacheRecovery.snapshot: found "s3://msil-mcp-redis/file.rdb", expected the name of a snapshot, or of its file in mcp:cache.snapshotBucket, such as mcp-production-scheduled-20260131003000000-0001.rdb',
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("take the limits themselves, and one node outside production", () => {
        assert.deepEqual(linesOf(withValue("cache/replicas", 5)), []);
        assert.deepEqual(linesOf(withValue("cache/replicas", 0, "staging")), []);
        const window = { weekday: "sat", start: "23:30", end: "00:30" };
        assert.deepEqual(linesOf(withValue("cache/maintenanceWindow", window)), []);
    });

    it("may be left out, if nothing uses one", () => {
        const values: Values = withValue("workloads/mcp-server/secrets/REDIS_URL", undefined);
        delete values["cache"];
        assert.deepEqual(linesOf(values), []);
        assert.deepEqual(linesOf({ ...valuesOf("production"), cache: undefined }), [
            'mcp:workloads.mcp-server.secrets.REDIS_URL: found "cache", expected mcp:cache, because the secret is its URL',
        ]);
    });
});
