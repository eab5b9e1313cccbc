import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { type Tier, TIERS } from "../core/labels";
import { text } from "./scalars";

/** Tiers of the environments that have a default. */
const KNOWN_TIERS: Readonly<Record<string, Tier>> = { production: "production", staging: "trial" };

/** Name of an environment: a label's value, and the end of log groups' names. */
export const environmentSchema = text(
    /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "a name of at most 63 lower-case letters, digits and hyphens, starting with a letter, such as dev",
);

/** How strict a stack is: `production` or `trial`. */
export const tierSchema = z.enum(TIERS, { error: TIERS.join(" or ") });

/** Values that decide the tier; they may be unvalidated. */
interface Tiered {
    environment: string;
    tier?: string | undefined;
}

/**
 * Whether production's rules hold for a stack: they do unless the values declare a trial. The program reads the tier
 * only here. Policies read the mark of a trial on each resource.
 */
export function isProduction({ environment, tier }: Tiered): boolean {
    return (tier ?? getOwn(KNOWN_TIERS, environment)) !== "trial";
}

/** An environment without a default tier must set one, and no environment may contradict its default. */
export function checkTier({ environment, tier }: Tiered, context: z.core.$RefinementCtx): void {
    const problem = (message: string) => context.addIssue({ code: "custom", path: ["tier"], message });
    if (tier === undefined && getOwn(KNOWN_TIERS, environment) === undefined) {
        problem(`${TIERS.join(" or ")}, because the environment ${environment} has no default`);
    }
    if (environment === "production" && tier === "trial") {
        problem("production, as the environment's name says");
    }
}
