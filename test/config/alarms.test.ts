import assert from "node:assert/strict";
import { linesOf, withValue } from "./stackValues";

describe("limits of the alarms", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "one that is not there",
            "alarms/database/cpu",
            80,
            "mcp:alarms.database.cpu: found an unknown key, expected one of connections, freeMemory, freeStorage, idle, transactionIds",
        ],
        [
            "a share above everything",
            "alarms/cache/memory",
            101,
            "mcp:alarms.cache.memory: found 101, expected a whole number from 1 to 100",
        ],
        [
            "a share of nothing",
            "alarms/database/freeStorage",
            0,
            "mcp:alarms.database.freeStorage: found 0, expected a whole number from 1 to 100",
        ],
        [
            "a share with its sign",
            "alarms/cache/memory",
            "80%",
            'mcp:alarms.cache.memory: found "80%", expected a whole number from 1 to 100',
        ],
        [
            "more connections than PostgreSQL on RDS takes",
            "alarms/database/connections",
            5001,
            "mcp:alarms.database.connections: found 5001, expected a whole number from 10 to 5000",
        ],
        [
            "memory without its unit",
            "alarms/database/freeMemory",
            512,
            "mcp:alarms.database.freeMemory: found 512, expected a memory quantity, such as 512Mi or 2Gi",
        ],
        [
            "a metric that is not collected",
            "alarms/application/pool/used",
            "pool_in_use",
            'mcp:alarms.application.pool.used: found "pool_in_use", expected the name of a metric with db_pool in it',
        ],
        [
            "a circuit breaker that is open when it is closed",
            "alarms/application/circuitBreaker/open",
            0,
            "mcp:alarms.application.circuitBreaker.open: found 0, expected a whole number from 1 to 100",
        ],
        [
            "transaction ids beyond the last",
            "alarms/database/transactionIds",
            2_000_000_000,
            "mcp:alarms.database.transactionIds: found 2000000000, expected a whole number from 200000000 to 1900000000",
        ],
        [
            "a silence that is no period",
            "alarms/noTraffic",
            "7m",
            'mcp:alarms.noTraffic: found "7m", expected a multiple of 5m, at most 1d',
        ],
        [
            "a silence longer than CloudWatch looks back",
            "alarms/noTraffic",
            "2d",
            'mcp:alarms.noTraffic: found "2d", expected a multiple of 5m, at most 1d',
        ],
        [
            "an answer that no probe waits for",
            "alarms/apimLatency",
            10_000,
            "mcp:alarms.apimLatency: found 10000, expected a whole number from 50 to 5000",
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("are all reported at once", () => {
        assert.equal(linesOf(withValue("alarms", { cache: { memory: 0, evictions: -1 } })).length, 2);
    });
});
