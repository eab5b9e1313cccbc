/** The digest of an image that is not pinned yet; no image has it. */
export const PLACEHOLDER_DIGEST = `sha256:${"0".repeat(64)}`;
