import { z } from "zod";
import { PATCH_WINDOW, UPGRADE_SECONDS } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { dnsLabel, duration, durationUpTo, instant, text, wholeNumber } from "./scalars";
import { minutesOf } from "../core/calendar";
import { weeklyWindow } from "./windows";

/** What is done by the calendar, in the zone of the runbook. Section 5.1. */
export const maintenanceSchema = z.strictObject({
    /** Security patches of the cluster's nodes. */
    patches: z
        .strictObject({
            /** When they are installed: whole hours, at least two. Default: Sunday 02:00 to 04:00. */
            window: weeklyWindow.default(PATCH_WINDOW),
            /** Nodes that get them: those tagged `PatchGroup` with this value. Default: the namespace's name. */
            patchGroup: dnsLabel.optional(),
            /** What they run on. Default: AMAZON_LINUX_2023. */
            operatingSystem: z
                .enum(["AMAZON_LINUX_2023", "AMAZON_LINUX_2"], {
                    error: "AMAZON_LINUX_2023 or AMAZON_LINUX_2",
                })
                .default("AMAZON_LINUX_2023"),
            /** Days that a patch has been out before it is installed. Default: 7. */
            approveAfterDays: wholeNumber(0, 100).default(7),
            /** Whether a node is drained and restarts where a patch asks for it. Default: true. */
            reboot: z.boolean({ error: "true or false" }).default(true),
            /** How long a node's pods may take to go before it restarts, at most 1h. Default: 10m. */
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
    /** Years in which alarms are muted in the window of the database, on each month's first Sunday. Default: none. */
    mutedYears: z
        .array(wholeNumber(2026, 2100), { error: "a list of years" })
        .refine((years) => new Set(years).size === years.length, "each year once")
        .default([]),
    /** The next Kubernetes upgrade. Default: none is planned. */
    upgrade: z
        .strictObject({
            /** When it begins, with its zone. */
            start: instant,
            /** Version that the cluster is to have. */
            version: text(/^1\.[2-9]\d$/, 'a minor version of Kubernetes, in quotes, such as "1.34"'),
            /** How long it may take, at most a day. Default: 8h. */
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

/** Rules of the maintenance that need the rest of the stack's values. */
export function checkMaintenance(
    {
        maintenance,
        kubernetes,
        jobs,
    }: {
        maintenance?: MaintenanceValues | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (maintenance?.patches.reboot === true && kubernetes.cluster === undefined) {
        problem(
            ["maintenance", "patches", "reboot"],
            "false, or mcp:kubernetes.cluster, because a node is drained by its API before it restarts",
        );
    }
    if (maintenance?.upgrade === undefined) {
        return;
    }
    if (kubernetes.cluster === undefined) {
        problem(
            ["maintenance", "upgrade"],
            "mcp:kubernetes.cluster, because its check tells CloudWatch from EKS only",
        );
    }
    if (getOwn(jobs.images, "aws") === undefined) {
        problem(
            ["jobs", "images", "aws"],
            "an image, because the check of an upgrade tells CloudWatch by it",
        );
    }
}
