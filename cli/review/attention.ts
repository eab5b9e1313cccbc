import { type Pack } from "../../offline/snapshot";
import { type Exception } from "../../policies/exception";
import { type Rule } from "../../policies/rule";
import { type ChangedFile } from "./baseCheckout";

/** Files that decide how a change is evaluated, by path. The first match counts. */
const JUDGES: readonly (readonly [what: string, files: RegExp])[] = [
    ["exemptions from the rules", /^policies\/exceptions\.yaml$/],
    ["rules", /^(policies\/|core\/numbers\.ts$|core\/addresses\.ts$)/],
    ["owners of files", /(^|\/)CODEOWNERS$/],
    ["workflows", /^\.github\//],
    [
        "tools that preview, review and test",
        /^(cli|offline|build|\.ci|\.githooks)\/|^(tsconfig\.json|eslint\.config\.mjs|\.mocharc\.json|\.prettierignore|Pulumi\.yaml|\.gitattributes|\.npmrc)$/,
    ],
    ["packages", /^package(-lock)?\.json$/],
    ["programs of gates and jobs", /^jobs\//],
    ["procedures that operators follow", /^runbook\//],
];

/** Tests; the program generates their golden files. */
const TESTS = /^test\/(?!golden\/)/;

/** Files of a change that decide how it is evaluated, as text. Added tests weaken nothing. */
export function touchedJudges(files: readonly ChangedFile[]): string[] {
    const touched = new Map<string, string[]>();
    for (const { path, isNew } of files) {
        const [what] =
            JUDGES.find(([, pattern]) => pattern.test(path)) ??
            (TESTS.test(path) && !isNew ? ["tests that there were"] : []);
        if (what !== undefined) {
            touched.set(what, [...(touched.get(what) ?? []), path]);
        }
    }
    return [...touched].map(([what, paths]) => `changes ${what}: ${paths.sort().join(", ")}`);
}

/** Changes to the rules and exemptions; the base's still apply to the change. */
export function weakened(base: Pack | undefined, head: Pack | undefined): string[] {
    if (base === undefined || head === undefined) {
        return [];
    }
    const now = new Map(head.rules.map((rule) => [rule.name, rule]));
    const known = new Set(base.exceptions.map(idOf));
    return [
        ...base.rules.flatMap((rule) => {
            const after = now.get(rule.name);
            return after === undefined ? [`takes the rule ${rule.name} away`] : lowered(rule, after);
        }),
        ...head.exceptions
            .filter((exception) => !known.has(idOf(exception)))
            .map(
                ({ rule, stack, resource, reason, owner, ticket, expires }) =>
                    `exempts ${resource} of ${stack} from ${rule} until ${expires}: ${reason} (${ticket}, ${owner})`,
            ),
    ];
}

const SEVERITIES = ["low", "medium", "high", "critical"];

function lowered(before: Rule, after: Rule): string[] {
    return [
        ...(before.enforcement === "mandatory" && after.enforcement !== "mandatory"
            ? [`makes the rule ${before.name} ${after.enforcement}`]
            : []),
        ...(SEVERITIES.indexOf(after.severity) < SEVERITIES.indexOf(before.severity)
            ? [`lowers the severity of ${before.name} from ${before.severity} to ${after.severity}`]
            : []),
        ...(before.exceptions === "none" && after.exceptions !== "none"
            ? [`lets ${before.name} be exempted from`]
            : []),
    ];
}

function idOf(exception: Exception): string {
    return JSON.stringify(Object.entries(exception).sort());
}

/** The rules of both sides, each with the stricter enforcement. */
export function stricterOf(base: Pack | undefined, head: readonly Rule[]): Rule[] {
    const old = new Map(base?.rules.map((rule) => [rule.name, rule]));
    const names = new Set(head.map(({ name }) => name));
    return [
        ...head.map((rule) => {
            const isMandatory = [rule, old.get(rule.name)].some((each) => each?.enforcement === "mandatory");
            return { ...rule, enforcement: isMandatory ? ("mandatory" as const) : rule.enforcement };
        }),
        ...[...old.values()].filter(({ name }) => !names.has(name)),
    ];
}
