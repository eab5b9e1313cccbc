import { UsageError } from "../../offline/stackFile";
import { git } from "../git";
import { shellQuoted } from "../shell";

/** The commit that records a run in the repository: until it is on main, the next deploy takes the run back. */
export interface DueCommit {
    branch: string;
    /** Subject, and a body where there is more to say. */
    message: readonly string[];
    /** Stack file, relative to the project. */
    file: string;
}

/** Names branch and message after the procedure and what it was given. */
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

/** What to type for the commit. */
export function commandsFor({ branch, message, file }: DueCommit): string[] {
    return [`git switch -c ${branch}`, `git commit ${message.map(quoted).join(" ")} -- ${file}`].map(
        (line) => `  ${line}`,
    );
}

/** Whether the file differs from the commit that is checked out. Undefined outside of a repository. */
export function isUncommitted(root: string, file: string): boolean | undefined {
    const { status, stdout } = git(root, "status", "--porcelain", "--", file);
    return status === 0 ? stdout !== "" : undefined;
}

/**
 * Makes the commit on a branch of its own.
 *
 * @throws UsageError with what git said.
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
