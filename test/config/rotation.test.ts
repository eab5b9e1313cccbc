import assert from "node:assert/strict";
import { resolveStack } from "../../config/resolve";
import { parseStack } from "../../config";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

// The tests' clock is at 2026-02-01T05:30:00+05:30.
const SINCE = "2026-01-01T00:00:00+05:30";
const EARLIER = "2026-01-30T10:00:00+05:30";
const LATER = "2026-01-31T10:00:00+05:30";
const JUST_NOW = "2026-02-01T05:20:00+05:30";
const TOMORROW = "2026-02-02T00:00:00+05:30";

const withRotation = (rotation: object): Values => withValue("rotation", { since: SINCE, ...rotation });

describe("values of rotations", () => {
    const bad: [what: string, rotation: object, line: string][] = [
        [
            "a time without a zone",
            { since: "2026-01-01" },
            'mcp:rotation.since: found "2026-01-01", expected a time with its zone, in quotes, such as "2026-01-31T10:30:00+05:30"',
        ],
        ...["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z"].map((since): [string, object, string] => [
            `an installation at ${since}`,
            { since },
            `mcp:rotation.since: found "${since}", expected a time after the year 1999`,
        ]),
        [
            "a rotation in the future",
            { workloads: { "admin-portal": { SESSION_SECRET: TOMORROW } } },
            `mcp:rotation.workloads.admin-portal.SESSION_SECRET: found "${TOMORROW}", expected a time in the past`,
        ],
        [
            "a rotation before the installation",
            { cache: { rotated: "2025-12-31T00:00:00Z" } },
            `mcp:rotation.cache.rotated: found "2025-12-31T00:00:00Z", expected a time after mcp:rotation.since, ${SINCE}`,
        ],
        [
            "a rotation while another one runs",
            {
                database: {
                    active: "b",
                    passwords: { a: EARLIER, b: "2026-01-30T10:14:59+05:30" },
                },
            },
            'mcp:rotation.database.passwords.b: found "2026-01-30T10:14:59+05:30", expected a time at least 15 minutes after that of a: until then pods may still use it',
        ],
        [
            "both users at the same time",
            { database: { passwords: { a: EARLIER, b: EARLIER } } },
            `mcp:rotation.database.passwords.b: found "${EARLIER}", expected a time at least 15 minutes after that of a: until then pods may still use it`,
        ],
        [
            "a user without a password",
            { database: { active: "b" } },
            'mcp:rotation.database.active: found "b", expected a, because b has no time in passwords',
        ],
        [
            "another user than the two",
            { database: { active: "c" } },
            'mcp:rotation.database.active: found "c", expected a or b',
        ],
        [
            "an end before the pods are replaced",
            { database: { active: "b", passwords: { b: JUST_NOW }, only: JUST_NOW } },
            `mcp:rotation.database.only: found "${JUST_NOW}", expected nothing until 15 minutes after the rotation: pods may still use what was valid before`,
        ],
        [
            "the same of Redis",
            { cache: { rotated: JUST_NOW, only: JUST_NOW } },
            `mcp:rotation.cache.only: found "${JUST_NOW}", expected nothing until 15 minutes after the rotation: pods may still use what was valid before`,
        ],
        [
            "the end of a rotation that was not made",
            { cache: { rotated: EARLIER, only: LATER } },
            `mcp:rotation.cache.only: found "${LATER}", expected the time of the last rotation, ${EARLIER}, or of one before`,
        ],
        [
            "a secret that the workload does not have",
            { workloads: { "admin-portal": { NO_SECRET: LATER } } },
            `mcp:rotation.workloads.admin-portal.NO_SECRET: found "${LATER}", expected NO_SECRET in mcp:workloads.admin-portal.secrets, generated or supplied`,
        ],
        [
            "the URL of a store, which has a separate rotation",
            { workloads: { "mcp-server": { DATABASE_URL: LATER } } },
            `mcp:rotation.workloads.mcp-server.DATABASE_URL: found "${LATER}", expected DATABASE_URL in mcp:workloads.mcp-server.secrets, generated or supplied`,
        ],
    ];
    for (const [what, rotation, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withRotation(rotation)), [line]));
    }

    it("refuse the rotation of a store that the stack does not have", () => {
        const values = withRotation({ cache: { rotated: LATER }, database: { passwords: { a: LATER } } });
        delete values["cache"];
        delete values["database"];
        const lines = linesOf(values);
        for (const store of ["cache", "database.passwords.a"]) {
            assert.equal(lines.filter((line) => line.startsWith(`mcp:rotation.${store}: `)).length, 1, store);
        }
    });

    it("take rotations there and back, and their ends", () => {
        for (const rotation of [
            { database: { active: "b", passwords: { b: EARLIER } } },
            { database: { active: "b", passwords: { b: EARLIER }, only: EARLIER } },
            { database: { active: "a", passwords: { a: LATER, b: EARLIER }, only: EARLIER } },
            // Back to the user before.
            { database: { active: "a", passwords: { b: LATER } } },
            { cache: { rotated: LATER, only: EARLIER } },
            { cache: { rotated: LATER, only: LATER }, maxAge: "90d" },
        ]) {
            assert.deepEqual(linesOf(withRotation(rotation)), [], JSON.stringify(rotation));
        }
    });
});

describe("credentials whose age is measured", () => {
    const resolve = (rotation: object) => {
        const { values, problems } = parseStack(withRotation(rotation));
        assert.deepEqual(problems, []);
        return resolveStack(values!);
    };
    const ages = (rotation: object) =>
        Object.fromEntries(resolve(rotation).health!.credentials!.all.map(({ name, made }) => [name, made]));

    it("are all that the stack has, as old as the installation unless they were rotated", () => {
        assert.deepEqual(ages({}), {
            "PostgreSQL mcp": SINCE,
            Redis: SINCE,
            "admin-portal SESSION_SECRET": SINCE,
            "mcp-server APIM_SUBSCRIPTION_KEY": SINCE,
            "mcp-server AZURE_AD_CLIENT_SECRET": SINCE,
        });
        const rotated = ages({
            cache: { rotated: LATER },
            workloads: { "admin-portal": { SESSION_SECRET: EARLIER } },
        });
        assert.deepEqual([rotated["Redis"], rotated["admin-portal SESSION_SECRET"]], [LATER, EARLIER]);
    });

    it("include the other user of the database, until the rotation ends", () => {
        const database = { active: "b", passwords: { b: LATER } };
        const before = ages({ database });
        assert.deepEqual([before["PostgreSQL mcp"], before["PostgreSQL mcp_b"]], [SINCE, LATER]);
        const after = ages({ database: { ...database, only: LATER } });
        assert.deepEqual([after["PostgreSQL mcp"], after["PostgreSQL mcp_b"]], [undefined, LATER]);
    });

    it("end what was valid before by the same time in another zone", () => {
        const utc = new Date(LATER).toISOString();
        const { database, cache } = resolve({
            database: { active: "b", passwords: { b: LATER }, only: utc },
            cache: { rotated: LATER, only: utc },
        });
        assert.deepEqual(
            database!.users.all.map(({ name, login }) => [name, login]),
            [
                ["mcp", false],
                ["mcp_b", true],
            ],
        );
        assert.equal(cache!.token.isOnly, true);
        const next = resolve({ cache: { rotated: LATER, only: EARLIER } });
        assert.equal(next.cache!.token.isOnly, false);
    });

    it("are not measured where nothing says since when", () => {
        const values = { ...valuesOf("production"), rotation: undefined };
        assert.equal(resolveStack(parseStack(values).values!).health!.credentials, undefined);
    });
});
