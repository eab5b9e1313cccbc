import { existsSync } from "node:fs";
import { compare } from "../../offline/compare";
import { judgeRecording } from "../../offline/evaluate";
import { PLAIN } from "../../offline/layout";
import { bundleProgram } from "../../offline/program";
import { record } from "../../offline/record";
import { renderText } from "../../offline/render";
import { readStackFile } from "../../offline/stackFile";
import { NO_EXCEPTIONS } from "../../policies/exceptions";
import { rules } from "../../policies/rules";
import { writeBareProgram } from "./bareProgram";

/** Previews the bare program in the folder that is named, which is written first where it is missing. */
async function main(folder: string): Promise<void> {
    if (!existsSync(folder)) {
        const root = process.cwd();
        const { resources } = await record(bundleProgram(root), readStackFile(root, "production"));
        writeBareProgram(folder, resources, "");
    }
    const input = { project: "mcp", stack: "bare", config: {}, secretKeys: [] };
    const recording = await record(bundleProgram(folder), input);
    const changes = compare({ ...recording, resources: [] }, recording);
    const findings = judgeRecording(recording, rules, new Date(), NO_EXCEPTIONS);
    process.stdout.write(
        renderText(
            { recording, changes, edits: [], placeholders: [], findings, before: undefined, rules },
            { ...PLAIN, full: true },
        ),
    );
}

void main(process.argv[1]!);
