import { hostname } from "node:os";
import { type UpdateSummary } from "@pulumi/pulumi/automation";
import { type StackLock } from "./outcome";

/**
 * The lock that an error of the Automation API is about; undefined where it is about something else. File and object stores
 * name the process. Pulumi Cloud does not, but its history has the update.
 */
export function lockOf(error: unknown, latest?: UpdateSummary): StackLock | undefined {
    const { name, message } = error instanceof Error ? error : { name: "", message: "" };
    if (name !== "ConcurrentUpdateError") {
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
    const { message: title = "", startTime, environment = {}, result } = latest ?? {};
    const facts =
        result === "in-progress"
            ? [
                  title === "" ? undefined : JSON.stringify(title),
                  environment["git.author"],
                  environment["ci.build.url"],
                  startTime === undefined ? undefined : `since ${new Date(startTime).toISOString()}`,
              ]
            : [];
    const known = facts.filter((each) => each !== undefined && each !== "").join(", ");
    return { holder: known || "another update, which the backend does not name", stale: false };
}

function lives(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}
