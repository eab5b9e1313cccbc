import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { parseArgs } from "../cli/args";
import { type Change, compare } from "../offline/compare";
import { displayed, type Property } from "../offline/property";
import { type RecordedResource, type Recording } from "../offline/record";
import { UsageError } from "../offline/stackFile";
import { type TreeNode, treeOf } from "../offline/tree";
import { describeWorkloads } from "../offline/summary";
import { writeGenerated } from "../offline/writeGenerated";
import { recordStack, root } from "./support";

const SERVER = "mcp:workloads.mcp-server";
const WARM = `${SERVER}.standby=warm`;
const GREEN = `${SERVER}.live=green`;
/** A second blue-green workload beside the first. */
const TOOLS = [
    "strategy=blueGreen",
    "image=msil-tools",
    "port=8080",
    "health.live=/live",
    "health.ready=/ready",
    "releases.blue.version=v1",
    "releases.green.version=v2",
    "releases.blue.change.version=v1",
    "releases.blue.change.skip=a trial",
    "releases.green.change.version=v2",
    "releases.green.change.skip=a trial",
    "scaling.min=2",
    "scaling.max=4",
    "resources.cpu.request=100m",
    "resources.cpu.limit=200m",
    "resources.memory.request=64Mi",
    "resources.memory.limit=64Mi",
].map((edit) => `mcp:workloads.tools.${edit}`);

/** Steps of the platform's life on production's stack file: the edits before and after each. */
export const STEPS: Readonly<Record<string, { before: readonly string[]; after: readonly string[] }>> = {
    stage: { before: [], after: [`${SERVER}.stage=green`] },
    "switch-cold": { before: [], after: [GREEN] },
    "switch-staged": { before: [`${SERVER}.stage=green`], after: [GREEN] },
    "switch-warm": { before: [WARM], after: [WARM, GREEN] },
    "switch-with-database-change": {
        before: [],
        after: [GREEN, `${SERVER}.releases.green.databaseChange=true`],
    },
    "rollback-cold": { before: [GREEN], after: [] },
    "rollback-warm": { before: [WARM, GREEN], after: [WARM] },
    "next-release-prepared": { before: [GREEN], after: [GREEN, `${SERVER}.releases.blue.version=v2.2.0`] },
    "two-workloads-at-once": {
        before: [...TOOLS, "mcp:workloads.tools.live=blue"],
        after: [...TOOLS, "mcp:workloads.tools.live=green", GREEN],
    },
    "rotation-add": { before: [], after: ["mcp:ingress.certificates[1]=mcp-tls-new"] },
    "rotation-flip": {
        before: ["mcp:ingress.certificates[1]=mcp-tls-new"],
        after: ["mcp:ingress.certificates[1]=mcp-tls-new", "mcp:ingress.certificate=mcp-tls-new"],
    },
    "tool-disabled": { before: [], after: ["mcp:disabledTools[0]=affected_tool"] },
    "rolling-release": { before: [], after: ["mcp:workloads.chat-ui.release.version=v1.5.0"] },
};

/** Every golden file: path below `test/golden` to content. */
export async function goldenFiles(): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    for (const stack of ["production", "staging"]) {
        for (const [file, content] of dumps(await recordStack(stack))) {
            files.set(join(stack, file), content);
        }
    }
    for (const [step, { before, after }] of Object.entries(STEPS)) {
        const changes = compare(
            await recordStack("production", ...before),
            await recordStack("production", ...after),
        );
        files.set(join("steps", `${step}.txt`), plan(changes));
    }
    return files;
}

/** What a step changes, a line a property. */
function plan(changes: readonly Change[]): string {
    const show = (value: Property | undefined) =>
        value === undefined ? "nothing" : JSON.stringify(shortened(displayed(value), 200));
    const lines = changes
        .filter(({ operation }) => operation !== "same")
        .map(({ operation, resource, properties }) => [
            `${operation} ${resource.type} ${resource.name}`,
            ...properties.map(({ path, before, after }) => `    ${path}: ${show(before)} => ${show(after)}`),
        ]);
    lines.sort(([one], [other]) => (one! < other! ? -1 : 1));
    return [...describeWorkloads(changes).sort(), "", ...lines.flat(), ""].join("\n");
}

/** Maximum text length of a golden dump; longer texts are replaced by length and hash. */
const LONGEST_TEXT = 3000;

/** A recording as files, one for each component of the stack: name to content. */
function dumps(recording: Recording): Map<string, string> {
    const prefix = `urn:pulumi:${recording.stack}::${recording.project}::`;
    const [root] = treeOf(recording.resources.map((resource) => ({ resource })));
    const files = new Map<string, unknown[]>();
    for (const node of root!.children) {
        const { type, name, custom } = node.item.resource;
        const file = custom ? "providers.yaml" : `${type.split(":").at(-1)!.toLowerCase()}-${name}.yaml`;
        files.set(file, [
            ...(files.get(file) ?? []),
            ...flatten(node).map((resource) => dump(resource, prefix)),
        ]);
    }
    files.set("outputs.yaml", [displayed(recording.outputs)]);
    return new Map([...files].map(([file, content]) => [file, stringify(content, { lineWidth: 0 })]));
}

function flatten(node: TreeNode<{ resource: RecordedResource }>): RecordedResource[] {
    return [node.item.resource, ...node.children.flatMap(flatten)];
}

function dump(resource: RecordedResource, prefix: string) {
    const short = (urn: string) => urn.replace(prefix, "");
    const { options, dependencies } = resource;
    return {
        urn: short(resource.urn),
        ...(resource.custom ? { provider: short(resource.provider) } : {}),
        ...(Object.keys(options).length > 0 ? { options } : {}),
        ...(dependencies.length > 0 ? { dependencies: dependencies.map(short) } : {}),
        inputs: shortened(displayed(resource.inputs)),
    };
}

function shortened(value: unknown, longest = LONGEST_TEXT): unknown {
    if (typeof value === "string" && value.length > longest) {
        return `[${value.length} characters, sha256 ${createHash("sha256").update(value).digest("hex")}]`;
    }
    if (Array.isArray(value)) {
        return value.map((inner) => shortened(inner, longest));
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner, longest)]))
        : value;
}

const HELP = `Writes the golden dumps of both stacks and of the steps (test/golden), to be reviewed.

Usage: npm run golden

The tests compare them. It takes about a minute.

  --help             this text
`;

/** Writes all golden files again (npm run golden), and removes those that are none any more; the tests only compare them. */
async function write(args: string[]): Promise<void> {
    const { values } = parseArgs({ args, options: { help: { type: "boolean", default: false } } });
    if (values.help) {
        process.stdout.write(HELP);
        return;
    }
    const folder = join(root, "test", "golden");
    const files = await goldenFiles();
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && !files.has(relative(folder, path))) {
            rmSync(path);
        }
    }
    process.stdout.write(`${writeGenerated(folder, files)}\n`);
}

if (require.main === module) {
    write(process.argv.slice(2)).catch((error: unknown) => {
        process.stderr.write(
            `${error instanceof UsageError ? error.message : String((error as Error).stack)}\n`,
        );
        process.exitCode = 1;
    });
}
