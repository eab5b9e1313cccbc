import { z } from "zod";
import { DATABASE_WINDOW, PATCH_WINDOW, UPGRADE_SECONDS } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { dnsLabel, duration, durationUpTo, instant, text, wholeNumber } from "./scalars";
import { type Daily, minutesOf, partsWithout, type Weekly } from "../core/calendar";
import { type DatabaseValues } from "./database";
import { timeOfDay, weekday, weeklyWindow } from "./windows";

/** Whether the list has a month of each quarter, and each month once. Section 5.1. */
function isQuarterly(months: readonly number[]): boolean {
    const quarters = new Set(months.map((month) => Math.ceil(month / 3)));
    return quarters.size === 4 && new Set(months).size === months.length;
}

/** Scheduled maintenance, in the runbook's time zone. Section 5.1. */
export const maintenanceSchema = z.strictObject({
    /** Security patches of the cluster's nodes. */
    patches: z
        .strictObject({
            /** When patches are installed: whole hours, at least two. Default: Sunday 02:00 to 04:00. */
            window: weeklyWindow.default(PATCH_WINDOW),
            /** Value of the tag `PatchGroup` that selects the nodes. Default: the namespace. */
            patchGroup: dnsLabel.optional(),
            /** Operating system of the nodes. Default: AMAZON_LINUX_2023. */
            operatingSystem: z
                .enum(["AMAZON_LINUX_2023", "AMAZON_LINUX_2"], {
                    error: "AMAZON_LINUX_2023 or AMAZON_LINUX_2",
                })
                .default("AMAZON_LINUX_2023"),
            /** Age in days at which a patch is installed. Default: 7. */
            approveAfterDays: wholeNumber(0, 100).default(7),
            /** Whether a node is drained and restarted if a patch requires it. Default: true. */
            reboot: z.boolean({ error: "true or false" }).default(true),
            /** Limit for draining a node before it restarts, at most 1h. Default: 10m. */
            drain: durationUpTo("1h").default(600),
        })
        .superRefine(({ window }, context) => {
            const minutes = minutesOf(window);
            if (minutes % 60 !== 0 || minutes < 120) {
                context.addIssue({
                    code: "custom",
                    path: ["window"],
                    message: "a window of whole hours, at least two",
                });
            }
        })
        .prefault({}),
    /**
     * Quarterly rotation of the certificates of `mcp:ingress`, on the third such weekday of the month. It is announced
     * two weeks before, on the first, and again when it starts.
     */
    certificates: z
        .strictObject({
            /** Months of the rotation. Default: 1, 4, 7 and 10. */
            months: z
                .array(wholeNumber(1, 12), { error: "a list of months" })
                .refine(isQuarterly, "at least one month of each quarter, each once")
                .default([1, 4, 7, 10]),
            /** Default: sun. */
            weekday: weekday.default("sun"),
            /** Start of the rotation. Default: 06:00. */
            start: timeOfDay.default("06:00"),
        })
        .prefault({}),
    /** Years in which alarms are muted in the database's window, on the first Sunday of each month. Default: none. */
    mutedYears: z
        .array(wholeNumber(2026, 2100), { error: "a list of years" })
        .refine((years) => new Set(years).size === years.length, "each year once")
        .default([]),
    /** The next Kubernetes upgrade. Default: none. */
    upgrade: z
        .strictObject({
            /** Start, with time zone. */
            start: instant,
            /** Target version of the cluster. */
            version: text(/^1\.[2-9]\d$/, 'a minor version of Kubernetes, in quotes, such as "1.34"'),
            /** Duration, at most a day. Default: 8h. */
            duration: duration.default(UPGRADE_SECONDS),
        })
        .superRefine((upgrade, context) => {
            if (upgrade.duration > 86_400 || upgrade.duration % 60 !== 0) {
                context.addIssue({
                    code: "custom",
                    path: ["duration"],
                    message: "a duration of whole minutes, at most 1d",
                });
            }
        })
        .optional(),
});

/** See {@link maintenanceSchema}. */
export type MaintenanceValues = z.output<typeof maintenanceSchema>;

/** Minimum length of the database's window for its maintenance, in minutes. */
const LEAST_QUIET_MINUTES = 60;

/** Parts of the database's window (section 5.1) in which neither the nodes nor the database are patched. */
export function quietParts({
    maintenance,
    database,
}: {
    maintenance?: { patches: { window: Weekly } } | undefined;
    database?: { maintenanceWindow: Weekly } | undefined;
}): Daily[] {
    return partsWithout(DATABASE_WINDOW, [
        ...(maintenance === undefined ? [] : [maintenance.patches.window]),
        ...(database === undefined ? [] : [database.maintenanceWindow]),
    ]);
}

/** Rules of the maintenance that depend on other values of the stack. */
export function checkMaintenance(
    {
        maintenance,
        database,
        backups,
        kubernetes,
        jobs,
    }: {
        maintenance?: MaintenanceValues | undefined;
        database?: Pick<DatabaseValues, "maintenanceWindow"> | undefined;
        backups?: object | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (maintenance?.patches.reboot === true && kubernetes.cluster === undefined) {
        problem(
            ["maintenance", "patches", "reboot"],
            "false, or mcp:kubernetes.cluster, because draining uses its API",
        );
    }
    const quiet = Math.max(0, ...quietParts({ maintenance, database }).map(minutesOf));
    if (database !== undefined && backups !== undefined && quiet < LEAST_QUIET_MINUTES) {
        const { weekday, start, end } = DATABASE_WINDOW;
        problem(
            ["database", "maintenanceWindow"],
            `a window that, with mcp:maintenance.patches.window, leaves an hour of ${weekday} ${start} to ${end} ` +
                "for the maintenance of the database",
        );
    }
    if (maintenance?.upgrade === undefined) {
        return;
    }
    if (kubernetes.cluster === undefined) {
        problem(
            ["maintenance", "upgrade"],
            "mcp:kubernetes.cluster, because its check publishes to CloudWatch from EKS only",
        );
    }
    if (getOwn(jobs.images, "aws") === undefined) {
        problem(["jobs", "images", "aws"], "an image, because it publishes the result of the upgrade check");
    }
}
