import { formatProblems, configPath, type Problem } from "../config/problems";
import { PLACEHOLDER_ACCOUNT } from "../config/requiredInputs";
import { databaseNames, resolveNames } from "../config/resolve/names";
import { type StackValues } from "../config";
import { stackNames, UsageError, valuesOf } from "./stackFile";

/** Scope in which a name is unique. */
type Place = "cluster" | "account and region" | "world";

/** A name that another stack could also have, and the value that determines it. */
type Claim = readonly [place: Place, path: readonly PropertyKey[], name: string | undefined];

/** What to set instead of a name that is taken. Default: another name. */
const EXPECTED: Readonly<Record<string, string>> = {
    "mcp:observability.podMetrics": "false, because it is an add-on of the whole cluster",
};

function claimsOf(values: StackValues): Claim[] {
    const { backups, archive, cache, copies, ingress, observability } = values;
    const namespace = ["kubernetes", "namespace"];
    const { name, auditArchive, logs } = resolveNames(values);
    const inAccount = [name, auditArchive, logs.prefix, ...Object.values(databaseNames(values))];
    const podMetrics = observability !== undefined && observability.podMetrics !== false;
    return [
        ["cluster", namespace, name],
        // The log shipper's namespace.
        ["cluster", namespace, `${name}-logs`],
        ...inAccount.map((each): Claim => ["account and region", namespace, each]),
        ["world", ["backups", "bucket"], backups?.bucket],
        ["world", ["archive", "bucket"], archive?.bucket],
        ["world", ["cache", "snapshotBucket"], cache?.snapshotBucket],
        ["world", ["copies", "backups", "bucket"], copies?.backups?.bucket],
        ["world", ["copies", "archive", "bucket"], copies?.archive?.bucket],
        ...(ingress?.hosts ?? []).map(({ host }, index): Claim => [
            "cluster",
            ["ingress", "hosts", index, "host"],
            host,
        ]),
        ["cluster", ["observability", "podMetrics"], podMetrics ? "the add-on" : undefined],
    ];
}

/** Whether two stacks share the scope. An account that is not set yet may be any. */
function share(place: Place, one: StackValues, other: StackValues): boolean {
    const accounts = [one, other].map(({ aws }) => aws?.accountId);
    const oneAccount = accounts[0] === accounts[1] || accounts.includes(PLACEHOLDER_ACCOUNT);
    const oneRegion = one.aws?.region === other.aws?.region;
    switch (place) {
        case "world":
            return true;
        case "account and region":
            return one.aws !== undefined && oneAccount && oneRegion;
        case "cluster":
            return one.kubernetes.cluster === undefined
                ? one.kubernetes.context === other.kubernetes.context
                : one.kubernetes.cluster === other.kubernetes.cluster && oneAccount && oneRegion;
    }
}

/** Names that two stacks cannot both have. */
export function sharedNames(one: StackValues, other: StackValues, otherFile: string): Problem[] {
    const taken = claimsOf(other);
    const problems = new Map<string, Problem>();
    for (const [place, path, name] of claimsOf(one)) {
        const at = configPath(path);
        const isTaken = taken.some(([where, , theirs]) => where === place && theirs === name);
        if (name !== undefined && isTaken && share(place, one, other) && !problems.has(at)) {
            problems.set(at, {
                path: at,
                found: `${name}, which ${otherFile} has in the same ${place}`,
                expected: EXPECTED[at] ?? "another name",
            });
        }
    }
    return [...problems.values()];
}

/**
 * Compares the names of a stack with those of the project's other stack files. Skips invalid files: their own preview
 * reports them.
 *
 * @throws UsageError that lists each value that gives the stack a name of another.
 */
export function refuseTakenNames(root: string, stack: string, edits: readonly string[]): void {
    const own = valuesOf(root, stack, { edits });
    const problems = stackNames(root)
        .filter((name) => name !== stack)
        .flatMap((name) => {
            const values = orNothing(() => valuesOf(root, name));
            return values === undefined ? [] : sharedNames(own, values, `Pulumi.${name}.yaml`);
        });
    if (problems.length > 0) {
        throw new UsageError(formatProblems(problems));
    }
}

function orNothing<T>(read: () => T): T | undefined {
    try {
        return read();
    } catch (error) {
        if (error instanceof UsageError) {
            return undefined;
        }
        throw error;
    }
}
