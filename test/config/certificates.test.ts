import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import {
    certificateFacts,
    checkCertificate,
    normalisedPem,
    PLACEHOLDER_PEM,
} from "../../config/certificates";
import { checkEdge, ingressSchema, tlsSchema } from "../../config/edge";
import { problemsOf } from "../../config/problems";
import { missingInputs } from "../../config/requiredInputs";
import { type Issued, temporaryAuthority } from "../certificates";

const HOSTS = ["mcp.msil.com", "admin.mcp.msil.com"];

describe("certificates", () => {
    const { issue, remove } = temporaryAuthority();
    let root: Issued;
    let intermediate: Issued;
    let foreign: Issued;
    let leaf: Issued;
    let other: Issued;
    /** Every private key of the tests: none of its lines may be quoted. */
    const keys: string[] = [];

    before(() => {
        root = issue("root", { authority: true });
        intermediate = issue("intermediate", { authority: true, issuer: root });
        // The same name, another key: only the signature tells.
        foreign = issue("intermediate", { authority: true, issuer: root });
        leaf = issue("mcp.msil.com", { hosts: HOSTS, issuer: intermediate });
        other = issue("other.msil.com", { hosts: ["other.msil.com"], algorithm: "rsa" });
        keys.push(...[root, intermediate, foreign, leaf, other].map(({ privateKey }) => privateKey));
    });

    after(remove);

    function assertNoKeyIn(text: string): void {
        for (const line of keys.flatMap((key) => key.split("\n"))) {
            assert.ok(line.length < 16 || line.startsWith("-----") || !text.includes(line), text);
        }
    }

    function problems(certificate: string, privateKey: string, hosts = HOSTS): string[] {
        const found = checkCertificate({ certificate, privateKey }, hosts);
        assertNoKeyIn(found.join("\n"));
        return found;
    }

    /** As it is named in messages. */
    const named = (name: string, { certificate }: Issued) =>
        `O=MSIL, CN=${name} (serial ${new X509Certificate(certificate).serialNumber})`;

    describe("that are good", () => {
        it("alone", () => {
            assert.deepEqual(problems(leaf.certificate, leaf.privateKey), []);
        });

        it("with a chain up to the root", () => {
            const chain = [leaf, intermediate, root].map(({ certificate }) => certificate).join("");
            assert.deepEqual(problems(chain, leaf.privateKey), []);
        });

        it("with a text around the PEM blocks, line ends of Windows, and an RSA issuer", () => {
            const issuer = issue("rsa", { authority: true, algorithm: "rsa" });
            const own = issue("mcp.msil.com", { hosts: HOSTS, issuer });
            const chain = `Bag Attributes\n${own.certificate}subject=rsa\n${issuer.certificate}`;
            assert.deepEqual(problems(chain.replaceAll("\n", "\r\n"), own.privateKey), []);
        });

        it("with a byte order mark and blanks behind lines, which they lose", () => {
            const odd = `\ufeff${leaf.certificate.replaceAll("\n", " \r\n")}`;
            assert.deepEqual(problems(odd, leaf.privateKey), []);
            assert.equal(normalisedPem(odd), leaf.certificate);
            assert.equal(normalisedPem(`\ufeff${leaf.privateKey}`), leaf.privateKey);
            // What is fine stays as it is, to the last character: a change would be one of the Secret.
            for (const fine of [leaf.certificate, leaf.certificate.trimEnd(), leaf.privateKey]) {
                assert.equal(normalisedPem(fine), fine);
            }
        });

        it("with a key in the form openssl ecparam writes", () => {
            const parameters = execFileSync("openssl", ["ecparam", "-name", "prime256v1"], {
                encoding: "utf8",
            });
            const key = execFileSync("openssl", ["ec", "-in", leaf.files.privateKey], {
                encoding: "utf8",
                stdio: ["ignore", "pipe", "ignore"],
            });
            assert.match(key, /^-----BEGIN EC PRIVATE KEY-----/);
            assert.deepEqual(problems(leaf.certificate, parameters + key), []);
        });

        it("when they have expired: that is for a policy", () => {
            const expired = issue("mcp.msil.com", { hosts: HOSTS, issuer: intermediate, days: -1 });
            assert.ok(new Date(new X509Certificate(expired.certificate).validTo).getTime() < Date.now());
            assert.deepEqual(problems(expired.certificate, expired.privateKey), []);
        });
    });

    describe("and hosts", () => {
        it("are matched by a wildcard for exactly one label", () => {
            const wildcard = issue("wildcard", { hosts: ["*.msil.com"], issuer: root });
            assert.deepEqual(problems(wildcard.certificate, wildcard.privateKey, ["mcp.msil.com"]), []);
            assert.deepEqual(
                problems(wildcard.certificate, wildcard.privateKey, ["msil.com", "admin.mcp.msil.com"]),
                ["msil.com", "admin.mcp.msil.com"].map(
                    (host) => `a certificate for ${host}: ${named("wildcard", wildcard)} is for *.msil.com`,
                ),
            );
        });

        it("that are missing are named, each", () => {
            assert.deepEqual(problems(leaf.certificate, leaf.privateKey, [...HOSTS, "new.msil.com"]), [
                `a certificate for new.msil.com: ${named("mcp.msil.com", leaf)} is for mcp.msil.com, admin.mcp.msil.com`,
            ]);
        });

        it("are not matched by the common name, which browsers ignore", () => {
            const plain = issue("mcp.msil.com");
            assert.deepEqual(problems(plain.certificate, plain.privateKey, ["mcp.msil.com"]), [
                `a certificate for mcp.msil.com: ${named("mcp.msil.com", plain)} is for no host`,
            ]);
        });
    });

    describe("that are bad:", () => {
        it("the key of another", () => {
            assert.deepEqual(problems(leaf.certificate, other.privateKey), [
                `the private key of ${named("mcp.msil.com", leaf)}, found a key of another certificate`,
            ]);
        });

        const unreadable = "certificate as a readable PEM chain, leaf first";
        const broken: [what: string, pem: (good: string) => string][] = [
            ["no PEM", () => "MIIB"],
            ["an empty block", () => "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"],
            ["an end and a beginning on one line", (good) => `${good.trimEnd()}${good}`],
            ["a text before its beginning", (good) => good.replace("-----BEGIN", "x-----BEGIN")],
            ["an end that is missing", (good) => good.replace(/-----END.*/, "")],
            ["a line that is missing", (good) => good.split("\n").toSpliced(3, 1).join("\n")],
            ["a second one cut off", (good) => good + good.slice(0, 200)],
        ];
        for (const [what, pem] of broken) {
            it(`PEM with ${what}`, () => {
                assert.deepEqual(problems(pem(leaf.certificate), leaf.privateKey), [unreadable]);
            });
        }

        it("certificate and key in each other's place", () => {
            assert.deepEqual(problems(leaf.privateKey, leaf.certificate), [
                "only certificates in certificate, found a block PRIVATE KEY",
                "privateKey as a readable PEM private key without passphrase",
            ]);
        });

        it("the key beside the certificate, where everybody would get it", () => {
            assert.deepEqual(problems(leaf.certificate + leaf.privateKey, leaf.privateKey), [
                "only certificates in certificate, found a block PRIVATE KEY",
            ]);
        });

        it("a broken key, or one with a passphrase", () => {
            const encrypted = execFileSync(
                "openssl",
                ["pkey", "-in", leaf.files.privateKey, "-aes256", "-passout", "pass:secret"],
                { encoding: "utf8" },
            );
            keys.push(encrypted);
            for (const key of [leaf.privateKey.replace(/\n.{20}/, "\n"), encrypted]) {
                assert.deepEqual(problems(leaf.certificate, key), [
                    "privateKey as a readable PEM private key without passphrase",
                ]);
            }
        });

        const order = "a chain in order, each certificate issued by the next";

        it("a chain in the wrong order", () => {
            const chain = [leaf, root, intermediate].map(({ certificate }) => certificate).join("");
            assert.deepEqual(problems(chain, leaf.privateKey), [
                `${order}: ${named("mcp.msil.com", leaf)} is not issued by ${named("root", root)}`,
                `${order}: ${named("root", root)} is not issued by ${named("intermediate", intermediate)}`,
            ]);
        });

        it("a foreign intermediate of the same name", () => {
            assert.deepEqual(problems(leaf.certificate + foreign.certificate, leaf.privateKey), [
                `${order}: ${named("mcp.msil.com", leaf)} is not issued by ${named("intermediate", foreign)}`,
            ]);
        });

        it("an intermediate with another sort of key", () => {
            assert.deepEqual(problems(leaf.certificate + other.certificate, leaf.privateKey), [
                `${order}: ${named("mcp.msil.com", leaf)} is not issued by ${named("other.msil.com", other)}`,
            ]);
        });

        it("one that is there twice", () => {
            const chain = [leaf, leaf, intermediate].map(({ certificate }) => certificate).join("");
            assert.deepEqual(problems(chain, leaf.privateKey), [
                `each certificate once, found ${named("mcp.msil.com", leaf)} twice`,
            ]);
        });
    });

    describe("that are placeholders in an offline preview", () => {
        it("are taken as they are", () => {
            for (const text of [PLACEHOLDER_PEM, "[encrypted]"]) {
                assert.deepEqual(problems(text, text), []);
            }
        });

        it("leave what is real to be checked", () => {
            assert.equal(problems("[encrypted]", "broken").length, 1);
            assert.equal(problems(leaf.certificate, PLACEHOLDER_PEM, ["new.msil.com"]).length, 1);
            assert.equal(problems(`${PLACEHOLDER_PEM}\n`, leaf.privateKey).length, 1);
        });

        it("have a serial number that no certificate has", () => {
            assert.deepEqual(certificateFacts(PLACEHOLDER_PEM), {
                serial: "00000000",
                notBefore: "unknown",
                notAfter: "unknown",
                hosts: [],
            });
        });
    });

    it("tell their facts", () => {
        const { serial, notAfter, hosts } = certificateFacts(leaf.certificate + intermediate.certificate);
        assert.equal(serial, new X509Certificate(leaf.certificate).serialNumber);
        assert.match(notAfter, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.equal(Date.parse(notAfter), Date.parse(new X509Certificate(leaf.certificate).validTo));
        assert.deepEqual(hosts, HOSTS);
    });

    describe("in the stack's values", () => {
        // As the stack's own schema puts them together.
        const schema = z
            .strictObject({
                ingress: ingressSchema.optional(),
                tls: tlsSchema.default({}),
                workloads: z.record(
                    z.string(),
                    z.object({ strategy: z.string(), network: z.object({ ingress: z.boolean() }) }),
                ),
                kubernetes: z.object({ ingressNamespace: z.string().optional() }),
            })
            .superRefine(checkEdge);

        type Values = Record<"ingress" | "tls" | "workloads" | "kubernetes", Record<string, unknown>>;

        const values = (): Values => ({
            ingress: {
                className: "traefik",
                annotations: { "traefik.ingress.kubernetes.io/router.tls": true },
                certificate: "mcp-tls",
                certificates: ["mcp-tls"],
                hosts: [
                    {
                        host: "mcp.msil.com",
                        paths: [
                            { path: "/", workload: "chat-ui" },
                            { path: "/mcp", workload: "mcp-server" },
                        ],
                    },
                    { host: "admin.mcp.msil.com", paths: [{ path: "/", workload: "chat-ui" }] },
                ],
            },
            tls: { "mcp-tls": { certificate: leaf.certificate, privateKey: leaf.privateKey } },
            workloads: {
                "chat-ui": { strategy: "rolling", network: { ingress: true } },
                "mcp-server": { strategy: "blueGreen", network: { ingress: true } },
            },
            kubernetes: { ingressNamespace: "ingress" },
        });

        /** What is wrong once `edit` has been made. */
        function linesOf(edit: (values: Values) => void): string[] {
            const raw = values();
            edit(raw);
            const { error } = schema.safeParse(raw);
            const lines = problemsOf(schema, raw, error?.issues ?? []).map(
                ({ path, found, expected }) => `${path}: found ${found}, expected ${expected}`,
            );
            assertNoKeyIn(lines.join("\n"));
            return lines;
        }

        it("are accepted, wrapped as secrets, with their facts beside them", async () => {
            const { ingress, tls } = schema.parse(values());
            assert.equal(ingress!.annotations["traefik.ingress.kubernetes.io/router.tls"], "true");
            const { certificate, privateKey, facts } = tls["mcp-tls"]!;
            assert.equal(facts.serial, new X509Certificate(leaf.certificate).serialNumber);
            for (const value of [certificate, privateKey]) {
                assert.equal(await (value as unknown as { isSecret: Promise<boolean> }).isSecret, true);
            }
            assert.equal(schema.safeParse({ workloads: {}, kubernetes: {} }).success, true);
        });

        const bad: [what: string, edit: (values: Values) => void, lines: (string | RegExp)[]][] = [
            [
                "an unknown active certificate",
                ({ ingress }) => (ingress["certificate"] = "mcp-tls-new"),
                [
                    'mcp:ingress.certificate: found "mcp-tls-new", expected one of ingress.certificates: mcp-tls',
                ],
            ],
            [
                "a certificate without its pair",
                ({ ingress }) => (ingress["certificates"] = ["mcp-tls", "mcp-tls-new"]),
                [
                    "mcp:tls.mcp-tls-new: found nothing, expected a certificate and a privateKey, because mcp:ingress.certificates lists it",
                ],
            ],
            [
                "a pair that nothing lists",
                ({ tls }) => (tls["mcp-tls-old"] = tls["mcp-tls"]),
                [
                    "mcp:tls.mcp-tls-old: found a secret (not shown), expected mcp-tls-old: listed in mcp:ingress.certificates, or no such pair",
                ],
            ],
            [
                "a certificate listed twice",
                ({ ingress }) => (ingress["certificates"] = ["mcp-tls", "mcp-tls"]),
                ['mcp:ingress.certificates[1]: found "mcp-tls", expected each certificate once'],
            ],
            [
                "a mismatched key, and what it hides",
                ({ tls }) =>
                    (tls["mcp-tls"] = { ...(tls["mcp-tls"] as object), privateKey: other.privateKey }),
                [
                    /^mcp:tls\.mcp-tls: found a secret \(not shown\), expected the private key of O=MSIL, CN=mcp\.msil\.com \(serial [0-9A-F]+\), found a key of another certificate$/,
                ],
            ],
            [
                "a pair without its key",
                ({ tls }) => (tls["mcp-tls"] = { certificate: leaf.certificate }),
                ["mcp:tls.mcp-tls.privateKey: found nothing, expected a text"],
            ],
            [
                "a pair that is one text",
                ({ tls }) => (tls["mcp-tls"] = leaf.privateKey),
                ["mcp:tls.mcp-tls: found a secret (not shown), expected an object"],
            ],
            [
                "a host without certificate",
                ({ ingress }) =>
                    (ingress["hosts"] = [
                        { host: "new.msil.com", paths: [{ path: "/", workload: "chat-ui" }] },
                    ]),
                [
                    /^mcp:ingress\.hosts\[0\]\.host: found "new\.msil\.com", expected a certificate for new\.msil\.com: O=MSIL, CN=mcp\.msil\.com \(serial [0-9A-F]+\) is for mcp\.msil\.com, admin\.mcp\.msil\.com$/,
                ],
            ],
            [
                "a workload that is not there, and one that is closed",
                ({ workloads }) => {
                    delete workloads["mcp-server"];
                    workloads["chat-ui"] = { strategy: "rolling", network: { ingress: false } };
                },
                [
                    'mcp:ingress.hosts[0].paths[0].workload: found "chat-ui", expected a workload the controller may call: network.ingress of chat-ui is false',
                    'mcp:ingress.hosts[0].paths[1].workload: found "mcp-server", expected one of chat-ui',
                    'mcp:ingress.hosts[1].paths[0].workload: found "chat-ui", expected a workload the controller may call: network.ingress of chat-ui is false',
                ],
            ],
            [
                "a duplicate host and path",
                ({ ingress }) => {
                    const path = { path: "/mcp", workload: "mcp-server" };
                    const [host] = ingress["hosts"] as object[];
                    ingress["hosts"] = [{ ...host, paths: [path, { ...path, path: "/mcp/" }] }, host];
                },
                [
                    'mcp:ingress.hosts[1].host: found "mcp.msil.com", expected each host once, with all its paths',
                    'mcp:ingress.hosts[0].paths[1].path: found "/mcp/", expected each path of a host once',
                ],
            ],
            [
                "no hosts at all",
                ({ ingress }) => (ingress["hosts"] = []),
                ["mcp:ingress.hosts: found [], expected at least one host"],
            ],
            [
                "an address with an impossible port",
                ({ ingress }) => (ingress["address"] = "traefik:65536"),
                [
                    'mcp:ingress.address: found "traefik:65536", expected host:port, such as traefik.ingress.svc:443',
                ],
            ],
            [
                "a host in capitals, and a path with an empty segment",
                ({ ingress }) =>
                    (ingress["hosts"] = [
                        { host: "MCP.msil.com", paths: [{ path: "//mcp", workload: "chat-ui" }] },
                    ]),
                [
                    'mcp:ingress.hosts[0].host: found "MCP.msil.com", expected a full host name in lower case, no IP address, such as mcp.msil.com',
                    'mcp:ingress.hosts[0].paths[0].path: found "//mcp", expected a path that begins with /, such as /mcp, of at most 120 letters, digits and characters of URLs but *, without empty segments, . and ..',
                ],
            ],
        ];
        for (const [what, edit, expected] of bad) {
            it(`are refused with ${what}`, () => {
                const lines = linesOf(edit);
                assert.equal(lines.length, expected.length, lines.join("\n"));
                expected.forEach((line, index) => {
                    if (typeof line === "string") assert.equal(lines[index], line);
                    else assert.match(lines[index]!, line);
                });
            });
        }

        it("are missing until an operator sets them, a part at a time", () => {
            const command = (path: string, file: string) =>
                `pulumi config set --stack production --secret --path '${path}' < ${file}`;
            const raw = {
                environment: "staging",
                ingress: { certificates: ["mcp-tls", "new"] },
                tls: { new: { certificate: {} } },
            };
            assert.deepEqual(
                missingInputs(raw, "production").map((supply) => [supply.placeholder, supply.command]),
                [
                    [PLACEHOLDER_PEM, command("mcp:tls.mcp-tls.certificate", "CHAIN.pem")],
                    [PLACEHOLDER_PEM, command("mcp:tls.mcp-tls.privateKey", "KEY.pem")],
                    [PLACEHOLDER_PEM, command("mcp:tls.new.privateKey", "KEY.pem")],
                ],
            );
            for (const malformed of [{}, { ingress: 3, tls: [] }, { ingress: { certificates: [1] } }].map(
                (each) => ({ environment: "staging", ...each }),
            )) {
                assert.deepEqual(missingInputs(malformed, "production"), []);
            }
        });
    });
});
