/** The update does not wait for readiness: nothing depends on it, or the object cannot become ready. */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" };

/** A failed Job never becomes ready: without this the next update would wait for it again. */
export const REPLACE_UNREADY = { "pulumi.com/replaceUnready": "true" };
