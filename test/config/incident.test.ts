import assert from "node:assert/strict";
import { incidentSchema } from "../../config/incident";
import { LEVELS, SEVERITIES } from "../../core/numbers";
import { linesOf, withValue } from "./stackValues";

describe("values of the incidents", () => {
    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "a contact that is no address",
            "incident/escalation/L3/contacts",
            ["architect"],
            'mcp:incident.escalation.L3.contacts[0]: found "architect", expected an e-mail address, a phone number such as +911234567890, or the name of an entry of mcp:endpoints',
        ],
        [
            "a level without contacts",
            "incident/escalation/L4/contacts",
            [],
            "mcp:incident.escalation.L4.contacts: found [], expected at least one contact: without one, nobody receives the alarm",
        ],
        [
            "a severity without a topic",
            "incident/contacts/P2",
            undefined,
            "mcp:incident.contacts.P2: found nothing, expected a list of contacts",
        ],
        [
            "a level without contacts: there is no default",
            "incident/escalation/L1/contacts",
            undefined,
            "mcp:incident.escalation.L1.contacts: found nothing, expected a list of contacts",
        ],
        [
            "a phone number without its country",
            "incident/contacts/P3",
            ["01234567890x!"],
            'mcp:incident.contacts.P3[0]: found "01234567890x!", expected an e-mail address, a phone number such as +911234567890, or the name of an entry of mcp:endpoints',
        ],
        [
            "a chat that shows nothing",
            "incident/chat",
            { ops: { slack: { workspace: "T0123", channel: "C0123" } } },
            "mcp:incident.chat.ops.severities: found nothing, expected a severity, or a level in levels: this channel would show nothing",
        ],
        [
            "pages without a slash at the end",
            "incident/pages",
            "https://docs.example.com",
            'mcp:incident.pages: found "https://docs.example.com", expected an https URL that ends in /',
        ],
        [
            "times that do not grow",
            "incident/escalation/L2/within",
            "15m",
            'mcp:incident.escalation.L2.within: found "15m", expected more than the 15m of L1',
        ],
        [
            "a level that the runbook does not know",
            "incident/escalation/L5",
            { contacts: ["cto@nagarro.com"] },
            "mcp:incident.escalation.L5: found an unknown key, expected one of L1, L2, L3, L4",
        ],
        [
            "seconds",
            "incident/escalation/L1/within",
            "30s",
            'mcp:incident.escalation.L1.within: found "30s", expected whole minutes, at most 6h',
        ],
        [
            "an external contact without a line",
            "incident/external/Nagarro",
            { support: "support@nagarro.com" },
            "mcp:incident.external.Nagarro.priority: found nothing, expected a text",
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withValue(path, value)), [line]));
    }

    it("refuse an endpoint that is no https URL, or that no contact uses, without showing it", () => {
        const lines = linesOf(withValue("endpoints", { pagerduty: "http://planted.example.com/" }));
        assert.deepEqual(
            lines.map((line) => line.replace(/^.*expected /, "")),
            ["an https URL", "a name that a contact of mcp:incident uses"],
        );
        assert.ok(!lines.join().includes("planted"));
    });

    it("tell of each time that does not grow", () => {
        const same = Object.fromEntries(
            LEVELS.map((level) => [level, { contacts: ["a@example.com"], within: "1h" }]),
        );
        assert.deepEqual(
            linesOf(withValue("incident/escalation", same)),
            ["L2", "L3", "L4"].map(
                (level, index) =>
                    `mcp:incident.escalation.${level}.within: found "1h", expected more than the 60m of L${index + 1}`,
            ),
        );
    });

    it("have the runbook's times by default, and no contacts", () => {
        const contacts = Object.fromEntries(SEVERITIES.map((severity) => [severity, ["a@example.com"]]));
        const levels = Object.fromEntries(LEVELS.map((level) => [level, { contacts: ["a@example.com"] }]));
        const { escalation, external } = incidentSchema.parse({ contacts, escalation: levels });
        assert.deepEqual(
            LEVELS.map((level) => escalation[level].within / 60),
            [15, 30, 60, 120],
        );
        assert.deepEqual(Object.keys(external), ["AWS Support", "Azure AD", "Nagarro"]);
        const { success, error } = incidentSchema.safeParse({ contacts });
        assert.deepEqual([success, error?.issues.map(({ path }) => path)], [false, [["escalation"]]]);
    });
});
