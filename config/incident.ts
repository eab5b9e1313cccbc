import { output, type Output, secret } from "@pulumi/pulumi/output";
import { z } from "zod";
import { ESCALATION_MATRIX, EXTERNAL_CONTACTS, type Level, LEVELS, SEVERITIES } from "../core/numbers";
import { getOwn } from "../core/getOwn";
import { distinct, dnsLabel, duration, email, someText, text } from "./scalars";

const CONTACT =
    "an e-mail address, a phone number such as +911234567890, or the name of an entry of mcp:endpoints";

/** Kinds of contacts: how people are notified. */
const contact = z.union([email, z.string().regex(/^\+[1-9]\d{7,14}$/), dnsLabel], { error: CONTACT });

const contacts = distinct(
    z
        .array(contact, { error: "a list of contacts" })
        .min(1, "at least one contact: without one, nobody receives the alarm"),
    (each) => each.toLowerCase(),
);

/** One level of the escalation. */
const levelSchema = (level: Level) =>
    z.strictObject({
        /** People who are called. */
        contacts,
        /** Time to acknowledge before the next level is called, in whole minutes. Default: the runbook's. */
        within: duration
            .refine((seconds) => seconds % 60 === 0 && seconds <= 6 * 3600, "whole minutes, at most 6h")
            .default(ESCALATION_MATRIX[level].minutes * 60),
    });

const id = (what: string) => text(/^[\w.:@-]{3,150}$/, `the id of a ${what}`);

/** A Slack or Teams channel that shows alarms and escalations, through Amazon Q Developer in chat applications. */
const chatSchema = z
    .strictObject({
        /** Ids as Slack shows them: T… and C…. */
        slack: z.strictObject({ workspace: id("workspace"), channel: id("channel") }).optional(),
        /** Ids as a link to the channel contains them. */
        teams: z.strictObject({ tenant: id("tenant"), team: id("team"), channel: id("channel") }).optional(),
        /** Severities whose alarms it shows. Default: none. */
        severities: distinct(
            z.array(z.enum(SEVERITIES, { error: `one of ${SEVERITIES.join(", ")}` })),
        ).default([]),
        /** Levels whose calls it shows. Default: none. */
        levels: distinct(z.array(z.enum(LEVELS, { error: `one of ${LEVELS.join(", ")}` }))).default([]),
    })
    .superRefine(({ slack, teams, severities, levels }, context) => {
        const problem = (path: string[], message: string) =>
            context.addIssue({ code: "custom", path, message });
        if ((slack === undefined) === (teams === undefined)) {
            problem([], "either slack or teams");
        }
        if (severities.length + levels.length === 0) {
            problem(["severities"], "a severity, or a level in levels: this channel would show nothing");
        }
    });

/** Contacts for incidents, and the levels of the escalation. Contacts have no defaults. Sections 4.1, 8.1 and 8.2. */
export const incidentSchema = z.strictObject({
    /** Contacts that are notified of each severity's alarms. */
    contacts: z.strictObject({ P1: contacts, P2: contacts, P3: contacts, P4: contacts }),
    /** Levels that are called in turn until one acknowledges. Section 8.1. */
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
                        message: `more than the ${levels[before].within / 60}m of ${before}`,
                    });
                }
            });
        }),
    /** How long an open P1 or P2 may stay unchanged before its topic gets a reminder. Default: 4h. */
    stale: duration
        .refine(
            (seconds) => seconds >= 3600 && seconds <= 30 * 86_400 && seconds % 3600 === 0,
            "whole hours, at most 30d",
        )
        .default(4 * 3600),
    /** Slack or Teams channels, by a name that you choose. Default: none. */
    chat: z.record(dnsLabel, chatSchema).default({}),
    /**
     * URL of a folder that serves `docs/` to the people who are called, with a final slash. Messages link to the
     * procedure there. Default: messages name the file in the repository.
     */
    pages: text(/^https:\/\/[\w.~!$&'()*+,;=:@%/-]+\/$/, "an https URL that ends in /")
        .refine(URL.canParse, "an https URL that ends in /")
        .optional(),
    /** External support, by name: how to reach it, and on which terms. Default: the runbook's. */
    external: z
        .record(someText, z.strictObject({ support: someText, priority: someText }))
        .default(EXTERNAL_CONTACTS),
});

/** See {@link incidentSchema}. */
export type IncidentValues = z.output<typeof incidentSchema>;

/**
 * HTTPS endpoints that accept SNS messages, by a name that contacts use: PagerDuty, Opsgenie, ServiceNow and others.
 * Their URLs contain a key, so set them like secrets.
 */
export const endpointsSchema = z.record(
    dnsLabel,
    text(/^https:\/\/[^\s/]+\/\S*$/, "an https URL")
        .refine(URL.canParse, "an https URL")
        .transform((value): Output<string> => secret(output(value))),
);

/** Rules of the contacts that depend on other values of the stack. */
export function checkIncident(
    { incident, endpoints }: { incident?: IncidentValues | undefined; endpoints: Record<string, unknown> },
    context: z.core.$RefinementCtx,
): void {
    const used = new Set<string>();
    const check = (listed: readonly string[], path: (string | number)[]) => {
        listed.forEach((contact, index) => {
            if (/[@+]/.test(contact)) {
                return;
            }
            used.add(contact);
            if (getOwn(endpoints, contact) === undefined) {
                context.addIssue({ code: "custom", path: ["incident", ...path, index], message: CONTACT });
            }
        });
    };
    for (const severity of SEVERITIES) {
        check(incident?.contacts[severity] ?? [], ["contacts", severity]);
    }
    for (const level of LEVELS) {
        check(incident?.escalation[level].contacts ?? [], ["escalation", level, "contacts"]);
    }
    for (const name of Object.keys(endpoints).filter((name) => !used.has(name))) {
        context.addIssue({
            code: "custom",
            path: ["endpoints", name],
            message: "a name that a contact of mcp:incident uses",
        });
    }
}
