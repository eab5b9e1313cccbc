import { z } from "zod";
import { now } from "../core/clock";
import { getOwn } from "../core/getOwn";
import { dnsLabel, environmentName, instant, wholeDays } from "./scalars";

/** Time that pods need until none of them uses a credential any more that another one has replaced, in minutes. */
const SETTLED_MINUTES = 15;

const SETTLED_MS = SETTLED_MINUTES * 60_000;

/** No credential is older: an earlier time is a mistake. */
const EARLIEST = Date.UTC(2000, 0, 1);

/**
 * When credentials were rotated. A new time of what the stack makes is the rotation: it makes another password. Of what an
 * operator supplies it is the time at which they supplied it. Chapter 5.
 */
export const rotationSchema = z.strictObject({
    /** When the stack was installed: a credential that has no time below is as old. */
    since: instant,
    /** Age at which an alarm asks for a rotation; the health check of `mcp:health` measures it. In days. Default: 365d. */
    maxAge: wholeDays(3650).default(365),
    /** The services' two users of PostgreSQL: `a` is `mcp:database.user`, and `b` has its name with `_b` behind it. */
    database: z
        .strictObject({
            /** The user that the services use. The other one remains valid, so that no request fails. Default: a. */
            active: z.enum(["a", "b"], { error: "a or b" }).default("a"),
            /** When the password of each was made. Default: that of `a` at the installation; there is no `b`. */
            passwords: z.strictObject({ a: instant.optional(), b: instant.optional() }).prefault({}),
            /** The time of the active user's password again ends the other one. Default: none; both may log in. */
            only: instant.optional(),
        })
        .prefault({}),
    /** The token of Redis. Default: the one of the installation. */
    cache: z
        .strictObject({
            /** When it was made. The token before it remains valid. */
            rotated: instant,
            /** The same time again makes it the only token. Default: none; the token before it remains valid. */
            only: instant.optional(),
        })
        .optional(),
    /** When each secret of a workload was made or supplied, by workload and secret. Default: at the installation. */
    workloads: z.record(dnsLabel, z.record(environmentName, instant)).default({}),
});

/** See {@link rotationSchema}. */
export type RotationValues = z.output<typeof rotationSchema>;

/** Whether two times are the same one, whatever their zones. */
export function isSameTime(one: string | undefined, other: string | undefined): boolean {
    return one !== undefined && other !== undefined && Date.parse(one) === Date.parse(other);
}

/** Rules of the rotations that need the rest of the stack's values. */
export function checkRotation(
    {
        rotation,
        database,
        cache,
        workloads,
    }: {
        rotation?: RotationValues | undefined;
        database?: object | undefined;
        cache?: object | undefined;
        workloads: Record<string, { secrets?: Record<string, string> }>;
    },
    context: z.core.$RefinementCtx,
): void {
    if (rotation === undefined) {
        return;
    }
    const problem = (path: string[], message: string) =>
        context.addIssue({ code: "custom", path: ["rotation", ...path], message });
    const today = now().getTime();
    const checkTime = (path: string[], time: string) => {
        if (Date.parse(time) > today) {
            problem(path, "a time in the past");
        } else if (Date.parse(time) < Date.parse(rotation.since)) {
            problem(path, `a time after mcp:rotation.since, ${rotation.since}`);
        }
    };
    checkTime(["since"], rotation.since);
    if (Date.parse(rotation.since) < EARLIEST) {
        problem(["since"], "a time after the year 1999");
    }
    const { active, passwords, only } = rotation.database;
    const times = Object.entries(passwords).flatMap(([user, time]) => (time ? [{ user, time }] : []));
    for (const { user, time } of times) {
        checkTime(["database", "passwords", user], time);
        if (database === undefined) {
            problem(["database", "passwords", user], "mcp:database beside it, whose user this is");
        }
    }
    const [older, newer] = times.sort((one, other) => Date.parse(one.time) - Date.parse(other.time));
    if (older && newer && Date.parse(newer.time) - Date.parse(older.time) < SETTLED_MS) {
        problem(
            ["database", "passwords", newer.user],
            `a time at least ${SETTLED_MINUTES} minutes after that of ${older.user}: until then pods may still use it`,
        );
    }
    if (active === "b" && passwords.b === undefined) {
        problem(["database", "active"], "a, because b has no time in passwords");
    }
    checkOnly(["database", "only"], only, passwords[active], problem, today);
    if (rotation.cache !== undefined) {
        checkTime(["cache", "rotated"], rotation.cache.rotated);
        if (cache === undefined) {
            problem(["cache"], "mcp:cache beside it, whose token this is");
        }
        checkOnly(["cache", "only"], rotation.cache.only, rotation.cache.rotated, problem, today);
    }
    for (const [workload, times] of Object.entries(rotation.workloads)) {
        const secrets = getOwn(workloads, workload)?.secrets ?? {};
        for (const [secret, time] of Object.entries(times)) {
            const path = ["workloads", workload, secret];
            checkTime(path, time);
            if (!["generated", "supplied"].includes(getOwn(secrets, secret) ?? "")) {
                problem(path, `${secret} in mcp:workloads.${workload}.secrets, generated or supplied`);
            }
        }
    }
}

/** Whether the credential from before a rotation may end. */
function checkOnly(
    path: string[],
    only: string | undefined,
    rotated: string | undefined,
    problem: (path: string[], message: string) => void,
    today: number,
): void {
    if (only === undefined) {
        return;
    }
    if (rotated === undefined || Date.parse(only) > Date.parse(rotated)) {
        problem(
            path,
            `the time of the last rotation, ${rotated ?? "of which there is none"}, or of one before`,
        );
    } else if (isSameTime(only, rotated) && today - Date.parse(rotated) < SETTLED_MS) {
        problem(
            path,
            `nothing until ${SETTLED_MINUTES} minutes after the rotation: pods may still use what was valid before`,
        );
    }
}
