import assert from "node:assert/strict";
import { only, recordStack } from "../support";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

describe("DNS", () => {
    it("is reached where something else than the pods of kube-system answers, by UDP and TCP", async () => {
        const recording = await recordStack("staging", "mcp:kubernetes.dns[0]=169.254.20.10/32");
        for (const name of ["mcp-staging-dns", "mcp-staging-logs"]) {
            const { spec } = only(recording, POLICY, name).inputs as { spec: { egress: { to: object[] }[] } };
            const [egress] = spec.egress;
            assert.deepEqual(egress!.to[1], { ipBlock: { cidr: "169.254.20.10/32" } }, name);
            assert.equal(egress!.to.length, 2);
            assert.deepEqual((egress as unknown as { ports: unknown }).ports, [
                { protocol: "UDP", port: 53 },
                { protocol: "TCP", port: 53 },
            ]);
        }
    });
});
