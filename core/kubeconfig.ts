/**
 * The kubeconfig of an EKS cluster. It holds no credentials: each request gets a token from the AWS command line when it needs
 * one, however long the update takes.
 */
export function eksKubeconfig<Text, Data>(
    name: string,
    region: string,
    cluster: { endpoint: Text; certificateAuthority: { data: Data } },
) {
    const args = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"];
    return {
        apiVersion: "v1",
        kind: "Config",
        "current-context": name,
        clusters: [
            {
                name,
                cluster: {
                    server: cluster.endpoint,
                    "certificate-authority-data": cluster.certificateAuthority.data,
                },
            },
        ],
        contexts: [{ name, context: { cluster: name, user: name } }],
        users: [
            {
                name,
                user: {
                    exec: {
                        apiVersion: "client.authentication.k8s.io/v1beta1",
                        command: "aws",
                        args,
                        interactiveMode: "Never",
                    },
                },
            },
        ],
    };
}
