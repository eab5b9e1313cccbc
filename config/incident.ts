import { z } from "zod";
import { ESCALATION_MATRIX, EXTERNAL_CONTACTS, type Level, LEVELS } from "../core/numbers";
import { addresses, duration, someText } from "./scalars";

const contacts = addresses("at least one address: an alarm nobody receives is none");

/** One level of the escalation; what the runbook says of it is the default. */
const levelSchema = (level: Level) => {
    const { contact, minutes } = ESCALATION_MATRIX[level];
    return z
        .strictObject({
            /** Addresses that are called. */
            contacts: contacts.default([contact]),
            /** How long they have to answer before the next level is called, in whole minutes. */
            within: duration
                .refine((seconds) => seconds % 60 === 0 && seconds <= 6 * 3600, "whole minutes, at most 6h")
                .default(minutes * 60),
        })
        .prefault({});
};

/** Who is told about incidents, and who is called. Sections 4.1, 8.1 and 8.2. */
export const incidentSchema = z.strictObject({
    /** Addresses subscribed to each severity's topic. */
    contacts: z.strictObject({ P1: contacts, P2: contacts, P3: contacts, P4: contacts }),
    /** Who is called, one level after the other, until somebody answers. Default: the runbook's. Section 8.1. */
    escalation: z
        .strictObject({
            L1: levelSchema("L1"),
            L2: levelSchema("L2"),
            L3: levelSchema("L3"),
            L4: levelSchema("L4"),
        })
        .superRefine((levels, context) => {
            LEVELS.slice(1).forEach((level, index) => {
                const before = LEVELS[index]!;
                if (levels[level].within <= levels[before].within) {
                    context.addIssue({
                        code: "custom",
                        path: [level, "within"],
                        message: `more than ${before} has, which is ${levels[before].within / 60}m`,
                    });
                }
            });
        })
        .prefault({}),
    /** Who helps from outside, by name: how they are reached, and on which terms or line. Default: the runbook's. */
    external: z
        .record(someText, z.strictObject({ support: someText, priority: someText }))
        .default(EXTERNAL_CONTACTS),
});
