import assert from "node:assert/strict";
import { resolveStack } from "../../config/resolve";
import { valuesOf } from "../../offline/stackFile";
import { root } from "../support";

describe("a resolved stack", () => {
    const digest = `sha256:${"ab".repeat(32)}`;

    it("runs images by their digests where they are pinned, and by their tags elsewhere", () => {
        const values = valuesOf(root, "staging");
        const { node } = values.jobs.images;
        assert.equal(resolveStack({ ...values, images: { trusted: [], pins: {} } }).nodeImage, node);
        const pinned = resolveStack({ ...values, images: { trusted: [], pins: { [node]: digest } } });
        assert.equal(pinned.nodeImage, `${node}@${digest}`);
        assert.equal(pinned.health?.images.node, `${node}@${digest}`);
    });

    it("gives a release its own configuration over the workload's", () => {
        const values = valuesOf(root, "production");
        const server = values.workloads["mcp-server"]!;
        assert.ok(server.strategy === "blueGreen");
        const { blue } = server.releases;
        assert.ok(blue);
        const workload = {
            ...server,
            config: { LOG_LEVEL: "info", REGION: "in" },
            releases: { blue: { ...blue, config: { LOG_LEVEL: "debug" } } },
        };
        const resolved = resolveStack({
            ...values,
            workloads: { ...values.workloads, "mcp-server": workload },
        });
        const found = resolved.workloads["mcp-server"]!;
        assert.ok(found.strategy === "blueGreen");
        assert.deepEqual(found.releases.blue?.config, { LOG_LEVEL: "debug", REGION: "in" });
        assert.equal(found.releases.green, undefined);
    });

    it("names what a schema should have refused", () => {
        const values = valuesOf(root, "production");
        const kubernetes = { ...values.kubernetes, cluster: undefined };
        assert.throws(() => resolveStack({ ...values, kubernetes }), /mcp:kubernetes\.cluster/);
    });
});
