import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareAnnouncement } from "../automation/schedule";
import { declareKey, logsUse } from "../encryption";
import { declarePatches, type PatchesArgs } from "./patches";

/** A window for people or other tasks, which is announced. */
export interface WindowArgs {
    /** Description of the work. */
    activity: string;
    /** Start: `cron(…)` with AWS's six fields, or `at(…)`, in the runbook's time zone. */
    when: string;
    /** Duration, in minutes. */
    minutes: number;
    /** A message before the window: the name of its schedule, of at most 12 characters, and its time. Default: none. */
    reminder?: { name: string; when: string; message: string } | undefined;
}

/** Arguments of {@link MaintenanceWindows}. */
export interface MaintenanceWindowsArgs {
    accountId: string;
    region: string;
    /** Weekly patches of the nodes. */
    patches: Omit<PatchesArgs, "accountId" | "region" | "keyArn" | "topics">;
    /** Windows of work that the program does not do itself, by name. */
    windows: Record<string, WindowArgs>;
    /** Topics for the start of a window and for failures, and their key. */
    topics: PatchesArgs["topics"];
}

/** Scheduled maintenance in the runbook's time zone. Section 5.1. */
export class MaintenanceWindows extends ComponentResource {
    constructor(name: string, args: MaintenanceWindowsArgs, opts?: ComponentResourceOptions) {
        super("mcp:maintenance:MaintenanceWindows", name, {}, opts);
        const { accountId, region, topics } = args;

        const key = declareKey(
            name,
            {
                description: "Maintenance windows: what the nodes print, and the announcements",
                accountId,
                statements: [logsUse(args, args.patches.logGroup)],
                protect: false,
            },
            this,
        );
        declarePatches(
            `${name}-patches`,
            { ...args.patches, accountId, region, keyArn: key.arn, topics },
            this,
        );
        const announce = (window: string, description: string, when: string, message: string) =>
            declareAnnouncement(
                `${name}-${window}`,
                {
                    description,
                    when,
                    topic: { arn: topics.begun, keyArn: topics.keyArn },
                    message,
                    accountId,
                    keyArn: key.arn,
                },
                this,
            );
        for (const [window, { activity, when, minutes, reminder }] of Object.entries(args.windows)) {
            announce(
                window,
                `Announces the start of the window of the ${activity}`,
                when,
                `${name}: the window of the ${activity} begins now, for ${minutes === 60 ? "an hour" : `${minutes / 60} hours`} at most.`,
            );
            if (reminder !== undefined) {
                announce(
                    reminder.name,
                    `Announces the coming window of the ${activity}`,
                    reminder.when,
                    reminder.message,
                );
            }
        }
        this.registerOutputs();
    }
}
