import { z } from "zod";
import { DEBUG } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { text } from "./scalars";

/** Names one run; it becomes part of the Job's name, so case does not tell two apart. */
const run = text(
    /^[A-Za-z0-9]([A-Za-z0-9-]{0,22}[A-Za-z0-9])?$/,
    "a ticket or a date of at most 24 letters, digits and hyphens, such as INC-2041",
).transform((ticket) => ticket.toLowerCase());

/**
 * What is done once, by the update that finds a new value here: the ticket it is done for, or the date. The update
 * waits for it and fails with it. The same value does nothing again, except that what failed is done again.
 */
export const operationsSchema = z.strictObject({
    /** The health check, beside the scheduled ones. Section 2.2. */
    healthCheck: run.optional(),
    /** One look at everything that sections 4.3 and 6.3 look at. */
    diagnostics: run.optional(),
    /** Every pod of MCP Server forgets the keys of Azure AD. Section 4.3.4 step 4. */
    clearJwksCache: run.optional(),
    /**
     * The database is dumped, vacuumed and reindexed, beside the scheduled runs, in the window of section 5.1. Outside
     * of it only by force, whose value is the reason. Section 5.2.
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
                error: "a ticket or a date, such as CHG-2041, or { run: CHG-2041, force: REASON }, which may leave the window",
            },
        )
        .optional(),
    /** Keys of the cache that nobody has used for a day go, beside the scheduled runs. Section 5.3. */
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

/** Rules of the operations that need the rest of the stack's values. */
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
        need(operation, health !== undefined, "mcp:health beside it, which says what is asked");
    }
    for (const operation of ["diagnostics", "clearJwksCache"] as const) {
        const server = getOwn(workloads, DEBUG.app) !== undefined;
        need(operation, server, `mcp:workloads.${DEBUG.app}, whose pods are asked`);
    }
    need(
        "databaseMaintenance",
        database !== undefined && backups !== undefined,
        "mcp:database and mcp:backups, because it is dumped before",
    );
    need("cacheCleanup", cache !== undefined, "mcp:cache, which is cleaned up");
}
