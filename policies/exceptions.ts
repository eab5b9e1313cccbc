import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { problemsOf } from "../config/problems";
import { ZONE_OFFSET_MINUTES } from "../core/numbers";
import { type Exception, exceptionSchema } from "./exception";
import { type Violation, type Rule, stackOf } from "./rule";

/** Path of the exceptions, below the project. */
export const EXCEPTIONS_FILE = "policies/exceptions.yaml";

/** Maximum remaining validity of an exemption, in days. */
export const MOST_EXCEPTION_DAYS = 180;

/** Content of the exemptions file. */
export interface Exceptions {
    readonly entries: readonly Exception[];
    /** Its problems; invalid entries are left out. */
    readonly problems: readonly string[];
}

/** No exemptions. */
export const NO_EXCEPTIONS: Exceptions = { entries: [], problems: [] };

/**
 * Metadata of findings about the exemptions themselves. The violations they no longer cover are found by their own
 * rules.
 */
export const exceptionsRule: Rule = {
    name: "policy-exceptions-require-validity",
    description:
        "Exceptions are well-formed, name a rule that accepts them, have not expired and accept something.",
    severity: "medium",
    enforcement: "advisory",
    frameworks: [],
    remediation: `Mend or remove the entry of ${EXCEPTIONS_FILE}, and mend what it accepted.`,
};

/** Reads a project's exemptions. */
export function loadExceptions(root: string, rules: readonly Rule[]): Exceptions {
    return readExceptions(readFileSync(join(root, EXCEPTIONS_FILE), "utf8"), rules);
}

/** Parses an exemptions file. Default of `now`: the time of the call. */
export function readExceptions(content: string, rules: readonly Rule[], now = new Date()): Exceptions {
    const document = parseDocument(content);
    const raw: unknown = document.errors.length > 0 ? undefined : document.toJS();
    const list = (raw as { exceptions?: unknown } | null | undefined)?.exceptions;
    if (!Array.isArray(list)) {
        return { entries: [], problems: ["found no list, expected exceptions: [] or a list of them"] };
    }
    const entries: Exception[] = [];
    const problems: string[] = [];
    list.forEach((entry: unknown, index) => {
        const { data, error } = exceptionSchema.safeParse(entry);
        const found = problemsOf(exceptionSchema, entry, error?.issues ?? []).map(
            ({ path, found, expected }) =>
                `${path.replace("mcp:", ".")}: found ${found}, expected ${expected}`.replace(/^\.:/, ":"),
        );
        const named = rules.find(({ name }) => name === data?.rule);
        if (data !== undefined && named === undefined) {
            found.push(`.rule: found ${JSON.stringify(data.rule)}, expected a rule of the pack`);
        } else if (named?.exceptions === "none") {
            found.push(`.rule: found ${JSON.stringify(named.name)}, expected a rule that accepts exceptions`);
        }
        const last = new Date(now.getTime() + MOST_EXCEPTION_DAYS * DAY).toISOString().slice(0, 10);
        if (data !== undefined && data.expires > last) {
            found.push(`.expires: found ${JSON.stringify(data.expires)}, expected a day until ${last}`);
        }
        problems.push(...found.map((problem) => `exceptions[${index}]${problem}`));
        if (data !== undefined && found.length === 0) {
            entries.push(data);
        }
    });
    return { entries, problems };
}

/** Applies exemptions to the findings of one evaluation, and records which were used. */
export class ExceptionFilter {
    private readonly useful = new Set<Exception>();

    constructor(private readonly exceptions: Exceptions) {}

    /** A finding after exemptions: a covered violation is suppressed. */
    of(finding: Violation, now: Date): Violation {
        const matching = this.exceptions.entries.filter((exception) => concerns(exception, finding));
        // An undetermined rule also counts as use: it may turn out to be a violation.
        matching.forEach((exception) => this.useful.add(exception));
        const accepting = matching.find((exception) => !hasExpired(exception, now));
        return finding.kind === "violation" && accepting !== undefined
            ? { ...finding, kind: "suppressed", exception: accepting }
            : finding;
    }

    /** Problems of a stack's exemptions, after all findings. */
    faults(stack: string, now: Date): Violation[] {
        const ofEntries = this.exceptions.entries
            .filter((exception) => exception.stack === stack)
            .flatMap((exception) => {
                const { rule, resource, ticket, expires } = exception;
                const fault = hasExpired(exception, now)
                    ? `expired on ${expires}`
                    : this.useful.has(exception)
                      ? undefined
                      : "covers no finding";
                return fault === undefined ? [] : [`${rule} on ${resource} (${ticket}): ${fault}`];
            });
        return [...this.exceptions.problems, ...ofEntries].map((message) => ({
            rule: exceptionsRule.name,
            urn: "",
            kind: "violation",
            message,
        }));
    }
}

function concerns({ rule, stack, resource }: Exception, finding: Violation): boolean {
    return (
        rule === finding.rule &&
        stack === stackOf(finding.urn) &&
        [finding.urn, finding.urn.split("::").at(-1)].includes(resource)
    );
}

const DAY = 24 * 60 * 60 * 1000;

function hasExpired({ expires }: Exception, now: Date): boolean {
    return now.getTime() >= Date.parse(expires) + DAY - ZONE_OFFSET_MINUTES * 60_000;
}
