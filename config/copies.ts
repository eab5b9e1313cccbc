import { z } from "zod";
import { type Tier } from "../core/labels";
import { REGIONS } from "./aws";
import { type DatabaseValues } from "./database";
import { bucketName, text, wholeDays } from "./scalars";
import {
    type ArchiveValues,
    archiveRetention,
    type BackupsValues,
    daysOf,
    LOCK_MODES,
    lockMode,
} from "./storage";
import { isProduction } from "./tier";

/** Copies of backups in a second region and, if an account is given, in a second account. Section 7.1. */
export const copiesSchema = z.strictObject({
    /** Region of the copies. */
    region: z.enum(REGIONS, { error: "an AWS region, such as ap-southeast-1" }),
    /** A second account of the same organization. Default: the stack's own. */
    account: z
        .strictObject({
            id: text(/^[0-9]{12}$/, "an account id of 12 digits"),
            /** Role in that account that the update assumes to declare the copies. */
            role: text(
                /^arn:aws:iam::[0-9]{12}:role\/[\w+=,.@/-]{1,512}$/,
                "the ARN of a role, such as arn:aws:iam::123456789012:role/mcp-copies",
            ),
        })
        .optional(),
    /** Copies of the snapshots of PostgreSQL. */
    snapshots: z
        .strictObject({
            /** How long a daily snapshot is kept. Default: `mcp:database.snapshots.daily.retention`. */
            retention: wholeDays(3650).optional(),
        })
        .prefault({}),
    /** Copies of dumps and exported configurations. They are kept as long as the originals. Default: none. */
    backups: z
        .strictObject({
            bucket: bucketName,
            /** Object Lock of the copies. Default: `mcp:backups.lock`. */
            lock: lockMode.optional(),
        })
        .optional(),
    /** Copies of the audit events. Default: none. */
    archive: z
        .strictObject({
            bucket: bucketName,
            /** Default: `mcp:archive.mode`. */
            mode: lockMode.optional(),
            /** Default: `mcp:archive.retention`. */
            retention: archiveRetention.optional(),
        })
        .optional(),
});

/** See {@link copiesSchema}. */
export type CopiesValues = z.output<typeof copiesSchema>;

/** Rules of the copies that depend on other values of the stack. */
export function checkCopies(
    values: {
        environment: string;
        tier?: Tier | undefined;
        aws?: { region: string; accountId: string } | undefined;
        database?: DatabaseValues | undefined;
        backups?: BackupsValues | undefined;
        archive?: ArchiveValues | undefined;
        cache?: { snapshotBucket: string } | undefined;
        copies?: CopiesValues | undefined;
    },
    context: z.core.$RefinementCtx,
): void {
    const { aws, database, backups, archive, cache, copies } = values;
    if (copies === undefined) {
        return;
    }
    const problem = (path: string[], message: string) =>
        context.addIssue({ code: "custom", path: ["copies", ...path], message });
    if (copies.region === aws?.region) {
        problem(["region"], `a region other than mcp:aws.region, ${aws.region}`);
    }
    if (database === undefined && backups === undefined && archive === undefined) {
        problem([], "mcp:database, mcp:backups or mcp:archive, which it copies");
    }
    if (copies.account !== undefined && copies.account.id === aws?.accountId) {
        problem(["account", "id"], "an account other than mcp:aws.accountId");
    }
    if (copies.account !== undefined && !copies.account.role.includes(`::${copies.account.id}:`)) {
        problem(["account", "role"], `a role of the account ${copies.account.id}`);
    }
    const daily = database?.snapshots.daily.retention;
    if (
        daily !== undefined &&
        copies.snapshots.retention !== undefined &&
        copies.snapshots.retention < daily
    ) {
        problem(["snapshots", "retention"], `at least ${daily}d, as mcp:database.snapshots.daily.retention`);
    }
    const taken = [backups?.bucket, archive?.bucket, cache?.snapshotBucket];
    for (const kind of ["backups", "archive"] as const) {
        const copy = copies[kind];
        if (copy === undefined) {
            continue;
        }
        if (values[kind] === undefined) {
            problem([kind], `mcp:${kind}, which it copies`);
        }
        if (taken.includes(copy.bucket)) {
            problem([kind, "bucket"], "a bucket that no other value names");
        }
        taken.push(copy.bucket);
    }
    const isWeaker = (mode: string | undefined, source: string | undefined) =>
        mode !== undefined && LOCK_MODES.indexOf(mode as never) < LOCK_MODES.indexOf(source as never);
    if (isWeaker(copies.backups?.lock, backups?.lock)) {
        problem(["backups", "lock"], `${backups!.lock}, as mcp:backups.lock`);
    }
    if (archive !== undefined && copies.archive !== undefined) {
        const { mode, retention } = copies.archive;
        if (isWeaker(mode, archive.mode)) {
            problem(["archive", "mode"], `${archive.mode}, as mcp:archive.mode`);
        }
        if (retention !== undefined && daysOf(retention) < daysOf(archive.retention)) {
            problem(
                ["archive", "retention"],
                `at least ${JSON.stringify(archive.retention)}, as mcp:archive.retention`,
            );
        }
    }
    if (!isProduction(values)) {
        for (const [path, mode] of [
            [["backups", "lock"], copies.backups?.lock],
            [["archive", "mode"], copies.archive?.mode],
        ] as const) {
            if (mode === "COMPLIANCE") {
                problem([...path], "GOVERNANCE outside production: COMPLIANCE cannot be undone");
            }
        }
    }
}
