import { z } from "zod";
import { type Tier } from "../core/labels";
import { BACKUPS, DATABASE, PATCH_WINDOW } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { checksSchema } from "./recovery";
import { checkSnapshotRetention, checkSnapshots, snapshotsSchema } from "./databaseSnapshots";
import { distinct, durationUpTo, subnet, text, wholeDays, wholeNumber } from "./scalars";
import { isProduction } from "./tier";
import { minutesOf, overlap } from "../core/calendar";
import { dailyWindow, weeklyWindow } from "./windows";

/** Families that RDS does not have for these versions of PostgreSQL. */
const FORMER_CLASS = /^db\.(t[12]|m[123]|r3)\./;

/** Whether PostgreSQL or RDS has a role of this name, or refuses the name. */
function isReservedRole(name: string): boolean {
    return /^(public|none|pg_.*|rds.*)$/.test(name) || name === DATABASE.administrator;
}

/** PostgreSQL on RDS. Sections 5.1, 7.1 and 7.2. */
export const databaseSchema = z
    .strictObject({
        /** Private subnets of the cluster's VPC, in different zones. */
        subnets: distinct(z.array(subnet).min(2, "at least two subnets, in different zones")),
        /**
         * RDS snapshot from which the instance is created, for example a copy in the second region. Refused if it
         * changes after the instance exists, because that would replace the instance. Default: none, an empty database.
         * Section 7.2.
         */
        snapshot: text(
            /^(arn:aws:rds:[a-z0-9-]+:[0-9]{12}:snapshot:)?[A-Za-z]([A-Za-z0-9:]|-(?!-)){0,254}(?<!-)$/,
            "name or ARN of a snapshot of RDS, such as awsbackup:job-0a1b2c3d",
        ).optional(),
        /**
         * Identifier of an instance that the program has not made, and takes over (docs/adopting.md). Its key, database,
         * administrator and subnet group stay as they are. Default: none; the program makes the instance.
         */
        adopted: text(
            /^[a-z]([a-z0-9]|-(?!-)){0,62}(?<!-)$/,
            "the identifier of an instance of RDS, such as mcp-production",
        ).optional(),
        /** Account of the services in the database; rotations alternate it with another one, whose name ends with `_b`. Default: mcp. */
        user: text(/^[a-z_][a-z0-9_]{0,60}$/, "a role of PostgreSQL, of lower-case letters, digits and _")
            .refine((user) => ![user, `${user}_b`].some(isReservedRole), {
                error: `another role: PostgreSQL and RDS have public, none, pg_... and rds... themselves, and ${DATABASE.administrator} is the administrator`,
            })
            .default(DATABASE.user),
        instanceClass: text(
            /^db\.[a-z]+\d+[a-z]*\.(micro|small|medium|(\d+x|x)?large)$/,
            "an instance class, such as db.r6g.large",
        ).refine((name) => !FORMER_CLASS.test(name), {
            error: "a current instance class, such as db.r6g.large: RDS runs PostgreSQL 14 and later on none of t1, t2, m1 to m3 and r3",
        }),
        /** Major version of PostgreSQL. RDS installs its patches in the maintenance window. */
        version: text(/^1[4-9]$/, "a major version of PostgreSQL, such as 17"),
        /** Disk size in GiB: initial, and the maximum to which RDS extends it. */
        storage: z
            .strictObject({ initial: wholeNumber(20, 65_536), max: wholeNumber(20, 65_536) })
            .superRefine(({ initial, max }, context) => {
                // RDS extends a disk by at least a tenth.
                const least = Math.ceil((initial * 11) / 10);
                if (max < least) {
                    const message = `at least ${least}, a tenth more than storage.initial`;
                    context.addIssue({ code: "custom", path: ["max"], message });
                }
            }),
        /** Whether a standby in a second zone takes over on failure. Default: true in production, false elsewhere. */
        multiAz: z.boolean({ error: "true or false" }).optional(),
        /** How far back a recovery can go, in whole days. Default: 35d, the maximum. Section 7.1. */
        backupRetention: wholeDays(35).default(35),
        /** When AWS may patch it, in the runbook's time zone. Default: Sunday 02:00 to 04:00. Section 5.1. */
        maintenanceWindow: weeklyWindow.default(PATCH_WINDOW),
        /** When the daily backup is taken, in the runbook's time zone. Default: 05:00 to 06:00. */
        backupWindow: dailyWindow.default({ start: "05:00", end: "06:00" }),
        /** Hourly and daily snapshots by AWS Backup, and the test that they can be restored. */
        snapshots: snapshotsSchema,
        /** Statements slower than this are logged. Default: 1s. */
        slowQuery: durationUpTo("1h").default(1),
        /**
         * Instance that the services use: `primary`, or `recovery`, which `mcp:recovery` restored. An edit switches the
         * services over after the instance is verified. Section 7.2 steps 5 and 6. Default: primary.
         */
        active: z.enum(["primary", "recovery"], { error: "primary or recovery" }).default("primary"),
        /** Checks that must pass before services use a restored instance. */
        checks: checksSchema,
    })
    .superRefine((values, context) => {
        const { backupWindow, maintenanceWindow } = values;
        if (minutesOf(backupWindow) < 30) {
            context.addIssue({ code: "custom", path: ["backupWindow"], message: "at least 30 minutes" });
        }
        if (minutesOf(maintenanceWindow) < 30) {
            context.addIssue({ code: "custom", path: ["maintenanceWindow"], message: "at least 30 minutes" });
        }
        if (overlap(backupWindow, maintenanceWindow)) {
            const { weekday, start, end } = maintenanceWindow;
            context.addIssue({
                code: "custom",
                path: ["backupWindow"],
                message: `a window outside of the maintenance window, ${weekday} ${start} to ${end}`,
            });
        }
        if (values.adopted !== undefined && values.snapshot !== undefined) {
            const message = "nothing beside adopted: an instance that exists begins with no snapshot";
            context.addIssue({ code: "custom", path: ["snapshot"], message });
        }
        checkSnapshots(values, context);
    });

/** See {@link databaseSchema}. */
export type DatabaseValues = z.output<typeof databaseSchema>;

/** Rules of the database that depend on other values of the stack. */
export function checkDatabase(
    {
        database,
        recovery,
        environment,
        tier,
        aws,
        kubernetes,
        jobs,
    }: {
        database?: DatabaseValues | undefined;
        recovery?: object | undefined;
        environment: string;
        tier?: Tier | undefined;
        aws?: { region: string } | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
    },
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (database === undefined) {
        if (recovery !== undefined) {
            problem(["recovery"], "mcp:database, which it restores");
        }
        return;
    }
    if (kubernetes.cluster === undefined) {
        problem(["database"], "mcp:kubernetes.cluster, because the database is reached from EKS only");
    }
    for (const image of ["postgres", "aws"]) {
        if (getOwn(jobs.images, image) === undefined) {
            problem(["jobs", "images", image], "an image, because the database's tasks run on it");
        }
    }
    const { retentionDays } = BACKUPS.postgresql.daily;
    if (isProduction({ environment, tier })) {
        checkSnapshotRetention(database, context);
        if (database.backupRetention < retentionDays) {
            problem(
                ["database", "backupRetention"],
                `at least ${retentionDays}d in production (section 7.1)`,
            );
        }
    }
    const region = /^arn:aws:rds:([^:]*):/.exec(database.snapshot ?? "")?.[1];
    if (region !== undefined && aws !== undefined && region !== aws.region) {
        problem(
            ["database", "snapshot"],
            `a snapshot of mcp:aws.region, ${aws.region}, where RDS restores it`,
        );
    }
    if (database.active === "recovery" && recovery === undefined) {
        problem(["database", "active"], "primary, because there is no mcp:recovery");
    }
}
