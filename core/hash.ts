import { createHash } from "node:crypto";

/** Short hash of a value: eight hexadecimal digits that change when any part of it changes. */
export function contentHash(value: unknown): string {
    return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);
}
