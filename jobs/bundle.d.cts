/** A program of this folder as one file that Node runs without any package, ready for a ConfigMap. */
export function bundledJob(name: string): string;

/** Text of a file below this folder. */
export function jobFile(path: string): string;
