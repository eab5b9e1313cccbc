import { type BuildOptions, type BuildResult } from "esbuild";

/** Bundles a file of the project in `root`; further options are esbuild's. */
export function bundle<T extends BuildOptions>(root: string, options: T): BuildResult<T>;
