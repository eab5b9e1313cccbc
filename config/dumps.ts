import { z } from "zod";
import { DATABASE_WINDOW } from "../core/numbers";
import { type DatabaseValues } from "./database";
import { type MaintenanceValues } from "./maintenance";
import { getOwn } from "../core/getOwn";
import { diskQuantity, duration, fileSize, text } from "./scalars";
import { overlap, windowOf } from "../core/calendar";
import { dailyStart, weeklyStart } from "./windows";

const LONGEST_SECONDS = 6 * 3600;

/** Dumps of the database, taken by the clock and on demand. Sections 5.2 step 1 and 7.1. */
export const dumpsSchema = z.strictObject({
    /** When the daily one starts, outside of the windows of maintenance and backup. Default: 23:00. */
    daily: dailyStart.prefault("0 23 * * *"),
    /** When the weekly one starts, outside of them too. Default: Sunday 21:00. */
    weekly: weeklyStart.prefault("0 21 * * 0"),
    /** Limit of one dump with its upload. Default: 1h. */
    deadline: duration
        .refine((seconds) => seconds <= LONGEST_SECONDS, { error: "at most 6h", abort: true })
        .default(3600),
    /** Tables of the schema `public` that a dump must hold. Default: tools. Section 7.2 step 4. */
    tables: z
        .array(text(/^[a-z_][a-z0-9_]{0,62}$/, "the name of a table, such as tools"))
        .min(1, "at least one table")
        .default(["tools"]),
    /** A dump that is smaller has lost something. Default: 8Ki. */
    minimumSize: fileSize.default(8 * 1024),
    /** Disk of the node that a dump may take up on its way to the bucket. Default: 10Gi. */
    scratch: diskQuantity.default("10Gi"),
});

type DatabaseChange = { databaseChange: boolean } | undefined;

/** Rules of dumps and exports that need the rest of the stack's values. */
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
        problem(["backups"], "mcp:kubernetes.cluster, because backups are made from EKS only");
    }
    if (database === undefined) {
        if (getOwn(jobs.images, "aws") === undefined) {
            problem(["jobs", "images", "aws"], "an image, because backups are uploaded by it");
        }
        if (backups.manual !== undefined) {
            problem(["backups", "manual"], "mcp:database beside it, which it dumps");
        }
        return;
    }
    const { daily, weekly, deadline } = backups.dumps;
    const closed = {
        "the maintenance window": database.maintenanceWindow,
        "the backup window": database.backupWindow,
        "the database's maintenance (section 5.1)": DATABASE_WINDOW,
        // Nodes restart then.
        ...(maintenance && { "the window of the patches": maintenance.patches.window }),
    };
    for (const [kind, start] of Object.entries({ daily, weekly })) {
        const met = Object.entries(closed).find(([, window]) => overlap(windowOf(start, deadline), window));
        if (met !== undefined) {
            const [name, window] = met;
            const days = "weekday" in window ? `${window.weekday} ` : "";
            problem(
                ["backups", "dumps", kind],
                `a time from which a run, with its deadline, stays out of ${name}, ${days}${window.start} to ${window.end}`,
            );
        }
    }
    if (overlap(windowOf(daily, deadline), windowOf(weekly, deadline))) {
        problem(["backups", "dumps", "weekly"], "a time at which the daily dump does not run");
    }
    const major = /:(\d+)[^/]*$/.exec(getOwn(jobs.images, "postgres") ?? "")?.[1];
    if (major !== undefined && Number(major) < parseInt(database.version, 10)) {
        problem(
            ["jobs", "images", "postgres"],
            `version ${database.version} or newer, because pg_dump refuses a server newer than itself`,
        );
    }
}
