import assert from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import { configureProviders } from "../../components/providers";

describe("the Kubernetes provider", () => {
    /** Inputs of the providers that some values of `mcp:kubernetes` lead to, with a cluster that can be looked up. */
    async function kubernetesOf(access: object): Promise<Record<string, unknown>> {
        let kubernetes: Record<string, unknown> = {};
        await runtime.setMocks(
            {
                call: () => ({}),
                newResource: ({ type, inputs, id, name }) => {
                    if (type === "pulumi:providers:kubernetes") {
                        kubernetes = inputs as Record<string, unknown>;
                    }
                    const found = { endpoint: "https://eks.example", certificateAuthority: { data: "Q0E=" } };
                    return { id: id ?? name, state: id === undefined ? inputs : { ...inputs, ...found } };
                },
            },
            "mcp",
            "production",
        );
        configureProviders({
            environment: "production",
            production: true,
            aws: { region: "ap-south-1", accountId: "111122223333", tags: {} },
            kubernetes: access,
        });
        await runtime.disconnect();
        return kubernetes;
    }

    it("asks for EKS credentials at each request, in the account and region of the stack", async () => {
        const { kubeconfig, context } = await kubernetesOf({ cluster: "mcp-production" });
        assert.equal(context, undefined);
        const { clusters, users, contexts, ...rest } = JSON.parse(kubeconfig as string);
        assert.equal(rest["current-context"], "mcp-production");
        assert.deepEqual(clusters[0].cluster, {
            server: "https://eks.example",
            "certificate-authority-data": "Q0E=",
        });
        assert.deepEqual(contexts[0].context, { cluster: "mcp-production", user: "mcp-production" });
        const { command, args, interactiveMode } = users[0].user.exec;
        assert.deepEqual(
            [command, ...args, interactiveMode].join(" "),
            "aws eks get-token --cluster-name mcp-production --region ap-south-1 --output json Never",
        );
    });

    it("takes any other cluster by the context of a kubeconfig", async () => {
        const inputs = await kubernetesOf({ context: "kind-mcp", kubeconfig: "/home/operator/kubeconfig" });
        assert.equal(inputs["context"], "kind-mcp");
        assert.equal(inputs["kubeconfig"], "/home/operator/kubeconfig");
    });
});
