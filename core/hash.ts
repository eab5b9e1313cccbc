import { createHash } from "node:crypto";

/** Short name of a value's content: eight hexadecimal digits that change when any part of it does. */
export function contentHash(value: unknown): string {
    return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 8);
}
