import assert from "node:assert/strict";
import { matchesPattern } from "./filterPattern";

/* The evaluator against the examples of CloudWatch's own documentation, so that what it says of the program's patterns
 * is worth something. */

const EVENT = JSON.stringify({
    eventType: "UpdateTrail",
    sourceIPAddress: "111.111.111.111",
    arrayKey: ["value", "another value"],
    objectList: [
        { name: "a", id: 1 },
        { name: "b", id: 2 },
    ],
    errorCode: 400,
    latency: 50.5,
});
const COMPOUND = JSON.stringify({
    user: { id: 1, email: "John.Stiles@example.com" },
    users: [
        { id: 2, email: "John.Doe@example.com" },
        { id: 3, email: "Jane.Doe@example.com" },
    ],
    actions: ["GET", "PUT", "DELETE"],
    coordinates: [
        [0, 1, 2],
        [4, 5, 6],
        [7, 8, 9],
    ],
});

describe("the evaluator of filter patterns", () => {
    const lines = [
        "[ERROR 400] BAD REQUEST",
        "[ERROR 401] UNAUTHORIZED REQUEST",
        "[ERROR 419] MISSING ARGUMENTS",
        "[ERROR 420] INVALID ARGUMENTS",
        "[error 500] INTERNAL SERVER ERROR",
    ];
    const terms: [pattern: string, matched: number[]][] = [
        ["ERROR", [0, 1, 2, 3, 4]],
        ["ERROR ARGUMENTS", [2, 3]],
        ['"INTERNAL SERVER ERROR"', [4]],
        ["error", [4]],
        ["WARN", []],
    ];
    for (const [pattern, matched] of terms) {
        it(`finds ${pattern} in lines of text`, () =>
            assert.deepEqual(
                lines.flatMap((line, index) => (matchesPattern(pattern, line) ? [index] : [])),
                matched,
            ));
    }

    const json: [pattern: string, event: string, matches: boolean][] = [
        ['{ $.eventType = "UpdateTrail" }', EVENT, true],
        ['{ $.eventType = "Update*" }', EVENT, true],
        ['{ $.eventType = "update*" }', EVENT, false],
        ["{ $.sourceIPAddress != 123.123.* }", EVENT, true],
        ["{ $.sourceIPAddress != 111.111.* }", EVENT, false],
        ['{ $.arrayKey[0] = "value" }', EVENT, true],
        ["{ $.objectList[1].id = 2 }", EVENT, true],
        ["{ $.errorCode = 400 }", EVENT, true],
        ["{ $.errorCode != 500 }", EVENT, true],
        ["{ $.errorCode >= 400 }", EVENT, true],
        ["{ $.latency > 50 }", EVENT, true],
        ["{ $.latency < 50 }", EVENT, false],
        ["{ $.bandwidth > 75 }", EVENT, false],
        ["{ $.bandwidth != 75 }", EVENT, false],
        ["{ $.errorCode = 400 }", "errorCode 400", false],
        ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', COMPOUND, true],
        ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', COMPOUND, false],
        [
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nonmatch }',
            COMPOUND,
            true,
        ],
        [
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nonmatch }',
            COMPOUND,
            false,
        ],
    ];
    for (const [pattern, event, matches] of json) {
        it(`finds ${matches ? "" : "no "}${pattern}`, () =>
            assert.equal(matchesPattern(pattern, event), matches));
    }

    for (const pattern of [
        "?ERROR ?WARN",
        "%E.*R%",
        "[a, b]",
        "ERROR -WARN",
        "{ $.a }",
        '{ $.a > "x" }',
        "{ a = 1 }",
    ]) {
        it(`says nothing of ${pattern}`, () => {
            assert.throws(() => matchesPattern(pattern, JSON.stringify({ a: "x" })), Error);
        });
    }
});
