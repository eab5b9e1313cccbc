import assert from "node:assert/strict";
import { canonical, parseStack } from "../../config";
import { missingInputs } from "../../config/requiredInputs";
import { adminApiOf } from "../../config/tools";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

const TICKET = "expected a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041";

const MAINTENANCE =
    "expected a ticket or a date, such as CHG-2041, or { run: CHG-2041, force: REASON } to run outside the window";

const REASON = "expected a reason, in one line of at most 200 characters";

describe("values of the health check and the operations", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "a tenant by its domain",
            "health/azureTenant",
            "msil.com",
            'mcp:health.azureTenant: found "msil.com", expected the id of a tenant, in lower case',
        ],
        [
            "APIM without TLS",
            "health/apim",
            "http://apim.msil.com/health",
            'mcp:health.apim: found "http://apim.msil.com/health", expected an https URL, such as https://apim.msil.com/health',
        ],
        [
            "an outside that is neither",
            "health/outside",
            "yes",
            'mcp:health.outside: found "yes", expected true or false',
        ],
        [
            "no image to publish the metrics by",
            "jobs/images/aws",
            undefined,
            "mcp:jobs.images.aws: found nothing, expected an image, because it publishes the metrics of the health check",
        ],
        [
            "an operation there is not",
            "operations",
            { reboot: "INC-1" },
            "mcp:operations.reboot: found an unknown key, expected one of cacheCleanup, clearJwksCache, databaseMaintenance, diagnostics, healthCheck",
        ],
        [
            "a ticket that names no Job",
            "operations",
            { healthCheck: "INC 2041" },
            `mcp:operations.healthCheck: found "INC 2041", ${TICKET}`,
        ],
        [
            "a dry run of no name",
            "operations",
            { cacheCleanup: { dryRun: true } },
            'mcp:operations.cacheCleanup: found {"dryRun":true}, expected a ticket or a date, such as INC-2041, or { run: INC-2041, dryRun: true }, which only counts',
        ],
        [
            "maintenance by force without a reason",
            "operations",
            { databaseMaintenance: { run: "CHG-1", force: " " } },
            `mcp:operations.databaseMaintenance.force: found " ", ${REASON}`,
        ],
        [
            "a reason of two lines",
            "operations",
            { databaseMaintenance: { run: "CHG-1", force: "one\ntwo" } },
            `mcp:operations.databaseMaintenance.force: found "one\\ntwo", ${REASON}`,
        ],
        [
            "maintenance that is forced and has no name",
            "operations",
            { databaseMaintenance: { force: "tables doubled" } },
            `mcp:operations.databaseMaintenance: found {"force":"tables doubled"}, ${MAINTENANCE}`,
        ],
        [
            "a ticket without end",
            "operations",
            { healthCheck: "x".repeat(25) },
            `mcp:operations.healthCheck: found "${"x".repeat(25)}", ${TICKET}`,
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => {
            const lines = linesOf(withValue(path, value));
            assert.ok(lines.includes(line), lines.join("\n"));
        });
    }

    it("refuse a check of nothing", () => {
        const values: Values = { ...withValue("health", undefined), operations: { healthCheck: "INC-1" } };
        delete values["objectives"];
        assert.deepEqual(linesOf(values), [
            'mcp:operations.healthCheck: found "INC-1", expected mcp:health, which has the targets of the check',
        ]);
    });

    it("refuse to clean up a cache that is not there", () => {
        const values: Values = { ...withValue("cache", undefined), operations: { cacheCleanup: "INC-1" } };
        const lines = linesOf(values);
        const line = 'mcp:operations.cacheCleanup: found "INC-1", expected mcp:cache, which it cleans up';
        assert.ok(lines.includes(line), lines.join("\n"));
    });

    const API = "/api/admin/tools to admin-portal, which disables the tools";
    const tools: [what: string, list: unknown, line: string][] = [
        [
            "one name for a list",
            "affected_tool",
            ': found "affected_tool", expected a list of names of tools',
        ],
        [
            "what is no name of a tool",
            ["../users"],
            '[0]: found "../users", expected the name of a tool, of at most 128 letters, digits, and _ . - within, such as affected_tool',
        ],
        ["a tool twice", ["one", "two", "one"], '[2]: found "one", expected each tool once'],
    ];
    for (const [what, list, line] of tools) {
        it(`refuse ${what} as disabled tools`, () => {
            assert.deepEqual(linesOf(withValue("disabledTools", list)), [`mcp:disabledTools${line}`]);
        });
    }

    it("refuse to disable a tool where no host leads to the admin API", () => {
        const line = `mcp:disabledTools: found ["one"], expected a host in mcp:ingress that routes ${API}`;
        const none = withValue("ingress", undefined);
        assert.deepEqual(linesOf({ ...none, tls: {}, disabledTools: ["one"] }), [line]);
        const paths = [
            { path: "/", workload: "admin-portal" },
            { path: "/api", workload: "mcp-server" },
        ];
        const elsewhere = withValue("ingress/hosts", [{ host: "admin.mcp.msil.com", paths }]);
        (elsewhere["health"] as Values)["outside"] = false;
        assert.deepEqual(linesOf({ ...elsewhere, disabledTools: ["one"] }), [line]);
    });

    it("need a path from outside for what no host leads to the health path of", () => {
        const values = withValue("health/paths", undefined);
        assert.deepEqual(linesOf(values), [
            "mcp:health.paths.mcp-server: found nothing, expected a path that a host of mcp:ingress routes to mcp-server, and that answers 200 without a token; or mcp:health.outside: false",
        ]);
        assert.deepEqual(linesOf(withValue("health/outside", false)), []);
        const elsewhere = linesOf(withValue("health/paths/mcp-server", "/health"));
        assert.match(
            elsewhere.join(),
            /^mcp:health\.paths\.mcp-server: found "\/health", expected a path that/,
        );
    });

    it("refuse to ask from outside where there is no host", () => {
        const values: Values = { ...withValue("health/outside", true), ingress: undefined, tls: {} };
        assert.deepEqual(linesOf(values), [
            "mcp:health.outside: found true, expected mcp:ingress, because its hosts are checked",
        ]);
    });

    it("find the admin API behind the longest path of a host", () => {
        const paths = [
            { path: "/", workload: "chat-ui" },
            { path: "/api/", workload: "mcp-server" },
            { path: "/api/admin", workload: "admin-portal" },
            { path: "/api/admin/to", workload: "chat-ui" },
        ];
        const hosts = [
            { host: "mcp.msil.com", paths: paths.slice(0, 2) },
            { host: "one.msil.com", paths },
        ];
        assert.equal(adminApiOf({ ingress: { hosts } }), "https://one.msil.com/api/admin/tools");
    });

    for (const without of ["database", "backups"]) {
        it(`refuse to maintain a database without mcp:${without}`, () => {
            const values: Values = {
                ...withValue(without, undefined),
                operations: { databaseMaintenance: "CHG-1" },
            };
            const lines = linesOf(values);
            const line =
                'mcp:operations.databaseMaintenance: found "CHG-1", expected mcp:database and mcp:backups, because a dump is taken before it';
            assert.ok(lines.includes(line), lines.join("\n"));
        });
    }

    it("may leave both out, and take a date as the engine hands it on", () => {
        const values: Values = valuesOf("production");
        delete values["health"];
        delete values["objectives"];
        assert.deepEqual(linesOf(values), []);
        const { values: parsed } = parseStack(
            canonical(withValue("operations", { healthCheck: "2026-02-01 00:00:00 +0000 UTC" })) as Values,
        );
        assert.equal(parsed?.operations.healthCheck, "2026-02-01");
    });

    it("name the command that sets the tenant", () => {
        const [supply] = missingInputs(withValue("health", {}), "production");
        assert.equal(
            supply!.command,
            "pulumi config set --stack production --path mcp:health.azureTenant TENANT_ID",
        );
    });
});
