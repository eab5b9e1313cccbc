/**
 * The time by which values are checked. `MCP_NOW` sets it, so that a test's verdict never ages. Default: now.
 */
export function now(): Date {
    const given = process.env["MCP_NOW"];
    return given === undefined ? new Date() : new Date(given);
}
