import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Alarm } from "../../components/observability/alarm";
import { CAUSES, notificationsOf, renderCauses } from "../../components/observability/alarms/causes";
import { incidentsOf } from "../../components/observability/incidents";
import { SEVERITY_MATRIX } from "../../core/numbers";
import { documentedAlarms } from "../../cli/documentedAlarms";
import { root } from "../support";

describe("causes", () => {
    let alarms: Alarm[];
    before(() => {
        alarms = documentedAlarms(root);
    });

    it("name alarms that are declared, and every alarm of P1 and P2 has a cause", () => {
        assert.ok(CAUSES.length >= 25);
        const ids = new Set(alarms.map(({ id }) => id));
        const named = new Set(CAUSES.flatMap(({ rings }) => rings));
        assert.deepEqual(
            [...named].filter((id) => !ids.has(id)),
            [],
        );
        const grave = alarms.filter(({ severity }) => severity === "P1" || severity === "P2");
        const left = grave.map(({ id }) => id).filter((id) => !named.has(id));
        // The same of another certificate, of latency, of Chat UI's health, and of the login's certificate.
        assert.deepEqual(
            left.filter(
                (id) => !/^(certificate-admin|slo-.*-latency|slo-chat-ui|login-certificate)/.test(id),
            ),
            [],
        );
    });

    for (const cause of CAUSES) {
        it(`reach people, and call them once at most: ${cause.cause}`, () => {
            const found = notificationsOf(cause, alarms);
            assert.ok(found.length > 0, "no notification");
            const called = found.filter(({ escalates }) => escalates);
            assert.ok(called.length <= 1, called.map(({ id }) => id).join(", "));
            // L1 must be able to respond in time.
            for (const { severity, minutes, id } of called.filter(({ severity }) => severity === "P1")) {
                assert.ok(
                    minutes <= SEVERITY_MATRIX[severity].responseMinutes / 2 + 0.5,
                    `${id}: ${minutes}`,
                );
            }
        });
    }

    it("that users meet from outside are a P1 within two minutes", () => {
        for (const what of ["The ingress is dead", "DNS of the public hosts is dead", "MCP Server is down"]) {
            const [first] = notificationsOf(
                CAUSES.find(({ cause }) => cause === what)!,
                alarms,
            );
            assert.deepEqual([first!.id, first!.minutes], ["incident-entrance-p1", 2], what);
        }
    });

    it("are all in incidents of which none silences itself", () => {
        const order = incidentsOf(alarms).map(({ id }) => id);
        for (const { id, suppressors } of incidentsOf(alarms)) {
            assert.ok(
                suppressors.every((other) => order.indexOf(other) < order.indexOf(id)),
                id,
            );
        }
        for (const { id, severity, incident } of alarms) {
            assert.ok(incident !== undefined || severity === "P3" || severity === "P4", id);
        }
    });

    it("are in docs/causes.md as they are computed (npm run docs writes it)", () => {
        assert.equal(readFileSync(join(root, "docs", "causes.md"), "utf8"), renderCauses(alarms));
    });
});
