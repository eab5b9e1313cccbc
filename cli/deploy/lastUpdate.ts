import { spawnSync } from "node:child_process";
import { z } from "zod";
import { leavesOf } from "../../offline/snapshot";
import { UsageError } from "../../offline/stackFile";

/** Values of a stack by their paths, without the secret ones. */
export type Values = ReadonlyMap<string, string>;

/** An update of a stack, as the engine's history has it. */
export interface Update {
    /** Differs from that of every other update of the stack. */
    readonly id: string;
    /** When it began, as ISO 8601. */
    readonly time: string;
    /** The procedure that was run, or the subject of the commit. */
    readonly message: string;
    readonly succeeded: boolean;
    /** Commit that was checked out. Undefined outside of a repository. */
    readonly commit: string | undefined;
    /** Whether files of the checkout differed from the commit. */
    readonly isDirty: boolean;
    /** What the stack file had below `config`, by its keys; without those that hold a secret. */
    readonly config: Readonly<Record<string, unknown>>;
    /** Keys that hold a secret. */
    readonly secretKeys: readonly string[];
}

/** What is read of `pulumi stack history --json`. */
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
 * The updates of a stack, the newest first, from the text that `pulumi stack history --json` prints.
 *
 * @throws UsageError that names `source`, for any other text.
 */
export function parseHistory(text: string, source: string): Update[] {
    let read: unknown;
    try {
        read = JSON.parse(text);
    } catch {
        // Said below.
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
 * The updates of a stack, the newest first, by the Pulumi CLI on the PATH. Undefined where there is none.
 *
 * @throws UsageError with what the CLI says.
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

/** The values of a stack file's `config`, without those of some keys. */
export function valuesBelow(config: Readonly<Record<string, unknown>>, without: readonly string[]): Values {
    return new Map(
        Object.entries(config)
            .filter(([key]) => !without.includes(key))
            .flatMap(([key, value]) => leavesOf(value, key))
            // The history has a number or a truth value as text, where it has no key above it.
            .map(([path, value]) => [path, String(JSON.parse(value))] as const),
    );
}
