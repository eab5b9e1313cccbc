import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { buildSync } from "esbuild";
import { GoTools } from "../goTools";
import { root } from "../support";

/** The version of the Kubernetes provider that is built where none is on PATH. */
const PROVIDER = "4.25.0";

/** What an engine needs, and how it is built where it is not on PATH. */
const sources = {
    pulumi: new GoTools("pulumi", [join(__dirname, "toolchain", "pulumi")], {
        "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0",
    }),
    "pulumi-resource-kubernetes": new GoTools(
        "pulumi-resource-kubernetes",
        [join(__dirname, "toolchain", "pulumi-resource-kubernetes")],
        { "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version": PROVIDER },
    ),
};

type Program = keyof typeof sources;

const missing = (Object.keys(sources) as Program[]).filter((program) => !isOnPath(program));

/** Version of the Kubernetes provider where it is the one that is built; undefined for the one on PATH. */
export const builtProvider = missing.includes("pulumi-resource-kubernetes") ? PROVIDER : undefined;

/** Builds what is not on PATH, and returns the folders it is in. */
export async function buildToolchain(log: (line: string) => void): Promise<string[]> {
    const folders: string[] = [];
    for (const program of missing) folders.push(await sources[program].build(log));
    return folders;
}

/** Why there is no engine to test with, in plain words; undefined when there is one. The tests wait for no build. */
export function whyNoToolchain(): string | undefined {
    return (
        missing
            .map((program) => [program, sources[program].whyNotBuilt()] as const)
            .filter(([, reason]) => reason !== undefined)
            .map(([program, reason]) => `there is no ${program} on PATH, and ${reason}`)
            .join("; ") || undefined
    );
}

function isOnPath(program: string): boolean {
    return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
        try {
            accessSync(join(folder, program), constants.X_OK);
            return true;
        } catch {
            return false;
        }
    });
}

/** A folder of commands that comes first on the PATH of an engine. */
export class Commands {
    constructor(readonly folder: string) {
        mkdirSync(folder);
    }

    /** Writes a command as the lines of a shell script. */
    write(name: string, ...lines: string[]): void {
        const file = join(this.folder, name);
        writeFileSync(file, ["#!/bin/sh", ...lines, ""].join("\n"));
        chmodSync(file, 0o755);
    }

    /** Bundles a TypeScript file of this folder, and returns the line of a shell script that runs it. */
    bundle(name: string): string {
        const outfile = join(this.folder, `${name}.cjs`);
        buildSync({
            entryPoints: [join(__dirname, `${name}.ts`)],
            outfile,
            bundle: true,
            packages: "external",
            platform: "node",
            logLevel: "error",
        });
        return `NODE_PATH='${join(root, "node_modules")}' exec '${process.execPath}' '${outfile}'`;
    }
}

/**
 * Writes what runs Node programs for the engine, builds what is not on PATH, and returns the PATH that has the whole
 * engine.
 */
export async function openToolchain(commands: Commands, log: (line: string) => void): Promise<string> {
    if (!isOnPath("pulumi-language-nodejs"))
        commands.write("pulumi-language-nodejs", `${commands.bundle("languageHost")} "$@"`);
    const dynamic = join(root, "node_modules", "@pulumi", "pulumi", "pulumi-resource-pulumi-nodejs");
    commands.write("pulumi-resource-pulumi-nodejs", `exec '${dynamic}' "$@"`);
    const folders = [commands.folder];
    folders.push(...(await buildToolchain(log)));
    return [...folders, process.env["PATH"]].join(delimiter);
}
