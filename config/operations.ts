import { z } from "zod";
import { DEBUG } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { text } from "./scalars";

/** Names one run. It becomes part of the Job's name, so its case is not significant. */
const run = text(
    /^[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?$/,
    "a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041",
).transform((ticket) => ticket.toLowerCase());

/**
 * Operations that run once, in the update that finds a new value: a ticket or a date. The update waits for the
 * operation and fails if it fails. The same value runs a failed operation again, and a completed one not.
 */
export const operationsSchema = z.strictObject({
    /** The health check, in addition to the scheduled ones. Section 2.2. */
    healthCheck: run.optional(),
    /** Collects the diagnostics of sections 4.3 and 6.3. */
    diagnostics: run.optional(),
    /** Clears the keys of Azure AD in every pod of MCP Server. Section 4.3.4 step 4. */
    clearJwksCache: run.optional(),
    /**
     * Dumps, vacuums and reindexes the database, in addition to the scheduled runs, in the window of section 5.1.
     * Outside that window it needs `force`, whose value is the reason. Section 5.2.
     */
    databaseMaintenance: z
        .union(
            [
                run.transform((ticket): { run: string; force?: string } => ({ run: ticket })),
                z.strictObject({
                    run,
                    force: text(/^\S(.{0,198}\S)?$/, "a reason, in one line of at most 200 characters"),
                }),
            ],
            {
                error:
                    "a ticket or a date, such as CHG-2041, or { run: CHG-2041, force: REASON } to run outside " +
                    "the window",
            },
        )
        .optional(),
    /** Removes keys of the cache that were not used for a day, in addition to the scheduled runs. Section 5.3. */
    cacheCleanup: z
        .union(
            [
                run.transform((ticket) => ({ run: ticket, dryRun: false })),
                z.strictObject({ run, dryRun: z.boolean() }),
            ],
            {
                error: "a ticket or a date, such as INC-2041, or { run: INC-2041, dryRun: true }, which only counts",
            },
        )
        .optional(),
});

/** See {@link operationsSchema}. */
export type OperationsValues = z.output<typeof operationsSchema>;

/** Rules of the operations that depend on other values of the stack. */
export function checkOperations(
    {
        operations,
        health,
        database,
        backups,
        cache,
        workloads,
    }: {
        operations: OperationsValues;
        health?: object | undefined;
        database?: object | undefined;
        backups?: object | undefined;
        cache?: object | undefined;
        workloads: Record<string, unknown>;
    },
    context: z.core.$RefinementCtx,
): void {
    const need = (operation: keyof OperationsValues, is: boolean, message: string) => {
        if (operations[operation] !== undefined && !is) {
            context.addIssue({ code: "custom", path: ["operations", operation], message });
        }
    };
    for (const operation of ["healthCheck", "diagnostics"] as const) {
        need(operation, health !== undefined, "mcp:health, which has the targets of the check");
    }
    for (const operation of ["diagnostics", "clearJwksCache"] as const) {
        const server = getOwn(workloads, DEBUG.app) !== undefined;
        need(operation, server, `mcp:workloads.${DEBUG.app}, whose pods are called`);
    }
    need(
        "databaseMaintenance",
        database !== undefined && backups !== undefined,
        "mcp:database and mcp:backups, because a dump is taken before it",
    );
    need("cacheCleanup", cache !== undefined, "mcp:cache, which it cleans up");
}
