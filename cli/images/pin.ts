import { readFile } from "node:fs/promises";
import { readPins, writePins } from "./stackPins";
import { replaceFile } from "./replaceFile";

/** What to pin, and where. */
export interface PinOptions {
    /** Stack file, such as `Pulumi.production.yaml`. */
    file: string;
    /** References of all images of the stack. */
    references: readonly string[];
    /** Returns the current digest of a reference. */
    resolve: (reference: string) => Promise<string>;
    /** Receives one line for each reference, after the file is written. */
    log: (line: string) => void;
    /** Whether to resolve pinned references again. Default: false. */
    refresh?: boolean;
}

/** The references by result, in the given order. */
export interface PinResult {
    /** Newly pinned, or pinned to a new digest. */
    pinned: string[];
    /** Digest unchanged. */
    kept: string[];
}

/** Registries limit concurrent requests. */
const CONCURRENCY = 4;

/**
 * Resolves the references that are not pinned yet and writes their digests into the stack file: all of them or
 * none. Changes nothing else in the file.
 *
 * Keeps pins that no reference uses any more: a rollback needs them.
 *
 * @throws Error that lists every unresolved reference, or says why the file cannot be edited. Then the file is
 * unchanged.
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
        // Read again, because it may have been edited in the meantime.
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
