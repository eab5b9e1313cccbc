/**
 * The current time for checks of values. `MCP_NOW` overrides it, so that tests do not depend on the date. Default: now.
 */
export function now(): Date {
    const given = process.env["MCP_NOW"];
    return given === undefined ? new Date() : new Date(given);
}
