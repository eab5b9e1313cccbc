import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** Iterations of the hash, PostgreSQL's default. */
const ITERATIONS = 4096;

/**
 * Verifier that PostgreSQL stores for a password (RFC 5802, RFC 7677). The bootstrap sets it without knowing the
 * password, so no server log can contain the password.
 */
export function scramVerifier(password: string, salt: Buffer): string {
    const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
    const key = (name: string) => createHmac("sha256", salted).update(name).digest();
    const stored = createHash("sha256").update(key("Client Key")).digest("base64");
    const server = key("Server Key").toString("base64");
    return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${server}`;
}
