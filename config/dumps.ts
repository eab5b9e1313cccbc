import { z } from "zod";
import { DATABASE_WINDOW } from "../core/numbers";
import { type DatabaseValues } from "./database";
import { type MaintenanceValues } from "./maintenance";
import { getOwn } from "../core/getOwn";
import { mebibytes } from "../core/quantities";
import { diskQuantity, duration, fileSize, text } from "./scalars";
import { overlap, windowOf } from "../core/calendar";
import { dailyStart, weeklyStart } from "./windows";

const LONGEST_SECONDS = 6 * 3600;

/** Scheduled dumps of the database, and dumps on demand. Sections 5.2 step 1 and 7.1. */
export const dumpsSchema = z.strictObject({
    /** Start of the daily dump, outside the maintenance and backup windows. Default: 23:00. */
    daily: dailyStart.prefault("0 23 * * *"),
    /** Start of the weekly dump, outside the same windows. Default: Sunday 21:00. */
    weekly: weeklyStart.prefault("0 21 * * 0"),
    /** Deadline of one dump, including its upload. Default: 1h. */
    deadline: duration
        .refine((seconds) => seconds <= LONGEST_SECONDS, { error: "at most 6h", abort: true })
        .default(3600),
    /** Tables of the schema `public` that a dump must contain. Default: tools. Section 7.2 step 4. */
    tables: z
        .array(text(/^[a-z_][a-z0-9_]{0,62}$/, "the name of a table, such as tools"))
        .min(1, "at least one table")
        .default(["tools"]),
    /** Minimum size of a dump; a smaller one is incomplete. Default: 8Ki. */
    minimumSize: fileSize.default(8 * 1024),
    /** Disk of the node that a dump may use before its upload. Default: 10Gi. */
    scratch: diskQuantity.default("10Gi"),
});

type DatabaseChange = { databaseChange: boolean } | undefined;

/** Rules of dumps and exports that depend on other values of the stack. */
export function checkDumps(
    {
        backups,
        database,
        maintenance,
        kubernetes,
        jobs,
        workloads,
    }: {
        backups?: { dumps: z.output<typeof dumpsSchema>; manual?: string | undefined } | undefined;
        database?: DatabaseValues | undefined;
        maintenance?: MaintenanceValues | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
        workloads: Record<
            string,
            { release: DatabaseChange } | { releases: { blue?: DatabaseChange; green?: DatabaseChange } }
        >;
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (backups === undefined || database === undefined) {
        for (const [name, workload] of Object.entries(workloads)) {
            const releases =
                "releases" in workload
                    ? Object.entries(workload.releases).map(([colour, release]) => ({
                          path: ["releases", colour],
                          release,
                      }))
                    : [{ path: ["release"], release: workload.release }];
            for (const { path, release } of releases) {
                if (release?.databaseChange) {
                    problem(
                        ["workloads", name, ...path, "databaseChange"],
                        "mcp:database and mcp:backups, because a dump is taken before it",
                    );
                }
            }
        }
    }
    if (backups === undefined) {
        return;
    }
    if (kubernetes.cluster === undefined) {
        problem(["backups"], "mcp:kubernetes.cluster, because backups run on EKS only");
    }
    if (database === undefined) {
        if (getOwn(jobs.images, "aws") === undefined) {
            problem(["jobs", "images", "aws"], "an image, because it uploads the backups");
        }
        if (backups.manual !== undefined) {
            problem(["backups", "manual"], "mcp:database, which it dumps");
        }
        return;
    }
    const { daily, weekly, deadline, minimumSize, scratch } = backups.dumps;
    if (minimumSize >= mebibytes(scratch) * 1024 * 1024) {
        problem(
            ["backups", "dumps", "minimumSize"],
            `less than scratch, ${scratch}, which a dump must fit in`,
        );
    }
    const closed = {
        "the maintenance window": database.maintenanceWindow,
        "the backup window": database.backupWindow,
        "the database's maintenance (section 5.1)": DATABASE_WINDOW,
        // Nodes restart in this window.
        ...(maintenance && { "the patch window": maintenance.patches.window }),
    };
    for (const [kind, start] of Object.entries({ daily, weekly })) {
        const met = Object.entries(closed).find(([, window]) => overlap(windowOf(start, deadline), window));
        if (met !== undefined) {
            const [name, window] = met;
            const days = "weekday" in window ? `${window.weekday} ` : "";
            problem(
                ["backups", "dumps", kind],
                `a time from which a run, with its deadline, does not overlap ${name}, ${days}${window.start} to ` +
                    `${window.end}`,
            );
        }
    }
    if (overlap(windowOf(daily, deadline), windowOf(weekly, deadline))) {
        problem(["backups", "dumps", "weekly"], "a time at which no daily dump runs");
    }
    const major = /:(\d+)[^/]*$/.exec(getOwn(jobs.images, "postgres") ?? "")?.[1];
    if (major !== undefined && Number(major) < parseInt(database.version, 10)) {
        problem(
            ["jobs", "images", "postgres"],
            `version ${database.version} or newer, because pg_dump refuses a server newer than itself`,
        );
    }
}
