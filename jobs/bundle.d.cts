/**
 * A program of this folder as one file that Node runs without any package, ready for a ConfigMap.
 * The engine and every command of the project run in its root, where `jobs/` is found.
 */
export function bundledJob(name: string): string;
