import assert from "node:assert/strict";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

describe("values of the buckets", () => {
    const bad: [what: string, stack: string, path: string, value: unknown, line: string][] = [
        [
            "a name that S3 does not take",
            "production",
            "backups/bucket",
            "MSIL_backups",
            'mcp:backups.bucket: found "MSIL_backups", expected the name of a bucket, of 3 to 63 lower-case letters, digits and hyphens, without what S3 reserves',
        ],
        [
            "one bucket for both",
            "production",
            "archive/bucket",
            "msil-mcp-backups",
            'mcp:archive.bucket: found "msil-mcp-backups", expected another bucket than mcp:backups.bucket',
        ],
        [
            "less than seven years in production",
            "production",
            "archive/retention",
            { years: 6 },
            'mcp:archive.retention: found {"years":6}, expected at least { years: 7 } in production (section 7.1)',
        ],
        [
            "days in production",
            "production",
            "archive/retention",
            { days: 30 },
            'mcp:archive.retention: found {"days":30}, expected at least { years: 7 } in production (section 7.1)',
        ],
        [
            "what can be overridden in production",
            "production",
            "archive/mode",
            "GOVERNANCE",
            'mcp:archive.mode: found "GOVERNANCE", expected COMPLIANCE in production (section 7.1)',
        ],
        [
            "what cannot be undone outside production",
            "staging",
            "archive/mode",
            "COMPLIANCE",
            'mcp:archive.mode: found "COMPLIANCE", expected GOVERNANCE outside production: COMPLIANCE cannot be undone',
        ],
        [
            "years outside production",
            "staging",
            "archive/retention",
            { years: 1 },
            'mcp:archive.retention: found {"years":1}, expected days outside production, such as { days: 7 }',
        ],
        [
            "both years and days",
            "production",
            "archive/retention",
            { years: 7, days: 1 },
            'mcp:archive.retention: found {"years":7,"days":1}, expected { years: 1 to 100 } or { days: 1 to 30 }',
        ],
    ];
    for (const [what, stack, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value, stack)), [line]));
    }

    it("may leave both out, and take more than seven years", () => {
        const values: Values = valuesOf("production");
        delete values["backups"];
        delete values["archive"];
        assert.deepEqual(linesOf(values), []);
        assert.deepEqual(linesOf(withValue("archive/retention", { years: 10 })), []);
    });
});
