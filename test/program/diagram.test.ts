import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { foldersDiagram, importsOf } from "../../cli/importGraph";
import { PICTURED, picturesOf, platformDiagram, releaseDiagram, withPictures } from "../../offline/diagram";
import { recordStack, root, run } from "../support";

const lines = (picture: string) => picture.split("\n").map((line) => line.trim());

describe("pictures of a stack", () => {
    it("show where the requests go: by the Ingress, and by the workloads' policies", async () => {
        const drawn = lines(platformDiagram(await recordStack("production")));
        assert.deepEqual(
            drawn.filter((line) => line.includes("==>")),
            [
                "Ingress ==> Workload_admin_portal",
                "Ingress ==> Workload_chat_ui",
                "Ingress ==> Workload_mcp_server",
                "Workload_admin_portal ==> Workload_mcp_server",
                "Workload_chat_ui ==> Workload_mcp_server",
            ],
        );
    });

    it("show what a component needs, but not what it only needs through another", async () => {
        const drawn = lines(platformDiagram(await recordStack("production")));
        assert.deepEqual(
            drawn.filter((line) => line.endsWith("--> Workload_mcp_server")),
            [
                "Cache --> Workload_mcp_server",
                "Checklist --> Workload_mcp_server",
                "DatabaseAccess --> Workload_mcp_server",
                "ValidatedReleases --> Workload_mcp_server",
            ],
        );
        assert.ok(drawn.includes("Database --> DatabaseAccess"));
    });

    it("group components by their area, and draw round what has pods", async () => {
        const drawn = platformDiagram(await recordStack("production"));
        const backup = /  subgraph backup\n([^]*?)  end\n/.exec(drawn)![1]!;
        assert.deepEqual(lines(backup).filter(Boolean), [
            'CacheSnapshots["Cache snapshots"]',
            'ConfigurationExport("Configuration export")',
            'DatabaseDumps("Database dumps")',
            'DatabaseSnapshots["Database snapshots"]',
        ]);
    });

    it("name only what they draw", async () => {
        for (const stack of ["production", "staging"]) {
            const drawn = lines(platformDiagram(await recordStack(stack)));
            const nodes = drawn.flatMap((line) => /^(\w+)[[(]"/.exec(line)?.[1] ?? []);
            const ends = drawn.flatMap((line) => /^(\w+) [=-]+> (\w+)$/.exec(line)?.slice(1) ?? []);
            assert.equal(new Set(nodes).size, nodes.length);
            assert.deepEqual(
                ends.filter((end) => !nodes.includes(end)),
                [],
            );
        }
    });

    it("show the steps of a release in the order of section 3.3, whichever colour is released", async () => {
        for (const [target, old] of [
            ["green", "blue"],
            ["blue", "green"],
        ] as const) {
            const recording = await recordStack("production", `mcp:workloads.mcp-server.live=${target}`);
            const drawn = lines(releaseDiagram(recording, "mcp-server"));
            const order = [
                `Deployment_mcp_server_${target}`,
                `Job_mcp_server_${target}_capacity`,
                `Job_mcp_server_${target}_smoke`,
                "Service_mcp_server",
                `Job_mcp_server_${target}_soak`,
                `Deployment_mcp_server_${old}`,
            ];
            for (const [index, step] of order.slice(1).entries()) {
                assert.ok(drawn.includes(`${order[index]} --> ${step}`), `${order[index]} --> ${step}`);
            }
        }
    });

    for (const file of PICTURED) {
        it(`are in ${file} as the program is (npm run docs redraws them)`, async () => {
            const text = readFileSync(join(root, file), "utf8");
            const pictures = {
                ...(await picturesOf((...edits) => recordStack("production", ...edits))),
                folders: foldersDiagram(importsOf(root)),
            };
            assert.equal(text, withPictures(text, pictures));
            assert.match(text, /<!-- picture: \w+ -->\n\n```mermaid\nflowchart LR\n/);
        });
    }

    it("are drawn by npm run diagram, which knows the workloads of the stack", async () => {
        const drawn = await run("diagram", "--stack", "staging", "--workload", "chat-ui");
        assert.equal(drawn.status, 0, drawn.stderr);
        assert.match(drawn.stdout, /Service_chat_ui --> Job_chat_ui_smoke\n/);
        const refused = await run("diagram", "--workload", "nobody");
        assert.equal(refused.status, 1);
        assert.equal(
            refused.stderr,
            '--workload: found "nobody", expected admin-portal, chat-ui, mcp-server\n' +
                "Options: npm run diagram -- --help\n",
        );
    });
});
