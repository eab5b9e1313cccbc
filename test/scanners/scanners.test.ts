import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { scanners } from "./scanners";

const schema = z.array(
    z.strictObject({
        scanner: z.enum(scanners.map(({ name }) => name)),
        rule: z.string(),
        /** Names that it is accepted on, with `*` for any text. */
        on: z.array(z.string()).min(1),
        reason: z.string().min(20),
    }),
);

/** What is accepted, each for its reason. */
const accepted = schema.parse(parse(readFileSync(join(__dirname, "accepted.yaml"), "utf8")));

const matches = (pattern: string, text: string) =>
    new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`).test(text);

for (const { name, whyNot, scan } of scanners) {
    const reason = whyNot();
    const suite = reason === undefined ? describe : describe.skip;
    suite(`${name}${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
        const entries = accepted.filter(({ scanner }) => scanner === name);
        let findings: Awaited<ReturnType<typeof scan>>;
        before(async () => {
            findings = await scan();
        });

        it("finds nothing but what is accepted", () => {
            const fresh = findings.filter(
                ({ rule, on }) =>
                    !entries.some(
                        (entry) => entry.rule === rule && entry.on.some((each) => matches(each, on)),
                    ),
            );
            const lines = fresh.map(({ rule, on, message }) => `${rule} ${on}: ${message}`);
            assert.equal(fresh.length, 0, [...new Set(lines)].sort().join("\n"));
        });

        it("finds all that is accepted", () => {
            const stale = entries.flatMap(({ rule, on }) =>
                on
                    .filter(
                        (each) => !findings.some((found) => found.rule === rule && matches(each, found.on)),
                    )
                    .map((each) => `${rule} ${each}`),
            );
            assert.deepEqual(stale, []);
        });
    });
}

function escaped(text: string): string {
    return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}
