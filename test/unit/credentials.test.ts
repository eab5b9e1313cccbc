import assert from "node:assert/strict";
import { isCredentialHeader, masked, secretIn } from "../../core/credentials";
import { describeProperties } from "../../offline/describe";
import { displayed } from "../../offline/property";
import { shownEdit } from "../../offline/stackFile";
import { describeValue } from "../../cli/deploy/uncommitted";

/** Each has the secret `planted`, in some form. */
const SECRETS: readonly (readonly [name: string, value: string])[] = [
    ["DB_PASSWORD", "planted"],
    ["data.plan.json.release.config.API_KEY", "planted"],
    ["headers.Authorization", "Bearer planted"],
    ["Cookie", "session=planted"],
    ["URL", "postgres://user:planted@db.example.com/mcp"],
    ["body", "user=a&password=planted&b=c"],
    ["plan.json", '{"DB_PASSWORD":"planted","a":1}'],
    ["plan.json", String.raw`{"inner":"{\"token\": \"planted\"}"}`],
    ["NOTE", `eyJhbGciOiJIUz.eyJzdWIiOiIxMjM0.planted${"a".repeat(10)}`],
];

/** None is a secret. */
const PLAIN: readonly (readonly [name: string, value: string])[] = [
    ["LOG_LEVEL", "debug"],
    ["mcp.msil.com/needs-token", "reads objects"],
    ["TOKEN_FILE", "/var/run/token"],
    ["TOKEN", "/var/run/token"],
    ["mcp:workloads.admin-portal.secrets.SESSION_SECRET", "generated"],
    ["mcp:rotation.workloads.admin-portal.SESSION_SECRET", "2026-01-30T10:00:00+05:30"],
    ["script", 'token=$(cat "$TOKEN_FILE")'],
    ["URL", "https://example.com:8443/a@b"],
    ["body", "tokens=3&limit=2"],
];

describe("a secret among what is shown", () => {
    for (const [name, value] of SECRETS) {
        it(`is masked: ${name} ${value.slice(0, 30)}`, () => {
            const change = { properties: [{ path: name, before: "x", after: value }], because: [] };
            const lists = { properties: [{ path: name, before: value, after: `${value}\nb` }], because: [] };
            for (const shown of [
                masked(name, value),
                shownEdit(`${name}=${value}`),
                describeValue({ path: name, committed: value, found: undefined }),
                describeValue({ path: name, committed: undefined, found: value }),
                JSON.stringify(displayed({ [name]: value, list: [{ name, value }] })),
                ...[change, lists].flatMap((each) =>
                    describeProperties(each as unknown as Parameters<typeof describeProperties>[0]),
                ),
            ]) {
                assert.ok(!shown.includes("planted"), shown);
            }
        });
    }
    for (const [name, value] of PLAIN) {
        it(`is not seen in ${name} ${value}`, () => assert.equal(masked(name, value), value));
    }

    it("is found by name and by form, and a header by its name", () => {
        assert.equal(secretIn("DB_PASSWORD", "x"), "a secret by its name");
        assert.equal(secretIn("URL", "a://u:p@h"), "a password in a URL");
        assert.equal(secretIn("URL", "a://h/b:c@d"), undefined);
        assert.ok(["authorization", "Set-Cookie", "X-API-Key"].every(isCredentialHeader));
        assert.ok(!["Accept", "X-Author", "User-Agent"].some(isCredentialHeader));
    });
});
