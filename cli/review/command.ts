import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printableText } from "../../core/printable";
import { parseArgs } from "../args";
import { authorsOf } from "../authors";
import { parseHistory } from "../deploy/lastUpdate";
import { describeValue, lostValues, uncommittedValues } from "../deploy/uncommitted";
import { type ProjectSnapshot } from "../../offline/snapshot";
import { stackNames, UsageError } from "../../offline/stackFile";
import { INTERRUPTED, Interruption } from "../interruption";
import { makeOutFolder } from "../outFolder";
import { print, screen, step } from "../output";
import { renderMarkdown } from "./comment";
import { renderJson } from "./json";
import { renderText } from "./report";
import { isRefused, type Provenance, type Review, reviewProject } from "./review";
import { renderSarif } from "./sarif";
import { type Base, type ChangedFile, changedFiles, checkOut, install, snapshotOf } from "./baseCheckout";
import { recordingOf } from "./state";

const FORMATS: Record<string, { render: (review: Review, colour?: boolean) => string; file: string }> = {
    text: { render: renderText, file: "review.txt" },
    markdown: { render: renderMarkdown, file: "review.md" },
    json: { render: renderJson, file: "review.json" },
    sarif: { render: renderSarif, file: "review.sarif" },
};

const help = (
    root: string,
) => `Tells what a change to the repository means for the stacks and their data, without cloud, cluster or Pulumi CLI.

Usage: npm run review -- --base REF [--history FOLDER] [--format FORMAT] [--out FOLDER]
       npm run review -- --against STATE.json --stack NAME [--format FORMAT] [--out FOLDER]

It names which releases and procedures it is, which
resources change, whether data is in danger, and what the policies find that they did not find before. The working tree
is compared with the commit where it left REF, checked out and installed aside, or with an exported stack.

  --base REF        commit, branch or tag; default origin/main
  --against FILE    what pulumi stack export wrote, instead of a base
  --stack NAME      with --against: the stack that it is of (${stackNames(root).join(", ")})
  --history FOLDER  with --base: has STACK.json with what pulumi stack history --json prints, to name what is deployed and
                    not committed
  --format FORMAT   ${Object.keys(FORMATS).join(", ")}; default text
  --out FOLDER      writes every format into this folder, beside what it prints
  --help            this text

Exit status: 0, or 1 for bad input, for a stack that does not preview, for what the engine refuses, and for a new violation
of a mandatory policy; 130 when it is interrupted.
`;

/** `npm run review`. Returns the exit status. */
export async function reviewCommand(root: string, args: string[]): Promise<number> {
    const { values } = parseArgs({
        args,
        options: {
            base: { type: "string" },
            against: { type: "string" },
            stack: { type: "string" },
            history: { type: "string" },
            format: { type: "string", default: "text" },
            out: { type: "string" },
            help: { type: "boolean", default: false },
        },
    });
    if (values.help) {
        print(help(root));
        return 0;
    }
    const format = Object.entries(FORMATS).find(([name]) => name === values.format)?.[1];
    if (format === undefined) {
        const expected = Object.keys(FORMATS).join(", ");
        throw new UsageError(`--format: found ${JSON.stringify(values.format)}, expected one of ${expected}`);
    }
    if (values.out !== undefined) {
        makeOutFolder(values.out);
    }
    const interruption = new Interruption();
    let sides: Sides;
    try {
        sides =
            values.against === undefined
                ? await ofCommit(root, values.base ?? "origin/main", values.history, interruption.signal)
                : await ofState(root, values.against, values.stack, interruption.signal);
    } catch (error) {
        if (!interruption.happened) throw error;
        return INTERRUPTED;
    } finally {
        interruption.forget();
    }
    const result = reviewProject(sides);
    if (values.out !== undefined) {
        for (const { render, file } of Object.values(FORMATS)) {
            writeFileSync(join(values.out, file), printableText(render(result)));
        }
    }
    print(format.render(result, screen().colour));
    return isRefused(result) ? 1 : 0;
}

interface Sides {
    base: { words: string; snapshot: ProjectSnapshot };
    head: ProjectSnapshot;
    files: readonly ChangedFile[];
    provenance?: Record<string, Provenance>;
}

/**
 * What git and the updates in `history`, a folder with the output of `pulumi stack history --json`, say about a stack's
 * file.
 */
function provenanceOf(root: string, stack: string, base: string, history: string | undefined): Provenance {
    const file = join(history ?? "", `${stack}.json`);
    const text = history !== undefined && existsSync(file) ? readFileSync(file, "utf8") : "[]";
    const [last] = parseHistory(text, file);
    const lost = last === undefined ? [] : lostValues(root, stack, last);
    return {
        authors: authorsOf(root, `Pulumi.${stack}.yaml`, base),
        lost: lost.map(
            (value) => `${describeValue(value)} (${last!.time}, ${JSON.stringify(last!.message)})`,
        ),
        uncommitted: uncommittedValues(root, stack).map(describeValue),
    };
}

async function ofCommit(
    root: string,
    ref: string,
    history: string | undefined,
    signal: AbortSignal,
): Promise<Sides> {
    const base = checkOut(root, ref);
    try {
        step(`Running the program of the working tree and of ${base.commit.slice(0, 10)}`);
        // In parallel child processes; then the base's rules evaluate the head.
        const head = snapshotOf(root, signal);
        // It is awaited after the base, and must not count as unhandled if the base fails first.
        head.catch(() => undefined);
        const declared = head.then(
            ({ text }) => text,
            () => "",
        );
        const words = `${ref} (${base.commit.slice(0, 10)})`;
        const snapshot = await snapshotOfBase(root, base, declared, signal);
        return {
            base: { words, snapshot },
            head: (await head).snapshot,
            files: changedFiles(root, base.commit),
            provenance: Object.fromEntries(
                stackNames(root).map((stack) => [stack, provenanceOf(root, stack, base.commit, history)]),
            ),
        };
    } finally {
        base.remove();
    }
}

/** If the base cannot be recorded, the head is still reviewed. */
async function snapshotOfBase(
    root: string,
    base: Base,
    declared: Promise<string>,
    signal: AbortSignal,
): Promise<ProjectSnapshot> {
    try {
        install(root, base);
        return (await snapshotOf(base.folder, signal, declared)).snapshot;
    } catch (error) {
        if (!(error instanceof UsageError)) {
            throw error;
        }
        const problem = error.message;
        return { stacks: Object.fromEntries(stackNames(root).map((stack) => [stack, { problem }])) };
    }
}

async function ofState(
    root: string,
    file: string,
    stack: string | undefined,
    signal: AbortSignal,
): Promise<Sides> {
    const known = stackNames(root);
    if (stack === undefined || !known.includes(stack)) {
        const found = JSON.stringify(stack) ?? "nothing";
        throw new UsageError(`--stack: found ${found}, expected one of ${known.join(", ")} beside --against`);
    }
    const state = read(file);
    const { snapshot } = await snapshotOf(root, signal);
    const head = snapshot.stacks[stack]!;
    const own = { ...snapshot, stacks: { [stack]: head } };
    if ("problem" in head) {
        return { base: { words: file, snapshot: { ...own, stacks: {} } }, head: own, files: [] };
    }
    const recording = recordingOf(state, file, head.recording);
    const before = { ...own, stacks: { [stack]: { ...head, recording } } };
    return { base: { words: `the state in ${file}`, snapshot: before }, head: own, files: [] };
}

function read(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new UsageError(
            `--against: ${file}: found no readable file (${code}), expected an exported stack`,
        );
    }
}
