import { controlPlane } from "./cluster/control-plane";
import { buildToolchain } from "./engine/toolchain";

/* Builds with Go what the tests of the cluster and the engine need, so that none of them waits for it. */

async function main(): Promise<void> {
    await controlPlane.build(console.log);
    await buildToolchain(console.log);
}

void main();
