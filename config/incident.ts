import { z } from "zod";
import { email } from "./scalars";

const addresses = z
    .array(email, { error: "a list of e-mail addresses" })
    .min(1, "at least one address: an alarm nobody receives is none");

/** Who is told about incidents. Sections 4.1 and 8.1. */
export const incidentSchema = z.strictObject({
    /** Addresses subscribed to each severity's topic. */
    contacts: z.strictObject({ P1: addresses, P2: addresses, P3: addresses, P4: addresses }),
});
