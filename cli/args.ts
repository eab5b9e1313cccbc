import * as util from "node:util";
import { UsageError } from "../offline/stackFile";

/** Options that try values. */
export const EDIT_OPTIONS = {
    set: { type: "string", multiple: true, default: [] as string[] },
    unset: { type: "string", multiple: true, default: [] as string[] },
} as const;

/** The values of these options as edits: removals first. */
export function editsOf({ set, unset }: { set: readonly string[]; unset: readonly string[] }): string[] {
    return [...unset.map((path) => `${path}-`), ...set];
}

/** Options or arguments that a command does not accept. */
export class ArgumentError extends UsageError {}

/**
 * What to do about an error that does not say it: an option is explained by the command's help, and values are checked by
 * the preview.
 */
export function nextStep(error: Error, command: string, args: readonly string[] = []): string | undefined {
    const { message } = error;
    if (error instanceof UsageError && error.next !== undefined) {
        return error.next;
    }
    if (error instanceof ArgumentError || /^(?:--[a-z-]+|[A-Z]{3,}): /.test(message)) {
        return `Options: npm run ${command} -- --help`;
    }
    const tries =
        command === "runbook"
            ? ["plan", "run"].includes(args[0]!)
            : args.some((each) => /^--(?:un)?set(?:=|$)/.test(each));
    if (tries && /^\d+ problems? in the stack's values/.test(message)) {
        return "Correct the value that you gave, or the stack file, which npm run preview checks alone.";
    }
    if (/^\d+ problems? in the stack's values/.test(message) || /^Pulumi\.[\w-]+\.yaml\b/.test(message)) {
        return "Correct the stack file, or set the value with pulumi config set --path. npm run preview checks it.";
    }
    return undefined;
}

/**
 * Parses a command's options as Node does.
 *
 * @throws ArgumentError for an unknown option, with the known ones, for an option without its value, and for an
 * unexpected
 * argument: npm consumes unknown options itself and passes on only their values.
 */
export const parseArgs: typeof util.parseArgs = (config) => {
    try {
        return util.parseArgs(config);
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
            const known = Object.keys(config?.options ?? {}).map((name) => `--${name}`);
            const [found] = /^Unknown option '[^']*'/.exec(message)!;
            throw new ArgumentError(`${found}, expected one of ${known.join(", ")}`);
        }
        if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
            const [found] = /^Unexpected argument '.*'(?=\. )/s.exec(message)!;
            throw new ArgumentError(`${found}: npm needs -- before the options`);
        }
        if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
            throw new ArgumentError(message.split("\n", 1)[0]!);
        }
        throw error;
    }
};
