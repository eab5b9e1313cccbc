import { stackNames, valuesOf } from "../../offline/stackFile";
import { parseArgs } from "../args";
import { runner } from "../doctor/tools";
import { runKubectl } from "../kubectl";
import { print, screen, step } from "../output";
import { readStatus } from "./read";
import { renderStatus } from "./render";

const help = (
    root: string,
) => `Shows what runs: releases, pods, gates that an update waits for, and alarms that ring.

Usage: npm run status -- [--stack NAME] [--json]

kubectl reads the cluster, and the AWS CLI the alarms. Where AWS cannot be asked, one line says why. It changes nothing.

  --stack NAME  stack that is meant (${stackNames(root).join(", ")}); default production
  --json        the same as JSON: workloads, gates, alarms
  --help        this text

Exit status: 0, or 1 for bad input or where kubectl fails.
`;

/** `npm run status`. Returns the exit status. */
export async function statusCommand(root: string, args: string[]): Promise<number> {
    const { values: options } = parseArgs({
        args,
        options: {
            stack: { type: "string", default: "production" },
            json: { type: "boolean", default: false },
            help: { type: "boolean", default: false },
        },
    });
    if (options.help) {
        print(help(root));
        return 0;
    }
    const { stack } = options;
    const values = valuesOf(root, stack);
    step(`Reading the status of ${stack}`);
    const status = await readStatus(stack, values, runKubectl, runner());
    print(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : renderStatus(status, screen()));
    return 0;
}
