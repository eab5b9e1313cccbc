import { plural } from "../../offline/summary";
import { type RunResult } from "../runbook/outcome";
import { type Update } from "./lastUpdate";
import { type ChangedValue, commandFor, describeValue } from "./uncommitted";

/** A deploy of a commit. */
export interface Attempt {
    readonly stack: string;
    readonly commit: string;
    readonly subject: string;
    /** The commit's id and URL. */
    readonly author: string;
    /** Its releases, with authors and approvers, a sentence each. */
    readonly releases: readonly string[];
    /** The stack's last update. Undefined before the first one. */
    readonly last: Update | undefined;
    /** Deployed values that are not committed. */
    readonly lost: readonly ChangedValue[];
    /** Whether the update reverts them. */
    readonly discards: boolean;
}

/** Result of the preview. */
export type Planned =
    | { readonly refused: string }
    | {
          readonly changes: number;
          /** Such as `update kubernetes:core/v1:Service mcp-server`. */
          readonly lines: readonly string[];
          /** Output of the engine. */
          readonly preview: string;
      };

/** Result of the update. */
export interface Applied extends RunResult {
    /** Workloads that were rolled back. */
    readonly workloads: readonly string[];
    /** Values that are deployed and in no commit. */
    readonly due: readonly ChangedValue[];
    /** Output. */
    readonly lines: readonly string[];
}

/** Maximum length of a quote, in characters: GitHub accepts a summary of 1 MiB. */
const LONGEST_QUOTE = 300_000;

/** Maximum number of lines of a log: the Job's log has the others. */
const MOST_LINES = 80;

/** The plan as Markdown, for the approvers. */
export function planSummary(attempt: Attempt, planned: Planned): string {
    const { stack, last, lost, discards, releases } = attempt;
    if ("refused" in planned) {
        return joined([`## ${stack}: refused`, ...of(attempt), quoted(planned.refused)]);
    }
    const { changes, lines, preview } = planned;
    const title = changes === 0 ? "nothing to deploy" : plural(changes, "change");
    return joined([
        `## ${stack}: ${title}`,
        ...of(attempt),
        ...(releases.length === 0 ? [] : ["**Releases**", quoted(releases.join("\n"))]),
        ...(discards && lost.length > 0
            ? [
                  "**Takes back what is deployed and not committed:**",
                  quoted(lost.map(describeValue).join("\n")),
              ]
            : []),
        ...(last?.isDirty === true && lost.length === 0
            ? [
                  `**The last update was made from a checkout with uncommitted changes** (${last.time}). Its values that are not ` +
                      "secret are committed; a secret or another file may not be.",
              ]
            : []),
        ...(changes === 0 ? [] : [quoted(lines.join("\n")), folded("Preview", preview)]),
    ]);
}

/** The result of the update as Markdown: what happened, why, and what to do. */
export function applySummary(attempt: Attempt, applied: Applied): string {
    const { stack } = attempt;
    const { outcome, changes, reason, workloads, due, lines } = applied;
    const title = {
        done: "deployed",
        rolledBack: `failed, and rolled back ${workloads.join(", ")}`,
        failed: workloads.length > 0 ? "failed, and the rollback failed too" : "failed",
        interrupted: "interrupted",
        locked: "not begun, because another update is under way",
    }[outcome as string];
    const log = lines.slice(-MOST_LINES).join("\n");
    return joined([
        `## ${stack}: ${title ?? outcome}`,
        ...of(attempt),
        ...(outcome === "done" ? [] : [quoted(reason), "**What to do**", nextStep(stack, applied)]),
        ...(due.length === 0 ? [] : [quoted(due.map((value) => commandFor(stack, value)).join("\n"))]),
        ...(changes.length === 0 ? [] : [folded("Changed", changes.join("\n"))]),
        ...(outcome === "done" || log === "" ? [] : [folded("Last lines of the update", log)]),
    ]);
}

function nextStep(stack: string, { outcome, changes, due }: Applied): string {
    if (due.length > 0) {
        return (
            `Commit the rolled back values to main before the next deploy of ${stack}, which is refused until then. ` +
            "A new release, by a commit after it, is deployed as usual:"
        );
    }
    if ((outcome === "failed" || outcome === "locked") && changes.length === 0) {
        return "Nothing was changed. Remove the cause, and run the whole workflow again for a new plan.";
    }
    return (
        `${stack} is as far as the update came, and no release of it was rolled back. Mend the cause on main, or by hand: ` +
        `\`pulumi up --stack ${stack} --policy-pack policies --refresh\` goes on.`
    );
}

/** The commit, and what is deployed. */
function of({ commit, subject, author, last }: Attempt): string[] {
    const deployed =
        last === undefined
            ? "The stack was never updated."
            : `Last update: ${last.time}, ${plain(last.message)}${last.commit === undefined ? "" : ` (${last.commit.slice(0, 10)})`}.`;
    return [`${commit.slice(0, 10)} by ${plain(author)}: ${plain(subject)}. ${deployed}`];
}

function joined(parts: readonly string[]): string {
    return `${parts.join("\n\n")}\n`;
}

function folded(title: string, text: string): string {
    return `<details><summary>${title}</summary>\n\n${quoted(text)}\n\n</details>`;
}

/** A code block. */
function quoted(text: string): string {
    const end = `\n… ${text.length - LONGEST_QUOTE} characters more in the log of the job`;
    const shown = text.length > LONGEST_QUOTE ? text.slice(0, LONGEST_QUOTE) + end : text;
    const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = "`".repeat(longest + 1);
    return `${fence}\n${shown.trimEnd()}\n${fence}`;
}

/** Escapes foreign text for a line of Markdown. */
function plain(text: string): string {
    return `\`${text.replaceAll("`", "'")}\``;
}
