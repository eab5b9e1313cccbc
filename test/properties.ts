/** Cases of each property test: few in the inner loop; MCP_PROPERTY_RUNS sets another number, as for a nightly run. */
export const PROPERTY_RUNS = { numRuns: Number(process.env["MCP_PROPERTY_RUNS"] ?? 20) };
