/**
 * Bundles a file of the project in `root` into `.cache/<name>.cjs`, with its source map beside it, unless it stands
 * there already as it would be made. Returns its path.
 */
export function bundle(root: string, name: string, entryPoint: string): string;
