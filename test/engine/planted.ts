/** Begins every secret, supplied or generated, so that a leak of any of them is found. */
export const PLANTED = "planted";

/** How a secret or a private key begins: plain, and as a whole in base64, of which what follows changes the end. */
export const LEAKS: readonly string[] = [PLANTED, "-----BEGIN PRIVATE KEY"].flatMap((text) => [
    text,
    Buffer.from(text).toString("base64").replace(/.=*$/, ""),
]);
