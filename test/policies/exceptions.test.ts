import assert from "node:assert/strict";
import { stringify } from "yaml";
import { judgeRecording } from "../../offline/evaluate";
import { ExceptionFilter, exceptionsRule, loadExceptions, readExceptions } from "../../policies/exceptions";
import { type Exception } from "../../policies/exception";
import { type Violation } from "../../policies/rule";
import { rules } from "../../policies/rules";
import { recordStack, root } from "../support";
import { exception, NOW } from "./exception";

const read = (...exceptions: unknown[]) => readExceptions(stringify({ exceptions }), rules, NOW);
const MULTI_AZ = exception({}).rule;
const URN = "urn:pulumi:production::mcp::mcp:data:Database$aws:rds/instance:Instance::mcp-production";
const finding = (own: Partial<Violation> = {}): Violation => ({
    rule: MULTI_AZ,
    urn: URN,
    kind: "violation",
    message: "is in one zone only",
    ...own,
});

describe("exceptions of policies", () => {
    it("are read from a file of the project without problems", () => {
        const { problems } = loadExceptions(root, rules);
        assert.deepEqual(problems, []);
    });

    it("are read one by one: what is wrong with one leaves the others", () => {
        const { owner, ...nobodys } = exception({});
        const { entries, problems } = read(
            exception({}),
            { ...nobodys, owners: owner },
            exception({ expires: "2026-02-30x", reason: "" }),
            exception({ expires: "2026-13-01" }),
            exception({ rule: "aws-rds-instance-require-magic" }),
            "everything",
            exception({ resource: "mcp-*" }),
            exception({ expires: "2027-05-22" }),
            exception({ expires: "2027-05-23" }),
        );
        assert.deepEqual(entries, [exception({}), exception({ expires: "2027-05-22" })]);
        assert.deepEqual(problems, [
            "exceptions[1].owner: found nothing, expected a text",
            "exceptions[1].owners: found an unknown key, expected one of expires, owner, reason, resource, rule, stack, ticket",
            'exceptions[2].reason: found "", expected a text that is not empty',
            'exceptions[2].expires: found "2026-02-30x", expected a date, such as 2026-12-31',
            'exceptions[3].expires: found "2026-13-01", expected a date, such as 2026-12-31',
            'exceptions[4].rule: found "aws-rds-instance-require-magic", expected a rule of the pack',
            'exceptions[5]: found "everything", expected an object',
            'exceptions[6].resource: found "mcp-*", expected the name or URN of one resource, without *',
            'exceptions[8].expires: found "2027-05-23", expected a day until 2027-05-22',
        ]);
    });

    for (const content of ["", "exceptions: all", "exceptions: [", "- rule: x"]) {
        it(`are not read from ${JSON.stringify(content)}`, () =>
            assert.deepEqual(readExceptions(content, rules), {
                entries: [],
                problems: ["found no list, expected exceptions: [] or a list of them"],
            }));
    }

    it("are not for what would be lost for good, or open to everybody", () => {
        const without = rules.filter(({ exceptions }) => exceptions === "none").map(({ name }) => name);
        assert.deepEqual(without, [
            "aws-rds-instance-disallow-public-access",
            "aws-rds-instance-require-deletion-protection",
            "aws-s3-bucket-require-compliance-lock",
            "aws-s3-bucket-disallow-early-expiry",
        ]);
        const { entries, problems } = read(...without.map((rule) => exception({ rule })));
        assert.deepEqual(entries, []);
        assert.deepEqual(
            problems,
            without.map(
                (rule, index) =>
                    `exceptions[${index}].rule: found "${rule}", expected a rule that accepts exceptions`,
            ),
        );
    });

    const accepted = (own: Partial<Exception>, found = finding(), now = NOW) => {
        const acceptance = new ExceptionFilter({ entries: [exception(own)], problems: [] });
        return {
            kind: acceptance.of(found, now).kind,
            faults: acceptance.faults("production", now).map(({ message }) => message),
        };
    };
    const on = (resource: string) => `${MULTI_AZ} on ${resource} (CHG-1): `;

    for (const resource of ["mcp-production", URN]) {
        it(`accept what is called ${resource}`, () =>
            assert.deepEqual(accepted({ resource }), { kind: "suppressed", faults: [] }));
    }

    for (const resource of ["mcp", "production", "mcp.production", "mcp-production-2", "*", "mcp-*"]) {
        it(`accept nothing else than ${resource}, and say so`, () =>
            assert.deepEqual(accepted({ resource }), {
                kind: "violation",
                faults: [`${on(resource)}covers no finding`],
            }));
    }

    it("carry who accepted it until when", () => {
        const entry = exception({});
        assert.deepEqual(
            new ExceptionFilter({ entries: [entry], problems: [] }).of(finding(), NOW),
            finding({ kind: "suppressed", exception: entry }),
        );
    });

    it("hold through their last day, in the zone of the runbook", () => {
        const at = (time: string) => accepted({ expires: "2026-11-23" }, finding(), new Date(time));
        assert.deepEqual(at("2026-11-23T18:29:59Z"), { kind: "suppressed", faults: [] });
        assert.deepEqual(at("2026-11-23T18:30:00Z"), {
            kind: "violation",
            faults: [`${on("mcp-production")}expired on 2026-11-23`],
        });
    });

    it("are of use for what is undetermined, which they do not settle", () =>
        assert.deepEqual(accepted({}, finding({ kind: "undetermined" })), {
            kind: "undetermined",
            faults: [],
        }));

    it("are of one rule", () =>
        assert.equal(accepted({}, finding({ rule: "aws-rds-instance-require-tls" })).kind, "violation"));

    it("are of one stack, and nothing to another", () => {
        const found = finding({ urn: URN.replace("production", "staging") });
        assert.deepEqual(accepted({}, found).kind, "violation");
        const staging = new ExceptionFilter({ entries: [exception({})], problems: [] });
        assert.deepEqual(staging.faults("staging", NOW), []);
    });

    it("suppress what the rules find in the program, and are found themselves where they are wrong", async () => {
        const recording = await recordStack("production", "mcp:database.multiAz=false");
        const judged = (...entries: Exception[]) =>
            judgeRecording(recording, rules, NOW, { entries, problems: [] })
                .filter(({ kind }) => kind !== "undetermined")
                .map(({ kind, rule, message }) => `${kind} ${rule}: ${message}`);
        const found = `${MULTI_AZ}: is in one zone only`;
        assert.deepEqual(judged(), [`violation ${found}`]);
        assert.deepEqual(judged(exception({})), [`suppressed ${found}`]);
        assert.deepEqual(judged(exception({ expires: "2026-11-01" })), [
            `violation ${exceptionsRule.name}: ${on("mcp-production")}expired on 2026-11-01`,
            `violation ${found}`,
        ]);
    });
});
