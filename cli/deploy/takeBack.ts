import { isDeepStrictEqual } from "node:util";
import { parseDocument } from "yaml";
import { FORMAT } from "../images/stackPins";

/** A stack file with the releases of an earlier update. */
export interface TakenBack {
    /** Workloads whose release differs. */
    readonly workloads: readonly string[];
    readonly text: string;
}

/**
 * Sets the active releases of an earlier update in a stack file's text, as a rollback does: the colour and its release,
 * or the release of a rolling workload, and their pinned digests. Keeps other values, and workloads that the earlier
 * update did not have. Undefined if no active release differs.
 */
export function takeBack(text: string, earlier: Readonly<Record<string, unknown>>): TakenBack | undefined {
    const document = parseDocument(text, { merge: true });
    const { config } = document.toJS() as { config: Record<string, unknown> };
    const before = entriesOf(earlier["mcp:workloads"]);
    const edits = Object.entries(entriesOf(config["mcp:workloads"])).map(([name, now]) => ({
        name,
        values: activeOf(before[name]).filter(
            ([path, value]) => value !== undefined && !isDeepStrictEqual(value, at(now, ...path)),
        ),
    }));
    const differing = edits.filter(({ values }) => values.length > 0);
    if (differing.length === 0) {
        return undefined;
    }
    for (const { name, values } of differing) {
        for (const [path, value] of values) {
            document.setIn(["config", "mcp:workloads", name, ...path], document.createNode(value));
        }
    }
    // The file may no longer have the digest of the earlier release.
    for (const [reference, digest] of Object.entries(entriesOf(at(earlier, "mcp:images", "pins")))) {
        if (at(config, "mcp:images", "pins", reference) === undefined) {
            document.setIn(["config", "mcp:images", "pins", reference], digest);
        }
    }
    return { workloads: differing.map(({ name }) => name), text: document.toString(FORMAT) };
}

/** Values that determine the active release, by the paths below the workload. */
function activeOf(workload: unknown): (readonly [path: readonly string[], value: unknown])[] {
    const { live, release } = entriesOf(workload);
    return typeof live === "string"
        ? [
              [["live"], live],
              [["releases", live], at(workload, "releases", live)],
          ]
        : [[["release"], release]];
}

function at(value: unknown, ...path: readonly string[]): unknown {
    return path.reduce((inner, key) => entriesOf(inner)[key], value);
}

function entriesOf(value: unknown): Record<string, unknown> {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
