import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SOURCE_FOLDERS } from "../cli/importGraph";
import { type Change, compare } from "../offline/compare";
import { bundleProgram, type Program } from "../offline/program";
import { type OutputsOf, record, type RecordedResource, type Recording } from "../offline/record";
import { recordOnce } from "../offline/recordings";
import { readStackFile } from "../offline/stackFile";

// The runbook's own example of a recovery is of the day before.
process.env["MCP_NOW"] = "2026-02-01T00:00:00Z";

/** The project under test. */
export const root = resolve(__dirname, "..");

/** Edits that put an ALB in front of a stack. */
export const BEHIND_ALB = [
    "mcp:ingress.className=alb",
    "mcp:ingress.alb.subnets[0].id=subnet-0a1b2c3d4e5f60001",
    "mcp:ingress.alb.subnets[0].cidr=10.20.0.0/20",
    "mcp:ingress.alb.subnets[1].id=subnet-0a1b2c3d4e5f60002",
    "mcp:ingress.alb.subnets[1].cidr=10.20.16.0/20",
];

let bundled: Program | undefined;
const recordings = new Map<string, Promise<Recording>>();

/** Records a stack, with edits tried on its values; the same ones are recorded once for all tests and runs. */
export function recordStack(stack: string, ...edits: string[]): Promise<Recording> {
    const key = [stack, ...edits].join(" ");
    const known = recordings.get(key);
    if (known !== undefined) {
        return known;
    }
    bundled ??= bundleProgram(root);
    const recording = recordOnce(root, bundled, readStackFile(root, stack, edits));
    recordings.set(key, recording);
    return recording;
}

/** Records what a piece of a program declares, such as one component, without the rest of a stack. */
export function recordProgram(run: () => void): Promise<Recording> {
    return record(
        { file: "", run, locate: () => undefined },
        { project: "test", stack: "test", config: {}, secretKeys: [] },
    );
}

/** What comes before a resource, directly or not, as lines such as `Service chat-ui`; parents and children count too. */
export function predecessors(recording: Recording, type: string, name: string): Set<string> {
    const byUrn = new Map(recording.resources.map((resource) => [resource.urn, resource]));
    const seen = new Set<string>();
    const visit = (urn: string) => {
        for (const dependency of byUrn.get(urn)?.dependencies ?? []) {
            if (!seen.has(dependency)) {
                seen.add(dependency);
                visit(dependency);
            }
        }
    };
    visit(only(recording, type, name).urn);
    return new Set(
        [...seen].map((urn) => `${byUrn.get(urn)!.type.split(":").at(-1)} ${byUrn.get(urn)!.name}`),
    );
}

/** Records a stack whose resources have these outputs beside their inputs. */
export function recordWithOutputs(
    stack: string,
    outputsOf: OutputsOf,
    ...edits: string[]
): Promise<Recording> {
    bundled ??= bundleProgram(root);
    return record(bundled, readStackFile(root, stack, edits), outputsOf);
}

/** What edits change in a stack; resources that stay the same are left out. */
export async function changesOf(stack: string, ...edits: string[]): Promise<Change[]> {
    return changesBetween(stack, [], edits);
}

/** The same from what other edits have made of it. */
export async function changesBetween(
    stack: string,
    before: readonly string[],
    after: readonly string[],
): Promise<Change[]> {
    const changes = compare(await recordStack(stack, ...before), await recordStack(stack, ...after));
    return changes.filter(({ operation }) => operation !== "same");
}

/** Changes as lines that read well in a failed assertion: `update kubernetes:apps/v1:Deployment chat-ui`. */
export function linesOf(changes: readonly Change[]): string[] {
    return changes.map(({ operation, resource }) => `${operation} ${resource.type} ${resource.name}`).sort();
}

/** The same without the hash that the name of a gate or of a task ends in: `chat-ui-smoke-*`. */
export function withoutHashes(lines: readonly string[]): string[] {
    return lines.map((line) =>
        line.replace(
            /(-(?:bootstrap|capacity|certificate|compare|dump|evidence|manual|notice|settings|smoke|soak|verify|watch))-[0-9a-f]{8}$/,
            "$1-*",
        ),
    );
}

/** The one resource of a type and name. */
export function only({ resources }: Recording, type: string, name: string): RecordedResource {
    const found = resources.filter((resource) => resource.type === type && resource.name === name);
    assert.equal(found.length, 1, `${found.length} resources ${type} ${name}`);
    return found[0]!;
}

/** What a command did: its exit status, and what it wrote. */
export interface Outcome {
    status: number | null;
    stdout: string;
    stderr: string;
}

/** Runs a command of the project in this process, which spares its start; `test/cli` starts some as a user does. */
export async function run(...args: string[]): Promise<Outcome> {
    const { runCommand } = await import("../cli/cli");
    const written = { stdout: "", stderr: "" };
    const streams = ["stdout", "stderr"] as const;
    const own = streams.map((stream) => process[stream].write);
    for (const stream of streams) {
        process[stream].write = (text: string | Uint8Array) => {
            written[stream] += text.toString();
            return true;
        };
    }
    try {
        const status = await runCommand(args);
        return { status, ...written };
    } finally {
        streams.forEach((stream, index) => (process[stream].write = own[index]!));
    }
}

/** Runs the project's command line as a user does, in a process and, where one is named, in a folder. */
export function spawned(args: readonly string[], folder = root): Outcome {
    return spawnSync(process.execPath, ["cli/main.cjs", ...args], {
        cwd: folder,
        encoding: "utf8",
        // The whole preview as JSON is more than Node takes by default.
        maxBuffer: 64 * 1024 * 1024,
    });
}

/** A copy of the project in a temporary folder, whose files a test may change. */
export function copyOfProject(): string {
    const folder = mkdtempSync(join(tmpdir(), "mcp-project-"));
    const files = [
        "Pulumi.yaml",
        "Pulumi.production.yaml",
        "Pulumi.staging.yaml",
        "index.ts",
        "package.json",
    ];
    const folders = ["build", ...SOURCE_FOLDERS];
    for (const name of [...files, "tsconfig.json", ...folders]) {
        cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    return folder;
}
