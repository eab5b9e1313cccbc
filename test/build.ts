import { controlPlane } from "./cluster/control-plane";
import { buildToolchain } from "./engine/toolchain";
import { collector } from "./jobs/otelcol";

/* Builds with Go what tiers of tests need, once: of the tiers that the arguments name, or of all. */

const builds: Record<string, (log: (line: string) => void) => Promise<unknown>> = {
    cluster: (log) => controlPlane.build(log),
    engine: async (log) => {
        await controlPlane.build(log);
        await buildToolchain(log);
    },
    jobs: (log) => collector.build(log),
};

async function main(tiers: string[]): Promise<void> {
    const unknown = tiers.find((tier) => !Object.hasOwn(builds, tier));
    if (unknown !== undefined)
        throw new Error(`Tier: found ${unknown}, expected one of ${Object.keys(builds).join(", ")}`);
    for (const tier of tiers.length > 0 ? tiers : Object.keys(builds)) await builds[tier]!(console.log);
}

main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
});
