import { bundleProgram } from "../../offline/program";
import { record } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";

/** Prints how much longer the recorder takes for a resource among 2,000 than among 200, and among 10,000 than among 2,000. */
async function main(): Promise<void> {
    const program = bundleProgram(process.cwd());
    const base = readStackFile(process.cwd(), "staging");
    const workloads = JSON.parse(base.config["mcp:workloads"]!) as Record<string, unknown>;
    const millisecondsEach = async (resources: number) => {
        // A workload like Chat UI with its gate declares thirteen resources; a stack may hold 20,000 values.
        const copies = Array.from(
            { length: Math.ceil(resources / 13) },
            (_, index) => [`copy-${index}`, copy] as const,
        );
        const config = {
            ...base.config,
            "mcp:workloads": JSON.stringify({ ...workloads, ...Object.fromEntries(copies) }),
        };
        const start = process.cpuUsage();
        const recording = await record(program, { ...base, config });
        const { user, system } = process.cpuUsage(start);
        return (user + system) / 1000 / recording.resources.length;
    };
    const { image, release, scaling, resources, network } = workloads["chat-ui"] as Record<string, unknown>;
    const copy = {
        image,
        release,
        scaling,
        resources,
        network,
        port: 3000,
        health: { live: "/", ready: "/" },
    };
    await millisecondsEach(200);
    const each = [await millisecondsEach(200), await millisecondsEach(2000), await millisecondsEach(10_000)];
    process.stdout.write(JSON.stringify([each[1]! / each[0]!, each[2]! / each[1]!]));
}

void main();
