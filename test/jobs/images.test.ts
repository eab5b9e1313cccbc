import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";
import { mock } from "node:test";
import timers from "node:timers/promises";
import { dockerCredentials } from "../../cli/images/credentials";
import { pinImages, type PinOptions } from "../../cli/images/pin";
import { parseReference } from "../../cli/images/reference";
import { resolveDigest, type ResolveOptions } from "../../cli/images/registry";

const PASSWORD = "pass:word-Hq7";
const TOKEN = "token-Zx9";
const AUTH = Buffer.from(`robot:${PASSWORD}`).toString("base64");
const INDEX = JSON.stringify({ schemaVersion: 2, manifests: [] });
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const DIGEST = digestOf(INDEX);

/** One request the registry got. */
interface Asked {
    method: string;
    url: URL;
    headers: IncomingHttpHeaders;
}

/** A registry on 127.0.0.1 that answers as the test says. */
class Registry {
    readonly asked: Asked[] = [];

    private constructor(private readonly server: Server) {}

    static async start(
        answer: (asked: Asked, response: ServerResponse, count: number) => void,
    ): Promise<Registry> {
        const server = createServer((request, response) => {
            const url = new URL(request.url ?? "", `http://${registry.host}`);
            const asked = {
                method: request.method ?? "",
                url,
                headers: request.headers,
            };
            registry.asked.push(asked);
            answer(asked, response, registry.asked.length);
        });
        const registry = new Registry(server);
        await once(server.listen(0, "127.0.0.1"), "listening");
        running.push(registry);
        return registry;
    }

    get host(): string {
        return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    get reference(): string {
        return `${this.host}/team/app:v1`;
    }

    /** What was asked, in short. */
    get lines(): string[] {
        return this.asked.map(({ method, url }) => `${method} ${url.pathname}`);
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        this.server.close();
        await once(this.server, "close");
    }
}

const running: Registry[] = [];
const anonymous: ResolveOptions = { credentials: async () => undefined };
const robot: ResolveOptions = { credentials: async () => ({ username: "robot", password: PASSWORD }) };

function manifest(
    response: ServerResponse,
    headers: Record<string, string> = { "docker-content-digest": DIGEST },
) {
    response.writeHead(200, { "content-type": INDEX_TYPE, ...headers }).end(INDEX);
}

function challenge(response: ServerResponse, value: string) {
    response.writeHead(401, { "www-authenticate": value }).end();
}

/** A registry that admits clients with the password. */
function basicRegistry(): Promise<Registry> {
    return Registry.start(({ headers }, response) =>
        headers.authorization === `Basic ${AUTH}`
            ? manifest(response)
            : challenge(response, 'Basic realm="r"'),
    );
}

/** A registry with a token service, at its own address unless `realm` says otherwise. */
function tokenRegistry(realm?: string): Promise<Registry> {
    return Registry.start(({ url, headers }, response) => {
        if (url.pathname === "/token") {
            response.end(JSON.stringify({ token: TOKEN }));
        } else if (headers.authorization === `Bearer ${TOKEN}`) {
            manifest(response);
        } else {
            const scope = "repository:team/app:pull,special";
            challenge(
                response,
                `Bearer realm="${realm ?? `${url.origin}/token`}",service="reg",scope="${scope}"`,
            );
        }
    });
}

/** The one line of an error about `reference`; it must not hold a secret. */
async function failure(reference: string, promise: Promise<unknown>): Promise<string> {
    const error = await promise.then(
        () => assert.fail("did not fail"),
        (reason: unknown) => reason as Error,
    );
    assert.ok(error.message.startsWith(`${reference}: `), error.message);
    assert.doesNotMatch(error.message, /\n/);
    for (const secret of [PASSWORD, TOKEN, AUTH]) {
        assert.ok(!`${error.stack} ${String(error.cause)}`.includes(secret), error.message);
    }
    return error.message.slice(reference.length + 2);
}

describe("images", () => {
    let folder: string;
    let pauses: number[];
    const { DOCKER_CONFIG, PATH } = process.env;

    beforeEach(async () => {
        folder = await mkdtemp(join(tmpdir(), "images-"));
        process.env["DOCKER_CONFIG"] = folder;
        process.env["PATH"] = `${folder}:${PATH}`;
        pauses = [];
        mock.method(timers, "setTimeout", async (pause: number) => void pauses.push(pause));
    });

    afterEach(async () => {
        mock.restoreAll();
        for (const [name, value] of Object.entries({ DOCKER_CONFIG, PATH })) {
            if (value === undefined) {
                delete process.env[name];
            } else {
                process.env[name] = value;
            }
        }
        await Promise.all(running.splice(0).map((registry) => registry.stop()));
        await rm(folder, { recursive: true });
    });

    describe("parseReference", () => {
        it("splits registry, repository and tag", () => {
            for (const [registry, repository, tag] of [
                ["registry.example.com", "app", "v1"],
                ["registry.example.com:5000", "team/sub-team/my__app.x", "1.0_rc-1"],
                ["localhost", "app", "v1"],
                ["[::1]:5000", "app", "v1"],
            ] as const) {
                const parsed = parseReference(`${registry}/${repository}:${tag}`);
                assert.deepEqual(parsed, { registry, repository, tag });
            }
        });

        for (const [text, why] of [
            ["app:v1", "names no registry host"],
            ["team/app:v1", "names no registry host"],
            ["registry.example.com/app", "has no tag"],
            ["registry.example.com:5000/app", "has no tag"],
            [`registry.example.com/app@${DIGEST}`, "has a digest"],
            [`registry.example.com/app:v1@${DIGEST}`, "has a digest"],
            ["registry.example.com/App:v1", "is no image reference"],
            ["registry.example.com/a//b:v1", "is no image reference"],
            ["registry.example.com/../b:v1", "is no image reference"],
            ["registry.example.com/app:v1:v2", "is no image reference"],
            ["registry.example.com/app:", "is no image reference"],
            ["registry.example.com?a/app:v1", "is no image reference"],
            ["registry.example.com:99999/app:v1", "is no image reference"],
            ["https://registry.example.com/app:v1", "is no image reference"],
        ] as const) {
            it(`refuses ${text}`, () => {
                assert.throws(() => parseReference(text), { name: "Error", message: new RegExp(`: ${why}`) });
            });
        }
    });

    describe("resolveDigest", () => {
        it("takes the digest of the index from the header", async () => {
            const registry = await Registry.start((_, response) => manifest(response));
            assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
            assert.deepEqual(registry.lines, ["HEAD /v2/team/app/manifests/v1"]);
            assert.deepEqual(registry.asked[0]?.headers.accept?.split(", "), [
                INDEX_TYPE,
                "application/vnd.docker.distribution.manifest.list.v2+json",
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.docker.distribution.manifest.v2+json",
            ]);
        });

        it("hashes the manifest where there is no header", async () => {
            const registry = await Registry.start((_, response) => manifest(response, {}));
            assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
            assert.deepEqual(registry.lines, [
                "HEAD /v2/team/app/manifests/v1",
                "GET /v2/team/app/manifests/v1",
            ]);
        });

        for (const status of [405, 501]) {
            it(`hashes the manifest where HEAD is answered ${status}, with a login where it needs one`, async () => {
                const registry = await Registry.start(({ method, headers }, response) => {
                    if (method === "HEAD") {
                        response.writeHead(status).end();
                    } else if (headers.authorization === `Basic ${AUTH}`) {
                        manifest(response, {});
                    } else {
                        challenge(response, 'Basic realm="r"');
                    }
                });
                assert.equal(await resolveDigest(registry.reference, robot), DIGEST);
                assert.ok(registry.lines.includes("GET /v2/team/app/manifests/v1"));
            });
        }

        it("does not hash what is no manifest", async () => {
            const registry = await Registry.start((_, response) =>
                manifest(response, { "content-type": "text/html" }),
            );
            const message = await failure(registry.reference, resolveDigest(registry.reference, anonymous));
            assert.match(message, /no image manifest/);
        });

        it("refuses a manifest that does not match its header", async () => {
            const registry = await Registry.start(({ method }, response) =>
                manifest(response, method === "HEAD" ? {} : { "docker-content-digest": digestOf("other") }),
            );
            const message = await failure(registry.reference, resolveDigest(registry.reference, anonymous));
            assert.match(message, /does not match/);
        });

        for (const garbage of ["garbage", "sha256:abc", `${DIGEST}0`, DIGEST.toUpperCase()]) {
            it(`refuses the digest ${garbage.slice(0, 12)}… of ${garbage.length} characters`, async () => {
                const registry = await Registry.start((_, response) =>
                    manifest(response, { "docker-content-digest": garbage }),
                );
                const message = await failure(
                    registry.reference,
                    resolveDigest(registry.reference, anonymous),
                );
                assert.match(message, /no sha256 digest/);
            });
        }

        describe("authentication", () => {
            it("gets a token for the scope, anonymously", async () => {
                const registry = await tokenRegistry();
                assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
                assert.deepEqual(registry.lines, [
                    "HEAD /v2/team/app/manifests/v1",
                    "GET /token",
                    "HEAD /v2/team/app/manifests/v1",
                ]);
                const { url, headers } = registry.asked[1]!;
                assert.deepEqual(Object.fromEntries(url.searchParams), {
                    service: "reg",
                    scope: "repository:team/app:pull,special",
                });
                assert.equal(headers.authorization, undefined);
            });

            it("gets a token with the credentials of the registry, which only the token service sees", async () => {
                const registry = await tokenRegistry();
                const asked: string[] = [];
                const credentials = async (host: string) => {
                    asked.push(host);
                    return { username: "robot", password: PASSWORD };
                };
                assert.equal(await resolveDigest(registry.reference, { credentials }), DIGEST);
                assert.deepEqual(asked, [registry.host]);
                assert.deepEqual(
                    registry.asked.map(({ headers }) => headers.authorization),
                    [undefined, `Basic ${AUTH}`, `Bearer ${TOKEN}`],
                );
            });

            it("asks to pull where the challenge names no scope, and takes access_token", async () => {
                const registry = await Registry.start(({ url, headers }, response) => {
                    if (url.pathname === "/token") {
                        const scoped = url.searchParams.get("scope") === "repository:team/app:pull";
                        response.end(JSON.stringify(scoped ? { access_token: TOKEN } : {}));
                    } else if (headers.authorization === `Bearer ${TOKEN}`) {
                        manifest(response);
                    } else {
                        challenge(
                            response,
                            `Basic realm="x", bearer Realm="${url.origin}/token", Basic realm="y"`,
                        );
                    }
                });
                assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
            });

            it("keeps the token to hash the manifest", async () => {
                const registry = await Registry.start(({ url, headers }, response) => {
                    if (url.pathname === "/token") {
                        response.end(JSON.stringify({ token: TOKEN }));
                    } else if (headers.authorization === undefined) {
                        challenge(response, `Bearer realm="${url.origin}/token"`);
                    } else {
                        manifest(response, {});
                    }
                });
                assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
            });

            it("sends nothing to a token service elsewhere over http", async () => {
                const elsewhere = await tokenRegistry();
                const port = elsewhere.host.split(":")[1];
                for (const realm of [
                    `http://${elsewhere.host}/token`,
                    `http://localhost:${port}/token`,
                    "token",
                    "",
                ]) {
                    const registry = await tokenRegistry(realm);
                    const message = await failure(
                        registry.reference,
                        resolveDigest(registry.reference, robot),
                    );
                    assert.match(message, /not reached over https/);
                }
                assert.deepEqual(elsewhere.lines, []);
            });

            it("sends credentials to a token service elsewhere over https", async () => {
                const asked: string[] = [];
                const fetch: typeof globalThis.fetch = async (input, init) => {
                    const { host, protocol } = new URL(String(input));
                    const authorization = new Headers(init?.headers).get("authorization");
                    asked.push(`${protocol} ${host} ${authorization}`);
                    if (host === "token.example.com") {
                        return Response.json({ token: TOKEN });
                    }
                    return authorization === null
                        ? new Response(null, {
                              status: 401,
                              headers: { "www-authenticate": 'Bearer realm="https://token.example.com/t"' },
                          })
                        : new Response(null, { headers: { "docker-content-digest": DIGEST } });
                };
                assert.equal(await resolveDigest("registry.example.com/app:v1", { ...robot, fetch }), DIGEST);
                assert.deepEqual(asked, [
                    "https: registry.example.com null",
                    `https: token.example.com Basic ${AUTH}`,
                    `https: registry.example.com Bearer ${TOKEN}`,
                ]);
            });

            it("does not follow a token service's redirect", async () => {
                const registry = await Registry.start(({ url }, response) =>
                    url.pathname === "/token"
                        ? response.writeHead(307, { location: "/elsewhere" }).end()
                        : challenge(response, `Bearer realm="${url.origin}/token"`),
                );
                const message = await failure(registry.reference, resolveDigest(registry.reference, robot));
                assert.match(message, /^307 from token service 127/);
                assert.equal(registry.lines.at(-1), "GET /token");
            });

            for (const [name, status, body, expected] of [
                ["refuses", 401, "", /^401 from token service 127\.0\.0\.1:\d+; run docker login 127/],
                ["answers without JSON", 200, TOKEN, /answered without a token/],
                ["answers without a token", 200, '{"token":""}', /answered without a token/],
                ["answers with a broken token", 200, `{"token":"${TOKEN}\\n."}`, /answered without a token/],
            ] as const) {
                it(`fails when the token service ${name}`, async () => {
                    const registry = await Registry.start(({ url }, response) =>
                        url.pathname === "/token"
                            ? response.writeHead(status).end(body)
                            : challenge(response, `Bearer realm="${url.origin}/token"`),
                    );
                    const message = await failure(
                        registry.reference,
                        resolveDigest(registry.reference, robot),
                    );
                    assert.match(message, expected);
                });
            }

            it("follows a redirect, but without the credentials", async () => {
                const elsewhere = await Registry.start((_, response) => manifest(response));
                const registry = await Registry.start(({ headers }, response) =>
                    headers.authorization === undefined
                        ? challenge(response, "Basic")
                        : response.writeHead(307, { location: `http://${elsewhere.host}/m` }).end(),
                );
                assert.equal(await resolveDigest(registry.reference, robot), DIGEST);
                assert.deepEqual(elsewhere.lines, ["HEAD /m"]);
                assert.equal(elsewhere.asked[0]?.headers.authorization, undefined);
            });

            it("gives no credentials to a host it was redirected to", async () => {
                const elsewhere = await Registry.start(({ url }, response) =>
                    challenge(response, `Bearer realm="${url.origin}/token"`),
                );
                const registry = await Registry.start((_, response) =>
                    response.writeHead(307, { location: `http://${elsewhere.host}/m` }).end(),
                );
                const credentials = () => assert.fail("asked for credentials");
                const promise = resolveDigest(registry.reference, { credentials });
                assert.match(await failure(registry.reference, promise), /^401/);
                assert.deepEqual(elsewhere.lines, ["HEAD /m"]);
            });
        });

        describe("failures", () => {
            it("say to log in on 401, with wrong credentials and with none", async () => {
                const registry = await Registry.start((_, response) => challenge(response, "Basic"));
                for (const options of [robot, anonymous]) {
                    const message = await failure(
                        registry.reference,
                        resolveDigest(registry.reference, options),
                    );
                    assert.equal(message, `401 from ${registry.host}; run docker login ${registry.host}`);
                }
                assert.equal(registry.asked.length, 3);
            });

            for (const [status, advice] of [
                [403, /^403 .*; run docker login 127.* may pull/],
                [404, /^404 .*; repository or tag unknown/],
                [418, /^418 .*; check that this is an image registry/],
            ] as const) {
                it(`say what ${status} means, without another try`, async () => {
                    const registry = await Registry.start((_, response) => response.writeHead(status).end());
                    const message = await failure(
                        registry.reference,
                        resolveDigest(registry.reference, anonymous),
                    );
                    assert.match(message, advice);
                    assert.equal(registry.asked.length, 1);
                });
            }

            for (const [name, header, least, most] of [
                ["of no time", "0", 0, 0],
                ["in seconds", "3", 3_000, 3_000],
                ["until a date", "in 9 seconds", 1, 9_000],
                ["until a date in the past", "Mon, 01 Jan 2001 00:00:00 GMT", 0, 0],
                ["of a day", "86400", 10_000, 10_000],
                ["with an unknown challenge", "soon", 200, 200],
            ] as const) {
                it(`are passed over when a 429 is followed by an answer, after a pause ${name}`, async () => {
                    const soon = () => new Date(Date.now() + 9_000).toUTCString();
                    const retryAfter = () => (header === "in 9 seconds" ? soon() : header);
                    const registry = await Registry.start((_, response, count) =>
                        count === 1
                            ? response.writeHead(429, { "retry-after": retryAfter() }).end()
                            : manifest(response),
                    );
                    assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
                    const [pause = NaN, ...more] = pauses;
                    assert.ok(pause >= least && pause <= most, `${pause} ms`);
                    assert.deepEqual(more, []);
                });
            }

            it("are passed over when a connection breaks off once", async () => {
                const registry = await Registry.start((_, response, count) =>
                    count === 1 ? response.destroy() : manifest(response),
                );
                assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
            });

            it("are passed over when a manifest breaks off once", async () => {
                const registry = await Registry.start((_, response, count) => {
                    if (count === 2) {
                        response.writeHead(200, { "content-length": "1000" }).write("{");
                        setTimeout(() => response.destroy(), 10);
                    } else {
                        manifest(response, {});
                    }
                });
                assert.equal(await resolveDigest(registry.reference, anonymous), DIGEST);
                assert.equal(registry.asked.length, 3);
            });

            it("are reported after the third 500, 429 and so on, with growing pauses before", async () => {
                for (const [status, advice] of [
                    [500, "try again later"],
                    [503, "try again later"],
                    [429, "too many requests, try again later"],
                ] as const) {
                    const registry = await Registry.start((_, response) => response.writeHead(status).end());
                    const promise = resolveDigest(registry.reference, anonymous);
                    const message = await failure(registry.reference, promise);
                    assert.equal(message, `${status} from ${registry.host}; ${advice}`);
                    assert.equal(registry.asked.length, 3);
                    assert.deepEqual(pauses.splice(0), [200, 400]);
                }
            });

            it("say that the connection is refused", async () => {
                const registry = await Registry.start(() => undefined);
                const { host, reference } = registry;
                await running.pop()!.stop();
                const message = await failure(reference, resolveDigest(reference, anonymous));
                assert.equal(message, `${host} is not reached (ECONNREFUSED); check host and network`);
                assert.deepEqual(pauses, [200, 400]);
            });

            it("say that there was no answer in time", async () => {
                const registry = await Registry.start(() => undefined);
                const promise = resolveDigest(registry.reference, { ...anonymous, timeoutMs: 100 });
                assert.match(await failure(registry.reference, promise), /\(no answer within 100 ms\)/);
                assert.equal(registry.asked.length, 3);
            });

            it("of the credentials name the reference", async () => {
                const registry = await basicRegistry();
                const credentials = () => Promise.reject(new Error("no\nhelper"));
                const promise = resolveDigest(registry.reference, { credentials });
                assert.equal(await failure(registry.reference, promise), "no helper");
            });
        });

        it("speaks http to loopback hosts only", async () => {
            const schemeFor = async (registry: string) => {
                let asked = "";
                const fetch: typeof globalThis.fetch = async (input) => {
                    asked = String(input);
                    return new Response(null, { headers: { "docker-content-digest": DIGEST } });
                };
                await resolveDigest(`${registry}/app:v1`, { ...anonymous, fetch });
                return asked.replace(`://${registry}/v2/app/manifests/v1`, "");
            };
            for (const host of ["127.0.0.1", "127.0.0.1:5000", "localhost", "localhost:5000", "[::1]:5000"]) {
                assert.equal(await schemeFor(host), "http");
            }
            for (const host of [
                "registry.example.com",
                "127.0.0.1.example.com",
                "localhost.example.com:5000",
                "registry.localhost",
                "10.0.0.1",
            ]) {
                assert.equal(await schemeFor(host), "https");
            }
        });

        it("takes no answer that came over http from elsewhere", async () => {
            const fetch: typeof globalThis.fetch = async () =>
                Object.defineProperty(
                    new Response(null, { headers: { "docker-content-digest": DIGEST } }),
                    "url",
                    {
                        value: "http://registry.example.com/m",
                    },
                );
            const reference = "registry.example.com/app:v1";
            const message = await failure(reference, resolveDigest(reference, { ...anonymous, fetch }));
            assert.match(message, /redirects to plain http/);
        });
    });

    describe("dockerCredentials", () => {
        const host = "registry.example.com:5000";
        const credentials = { username: "robot", password: PASSWORD };
        const configure = (config: unknown) => writeFile(join(folder, "config.json"), JSON.stringify(config));

        /** Puts a credential helper on the PATH that says what it was asked before it runs the script. */
        async function helper(name: string, script: string): Promise<void> {
            const file = join(folder, `docker-credential-${name}`);
            await writeFile(file, `#!/bin/sh\necho "$1 $(cat)" >>"${folder}/asked"\n${script}\n`);
            await chmod(file, 0o755);
        }

        const held = (Username: string, Secret: string) => `echo '${JSON.stringify({ Username, Secret })}'`;

        async function fails(expected: RegExp): Promise<void> {
            const error = await dockerCredentials(host).then(
                () => assert.fail("did not fail"),
                (reason: unknown) => reason as Error,
            );
            assert.match(error.message, expected);
            assert.ok(!`${error.stack} ${String(error.cause)}`.includes(PASSWORD), error.message);
        }

        it("log in to a registry from the config file", async () => {
            const registry = await basicRegistry();
            await configure({ auths: { [registry.host]: { auth: AUTH } } });
            assert.equal(await resolveDigest(registry.reference), DIGEST);
        });

        it("log in to a registry from its credential helper", async () => {
            const registry = await basicRegistry();
            await configure({ credHelpers: { [registry.host]: "fake" }, credsStore: "other" });
            await helper("fake", held("robot", PASSWORD));
            assert.equal(await resolveDigest(registry.reference), DIGEST);
            assert.equal(await readFile(join(folder, "asked"), "utf8"), `get ${registry.host}\n`);
        });

        it("come from the store where the registry has no helper, rather than from the file", async () => {
            const auth = Buffer.from("old:old").toString("base64");
            await configure({
                auths: { [host]: { auth } },
                credHelpers: { "b.example.com": "b" },
                credsStore: "fake",
            });
            await helper("fake", held("robot", PASSWORD));
            assert.deepEqual(await dockerCredentials(host), credentials);
        });

        for (const key of [host, `https://${host}`, `https://${host}/v1/`, `http://${host}/`]) {
            it(`are found under ${key}`, async () => {
                await configure({ auths: { "b.example.com": { auth: "x" }, [key]: { auth: AUTH } } });
                assert.deepEqual(await dockerCredentials(host), credentials);
            });
        }

        it("are none without a file, an entry, or where the helper has none", async () => {
            assert.equal(await dockerCredentials(host), undefined);
            for (const auths of [
                undefined,
                {},
                { [host]: {} },
                { [host]: { auth: "" } },
                { "registry.example.com": { auth: AUTH } },
            ]) {
                await configure({ auths });
                assert.equal(await dockerCredentials(host), undefined);
            }
            await configure({ credsStore: "fake" });
            await helper("fake", "echo credentials not found in native keychain; exit 1");
            assert.equal(await dockerCredentials(host), undefined);
        });

        it("are read from the home folder without DOCKER_CONFIG", async () => {
            const { HOME } = process.env;
            await configure({ auths: { [host]: { auth: AUTH } } });
            process.env["HOME"] = folder;
            process.env["DOCKER_CONFIG"] = "";
            try {
                assert.equal(await dockerCredentials(host), undefined);
                await symlink(".", join(folder, ".docker"));
                assert.deepEqual(await dockerCredentials(host), credentials);
            } finally {
                process.env["HOME"] = HOME;
            }
        });

        it("fail where a helper is missing, fails or talks nonsense", async () => {
            await configure({ credsStore: "fake" });
            await fails(/docker-credential-fake is not on the PATH/);
            await helper("fake", `echo ${PASSWORD}; echo ${PASSWORD} >&2; exit 3`);
            await fails(/docker-credential-fake failed \(3\); run docker login registry/);
            for (const answer of [PASSWORD, "null", `{"Username":"${PASSWORD}"}`]) {
                await helper("fake", `echo '${answer}'`);
                await fails(/docker-credential-fake answered without Username and Secret/);
            }
        });

        it("fail where the file is malformed, without quoting it", async () => {
            for (const text of [PASSWORD, `{"auths": ${PASSWORD}`, "7"]) {
                await writeFile(join(folder, "config.json"), text);
                await fails(/config\.json is not a JSON object/);
            }
            await configure({ auths: { [host]: { auth: Buffer.from("no colon").toString("base64") } } });
            await fails(/malformed entry for registry\.example\.com/);
            process.env["DOCKER_CONFIG"] = "/dev/null";
            await fails(/cannot be read \(ENOTDIR\)/);
        });

        it("fail where they are an identity token", async () => {
            await configure({ auths: { [host]: { auth: AUTH, identitytoken: PASSWORD } } });
            await fails(/identity token for registry/);
            await configure({ credsStore: "fake" });
            await helper("fake", held("<token>", PASSWORD));
            await fails(/identity token for registry/);
        });
    });

    describe("pinImages", () => {
        const A = "registry.example.com/a:v1";
        const B = "registry.example.com/b:v1";
        const C = "registry.example.com:5000/c:v1";
        const OTHER = digestOf("other");
        let file: string;
        let lines: string[];

        beforeEach(() => {
            file = join(folder, "Pulumi.production.yaml");
            lines = [];
        });

        const pin = (options: Partial<PinOptions> = {}) =>
            pinImages({
                file,
                references: [B, A],
                resolve: async (reference) => digestOf(reference),
                log: (line) => lines.push(line),
                ...options,
            });

        /** What pinning makes of a file. */
        async function pinIn(text: string, options: Partial<PinOptions> = {}): Promise<string> {
            await writeFile(file, text);
            await pin(options);
            return readFile(file, "utf8");
        }

        const both = (indent: string) => `${indent}"${A}": ${digestOf(A)}\n${indent}"${B}": ${digestOf(B)}\n`;

        it("writes sorted pins into the production stack, and changes no other byte", async () => {
            const stack = await readFile(resolvePath(__dirname, "../../Pulumi.production.yaml"), "utf8");
            // As before the first pin, whatever is pinned by now.
            const [head = "", tail = "", ...more] = stack.split(/(?<=\n {4})pins:.*\n(?: {6}.*\n)*/);
            assert.deepEqual(more, []);
            assert.match(tail, /#.*\n/);
            assert.equal(await pinIn(`${head}pins: {}\n${tail}`), `${head}pins:\n${both("      ")}${tail}`);
            assert.deepEqual(lines, [`pinned ${B} ${digestOf(B)}`, `pinned ${A} ${digestOf(A)}`]);
        });

        it("adds to the pins, and keeps their comments and those no longer referenced", async () => {
            const head = `config: # c\n  mcp:images:\n    pins: # of images\n      # first\n`;
            const tail =
                "\n      # end\n    # after\n    registry: registry.example.com # r\n# last, without newline";
            const before =
                `      '${C}': ${OTHER}\n` +
                `      # why b\n      ${B}: ${digestOf(B)} # b\n      registry.example.com/a:v0: ${OTHER}\n`;
            const after =
                `      registry.example.com/a:v0: ${OTHER}\n      "${A}": ${digestOf(A)}\n` +
                `      # why b\n      ${B}: ${digestOf(B)} # b\n      '${C}': ${OTHER}\n`;
            assert.equal(await pinIn(head + before + tail), head + after + tail);
            assert.deepEqual(lines, [`kept ${B} ${digestOf(B)}`, `pinned ${A} ${digestOf(A)}`]);
        });

        it("returns what it did, each reference once and in the order given", async () => {
            const old = ["a", "b", "c"].map(
                (name) => `      registry.example.com/old-${name}:v1: ${OTHER}\n`,
            );
            const references = [C, A, "registry.example.com/old-b:v1", "registry.example.com/old-a:v1", A];
            const [, , ...kept] = references.slice(0, -1);
            await writeFile(file, `config:\n  mcp:images:\n    pins:\n${old.join("")}`);
            // The first takes longest.
            const resolve = async (reference: string) => {
                await (reference === C && timers.setImmediate());
                return digestOf(reference);
            };
            assert.deepEqual(await pin({ references, resolve }), { pinned: [C, A], kept });
            assert.deepEqual(await pin({ references, resolve }), { pinned: [], kept: [C, A, ...kept] });
            assert.equal(lines.length, 8);
        });

        it("neither resolves nor touches what is pinned", async () => {
            await writeFile(file, `config: {mcp:images: {pins: {"${A}": "${OTHER}"}}}`);
            const { ino } = await stat(file);
            await pin({ references: [A], resolve: () => assert.fail("resolved") });
            assert.deepEqual(lines, [`kept ${A} ${OTHER}`]);
            assert.equal((await stat(file)).ino, ino);
        });

        it("pins again if a pin is no digest", async () => {
            const head = "config:\n  mcp:images:\n    pins:\n";
            assert.equal(await pinIn(`${head}      "${A}": latest\n      "${B}":\n`), head + both("      "));
        });

        it("says which tag moved on a refresh", async () => {
            const before = `config:\n  mcp:images:\n    pins:\n      ${A}: ${digestOf(A)}\n      ${B}: ${OTHER} # b\n`;
            assert.equal(await pinIn(before, { refresh: true }), before.replace(OTHER, digestOf(B)));
            assert.deepEqual(lines, [
                `pinned ${B} ${digestOf(B)}, the tag moved from ${OTHER}`,
                `kept ${A} ${digestOf(A)}`,
            ]);
        });

        it("writes nothing when one of three fails", async () => {
            const registry = await Registry.start(({ url }, response) =>
                url.pathname.includes("/b/") ? response.writeHead(404).end() : manifest(response),
            );
            const references = ["a", "b", "c"].map((name) => `${registry.host}/${name}:v1`);
            await writeFile(file, "config: {}\n");
            const resolve = (reference: string) => resolveDigest(reference, anonymous);
            await assert.rejects(pin({ references, resolve }), {
                message:
                    `1 of 3 images not resolved, ${file} is unchanged:\n  ${references[1]}: ` +
                    `404 from ${registry.host}; repository or tag unknown, push the image or correct its version`,
            });
            assert.equal(registry.asked.length, 3);
            assert.equal(await readFile(file, "utf8"), "config: {}\n");
            assert.deepEqual(await readdir(folder), ["Pulumi.production.yaml"]);
            assert.deepEqual(lines, []);
            const found = await pin({ references: [references[0]!], resolve });
            assert.deepEqual(found.pinned, [references[0]]);
        });

        it("reports all failures together", async () => {
            await writeFile(file, "config: {}\n");
            const resolve = (reference: string) => Promise.reject(new Error(`${reference}: gone`));
            await assert.rejects(pin({ resolve }), {
                message: `2 of 2 images not resolved, ${file} is unchanged:\n  ${A}: gone\n  ${B}: gone`,
            });
        });

        it("resolves four at a time", async () => {
            await writeFile(file, "config: {}\n");
            const references = Array.from({ length: 10 }, (_, index) => `registry.example.com/app:v${index}`);
            let [now, most] = [0, 0];
            const resolve = async () => {
                most = Math.max(most, ++now);
                await timers.setImmediate();
                now--;
                return OTHER;
            };
            assert.equal((await pin({ references, resolve })).pinned.length, 10);
            assert.equal(most, 4);
        });

        it("replaces the file in one step, with its mode and through a link", async () => {
            const target = join(folder, "stack.yaml");
            await writeFile(target, "config: {}\n");
            await chmod(target, 0o640);
            await symlink(target, file);
            const { ino } = await stat(target);
            await pin();
            const { ino: after, mode } = await stat(target);
            assert.notEqual(after, ino);
            assert.equal(mode & 0o777, 0o640);
            assert.match(await readFile(file, "utf8"), /sha256/);
            assert.deepEqual((await readdir(folder)).sort(), ["Pulumi.production.yaml", "stack.yaml"]);
        });

        it("keeps what somebody else wrote in the meantime", async () => {
            const resolve = async (reference: string) => {
                await writeFile(file, "config: {} # edited\n");
                return digestOf(reference);
            };
            assert.match(await pinIn("config: {}\n", { resolve }), /^config: # edited\n {2}mcp:images:\n/);
        });

        const LONG = Array(30).fill("word").join(", ");
        const images = `  mcp:images:\n    pins:\n${both("      ")}`;
        for (const [name, before, after] of [
            ["nothing", "", `config:\n${images}`],
            ["comments only", "# c\n", `# c\nconfig:\n${images}`],
            ["a comment without newline", "# c", `# c\nconfig:\n${images}`],
            ["no config", "a: 1", `a: 1\nconfig:\n${images}`],
            ["an empty config", "config:\n# c\na: 1\n", `config:\n${images}# c\na: 1\n`],
            [
                "no images",
                "config:\n  a: [1, {b: 2}] # a\n\n# c\nb: 1\n",
                `config:\n  a: [1, {b: 2}] # a\n${images}\n# c\nb: 1\n`,
            ],
            [
                "no images after a text",
                "config:\n  a: |\n    b\nc: 1\n",
                `config:\n  a: |\n    b\n${images}c: 1\n`,
            ],
            [
                "no images after a list",
                "config:\n  a:\n    - b: 1 # b\n  # c\n",
                `config:\n  a:\n    - b: 1 # b\n${images}  # c\n`,
            ],
            [
                "no images after a map",
                "config:\n  a:\n    b: 1 # b\n\n    # more\n      # more\n  # c\n\n# d\nc: 1\n",
                `config:\n  a:\n    b: 1 # b\n\n    # more\n      # more\n${images}  # c\n\n# d\nc: 1\n`,
            ],
            [
                "no images after brackets",
                "config:\n  a: [\n    1\n  ]\n",
                `config:\n  a: [\n    1\n  ]\n${images}`,
            ],
            [
                "long images in braces",
                `config:\n  mcp:images: { a: [ ${LONG} ] }\n`,
                `config:\n  mcp:images:\n    a: [${LONG}]\n${images.replace(/.*\n/, "")}`,
            ],
            ["empty images", "config:\n  mcp:images: {}\n  b: 1\n", `config:\n${images}  b: 1\n`],
            [
                "images in braces",
                "config:\n  mcp:images: {registry: a} # c\n",
                `config:\n  mcp:images: # c\n    registry: a\n${images.replace(/.*\n/, "")}`,
            ],
            [
                "null pins",
                "config:\n  mcp:images:\n    pins: # c\n    registry: a\n",
                `config:\n${images.replace("pins:", "pins: # c")}    registry: a\n`,
            ],
            [
                "pins in braces",
                `config:\n  mcp:images:\n    pins: {"${B}": ${digestOf(B)}} # c\n`,
                `config:\n${images.replace("pins:", "pins: # c")}`,
            ],
            [
                "pins at the very end",
                `config:\n  mcp:images:\n    pins:\n      "${B}": ${digestOf(B)}`,
                `config:\n${images.trimEnd()}`,
            ],
            [
                "another indentation",
                "config:\n    mcp:images:\n        registry: a\n",
                `config:\n    mcp:images:\n        registry: a\n        pins:\n${both("          ")}`,
            ],
            [
                "lines of Windows",
                "config:\r\n  mcp:images:\r\n    pins: {}\r\n  b: 1\r\n",
                `config:\n${images}  b: 1\n`.replaceAll("\n", "\r\n"),
            ],
        ] as const) {
            it(`finds the place for the pins in a file with ${name}`, async () => {
                assert.equal(await pinIn(before), after);
            });
        }

        for (const [name, text, why] of [
            ["broken YAML", "config:\n  a: [\n", /Pulumi\.production\.yaml:3 is not YAML/],
            ["pins that are no map", "config:\n  mcp:images:\n    pins: none\n", /cannot be edited/],
            ["an alias for pins", "config:\n  a: &a {}\n  mcp:images:\n    pins: *a\n", /cannot be edited/],
            [
                "pins that something else refers to",
                "config:\n  mcp:images:\n    pins: &a\n      b: c\n  d: *a\n",
                /cannot be edited/,
            ],
            ["braces all around", "{config: {}}\n", /cannot be edited/],
        ] as const) {
            it(`leaves a file with ${name} alone`, async () => {
                await writeFile(file, text);
                await assert.rejects(pin(), why);
                assert.equal(await readFile(file, "utf8"), text);
                assert.deepEqual(await readdir(folder), ["Pulumi.production.yaml"]);
                assert.deepEqual(lines, []);
            });
        }
    });
});
