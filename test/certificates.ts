import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its private key, as PEM, and as files. */
export interface Issued {
    certificate: string;
    privateKey: string;
    files: { certificate: string; privateKey: string };
}

/** How a certificate is issued. */
export interface IssueArgs {
    /** DNS names it is for. Default: none. */
    hosts?: string[];
    /** Who signs it. Default: itself. */
    issuer?: Issued;
    /** Whether it may sign others. Default: false. */
    authority?: boolean;
    /** Days it is valid; -1 for one that has expired. Default: 2. */
    days?: number;
    /** Default: an elliptic curve, which is made in no time. */
    algorithm?: "ec" | "rsa" | "ed25519";
    /** Serial number, in hexadecimal digits. Default: a random one. */
    serial?: string;
}

/** Issues certificates with openssl, as the runbook does, in a folder that `remove` deletes. */
export function temporaryAuthority(): {
    issue: (name: string, args?: IssueArgs) => Issued;
    remove: () => void;
} {
    const folder = mkdtempSync(join(tmpdir(), "mcp-certificates-"));
    let count = 0;
    const issue = (name: string, args: IssueArgs = {}): Issued => {
        const { hosts = [], issuer, authority = false, days = 2, algorithm = "ec", serial } = args;
        const own = join(folder, String((count += 1)));
        const files = { certificate: `${own}.crt`, privateKey: `${own}.key` };
        const extensions = [
            `basicConstraints=critical,CA:${authority ? "TRUE" : "FALSE"}`,
            ...(hosts.length > 0 ? [`subjectAltName=${hosts.map((host) => `DNS:${host}`).join(",")}`] : []),
        ];
        writeFileSync(`${own}.ext`, extensions.join("\n"));
        const newKey = {
            ec: ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            rsa: ["rsa:2048"],
            ed25519: ["ed25519"],
        }[algorithm];
        openssl(
            ["req", "-new", "-nodes", "-subj", `/O=MSIL/CN=${name}`, "-out", `${own}.csr`],
            ["-newkey", ...newKey, "-keyout", files.privateKey],
        );
        openssl(
            ["x509", "-req", "-in", `${own}.csr`, "-days", String(days), "-extfile", `${own}.ext`],
            ["-out", files.certificate],
            issuer === undefined
                ? ["-key", files.privateKey]
                : ["-CA", issuer.files.certificate, "-CAkey", issuer.files.privateKey],
            serial === undefined ? [] : ["-set_serial", `0x${serial}`],
        );
        return {
            certificate: readFileSync(files.certificate, "utf8"),
            privateKey: readFileSync(files.privateKey, "utf8"),
            files,
        };
    };
    return { issue, remove: () => rmSync(folder, { recursive: true }) };
}

function openssl(...args: string[][]): void {
    execFileSync("openssl", args.flat(), { stdio: ["ignore", "ignore", "pipe"] });
}
