import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Rounds of hashing, PostgreSQL's own default. */
const ITERATIONS = 4096;

/**
 * What PostgreSQL keeps of a password (RFC 5802, RFC 7677). With it a role can be given its password by somebody who
 * does not know it, and no log of the server can show it.
 */
export function scramVerifier(password: string, salt: Buffer): string {
    const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
    const key = (name: string) => createHmac("sha256", salted).update(name).digest();
    const stored = createHash("sha256").update(key("Client Key")).digest("base64");
    const server = key("Server Key").toString("base64");
    return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${server}`;
}
