import assert from "node:assert/strict";
import { isSamePerson } from "../../core/person";

describe("one person in two texts", () => {
    for (const [one, other] of [
        ["Asha Rao", "asha-rao"],
        ["Asha Rao", "asha.rao@example.com"],
        ["@asharao", "Asha Rao <a@example.com>"],
        ["Asha Rao <a@example.com>", "A@Example.com"],
        ["Asha Rao <a@example.com>", "Asha Rao <b@example.org>"],
        ["asha-rao", "4711+asha-rao@users.noreply.github.com"],
        ["Jörg", "jo\u0308rg"],
        ["José Núñez", "jose.nunez@example.com"],
        ["Asha Rao", "Rao, Asha"],
        ["Asha Rao", "rao.asha"],
        ["asha@example.com", "asha+approves@example.com"],
    ] as const) {
        it(`is found in ${one} and ${other}`, () => {
            assert.ok(isSamePerson(one, other) && isSamePerson(other, one));
        });
    }
    for (const [one, other] of [
        ["Asha Rao", "Asha Iyer"],
        ["asha@example.com", "asha@example.org"],
        ["Asha <asha@example.com>", "Ravi <ravi@example.com>"],
        ["change-board", "data-board"],
        ["रवि", "रावी"],
        ["-", "."],
        ["", ""],
    ] as const) {
        it(`is not found in ${JSON.stringify(one)} and ${JSON.stringify(other)}`, () => {
            assert.ok(!isSamePerson(one, other) && !isSamePerson(other, one));
        });
    }
});
