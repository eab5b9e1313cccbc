import { hostname } from "node:os";
import { type UpdateSummary } from "@pulumi/pulumi/automation";
import { type StackLock } from "./outcome";

/** Conflict messages that the Automation API does not recognize, of services other than Pulumi Cloud. */
const CONFLICT = /\[409\] Conflict:.*\bupdate\b.*\bin progress/i;

/**
 * The lock behind an error of the Automation API; undefined for other errors. File and object stores name the process.
 * Pulumi Cloud and compatible services do not, but their history has the update.
 */
export function lockOf(error: unknown, latest?: UpdateSummary): StackLock | undefined {
    const { name, message } = error instanceof Error ? error : { name: "", message: "" };
    if (name !== "ConcurrentUpdateError" && !CONFLICT.test(message)) {
        return undefined;
    }
    const locks = [...message.matchAll(/created by (.+)@(\S+) \(pid (\d+)\) at (\S+)/g)];
    if (locks.length > 0) {
        // The error may repeat the CLI's output.
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

/** An update in the history: message, user, host and start. */
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
