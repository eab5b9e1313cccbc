/**
 * Bundles a file of the project in `root` into `.cache`, with its source map beside it, unless it stands there already
 * as it would be made. Returns its path, which is named after the file's own: no two share one.
 */
export function bundle(root: string, entryPoint: string): string;
