import { spawnSync } from "node:child_process";
import { z } from "zod";
import { leavesOf } from "../../offline/snapshot";
import { UsageError } from "../../offline/stackFile";

/** Values of a stack by path, without secrets. */
export type Values = ReadonlyMap<string, string>;

/** An update of a stack, from the engine's history. */
export interface Update {
    /** Unique among the stack's updates. */
    readonly id: string;
    /** Start, in ISO 8601. */
    readonly time: string;
    /** The procedure, or the subject of the commit. */
    readonly message: string;
    readonly succeeded: boolean;
    /** Checked-out commit. Undefined outside a repository. */
    readonly commit: string | undefined;
    /** Whether the checkout had uncommitted changes. */
    readonly isDirty: boolean;
    /** The stack file's `config` by key, without secrets. */
    readonly config: Readonly<Record<string, unknown>>;
    /** Keys of secrets. */
    readonly secretKeys: readonly string[];
}

/** Fields that are read from `pulumi stack history --json`. */
const historySchema = z.array(
    z.object({
        version: z.number(),
        kind: z.string(),
        startTime: z.string(),
        message: z.string(),
        result: z.string().default(""),
        environment: z.record(z.string(), z.string()),
        config: z.record(
            z.string(),
            z.object({
                value: z.string().optional(),
                objectValue: z.unknown().optional(),
                secret: z.boolean(),
            }),
        ),
    }),
);

/**
 * Parses the output of `pulumi stack history --json`: the updates of a stack, newest first.
 *
 * @throws UsageError that names `source`, for any other text.
 */
export function parseHistory(text: string, source: string): Update[] {
    let read: unknown;
    try {
        read = JSON.parse(text);
    } catch {
        // Reported below.
    }
    const { data } = historySchema.safeParse(read);
    if (data === undefined) {
        throw new UsageError(
            `${source}: found another text, expected what pulumi stack history --json prints`,
            "npm run doctor checks the version of the Pulumi CLI.",
        );
    }
    return data
        .filter(({ kind }) => kind === "update")
        .map(({ version, startTime, message, result, environment, config }) => ({
            id: `${version} ${startTime}`,
            time: startTime,
            message: message.split("\n")[0]!,
            succeeded: result === "succeeded",
            commit: environment["git.head"],
            isDirty: environment["git.dirty"] === "true",
            config: Object.fromEntries(
                Object.entries(config).flatMap(([key, { value, objectValue, secret }]) =>
                    secret ? [] : [[key, objectValue ?? value]],
                ),
            ),
            secretKeys: Object.entries(config).flatMap(([key, { secret }]) => (secret ? [key] : [])),
        }));
}

/**
 * The updates of a stack, newest first, from the Pulumi CLI on the PATH. Undefined if there is none.
 *
 * @throws UsageError with the CLI's message.
 */
export function readHistory(root: string, stack: string): Update[] | undefined {
    const args = ["stack", "history", "--json", "--page-size", "50", "--stack", stack, "--non-interactive"];
    const { error, status, stdout, stderr } = spawnSync("pulumi", args, {
        cwd: root,
        encoding: "utf8",
        maxBuffer: 256 * 1024 * 1024,
    });
    if (error !== undefined && (error as NodeJS.ErrnoException).code === "ENOENT") {
        return undefined;
    }
    if (status !== 0) {
        const reason = error?.message ?? stderr.trim().split("\n").slice(-3).join("\n");
        throw new UsageError(
            `Cannot read the history of ${stack}: ${reason}`,
            `npm run doctor -- --stack ${stack} checks the access to the backend, and says what to do.`,
        );
    }
    return parseHistory(stdout, `the history of ${stack}`);
}

/** The values of a stack file's `config`, without some keys. */
export function valuesBelow(config: Readonly<Record<string, unknown>>, without: readonly string[]): Values {
    return new Map(
        Object.entries(config)
            .filter(([key]) => !without.includes(key))
            .flatMap(([key, value]) => leavesOf(value, key))
            // The history has top-level numbers and booleans as text.
            .map(([path, value]) => [path, String(JSON.parse(value))] as const),
    );
}
