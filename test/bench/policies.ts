import { judgeRecording } from "../../offline/evaluate";
import { previewStack } from "../../offline/preview";
import { bundleProgram } from "../../offline/program";
import { renderText } from "../../offline/render";
import { NO_EXCEPTIONS } from "../../policies/exceptions";
import { rules } from "../../policies/rules";

/** Prints what all rules take over production, judged once in a fresh process, as a share of the preview without them. */
async function main(): Promise<void> {
    const root = process.cwd();
    const previewed = await cpuOf(async () => {
        const preview = await previewStack(root, bundleProgram(root), [], "production", [], NO_EXCEPTIONS);
        renderText(preview);
        return preview.recording;
    });
    const judged = await cpuOf(() => judgeRecording(previewed.result, rules));
    process.stdout.write(String(judged.cpu / previewed.cpu));
}

/** Runs a piece of work; its CPU time in microseconds, and what it gives. */
async function cpuOf<T>(work: () => T | Promise<T>): Promise<{ cpu: number; result: T }> {
    const start = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(start);
    return { cpu: user + system, result };
}

void main();
