import { hostname } from "node:os";
import { type UpdateSummary } from "@pulumi/pulumi/automation";
import { type StackLock } from "./outcome";

/** What the Automation API does not take for a conflict: services other than Pulumi Cloud word it in their own way. */
const CONFLICT = /\[409\] Conflict:.*\bupdate\b.*\bin progress/i;

/**
 * The lock that an error of the Automation API is about; undefined where it is about something else. File and object stores
 * name the process. Pulumi Cloud, and services that speak its protocol, do not, but their history has the update.
 */
export function lockOf(error: unknown, latest?: UpdateSummary): StackLock | undefined {
    const { name, message } = error instanceof Error ? error : { name: "", message: "" };
    if (name !== "ConcurrentUpdateError" && !CONFLICT.test(message)) {
        return undefined;
    }
    const locks = [...message.matchAll(/created by (.+)@(\S+) \(pid (\d+)\) at (\S+)/g)];
    if (locks.length > 0) {
        // The error may repeat what the CLI said.
        const holders = locks.map(
            ([, user, host, pid, since]) => `${user}@${host} (process ${pid}), since ${since}`,
        );
        return {
            holder: [...new Set(holders)].join("; "),
            stale: locks.every(([, , host, pid]) => host === hostname() && !lives(Number(pid))),
        };
    }
    const facts = latest?.result === "in-progress" ? describeUpdate(latest) : [];
    return { holder: facts.join(", ") || "another update, which the backend does not name", stale: false };
}

/** What the history says of an update: its message, who makes it, where, and since when. */
function describeUpdate({ message, startTime, environment }: UpdateSummary): string[] {
    const author = environment["git.author"];
    const run = environment["ci.build.url"];
    return [
        message === "" ? "an update without a message" : JSON.stringify(message),
        ...(author ? [`by ${author}`] : []),
        ...(run ? [run] : []),
        `since ${new Date(startTime).toISOString()}`,
    ];
}

function lives(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}
