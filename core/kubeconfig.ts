/**
 * Kubeconfig of an EKS cluster. It holds no credentials: for each request, the AWS command line gets a token, so an
 * update may take longer than a token is valid.
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
