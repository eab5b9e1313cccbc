import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, createSecureContext, type Server as TlsServer } from "node:tls";
import { bundledJob } from "../../jobs/bundle.cjs";
import { type CertificatePlan, runCertificate } from "../../jobs/certificate";
import { type Issued, temporaryAuthority } from "../certificates";
import { runProgram, type Watch } from "./program";
import { listen } from "./servers";

const HOST = "mcp.msil.com";
const ADMIN = "admin.mcp.msil.com";

describe("certificate gate", () => {
    const { issue, remove } = temporaryAuthority();
    const folder = mkdtempSync(join(tmpdir(), "certificate-gate-"));
    let ours: Issued;
    let theirs: Issued;
    let serial: string;
    let until: string;
    let wrong: string;
    let plans = 0;
    const closers: (() => void)[] = [];

    before(() => {
        ours = issue("ours", { hosts: [HOST, ADMIN] });
        theirs = issue("TRAEFIK DEFAULT CERT", { days: 3 });
        ({ serialNumber: serial, validTo: until } = new X509Certificate(ours.certificate));
        const { serialNumber, validTo } = new X509Certificate(theirs.certificate);
        wrong = `expected serial ${serial}, served ${serialNumber}, valid until ${validTo}`;
        writeFileSync(join(folder, "certificate.js"), bundledJob("certificate"));
    });

    afterEach(() => {
        for (const close of closers.splice(0)) close();
    });

    after(() => {
        remove();
        rmSync(folder, { recursive: true });
    });

    async function listening<T extends Server>(server: T): Promise<{ server: T; address: string }> {
        const { port, close } = await listen(server);
        closers.push(close);
        return { server, address: `127.0.0.1:${port}` };
    }

    const pem = ({ certificate, privateKey }: Issued) => ({ cert: certificate, key: privateKey });

    const serve = (issued: Issued): Promise<{ server: TlsServer; address: string }> =>
        listening(createTlsServer(pem(issued)).on("tlsClientError", () => undefined));

    const plan = (...hosts: CertificatePlan["hosts"]): CertificatePlan => ({
        subject: "mcp-tls-new",
        serial,
        hosts,
        deadlineSeconds: 15,
    });

    /** Runs the bundle as the Job does; `watch` gets the process and what it has printed so far. */
    async function gate(content: unknown, watch?: Watch) {
        const path = join(folder, `plan-${(plans += 1)}.json`);
        writeFileSync(path, JSON.stringify(content));
        const { code, lines, err } = await runProgram([join(folder, "certificate.js"), path], { watch });
        return { code, lines, err };
    }

    const header = (hosts: string) => `certificate mcp-tls-new: serial ${serial} at ${hosts}`;
    const passed = (host: string) => `  ✓ ${host}: serial ${serial}, valid until ${until}`;
    const PASSED = "PASSED 1 of 1 hosts: mcp-tls-new is what they serve.";
    const FAILED = "FAILED 1 of 1 hosts: mcp-tls-new is not what they serve.";

    it("shows what a terminal would obey", async () => {
        const { address } = await serve(ours);
        const { lines } = await gate({ ...plan({ host: HOST, address }), subject: "mcp\u001b[2J\u202e" });
        assert.match(lines[0]!, /^certificate mcp\\u001b\[2J\\u202e: /);
    });

    it("fails while the certificate is not valid yet", async () => {
        const { address } = await serve(ours);
        const lines: string[] = [];
        const { failed } = await runCertificate(
            { ...plan({ host: HOST, address }), deadlineSeconds: 1 },
            {
                log: (line) => lines.push(line),
                signal: new AbortController().signal,
                date: () => new Date(Date.now() - 30 * 86_400_000),
            },
        );
        assert.deepEqual(failed, [HOST]);
        assert.match(lines.at(-1)!, /^ {2}✗ mcp\.msil\.com: .*valid from .* on only/);
    });

    it("passes where the certificate is served, trusted or not", async () => {
        const { address } = await serve(ours);
        assert.deepEqual(await gate(plan({ host: HOST, address })), {
            code: 0,
            lines: [header("1 host"), passed(HOST), PASSED],
            err: "",
        });
    });

    it("asks for each host by its name", async () => {
        const { server, address } = await serve(theirs);
        server.addContext(HOST, createSecureContext(pem(ours)));
        const { code, lines } = await gate(plan({ host: HOST, address }));
        assert.equal(code, 0, lines.join("\n"));
    });

    it("waits while another one is served, and passes once it is replaced", async () => {
        const { server, address } = await serve(theirs);
        const { code, lines } = await gate(plan({ host: HOST, address }), (_, out) => {
            if (out.includes("…")) server.setSecureContext(pem(ours));
        });
        assert.equal(code, 0);
        assert.deepEqual(lines, [
            header("1 host"),
            `  … ${HOST}: ${wrong}; looking again`,
            passed(HOST),
            PASSED,
        ]);
    });

    it("fails at the deadline with what was served, said once while it waits", async () => {
        const { address } = await serve(theirs);
        const { code, lines } = await gate({ ...plan({ host: HOST, address }), deadlineSeconds: 3 });
        assert.equal(code, 1);
        assert.deepEqual(lines, [
            header("1 host"),
            `  … ${HOST}: ${wrong}; looking again`,
            `  ✗ ${HOST}: ${wrong}; the deadline of 3 s passed`,
            FAILED,
        ]);
    });

    /** The one line a run of three seconds ends with, before its verdict. */
    async function failure(address: string): Promise<string> {
        const { code, lines, err } = await gate({ ...plan({ host: HOST, address }), deadlineSeconds: 3 });
        assert.equal(code, 1);
        assert.equal(err, "");
        assert.equal(lines.at(-1), FAILED);
        return lines.at(-2)!;
    }

    const nothing = (address: string, why: string) =>
        `  ✗ ${HOST}: expected serial ${serial}, no TLS at ${address}: ${why}; the deadline of 3 s passed`;

    it("fails without a listener", async () => {
        const { server, address } = await serve(ours);
        server.close();
        assert.equal(await failure(address), nothing(address, "connection refused (ECONNREFUSED)"));
    });

    it("fails where something else than TLS answers", async () => {
        const { address } = await listening(
            createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
        );
        assert.equal(await failure(address), nothing(address, "TLS failure (ERR_SSL_WRONG_VERSION_NUMBER)"));
    });

    it("fails where the connection is dropped", async () => {
        const { address } = await listening(createServer((socket) => socket.destroy()));
        assert.equal(await failure(address), nothing(address, "connection dropped (ECONNRESET)"));
    });

    it("fails where nothing ever answers", async () => {
        const { address } = await listening(createServer());
        assert.equal(await failure(address), nothing(address, "no answer yet"));
    });

    it("fails when one of two hosts serves another one", async () => {
        const { server, address } = await serve(theirs);
        server.addContext(HOST, createSecureContext(pem(ours)));
        const hosts = [HOST, ADMIN].map((host) => ({ host, address }));
        const { code, lines } = await gate({ ...plan(...hosts), deadlineSeconds: 3 });
        assert.equal(code, 1);
        assert.equal(lines[0], header("2 hosts"));
        assert.ok(lines.includes(passed(HOST)));
        assert.equal(lines.at(-2), `  ✗ ${ADMIN}: ${wrong}; the deadline of 3 s passed`);
        assert.equal(lines.at(-1), "FAILED 1 of 2 hosts: mcp-tls-new is not what they serve.");
    });

    it("ends when it is terminated", async () => {
        const { address } = await serve(theirs);
        const { code, lines } = await gate(plan({ host: HOST, address }), (child, out) => {
            if (out.includes("…")) child.kill("SIGTERM");
        });
        assert.equal(code, 1);
        assert.equal(lines.at(-2), `  ✗ ${HOST}: ${wrong}; stopped by SIGTERM`);
    });

    const unusable: [what: string, change: object, message: string][] = [
        ["no hosts", { hosts: [] }, "hosts: found an empty list, expected a list of at least one"],
        [
            "a serial number in small letters",
            { serial: "ab" },
            'serial: found "ab", expected a serial number in capital hexadecimal digits',
        ],
        [
            "an address without port",
            { hosts: [{ host: HOST, address: "traefik" }] },
            'hosts[0].address: found "traefik", expected host:port',
        ],
    ];
    for (const [what, change, message] of unusable) {
        it(`refuses a plan with ${what}`, async () => {
            const { code, err } = await gate({ ...plan({ host: HOST }), ...change });
            assert.equal(code, 2);
            assert.ok(err.includes(message), err);
        });
    }
});
