import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { cacheFolder, readCached, writeCached } from "../core/cache.cjs";
import { type Program } from "./program";
import { decode, type Property, wire } from "./property";
import { record, type RecordedResource, type Recording } from "./record";
import { type StackFile } from "./stackFile";

/** Maximum number of recordings in the cache; each takes some 100 kB. */
const KEPT = 400;

/**
 * Records a stack like {@link record}, and caches the recording in `node_modules/.cache` for the next command or test
 * with the same program and values. Runs with secret values are never cached.
 *
 * @throws what {@link record} throws; failed runs are not cached.
 */
export async function recordOnce(root: string, program: Program, file: StackFile): Promise<Recording> {
    if (file.holdsSecrets) {
        return record(program, file);
    }
    const folder = cacheFolder(root, "recordings");
    const key = keyOf(program, file);
    const known = readCached(folder, key);
    if (known !== undefined) {
        return unpacked(known);
    }
    const recording = await record(program, file);
    writeCached(folder, key, packed(recording), KEPT);
    return recording;
}

/** All inputs of a run. */
function keyOf({ fingerprint }: Program, { project, stack, config, secretKeys }: StackFile): string {
    // The result of checks against the clock may change within an hour.
    const time = process.env["MCP_NOW"] ?? new Date().toISOString().slice(0, 13);
    const input = JSON.stringify([fingerprint, process.version, project, stack, config, secretKeys, time]);
    return createHash("sha256").update(input).digest("hex");
}

function packed({ resources, outputs, ...names }: Recording): Buffer {
    const text = JSON.stringify({
        ...names,
        resources: resources.map((resource) => ({ ...resource, inputs: wire(resource.inputs) })),
        outputs: wire(outputs),
    });
    return deflateSync(text, { level: 1 });
}

function unpacked(known: Buffer): Recording {
    const { resources, outputs, ...names } = JSON.parse(inflateSync(known).toString()) as Recording;
    const properties = (value: unknown) => decode(value) as Record<string, Property>;
    return {
        ...names,
        resources: resources.map((resource): RecordedResource => ({
            ...resource,
            inputs: properties(resource.inputs),
            source: resource.source,
        })),
        outputs: properties(outputs),
    };
}
