import { readFile } from "node:fs/promises";
import { readPins, writePins } from "./stackPins";
import { replaceFile } from "./replaceFile";

/** What to pin, and where. */
export interface PinOptions {
    /** Stack file, such as `Pulumi.production.yaml`. */
    file: string;
    /** References of every image the stack runs. */
    references: readonly string[];
    /** Digest that a reference stands for now. */
    resolve: (reference: string) => Promise<string>;
    /** Takes one line per reference, once the file is written. */
    log: (line: string) => void;
    /** Whether to resolve what is pinned already as well. Default: false. */
    refresh?: boolean;
}

/** The references by what became of them, each in the order given. */
export interface PinResult {
    /** Newly pinned, or pinned to another digest than before. */
    pinned: string[];
    /** Pinned to the same digest as before. */
    kept: string[];
}

/** Registries limit how much one client may ask at a time. */
const CONCURRENCY = 4;

/**
 * Resolves the references that are not pinned yet and writes their digests into the stack file: all of them or
 * none, and changing nothing else of the file.
 *
 * Pins that no reference uses any more are kept: a rollback needs them.
 *
 * @throws Error that lists every reference that was not resolved, or that says why the file cannot be edited. The
 * file is unchanged then.
 */
export async function pinImages(options: PinOptions): Promise<PinResult> {
    const { file, resolve, log, refresh = false } = options;
    const references = [...new Set(options.references)];
    const before = readPins(await readFile(file, "utf8"), file);
    const changed = new Map<string, string>();
    const failures: string[] = [];

    const due = references.filter((reference) => refresh || !before.has(reference));
    await eachOf(due, async (reference) => {
        try {
            const digest = await resolve(reference);
            if (digest !== before.get(reference)) {
                changed.set(reference, digest);
            }
        } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
        }
    });
    if (failures.length > 0) {
        const summary = `${failures.length} of ${due.length} images not resolved, ${file} is unchanged:`;
        throw new Error([summary, ...failures.sort()].join("\n  "));
    }
    if (changed.size > 0) {
        // Read again: somebody may have edited the file in the meantime.
        replaceFile(file, writePins(await readFile(file, "utf8"), changed, file));
    }

    for (const reference of references) {
        const digest = changed.get(reference);
        const old = before.get(reference);
        if (digest === undefined) {
            log(`kept ${reference} ${old}`);
        } else {
            log(`pinned ${reference} ${digest}${old === undefined ? "" : `, the tag moved from ${old}`}`);
        }
    }
    return {
        pinned: references.filter((reference) => changed.has(reference)),
        kept: references.filter((reference) => !changed.has(reference)),
    };
}

/** Runs `work` for each item, a few at a time. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    const queue = items.values();
    const worker = async () => {
        for (const item of queue) {
            await work(item);
        }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
