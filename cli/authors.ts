import { isSamePerson } from "../core/person";
import { git } from "./git";
import { isUncommitted } from "./runbook/commit";

/** Git's committer identity here, as `Name <address>`. Undefined if git has none. */
export function committer(root: string): string | undefined {
    const [name, address] = ["user.name", "user.email"].map((key) => git(root, "config", key).stdout.trim());
    return name && address ? `${name} <${address}>` : name || address || undefined;
}

/**
 * Who has changed a file since a commit, each once: authors and co-authors of its commits, and the local committer if
 * the file has uncommitted changes.
 */
export function authorsOf(root: string, file: string, since: string): string[] {
    const format = "--format=%aN <%aE>%n%(trailers:key=Co-authored-by,valueonly)";
    const { stdout } = git(root, "log", format, `${since}..HEAD`, "--", file);
    const all = [
        ...stdout.split("\n"),
        ...(isUncommitted(root, file) === true ? [committer(root) ?? ""] : []),
    ];
    return all
        .map((each) => each.trim())
        .filter((each) => each !== "")
        .filter((each, index, list) => list.findIndex((other) => isSamePerson(each, other)) === index);
}
