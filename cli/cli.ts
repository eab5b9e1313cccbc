import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { renderCauses } from "../components/observability/alarms/causes";
import { renderAlarms } from "../components/observability/alarms/render";
import { documentedAlarms } from "./documentedAlarms";
import { NO_EXCEPTIONS } from "../policies/exceptions";
import { stringify } from "yaml";
import { rules } from "../policies/rules";
import { renderCoverage } from "../runbook/coverage";
import { renderQuickCard } from "../runbook/quickCard";
import { renderRunbook } from "../runbook/render";
import { renderPolicies } from "../policies/render";
import { foldersDiagram, importsOf } from "./importGraph";
import { deployCommand } from "./deploy/command";
import { adoptCommand } from "./adopt/command";
import { environmentCommand } from "./environment";
import { describeValue, uncommittedValues } from "./deploy/uncommitted";
import { pinImages } from "./images/pin";
import { resolveDigest } from "./images/registry";
import { listReleases, restore } from "./releases";
import { doctorCommand } from "./doctor/command";
import { reviewCommand } from "./review/command";
import { runbookCommand } from "./runbook/command";
import { statusCommand } from "./status/command";
import { ArgumentError, EDIT_OPTIONS, editsOf, nextStep, parseArgs } from "./args";
import { print, printError, type Progress, screen, showSteps, step } from "./output";
import { makeOutFolder } from "./outFolder";
import { filterOf } from "../offline/concern";
import { renderCosts, withCosts } from "../offline/costs";
import {
    PICTURED,
    picturesOf,
    platformDiagram,
    releaseDiagram,
    withPictures,
    workloadsOf,
} from "../offline/diagram";
import { manifestsOf, UNKNOWN_TEXT } from "../offline/manifests";
import { isBlocked, previewStack } from "../offline/preview";
import { bundleProgram } from "../offline/program";
import { recordOnce } from "../offline/recordings";
import { renderJson, renderText } from "../offline/render";
import { judgeStacks, packOf, readSnapshot, takeSnapshot, writeSnapshot } from "../offline/snapshot";
import { imagesOf, isUsersToMend, readStackFile, stackNames, UsageError } from "../offline/stackFile";
import { writeGenerated } from "../offline/writeGenerated";

const root = process.cwd();

const HELP = `Shows what the program declares for a stack, without cloud, cluster, state or Pulumi CLI, and judges it by policy.

Usage: npm run preview -- [options]

A summary by concern or, with --set and --unset, what they change. Exit status: 0, or 1 for bad input and
for what the engine or a mandatory policy refuses.

  --stack NAME         stack to preview (${stackNames(root).join(", ")}); default production
  --set PATH=VALUE     tries a value as pulumi config set --path would set it, and shows what it changes compared
                       with the stack file; repeatable. One of a list: mcp:disabledTools[0]=a
  --unset PATH         takes a value away as pulumi config rm --path would; repeatable
  --full               everything: the tree of resources, the outputs, each command and each finding
  --filter KEY=VALUE   only resources whose type or name contains a text, or those of a concern: type=Bucket, name=chat-ui,
                       concern=backup; repeatable: values of one key are alternatives, each key must match
  --diff               all properties of the resources that are shown
  --format FORMAT      text or json; default text; JSON has everything, whatever is shown as text
  --ignore-exceptions  judges as if no violation were accepted (policies/exceptions.yaml)
  --help               this text

Text is as wide as the terminal, and 120 columns elsewhere. NO_COLOR and FORCE_COLOR are obeyed.
`;

const RENDER_HELP = `Writes the Kubernetes objects of a stack as plain YAML, a file each, for whatever reads manifests.

Usage: npm run render -- --out FOLDER [--stack NAME] [--set PATH=VALUE] [--unset PATH]

Secrets are left out, and what only the update can tell reads ${UNKNOWN_TEXT}. Exit status: 0, or 1 for bad input.

  --stack NAME       stack to render (${stackNames(root).join(", ")}); default production
  --out FOLDER       where the files are written; it must not exist, or be empty
  --set PATH=VALUE   tries a value, as in npm run preview; repeatable
  --unset PATH       takes one away, as in npm run preview; repeatable
  --help             this text
`;

const DIAGRAM_HELP = `Draws a stack as the program declares it, as Mermaid.

Usage: npm run diagram -- [options]

The picture has its components, where the requests go (thick) and what each component needs (thin); or the steps of one
workload, in the order in which an update takes them. Exit status: 0, or 1 for bad input.

  --stack NAME       stack to draw (${stackNames(root).join(", ")}); default production
  --workload NAME    draws the steps of this workload instead
  --set PATH=VALUE   tries a value, as in npm run preview; repeatable
  --unset PATH       takes one away, as in npm run preview; repeatable
  --help             this text
`;

const DOCS_HELP = `Writes the documents that are generated from the program.

Usage: npm run docs

These are docs/runbook.md, docs/coverage.md, docs/policies.md, docs/alarms.md, docs/causes.md,
docs/quick-card.md, the costs in docs/first-deployment.md, and the pictures in the README and the other documents. The tests compare them.

  --help             this text
`;

const IMAGES_HELP = `Pins every image tag that a stack uses to its digest, in the stack file (mcp:images.pins).

Usage: npm run images -- pin --stack NAME [--refresh]

Credentials are those of docker login. Exit status: 0, or 1 when a tag could not be resolved; then nothing is written.

  --stack NAME       stack whose images are pinned (${stackNames(root).join(", ")}); default production
  --refresh          resolves the tags again that are pinned already
  --help             this text
`;

const RELEASES_HELP = `Lists the releases of a workload, or restores an earlier one in the stack file.

Usage: npm run releases -- list [--stack NAME] [--workload NAME]
       npm run releases -- restore --revision N [--stack NAME] [--workload NAME]

Shows the releases of a workload that the release history has, or sets an earlier one in the stack file, with its
configuration and its digest: on the idle colour where the workload has two. Nothing is deployed. kubectl reads the history:
with the context the stack file names, or its current one for an EKS cluster. Exit status: 0, or 1 for bad input or where
kubectl fails; then nothing is written.

  --stack NAME       stack whose file and cluster are meant (${stackNames(root).join(", ")}); default production
  --workload NAME    workload; default mcp-server
  --revision N       revision to restore, as list shows it
  --help             this text
`;

/** Maximum number of values that the preview lists. */
const MOST_UNCOMMITTED = 10;

const commands: Record<string, (args: string[]) => Promise<number>> = {
    preview: async (args) => {
        const { values } = parseArgs({
            args,
            options: {
                stack: { type: "string", default: "production" },
                ...EDIT_OPTIONS,
                full: { type: "boolean", default: false },
                filter: { type: "string", multiple: true, default: [] },
                diff: { type: "boolean", default: false },
                format: { type: "string", default: "text" },
                "ignore-exceptions": { type: "boolean", default: false },
                help: { type: "boolean", default: false },
            },
        });
        if (values.help) {
            print(HELP);
            return 0;
        }
        if (values.format !== "text" && values.format !== "json") {
            throw new UsageError(`--format: found ${JSON.stringify(values.format)}, expected text or json`);
        }
        if (values.format === "json" && values.filter.length > 0) {
            throw new UsageError("--filter: found with --format json, expected with --format text");
        }
        step(`Previewing ${values.stack}`);
        const preview = await previewStack(
            root,
            bundleProgram(root),
            rules,
            values.stack,
            editsOf(values),
            values["ignore-exceptions"] ? NO_EXCEPTIONS : undefined,
        );
        const uncommitted = uncommittedValues(root, values.stack);
        if (uncommitted.length > 0) {
            const lines = uncommitted.slice(0, MOST_UNCOMMITTED).map((value) => `  ${describeValue(value)}`);
            const more = uncommitted.length - lines.length;
            printError(
                `${[`Pulumi.${values.stack}.yaml has values that are not committed:`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n")}\n`,
            );
        }
        print(
            values.format === "json"
                ? renderJson(preview)
                : renderText(preview, {
                      ...screen(),
                      full: values.full,
                      diff: values.diff,
                      filter: filterOf(
                          values.filter,
                          preview.changes.map(({ resource }) => resource),
                      ),
                  }),
        );
        return isBlocked(preview) ? 1 : 0;
    },

    render: async (args) => {
        const { values } = parseArgs({
            args,
            options: {
                stack: { type: "string", default: "production" },
                out: { type: "string" },
                ...EDIT_OPTIONS,
                help: { type: "boolean", default: false },
            },
        });
        if (values.help) {
            print(RENDER_HELP);
            return 0;
        }
        const out = values.out === "" ? undefined : values.out;
        const isFolder = out !== undefined && existsSync(out) && statSync(out).isDirectory();
        if (out === undefined || (isFolder ? readdirSync(out).length > 0 : existsSync(out))) {
            const found =
                out === undefined ? "nothing" : `${out}, which is ${isFolder ? "not empty" : "a file"}`;
            throw new UsageError(`--out: found ${found}, expected a folder that is to be made`);
        }
        const recording = await recordOnce(
            root,
            bundleProgram(root),
            readStackFile(root, values.stack, editsOf(values)),
        );
        makeOutFolder(out);
        const manifests = manifestsOf(recording, () => "");
        for (const manifest of manifests) {
            const file = `${manifest.kind.toLowerCase()}-${manifest.metadata.name}.yaml`;
            writeFileSync(join(out, file), stringify(manifest, { lineWidth: 0 }));
        }
        print(`Wrote ${manifests.length} files to ${out}.\n`);
        return 0;
    },

    diagram: async (args) => {
        const { values } = parseArgs({
            args,
            options: {
                stack: { type: "string", default: "production" },
                workload: { type: "string" },
                ...EDIT_OPTIONS,
                help: { type: "boolean", default: false },
            },
        });
        if (values.help) {
            print(DIAGRAM_HELP);
            return 0;
        }
        const { stack, workload } = values;
        const recording = await recordOnce(
            root,
            bundleProgram(root),
            readStackFile(root, stack, editsOf(values)),
        );
        const declared = workloadsOf(recording);
        if (workload !== undefined && !declared.includes(workload)) {
            throw new UsageError(
                `--workload: found ${JSON.stringify(workload)}, expected ${declared.join(", ")}`,
            );
        }
        print(workload === undefined ? platformDiagram(recording) : releaseDiagram(recording, workload));
        return 0;
    },

    images: async (args) => {
        const { values, positionals } = parseArgs({
            args,
            allowPositionals: true,
            options: {
                stack: { type: "string", default: "production" },
                refresh: { type: "boolean", default: false },
                help: { type: "boolean", default: false },
            },
        });
        if (values.help) {
            print(IMAGES_HELP);
            return 0;
        }
        if (positionals.join(" ") !== "pin") {
            throw new ArgumentError(`found ${actionOf(positionals)}, expected pin`);
        }
        await inPlainWords(() =>
            pinImages({
                file: join(root, `Pulumi.${values.stack}.yaml`),
                references: imagesOf(root, values.stack),
                resolve: resolveDigest,
                refresh: values.refresh,
                log: (line) => print(`${line}\n`),
            }),
        );
        return 0;
    },

    releases: async (args) => {
        const { values, positionals } = parseArgs({
            args,
            allowPositionals: true,
            options: {
                stack: { type: "string", default: "production" },
                workload: { type: "string", default: "mcp-server" },
                revision: { type: "string" },
                help: { type: "boolean", default: false },
            },
        });
        const action = positionals.join(" ");
        if (values.help) {
            print(RELEASES_HELP);
            return 0;
        }
        if (action !== "list" && action !== "restore") {
            throw new ArgumentError(`found ${actionOf(positionals)}, expected list or restore`);
        }
        const run = action === "list" ? listReleases : restore;
        await inPlainWords(async () => run({ root, ...values, log: (line) => print(`${line}\n`) }));
        return 0;
    },

    runbook: (args) => runbookCommand(root, args),

    adopt: (args) => adoptCommand(root, args),

    deploy: (args) => deployCommand(root, args),
    environment: (args) => environmentCommand(root, args),

    review: (args) => reviewCommand(root, args),

    doctor: (args) => doctorCommand(root, args),

    status: (args) => statusCommand(root, args),

    /**
     * Compares states of the project, each described by its own code. With --judge, the stacks of another state are
     * read from standard input and evaluated by this state's rules and exemptions too.
     */
    snapshot: async (args) => {
        const { values } = parseArgs({ args, options: { judge: { type: "boolean", default: false } } });
        const stacks = await takeSnapshot(root, bundleProgram(root), rules);
        const others = values.judge ? await text(process.stdin) : "";
        const judged = others === "" ? {} : { judged: judgeStacks(root, readSnapshot(others).stacks, rules) };
        process.stdout.write(writeSnapshot({ stacks, pack: packOf(root, rules), ...judged }));
        return 0;
    },

    /** Regenerates the documents; tests only compare them. */
    docs: async (args) => {
        const { values } = parseArgs({ args, options: { help: { type: "boolean", default: false } } });
        if (values.help) {
            print(DOCS_HELP);
            return 0;
        }
        const alarms = documentedAlarms(root);
        const program = bundleProgram(root);
        const recorded = (stack: string, ...edits: string[]) =>
            recordOnce(root, program, readStackFile(root, stack, edits));
        const pictures = {
            ...(await picturesOf((...edits) => recorded("production", ...edits))),
            folders: foldersDiagram(importsOf(root)),
        };
        const costs = renderCosts({
            production: await recorded("production"),
            staging: await recorded("staging"),
        });
        const contentOf = (file: string) => readFileSync(join(root, file), "utf8");
        const deployment = join("docs", "first-deployment.md");
        const documents = new Map([
            [join("docs", "runbook.md"), renderRunbook(alarms)],
            [join("docs", "coverage.md"), renderCoverage()],
            [join("docs", "quick-card.md"), renderQuickCard()],
            [join("docs", "policies.md"), renderPolicies(rules)],
            [join("docs", "alarms.md"), renderAlarms(alarms)],
            [join("docs", "causes.md"), renderCauses(alarms)],
            ...PICTURED.map((file) => [file, withPictures(contentOf(file), pictures)] as const),
            [deployment, withCosts(contentOf(deployment), costs)],
        ]);
        print(`${writeGenerated(root, documents)}\n`);
        return 0;
    },
};

/** Command and arguments, as shown in errors. */
function actionOf(positionals: readonly string[]): string {
    return positionals.length === 0 ? "nothing" : JSON.stringify(positionals.join(" "));
}

/** Errors from outside (a registry, a file) are shown as messages; only a fault of the program has a stack trace. */
async function inPlainWords(work: () => Promise<unknown>): Promise<void> {
    try {
        await work();
    } catch (error) {
        throw error instanceof Error && error.constructor === Error ? new UsageError(error.message) : error;
    }
}

/**
 * A closed pipe, as with `head`: drops the remaining output and continues, because an update in progress must not stop.
 */
function dropUnread(error: NodeJS.ErrnoException): void {
    if (error.code !== "EPIPE") {
        throw error;
    }
}

/** Runs a command and returns its exit status. Reports wrong arguments on stderr. */
export async function runCommand([name = "", ...args]: string[]): Promise<number> {
    try {
        const command = Object.hasOwn(commands, name) ? commands[name]! : undefined;
        if (command === undefined) {
            const known = Object.keys(commands).join(", ");
            throw new UsageError(
                `found the command ${JSON.stringify(name)}, expected one of ${known}`,
                "What each does: npm run COMMAND -- --help",
            );
        }
        return await command(args);
    } catch (error) {
        if (!(error instanceof Error)) {
            throw error;
        }
        const text = isUsersToMend(error) ? error.message : error.stack;
        printError(
            `${[text, nextStep(error, name, args)].filter((line) => line !== undefined).join("\n")}\n`,
        );
        return 1;
    }
}

/** Runs the command of this process; `progress` shows long steps on the terminal. */
export async function main(progress?: Progress): Promise<void> {
    showSteps(progress);
    process.stdout.on("error", dropUnread);
    process.stderr.on("error", dropUnread);
    process.exitCode = await runCommand(process.argv.slice(2));
}
