/** A folder below `node_modules/.cache` of the project in `root`, for what can be made again at any time. */
export function cacheFolder(root: string, name: string): string;

/** What a folder of the cache holds for a key; undefined where it holds nothing. */
export function readCached(folder: string, key: string): Buffer | undefined;

/**
 * Writes an entry atomically, and deletes all but the `keep` newest ones of the folder. A folder that cannot be written,
 * as in a read-only checkout, stays as it is: a cache saves time and must not fail a command.
 */
export function writeCached(folder: string, key: string, content: string | Buffer, keep: number): void;
