import { UsageError } from "../../offline/stackFile";
import { git } from "../git";
import { shellQuoted } from "../shell";

/** The commit that records a run in the repository. Until it is on main, the next deploy reverts the run. */
export interface DueCommit {
    branch: string;
    /** Subject, and an optional body. */
    message: readonly string[];
    /** Stack file, relative to the project. */
    file: string;
}

/** Names branch and message after the procedure and its parameters. */
export function dueCommit(
    { id, title }: { id: string; title: string },
    stack: string,
    given: Readonly<Record<string, string>>,
): DueCommit {
    const { workload, version, ticket } = given;
    const subject = [workload, version].filter(Boolean).join(" ");
    const branch = [id, stack, workload, version ?? ticket].filter(Boolean).join("-");
    return {
        branch: branch.replaceAll(/[^\w.-]+/g, "-"),
        message: [
            `${title} in ${stack}${subject === "" ? "" : `: ${subject}`}`,
            ...(ticket === undefined ? [] : [`Ticket: ${ticket}`]),
        ],
        file: `Pulumi.${stack}.yaml`,
    };
}

/** Commands for the commit. */
export function commandsFor({ branch, message, file }: DueCommit): string[] {
    return [`git switch -c ${branch}`, `git commit ${message.map(quoted).join(" ")} -- ${file}`].map(
        (line) => `  ${line}`,
    );
}

/** Whether the file differs from the checked-out commit. Undefined outside a repository. */
export function isUncommitted(root: string, file: string): boolean | undefined {
    const { status, stdout } = git(root, "status", "--porcelain", "--", file);
    return status === 0 ? stdout !== "" : undefined;
}

/**
 * Makes the commit on a new branch.
 *
 * @throws UsageError with git's message.
 */
export function commit(root: string, { branch, message, file }: DueCommit): void {
    const words = message.flatMap((each) => ["-m", each]);
    for (const args of [
        ["switch", "-c", branch],
        ["commit", "--quiet", ...words, "--", file],
    ]) {
        const { status, stderr, error } = git(root, ...args);
        if (status !== 0) {
            const reason = error?.message ?? stderr.trim();
            throw new UsageError(
                `Cannot commit ${file}: git ${args[0]}: ${reason}`,
                `The update is done. Commit the file yourself, and merge it into main.`,
            );
        }
    }
}

function quoted(text: string): string {
    return `-m ${shellQuoted(text)}`;
}
