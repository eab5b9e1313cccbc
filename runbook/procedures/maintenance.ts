import { type Procedure } from "../procedure";

/** Chapter 5: what is done by the calendar. */
export const maintenance: readonly Procedure[] = [
    {
        id: "certificate-rotation",
        sections: ["5.4"],
        title: "Certificate rotation",
        when: "Before the active certificate ends. The new pair is a secret value; the Ingress names it once it is active.",
        preparation: [
            "openssl req -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=mcp.msil.com \\\n" +
                '    -addext "subjectAltName=DNS:mcp.msil.com,DNS:admin.mcp.msil.com"   # submit server.csr to the CA',
            "pulumi config set --stack production --secret --path 'mcp:tls.mcp-tls-new.certificate' < new-chain.pem",
            "pulumi config set --stack production --secret --path 'mcp:tls.mcp-tls-new.privateKey' < server.key",
        ],
        edits: [
            {
                path: "mcp:ingress.certificates[1]",
                parameter: "certificate",
                value: "the new pair's name, beside the old one",
                example: "mcp-tls-new",
            },
            { path: "mcp:ingress.certificate", value: "the new pair's name", example: "mcp-tls-new" },
        ],
        changes: [
            { operation: "create", type: "kubernetes:core/v1:Secret", name: "mcp-ingress-mcp-tls-new" },
            { operation: "update", type: "kubernetes:networking.k8s.io/v1:Ingress", name: "mcp-ingress" },
            {
                operation: "replace",
                type: "kubernetes:core/v1:ConfigMap",
                name: "mcp-ingress-certificate-program",
            },
            { operation: "create", type: "kubernetes:batch/v1:Job", name: "mcp-ingress-certificate-*" },
            { operation: "delete", type: "kubernetes:batch/v1:Job", name: "mcp-ingress-certificate-*" },
        ],
        verify:
            "Pair, chain and hosts are checked before anything is declared. Afterwards a gate opens TLS to every host and " +
            "fails the update unless the new certificate's serial number is served. Then the old name can be removed " +
            "from the list and its pair from `mcp:tls`.",
        undo: "Set `certificate` back to the old name, as long as it is in the list.",
    },
];
