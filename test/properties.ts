const { MCP_PROPERTY_RUNS: given = "20" } = process.env;

if (!/^[1-9][0-9]*$/.test(given))
    throw new Error(`MCP_PROPERTY_RUNS: found ${given}, expected a whole number of at least 1`);

/** Cases of each property test: few in the inner loop; MCP_PROPERTY_RUNS sets another number: 300 in CI, 10,000 nightly. */
export const PROPERTY_RUNS = { numRuns: Number(given) };
