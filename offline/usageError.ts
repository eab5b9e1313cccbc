import { RunError } from "@pulumi/pulumi/errors";

/** Input the user can mend: shown as it is, without a stack trace. */
export class UsageError extends Error {
    /**
     * @param next What to do now, in a line below the message. Default: what the message itself says.
     */
    constructor(
        message: string,
        readonly next?: string,
    ) {
        super(message);
    }
}

/**
 * Whether an error comes from the user's input or system (an unwritable folder, a full disk): then only its message is
 * shown. A stack trace is for faults of the program.
 */
export function isUsersToMend(error: unknown): boolean {
    return (
        error instanceof UsageError ||
        RunError.isInstance(error) ||
        (error instanceof Error && "syscall" in error) ||
        (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))
    );
}
