import { join } from "node:path";
import { type StackValues } from "../../config";
import { committer } from "../authors";
import { readHistory } from "../deploy/lastUpdate";
import { describeValue, lostValues } from "../deploy/uncommitted";
import { documentedAlarms } from "../documentedAlarms";
import { ArgumentError, EDIT_OPTIONS, editsOf as editsWith, parseArgs } from "../args";
import { isBlocked, previewStack } from "../../offline/preview";
import { PLAIN } from "../../offline/layout";
import { bundleProgram } from "../../offline/program";
import { renderJson, renderText } from "../../offline/render";
import {
    imagesOf,
    indexedEdits,
    isUsersToMend,
    stackNames,
    UsageError,
    valuesOf,
} from "../../offline/stackFile";
import { rules } from "../../policies/rules";
import { getOwn } from "../../core/getOwn";
import { SERVER } from "../../core/numbers";
import { BY_STRATEGY, catalogue } from "../../runbook/catalogue";
import { flagOf, optionsOf, parametersOf } from "../../runbook/parameters";
import { type Procedure } from "../../runbook/procedure";
import { commandOf } from "../../runbook/page";
import { pinImages } from "../images/pin";
import { resolveDigest } from "../images/registry";
import { restore } from "../releases";
import { commandsFor, commit, type DueCommit, dueCommit, isUncommitted } from "./commit";
import { choose } from "./choose";
import { alike, find, renderList, renderMatches } from "./find";
import { givenEdits, optionsHint, terminal, withDefaults } from "./edits";
import { Interruption } from "../interruption";
import { withLock } from "./lock";
import { shellWord } from "../shell";
import { liveScreen, print, printError, screen } from "../output";
import { notBegun, type Outcome, type RunResult, STATUS } from "./outcome";
import { renderShown } from "./show";
import { type AbortableRelease } from "./soak";
import { StackFileEdit } from "./stackFileEdit";

const help = (root: string) => `Finds, shows, plans and runs the procedures of the operations runbook.

Usage: npm run runbook
       npm run runbook -- list [--json]
       npm run runbook -- find WORDS [--json]
       npm run runbook -- show ID [--json]
       npm run runbook -- plan ID [--PARAMETER VALUE …] [--stack NAME] [--unset PATH] [--diff] [--json]
       npm run runbook -- run ID [--PARAMETER VALUE …] [--stack NAME] [--yes] [--json] [--refresh]
                                 [--keep-failed] [--rollback-on-failure] [--to-revision N] [--commit]
                                 [--wait | --abort-soak]

Without arguments, a terminal asks what you look for. list shows the procedures by chapter. find looks for words, an alarm or an HTTP status. plan shows offline what one would
change. run sets its values in the stack file, previews, asks, updates the stack, and shows the gates' lines. What a procedure needs and was not given it asks for at a terminal.

The ids release and rollback mean the procedure of the strategy of --workload:

  npm run runbook -- run release --workload mcp-server --version v2.2.0 --ticket CHG-2041 \\
                                 --approver NAME,NAME --rollback-plan TEXT
  npm run runbook -- run rollback --workload mcp-server

  --stack NAME           stack that is meant (${stackNames(root).join(", ")}); default production
  --unset PATH           for plan: tries it with a value taken away, as in npm run preview; repeatable
  --diff                 shows all properties that change
  --yes                  does not ask before the update
  --json                 the result as JSON on standard output; everything else goes to standard error
  --refresh              looks first at what was changed outside of the program; resumes a run that was interrupted, so a
                         colour that is not given is the one of the stack file
  --keep-failed          a release that fails stays as it is, to be studied; by default the next update takes it back
  --rollback-on-failure  the same for other procedures that can be taken back: when the update fails, sets the values
                         before it again, and updates
  --wait                 waits while another update has the stack's lock; where the plan is another one afterwards, asks again,
                         and with --yes ends with status 1. Without this option a terminal asks
  --abort-soak           in an emergency: aborts the release that another update is at, and goes on when that has ended. The
                         other update takes its release back; with --yes this one goes without the engine's preview
  --to-revision N        for a rollback: to this revision of the release history, its image and its configuration
                         (npm run releases -- list --workload NAME)
  --commit               commits the stack file on a branch when the update is done; by default the commands are printed
  --help                 this text

Exit status: 0 done, 1 bad input or a plan that is refused, 2 not confirmed, 3 no Pulumi CLI, 4 the update failed,
5 it failed and was taken back, 130 interrupted. With 1, 2 and 3 nothing has changed.
`;

/** A procedure's own options. */
function helpWith(procedure: Procedure): string {
    const { id, title, sections } = procedure;
    const options = optionsOf(procedure);
    const width = Math.max(...options.map(([flag]) => flag.length));
    const lines = options.map(([flag, meaning, without]) => {
        return `  ${flag.padEnd(width)}  ${meaning}; without it: ${without}`;
    });
    return [
        `${id}: ${title} (${sections.join(", ")})`,
        "",
        ...(lines.length === 0 ? ["It takes no options of its own."] : lines),
        "",
        `Such as: ${commandOf(procedure.edits.length === 0 ? "show" : "plan", procedure)}`,
        "What every procedure takes: npm run runbook -- --help",
        "",
    ].join("\n");
}

/** `npm run runbook`. Returns the exit status. */
export async function runbookCommand(root: string, args: string[]): Promise<number> {
    const [action, named, ...others] = args;
    const id = procedureId(root, named, args);
    const procedure = catalogue.find((each) => each.id === id);
    const chosen = action === undefined ? await choice(root) : undefined;
    if (chosen !== undefined) {
        return chosen;
    }
    if (args.includes("--help") || action === undefined) {
        print(procedure === undefined ? help(root) : helpWith(procedure));
        return args.includes("--help") ? 0 : 1;
    }
    if (action === "list") {
        return list(args.slice(1));
    }
    if (action === "find") {
        return findProcedures(root, args.slice(1));
    }
    if (action !== "show" && action !== "plan" && action !== "run") {
        throw new ArgumentError(`found ${JSON.stringify(action)}, expected list, find, show, plan or run`);
    }
    if (procedure === undefined) {
        throw unknownProcedure(root, id);
    }
    return { show, plan, run }[action](root, procedure, others);
}

/** The id of the procedure: for `release` and `rollback`, by the workload's strategy. */
function procedureId(root: string, named: string | undefined, args: readonly string[]): string | undefined {
    const strategies = getOwn(BY_STRATEGY, named ?? "");
    const option = (name: string) => {
        const at = args.findIndex((word) => word === name || word.startsWith(`${name}=`));
        return at < 0 ? undefined : args[at] === name ? args[at + 1] : args[at]!.slice(name.length + 1);
    };
    if (strategies === undefined || args.includes("--help") || !["plan", "run"].includes(args[0]!)) {
        return strategies === undefined || catalogue.some(({ id }) => id === named)
            ? named
            : strategies.blueGreen;
    }
    const { workloads } = valuesOf(root, option("--stack") ?? "production");
    const workload = option("--workload");
    const found = workload === undefined ? undefined : getOwn(workloads, workload);
    if (found === undefined) {
        throw new UsageError(
            `--workload: found ${JSON.stringify(workload) ?? "nothing"}, expected one of ${Object.keys(workloads).join(", ")}`,
        );
    }
    return strategies[found.strategy];
}

function list(args: string[]): number {
    const { values } = parseArgs({ args, options: { json: { type: "boolean", default: false } } });
    if (values.json) {
        printJson(catalogue.map(({ id, title, sections, when }) => ({ id, title, sections, when })));
        return 0;
    }
    print(renderList(screen()));
    return 0;
}

/** Procedures for the words of a symptom, an alarm, or an HTTP status. */
function findProcedures(root: string, args: string[]): number {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: { json: { type: "boolean", default: false } },
    });
    const query = positionals.join(" ");
    if (query.trim() === "") {
        throw new ArgumentError("found nothing to look for, expected words, an alarm or an HTTP status");
    }
    const matches = find(query, documentedAlarms(root));
    if (matches.length === 0) {
        throw new UsageError(
            `found nothing for ${JSON.stringify(query)}. Try fewer or other words, or: npm run runbook -- list`,
        );
    }
    if (values.json) {
        printJson(matches.map(({ procedure: { id, title }, because }) => ({ id, title, because })));
    } else {
        print(renderMatches(matches, screen()));
    }
    return 0;
}

/** Message for an unknown id, with similar ones. */
function unknownProcedure(root: string, id: string | undefined): UsageError {
    const found = id === undefined ? "nothing" : JSON.stringify(id);
    const near = id === undefined ? [] : alike(id);
    const isFound = id !== undefined && near.length === 0 && find(id, documentedAlarms(root)).length > 0;
    const meant =
        near.length > 0
            ? `. Did you mean ${near.join(" or ")}?`
            : isFound
              ? `. Did you mean: npm run runbook -- find ${shellWord(id)}`
              : "";
    return new UsageError(
        `found ${found}, expected the id of a procedure${meant}\nAll of them: npm run runbook -- list; by words: npm run runbook -- find WORDS`,
    );
}

async function show(root: string, procedure: Procedure, args: string[]): Promise<number> {
    const { values } = parseArgs({ args, options: { json: { type: "boolean", default: false } } });
    const alarms = documentedAlarms(root);
    if (values.json) {
        const parameters = parametersOf(procedure).map((each) => ({ ...each, flag: flagOf(each.name) }));
        const leading = alarms.filter((alarm) => alarm.procedure === procedure.id).map(({ id }) => id);
        printJson({ ...procedure, parameters, command: commandOf("run", procedure), alarms: leading });
    } else {
        const { incident } = valuesOf(root, "production");
        print(renderShown(procedure, alarms, { ...screen(), pages: incident?.pages }));
    }
    return 0;
}

/** Has a procedure chosen at the terminal, and shows it. Undefined without a terminal, and in a pipeline that has one. */
async function choice(root: string): Promise<number | undefined> {
    const interruption = new Interruption();
    const ask = process.env["CI"] || !process.stdout.isTTY ? undefined : terminal(interruption);
    try {
        if (ask === undefined) {
            return undefined;
        }
        const procedure = await choose(ask, documentedAlarms(root), screen());
        print("\n");
        return await show(root, procedure, []);
    } catch (error) {
        if (interruption.happened) {
            return STATUS.interrupted;
        }
        throw error;
    } finally {
        interruption.forget();
    }
}

async function plan(root: string, procedure: Procedure, args: string[]): Promise<number> {
    const { given, options } = parse(procedure, args);
    const interruption = new Interruption();
    const edits = await editsOf(root, options.stack, procedure, given, terminal(interruption))
        .catch((error: unknown) => {
            if (interruption.happened) return undefined;
            throw error;
        })
        .finally(() => interruption.forget());
    if (edits === undefined) {
        return STATUS.interrupted;
    }
    warn(root, procedure, given, options, options.json ? printError : print);
    const tried = editsWith({ set: edits, unset: options.unset });
    const preview = await previewStack(root, bundleProgram(root), rules, options.stack, tried);
    print(options.json ? renderJson(preview) : renderText(preview, { ...screen(), diff: options.diff }));
    return isBlocked(preview) ? 1 : 0;
}

async function run(root: string, procedure: Procedure, args: string[]): Promise<number> {
    const { given, options } = parse(procedure, args);
    if (options.unset.length > 0) {
        throw new UsageError("--unset: found with run, expected with plan");
    }
    const { stack, json } = options;
    const interruption = new Interruption();
    let result = notBegun("interrupted");
    try {
        result = await carryOut(root, procedure, given, options, interruption);
    } catch (error) {
        if (!interruption.happened) {
            if (json && error instanceof Error && isUsersToMend(error)) {
                printJson({ procedure: procedure.id, stack, ...notBegun("refused", error.message) });
            }
            throw error;
        }
    } finally {
        interruption.forget();
    }
    if (json) {
        printJson({ procedure: procedure.id, stack, ...result });
    }
    const summary = [wordsOf(result, stack, goesBack(procedure, options)), result.reason];
    printError(`${summary.filter(Boolean).join("\n")}\n`);
    if (result.outcome === "done") {
        record(root, dueCommit(procedure, stack, given), options.commit);
    }
    return STATUS[result.outcome];
}

/** Whether a failed update is rolled back: always for a release, unless it is to be kept. */
function goesBack(procedure: Procedure, options: RunOptions): boolean {
    return (procedure.rollsBack === true && !options["keep-failed"]) || options["rollback-on-failure"];
}

/** Commits the run's changes, or prints how: a deploy from main would revert them. */
function record(root: string, due: DueCommit, commits: boolean): void {
    if (isUncommitted(root, due.file) !== true) {
        return;
    }
    if (commits) {
        commit(root, due);
        process.stderr.write(
            `Committed ${due.file} on the branch ${due.branch}: push it and merge it into main.\n`,
        );
    } else {
        printError(
            `${[`${due.file} is not committed. Commit it before the next deploy from main takes it back:`, ...commandsFor(due)].join("\n")}\n`,
        );
    }
}

/** Plans a run and executes it, once no other update holds the stack's lock. */
async function carryOut(
    root: string,
    procedure: Procedure,
    given: Record<string, string>,
    options: RunOptions,
    interruption: Interruption,
): Promise<RunResult> {
    const { stack, json, yes, refresh } = options;
    const log = (line: string) => (json ? printError : print)(`${line}\n`);
    const ask = terminal(interruption);
    refuseOptions(root, procedure, options);
    if (!yes && ask === undefined) {
        throw new UsageError("--yes: found nothing, expected it where there is no terminal to ask at");
    }
    let agreed: readonly string[] | undefined;
    return withLock({
        stack,
        access: valuesOf(root, stack).kubernetes,
        why: procedure.id,
        choice: options["abort-soak"] ? "abort" : options.wait ? "wait" : undefined,
        ask,
        // A resumed run finds the other run's gate.
        looksFirst: !refresh,
        signal: interruption.signal,
        log,
        attempt: (aborted) =>
            attempt(root, procedure, given, options, interruption, aborted, {
                log,
                ask,
                confirm: async (changes) => {
                    const known = agreed !== undefined && changes.every((line) => agreed!.includes(line));
                    const other = agreed !== undefined && !known;
                    if (other) log("The stack was changed meanwhile: this is another plan than before.");
                    if (other && yes) {
                        throw new UsageError(
                            `The plan is another one since the other update has ended, and nothing was changed:\n${changes.map((line) => `  ${line}`).join("\n")}\nBring the checkout up to date, and run this again.`,
                        );
                    }
                    agreed = changes;
                    return known || yes || /^y(es)?$/i.test(await ask!(`Update ${stack}? (yes or no) `));
                },
            }),
    });
}

/** Plans and updates once. If the update does not begin, the stack file is restored. */
async function attempt(
    root: string,
    procedure: Procedure,
    typed: Readonly<Record<string, string>>,
    options: RunOptions,
    interruption: Interruption,
    aborted: readonly AbortableRelease[],
    {
        log,
        ask,
        confirm,
    }: {
        log: (line: string) => void;
        ask: ReturnType<typeof terminal>;
        confirm: (changes: readonly string[]) => Promise<boolean>;
    },
): Promise<RunResult & { edits: string[] }> {
    const { stack, json, yes, refresh, "to-revision": revision } = options;
    const file = new StackFileEdit(join(root, `Pulumi.${stack}.yaml`));
    let begun = false;
    try {
        const given = { ...typed, ...(revision && restored(root, typed, stack, revision, log)) };
        const own = await editsOf(root, stack, procedure, given, ask, refresh);
        const edits = [...takenBack(valuesOf(root, stack), aborted, own, log), ...own];
        warn(root, procedure, given, options, json ? printError : print);
        // The same plan as in a pull request: what it refuses never reaches the engine.
        const preview = await previewStack(root, bundleProgram(root), rules, stack, edits);
        log(renderText(preview, { ...(json ? PLAIN : screen()), diff: options.diff }));
        if (isBlocked(preview)) {
            throw new UsageError(
                "The plan is refused: nothing was changed.",
                "Correct the values that the findings above name, and run this again.",
            );
        }
        warnOfLost(root, stack, edits, log);
        interruption.signal.throwIfAborted();
        // The Automation API is slow to load, and only this command needs it.
        const { runProcedure } = await import("./run");
        const result = await runProcedure({
            root,
            stack,
            id: procedure.id,
            edits,
            prepare: procedure.pinsImages ? () => pin(root, stack, log) : () => Promise.resolve(),
            confirm,
            file,
            goesBack: goesBack(procedure, options),
            updatesTwice: procedure.updatesTwice ?? false,
            urgent: aborted.length > 0 && yes,
            waits: aborted.length > 0,
            refresh,
            interruption,
            kubernetes: valuesOf(root, stack).kubernetes,
            log,
            live: json ? undefined : liveScreen(),
        });
        ({ begun } = result);
        return { ...result, edits };
    } finally {
        if (!begun) file.undo();
    }
}

/** Rolls back aborted releases that the stack file has live, released from another checkout. */
function takenBack(
    { workloads }: StackValues,
    aborted: readonly AbortableRelease[],
    own: readonly string[],
    log: (line: string) => void,
): string[] {
    return aborted.flatMap(({ workload, colour, version }) => {
        const values = getOwn(workloads, workload);
        const path = `mcp:workloads.${workload}.live`;
        if (
            values?.strategy !== "blueGreen" ||
            values.live !== colour ||
            values.releases[colour]?.version !== version ||
            own.some((edit) => edit.startsWith(`${path}=`))
        ) {
            return [];
        }
        log(
            `The stack file has ${workload} ${version} live, which was aborted: this update takes it back, too.`,
        );
        return [`${path}=${colour === "blue" ? "green" : "blue"}`];
    });
}

/** Throws {@link UsageError} for options that conflict with the procedure or each other. */
function refuseOptions(root: string, procedure: Procedure, options: RunOptions): void {
    const { stack, wait, commit: commits, "abort-soak": aborts, "to-revision": revision } = options;
    if (options["rollback-on-failure"] && !procedure.revertible) {
        throw new UsageError(`--rollback-on-failure: found with ${procedure.id}, expected with a release`);
    }
    if (options["keep-failed"] && procedure.rollsBack !== true) {
        throw new UsageError(
            `--keep-failed: found with ${procedure.id}, expected with a release: it alone is taken back when it fails`,
        );
    }
    if (wait && aborts) {
        throw new UsageError("--wait: found with --abort-soak, expected one of the two");
    }
    if (commits && isUncommitted(root, `Pulumi.${stack}.yaml`) !== false) {
        throw new UsageError(
            `--commit: found changes in Pulumi.${stack}.yaml that are not committed, expected none: commit them or discard them first`,
        );
    }
    if (revision !== undefined && !procedure.takesRevision) {
        throw new UsageError(`--to-revision: found with ${procedure.id}, expected with a rollback`);
    }
}

/** Prints what to know before the plan. A revision of the release history has run, and needs no warning. */
function warn(
    root: string,
    procedure: Procedure,
    given: Readonly<Record<string, string>>,
    { stack, refresh, "to-revision": revision }: RunOptions,
    write: (text: string) => void,
): void {
    const values = valuesOf(root, stack);
    const lines =
        revision === undefined
            ? (procedure.warns?.(values, withDefaults(procedure, values, given, refresh)) ?? [])
            : [];
    lines.forEach((line) => write(`${line}\n\n`));
}

/** Lists values of the last update that no commit has and that the run would revert, for example another operator's. */
function warnOfLost(
    root: string,
    stack: string,
    edits: readonly string[],
    log: (line: string) => void,
): void {
    // Outside a repository nothing is committed.
    if (isUncommitted(root, `Pulumi.${stack}.yaml`) === undefined) {
        return;
    }
    const [last] = readHistory(root, stack) ?? [];
    const lost = last === undefined ? [] : lostValues(root, stack, last);
    const kept = lost.filter(({ path }) => !edits.some((edit) => edit.startsWith(`${path}=`)));
    if (kept.length > 0) {
        log(
            `Takes back what the last update (${last!.time}, ${JSON.stringify(last!.message)}) set and no commit has:`,
        );
        kept.forEach((value) => log(`  ${describeValue(value)}`));
    }
}

/** The operator's next steps, by outcome. */
function wordsOf({ outcome, begun }: RunResult, stack: string, goesBack: boolean): string {
    const failed = goesBack
        ? "The update failed. The stack file has the values before it:"
        : `The update failed. The stack file keeps the values: pulumi up --stack ${stack} --policy-pack policies tries again.`;
    const words: Record<Outcome, string> = {
        done: "Done.",
        refused: "Refused by the engine's preview: nothing was changed.",
        locked: "Another run is under way, and nothing was changed:",
        declined: "Not confirmed: nothing was changed.",
        noEngine: "",
        failed,
        rolledBack: "The update failed, and the stack is back at the values before it:",
        interrupted: begun ? "" : "Interrupted: nothing was changed.",
    };
    return words[outcome];
}

/** The edits of a procedure with the given values, and with list indices resolved. */
async function editsOf(
    root: string,
    stack: string,
    procedure: Procedure,
    given: Record<string, string>,
    ask: ReturnType<typeof terminal>,
    resumes = false,
): Promise<string[]> {
    // The author of a record is the committer, unless given.
    const author = given["ticket"] === undefined ? undefined : committer(root);
    const all = author === undefined ? given : { author, ...given };
    const edits = await givenEdits(procedure, valuesOf(root, stack), all, ask, resumes);
    if (edits.length === 0) {
        throw new UsageError(
            `${procedure.id} has no value to set; what to do and to look at: npm run runbook -- show ${procedure.id}`,
        );
    }
    return indexedEdits(root, stack, edits);
}

/** Sets the revision in the stack file; returns what activates it: its version, or its colour. */
function restored(
    root: string,
    { workload = SERVER, ...given }: Readonly<Record<string, string>>,
    stack: string,
    revision: string,
    log: (line: string) => void,
): Record<string, string> {
    const option = "--to-revision";
    const other = ["version", "live"].find((name) => given[name] !== undefined);
    if (other !== undefined) {
        throw new UsageError(`--${other}: found with ${option}, expected one of the two`);
    }
    const set = restore({ root, stack, workload, revision, option, log });
    if (set === undefined) {
        throw new UsageError(`${option}: found ${revision}, which is active; expected another revision`);
    }
    const { version, colour } = set;
    return { workload, ...(colour === undefined ? { version } : { live: colour }) };
}

async function pin(root: string, stack: string, log: (line: string) => void): Promise<void> {
    await pinImages({
        file: join(root, `Pulumi.${stack}.yaml`),
        references: imagesOf(root, stack),
        resolve: resolveDigest,
        refresh: false,
        log,
    });
}

/** Leads from an argument that the procedure does not take to those that it takes. */
function explained<T>(procedure: Procedure, read: () => T): T {
    try {
        return read();
    } catch (error) {
        throw error instanceof ArgumentError
            ? new ArgumentError(error.message, optionsHint(procedure))
            : error;
    }
}

/** Options after the procedure's id, other than its parameters. */
type RunOptions = ReturnType<typeof parse>["options"];

/** Parses the options after the procedure's id. */
function parse(procedure: Procedure, args: string[]) {
    const parameters = parametersOf(procedure).map(({ name }) => [name, flagOf(name).slice(2)] as const);
    const own = Object.fromEntries(parameters.map(([, flag]) => [flag, { type: "string" }] as const));
    const { values } = explained(procedure, () =>
        parseArgs({
            args,
            options: {
                ...own,
                stack: { type: "string", default: "production" },
                unset: EDIT_OPTIONS.unset,
                json: { type: "boolean", default: false },
                yes: { type: "boolean", default: false },
                refresh: { type: "boolean", default: false },
                wait: { type: "boolean", default: false },
                "abort-soak": { type: "boolean", default: false },
                "keep-failed": { type: "boolean", default: false },
                "rollback-on-failure": { type: "boolean", default: false },
                "to-revision": { type: "string" },
                commit: { type: "boolean", default: false },
                diff: { type: "boolean", default: false },
            },
        }),
    );
    const typed: Record<string, unknown> = values;
    const given = parameters.flatMap(([name, flag]) =>
        typeof typed[flag] === "string" ? [[name, typed[flag]] as const] : [],
    );
    return { given: Object.fromEntries(given) as Record<string, string>, options: values };
}

function printJson(value: unknown): void {
    print(`${JSON.stringify(value, undefined, 2)}\n`);
}
