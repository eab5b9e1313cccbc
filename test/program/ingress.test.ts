import assert from "node:assert/strict";
import { contentHash } from "../../core/hash";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { type Issued, temporaryAuthority } from "../certificates";
import { linesOf, only, recordStack } from "../support";

const INGRESS = "kubernetes:networking.k8s.io/v1:Ingress";
const HOSTS = ["mcp.msil.com", "admin.mcp.msil.com"];

describe("the ingress", () => {
    const authority = temporaryAuthority();
    after(() => authority.remove());

    const pairOf = (name: string, { certificate, privateKey }: Issued) => [
        `mcp:tls.${name}.certificate=${certificate}`,
        `mcp:tls.${name}.privateKey=${privateKey}`,
    ];
    const bothListed = ["mcp:ingress.certificates[1]=mcp-tls-new", "mcp:ingress.certificate=mcp-tls-new"];
    let before: Recording;
    let added: Recording;
    let flipped: Recording;
    globalThis.before(async () => {
        const old = pairOf("mcp-tls", authority.issue("old", { hosts: HOSTS, serial: "0aaaaaaaaa" }));
        const fresh = pairOf("mcp-tls-new", authority.issue("new", { hosts: HOSTS, serial: "0bbbbbbbbb" }));
        before = await recordStack("production", ...old);
        added = await recordStack("production", ...old, ...fresh, bothListed[0]!);
        flipped = await recordStack("production", ...old, ...fresh, ...bothListed);
    });
    const changes = (one: Recording, other: Recording) =>
        linesOf(compare(one, other).filter(({ operation }) => operation !== "same"));

    it("serves each host and path from its workload, with the active certificate", () => {
        const { spec } = displayed(only(before, INGRESS, "mcp-ingress").inputs as never) as {
            spec: {
                ingressClassName: string;
                tls: unknown;
                rules: { host: string; http: { paths: unknown[] } }[];
            };
        };
        assert.equal(spec.ingressClassName, "traefik");
        assert.deepEqual(spec.tls, [{ hosts: HOSTS, secretName: "mcp-tls" }]);
        const backend = (path: string, name: string) => ({
            path,
            pathType: "Prefix",
            backend: { service: { name, port: { name: "http" } } },
        });
        assert.deepEqual(
            spec.rules.map(({ host, http }) => [host, http.paths]),
            [
                ["mcp.msil.com", [backend("/", "chat-ui"), backend("/mcp", "mcp-server")]],
                ["admin.mcp.msil.com", [backend("/", "admin-portal")]],
            ],
        );
    });

    it("rotates in three edits: a new pair beside the old one, the flip with its gate, the old one gone", () => {
        assert.deepEqual(changes(before, added), [
            "create kubernetes:core/v1:Secret mcp-ingress-mcp-tls-new",
        ]);
        assert.deepEqual(changes(added, flipped), [
            `create kubernetes:batch/v1:Job mcp-ingress-certificate-${contentHash("mcp-tls-new")}`,
            `delete kubernetes:batch/v1:Job mcp-ingress-certificate-${contentHash("mcp-tls")}`,
            "replace kubernetes:core/v1:ConfigMap mcp-ingress-certificate-program",
            "update kubernetes:networking.k8s.io/v1:Ingress mcp-ingress",
        ]);
    });

    it("writes a certificate re-issued under its name over the old one, and looks again", async () => {
        const again = authority.issue("again", { hosts: HOSTS, serial: "0ccccccccc" });
        assert.deepEqual(changes(before, await recordStack("production", ...pairOf("mcp-tls", again))), [
            `replace kubernetes:batch/v1:Job mcp-ingress-certificate-${contentHash("mcp-tls")}`,
            "replace kubernetes:core/v1:ConfigMap mcp-ingress-certificate-program",
            "update kubernetes:core/v1:Secret mcp-ingress-mcp-tls",
            "update kubernetes:networking.k8s.io/v1:Ingress mcp-ingress",
        ]);
    });

    it("refuses what would break it before anything is declared, and shows no key", async () => {
        const bad: [edits: string[], message: RegExp][] = [
            [
                pairOf("mcp-tls", authority.issue("short", { hosts: ["mcp.msil.com"] })),
                /mcp:ingress\.hosts\[1\]\.host: found "admin\.mcp\.msil\.com"/,
            ],
            [
                [
                    ...pairOf("mcp-tls", authority.issue("one", { hosts: HOSTS })),
                    `mcp:tls.mcp-tls.privateKey=${authority.issue("two").privateKey}`,
                ],
                /mcp:tls\.mcp-tls: found a secret \(not shown\)/,
            ],
            [["mcp:ingress.certificate=other"], /mcp:ingress\.certificate: found "other", expected one of/],
        ];
        for (const [edits, message] of bad) {
            await assert.rejects(recordStack("production", ...edits), (error: Error) => {
                assert.match(error.message, message);
                assert.doesNotMatch(error.message, /PRIVATE KEY|BEGIN/);
                return true;
            });
        }
    });

    it("keeps certificates and keys out of the plan", () => {
        const text = JSON.stringify(before.resources.map(({ inputs }) => displayed(inputs)));
        assert.doesNotMatch(text, /BEGIN/);
    });
});
