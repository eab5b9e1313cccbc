/** Why something that exists cannot be adopted as the stack is, and what to do about it. */
export interface Blocker {
    /** What it is about, such as `Deployment chat-ui`. */
    subject: string;
    reason: string;
    /** Commands that make it fit, or what to do in words. */
    remedy: readonly string[];
}

/** A declared resource, and the object that it takes over. */
export interface Match {
    urn: string;
    type: string;
    /** As the provider imports it. */
    id: string;
    /** What it is, such as `Service mcp-server`. */
    subject: string;
    /** Paths of the properties that the first update changes. */
    changes: readonly string[];
}
