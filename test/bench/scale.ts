import { bundleProgram } from "../../offline/program";
import { record } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";

/** Prints how much longer the recorder takes for a resource among 2,000 than among 200. */
async function main(): Promise<void> {
    const program = bundleProgram(process.cwd());
    const base = readStackFile(process.cwd(), "staging");
    const workloads = JSON.parse(base.config["mcp:workloads"]!) as Record<string, unknown>;
    const millisecondsEach = async (resources: number) => {
        // A workload like Chat UI with its gate declares thirteen resources.
        const copies = Array.from(
            { length: Math.ceil(resources / 13) },
            (_, index) => [`copy-${index}`, copy] as const,
        );
        const config = {
            ...base.config,
            "mcp:workloads": JSON.stringify({ ...workloads, ...Object.fromEntries(copies) }),
        };
        const start = performance.now();
        const recording = await record(program, { ...base, config });
        return (performance.now() - start) / recording.resources.length;
    };
    const copy = { ...(workloads["chat-ui"] as object), port: 3000, health: { live: "/", ready: "/" } };
    await millisecondsEach(200);
    const small = await millisecondsEach(200);
    const large = await millisecondsEach(2000);
    process.stdout.write(String(large / small));
}

void main();
