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
            'mcp:incident.escalation.L3.contacts[0]: found "architect", expected an e-mail address, such as oncall@example.com',
        ],
        [
            "a level that calls nobody",
            "incident/escalation/L4/contacts",
            [],
            "mcp:incident.escalation.L4.contacts: found [], expected at least one address: an alarm nobody receives is none",
        ],
        [
            "a severity without a topic",
            "incident/contacts/P2",
            undefined,
            "mcp:incident.contacts.P2: found nothing, expected a list of e-mail addresses",
        ],
        [
            "times that do not grow",
            "incident/escalation/L2/within",
            "15m",
            'mcp:incident.escalation.L2.within: found "15m", expected more than L1 has, which is 15m',
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

    it("tell of each time that does not grow", () => {
        const same = Object.fromEntries(["L1", "L2", "L3", "L4"].map((level) => [level, { within: "1h" }]));
        assert.deepEqual(
            linesOf(withValue("incident/escalation", same)),
            ["L2", "L3", "L4"].map(
                (level, index) =>
                    `mcp:incident.escalation.${level}.within: found "1h", expected more than L${index + 1} has, which is 60m`,
            ),
        );
    });

    it("are by default what the runbook says", () => {
        const contacts = Object.fromEntries(SEVERITIES.map((severity) => [severity, ["a@example.com"]]));
        const { escalation, external } = incidentSchema.parse({ contacts });
        assert.deepEqual(
            LEVELS.map((level) => [level, escalation[level].contacts, escalation[level].within / 60]),
            [
                ["L1", ["oncall@nagarro.com"], 15],
                ["L2", ["platform-lead@nagarro.com"], 30],
                ["L3", ["architect@nagarro.com"], 60],
                ["L4", ["vp-eng@nagarro.com"], 120],
            ],
        );
        assert.deepEqual(Object.keys(external), ["AWS Support", "Azure AD", "Nagarro"]);
    });
});
