import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { type Tier, TIERS } from "../core/labels";
import { text } from "./scalars";

/** The tiers of the environments whose names say it. */
const KNOWN_TIERS: Readonly<Record<string, Tier>> = { production: "production", staging: "trial" };

/** Name of an environment: it ends log groups' names and is a label's value. */
export const environmentSchema = text(
    /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of at most 63 lower-case letters, digits and hyphens, from a letter on, such as dev",
);

/** How strict a stack is: `production` or `trial`. */
export const tierSchema = z.enum(TIERS, { error: TIERS.join(" or ") });

/** The values that decide on a stack's tier; they may be unvalidated. */
interface Tiered {
    environment: string;
    tier?: string | undefined;
}

/**
 * Whether the rules of production hold for a stack. The program and its checks read it here alone; the policies read
 * what follows from it, the mark of a trial on each resource. What does not say that it is a trial is production's.
 */
export function isProduction({ environment, tier }: Tiered): boolean {
    return (tier ?? getOwn(KNOWN_TIERS, environment)) !== "trial";
}

/** An environment whose name says nothing of its tier must name it, and none may contradict its name. */
export function checkTier({ environment, tier }: Tiered, context: z.core.$RefinementCtx): void {
    const problem = (message: string) => context.addIssue({ code: "custom", path: ["tier"], message });
    if (tier === undefined && getOwn(KNOWN_TIERS, environment) === undefined) {
        problem(`${TIERS.join(" or ")}, because the environment ${environment} does not say which it is`);
    }
    if (environment === "production" && tier === "trial") {
        problem("production, as its environment is called");
    }
}
