import { getOwn } from "../../core/getOwn";
import { STATUS_SYMPTOMS, type Symptom, SYMPTOMS } from "../../core/symptoms";
import { fold } from "../../core/fold";
import { type Screen } from "../../offline/layout";
import { catalogue } from "../../runbook/catalogue";
import { type Procedure } from "../../runbook/procedure";
import { type Lead } from "../../runbook/page";

/** The runbook's chapters, by number. */
const CHAPTERS: Readonly<Record<string, string>> = {
    2: "Service health checks",
    3: "Deployment",
    4: "Incident response",
    5: "Maintenance",
    6: "Troubleshooting",
    7: "Backup and recovery",
};

const symptomsOf = ({ id }: Procedure) =>
    SYMPTOMS.filter(({ procedure }) => procedure === id).map(({ symptom }) => symptom);

/** The procedures by chapter, a line each, followed by their symptoms. */
export function renderList({ width }: Screen): string {
    const idWidth = Math.max(...catalogue.map(({ id }) => id.length));
    const indent = " ".repeat(idWidth + 4);
    const chapterOf = ({ sections }: Procedure) => sections[0]!.split(".")[0]!;
    const chapters = [...new Set(catalogue.map(chapterOf))].sort();
    const blocks = chapters.map((number) => {
        const procedures = catalogue.filter((procedure) => chapterOf(procedure) === number);
        return [
            `${number} ${CHAPTERS[number] ?? ""}`.trim(),
            ...procedures.flatMap((procedure) => {
                const { id, title, sections } = procedure;
                const numbers = [...new Set(sections.map((section) => section.split(" ")[0]!))];
                const line = `  ${id.padEnd(idWidth)}  ${title} (${numbers.join(", ")})`;
                const symptoms = symptomsOf(procedure);
                return [
                    ...fold(line, width, indent),
                    ...(symptoms.length === 0
                        ? []
                        : fold(`${indent}for ${symptoms.join(", ")}`, width, indent)),
                ];
            }),
        ].join("\n");
    });
    const hint = "By words, alarm or HTTP status: npm run runbook -- find high error rate";
    return `${[...blocks, hint].join("\n\n")}\n`;
}

/** A found procedure, and the match. */
export interface Match {
    readonly procedure: Procedure;
    readonly because: readonly string[];
}

/** Weight of a word, by the place where it is found. */
const WEIGHTS = { symptom: 6, words: 6, alarm: 5, title: 4, when: 1 } as const;

/** Procedures for words, an alarm's id or an HTTP status, best first: an alarm or a status ranks above all words. */
export function find(query: string, alarms: readonly Lead[]): Match[] {
    const tokens = query.toLowerCase().match(/[a-z0-9]+(?:-[a-z0-9]+)*/g) ?? [];
    const exact = exactOf(tokens, alarms);
    // An alarm's full name has the stack's as prefix.
    const words = wordsOf(tokens.map((token) => token.replace(/^mcp-[a-z0-9]+-/, "")).join(" "));
    const scored = catalogue.map((procedure) => {
        const { id, title, when, looks = [] } = procedure;
        const leading = alarms.filter((alarm) => alarm.procedure === id);
        const found = exact.filter((each) => each.procedure === id);
        const places = [
            ...symptomsOf(procedure).map((text) => ["symptom", text, `symptom ${text}`] as const),
            ...leading.map((alarm) => ["alarm", alarm.id, `alarm ${alarm.id}`] as const),
            ["words", procedure.words ?? "", ""] as const,
            ["title", `${id} ${title}`, ""] as const,
            ["when", [when, ...looks].join(" "), ""] as const,
        ];
        const hits = places.map(([place, text, label]) => {
            const known = wordsOf(text);
            const count = words.filter((word) => known.some((each) => isLike(word, each))).length;
            // A place with every word ranks above several that share them.
            return { label, score: WEIGHTS[place] * count * (count === words.length ? 3 : 1) };
        });
        const labels = hits
            .filter(({ score, label }) => score > 0 && label !== "")
            .sort((a, b) => b.score - a.score);
        return {
            procedure,
            // Many alarms do not raise a procedure's rank.
            score: found.length * EXACT + Math.max(...hits.map(({ score }) => score)) + sum(hits.slice(-2)),
            because: [
                ...new Set([...found.map(({ because }) => because), ...labels.map(({ label }) => label)]),
            ].slice(0, 3),
        };
    });
    return scored
        .filter(({ score }) => score > 0)
        .sort((one, other) => other.score - one.score)
        .filter(({ score }, _, [first]) => score * 4 >= first!.score)
        .slice(0, MOST);
}

/** Score of an alarm or an HTTP status. A sentence of many words scores less. */
const EXACT = 1000;

/** The procedures of the alarms and HTTP statuses among the words of a query. */
function exactOf(tokens: readonly string[], alarms: readonly Lead[]) {
    const statuses: Readonly<Record<string, Symptom>> = STATUS_SYMPTOMS;
    return tokens.flatMap((token) => {
        // The longest: one alarm's id may end with another's.
        const [alarm] = alarms
            .filter(({ id }) => token === id || token.endsWith(`-${id}`))
            .sort((one, other) => other.id.length - one.id.length);
        if (alarm !== undefined) {
            return [{ procedure: alarm.procedure, because: `alarm ${alarm.id}` }];
        }
        const known = getOwn(statuses, token);
        if (known !== undefined) {
            return [{ procedure: known.procedure, because: `symptom ${known.symptom}` }];
        }
        return /^5\d\d$/.test(token)
            ? [{ procedure: STATUS_SYMPTOMS[500].procedure, because: `status ${token}` }]
            : [];
    });
}

/** Maximum number of shown procedures. */
const MOST = 5;

const sum = (hits: readonly { score: number }[]) => hits.reduce((all, { score }) => all + score, 0);

/** Stop words. */
const EMPTY = new Set([
    "a",
    "an",
    "and",
    "are",
    "at",
    "be",
    "been",
    "can",
    "could",
    "did",
    "do",
    "does",
    "for",
    "get",
    "gets",
    "getting",
    "had",
    "has",
    "have",
    "how",
    "i",
    "in",
    "is",
    "it",
    "may",
    "me",
    "my",
    "now",
    "of",
    "on",
    "or",
    "our",
    "report",
    "reported",
    "reports",
    "should",
    "that",
    "the",
    "there",
    "this",
    "to",
    "user",
    "users",
    "was",
    "we",
    "were",
    "what",
    "which",
    "while",
    "who",
    "why",
    "with",
    "you",
    "your",
]);

function wordsOf(text: string): string[] {
    const words = text.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
    return words.filter((word) => !EMPTY.has(word));
}

/** Whether a word equals another or is its prefix: `error` and `errors`, but not `5` and `503`. */
function isLike(word: string, other: string): boolean {
    const [short, long] = word.length < other.length ? [word, other] : [other, word];
    return word === other || (short.length >= 4 && long.startsWith(short));
}

/** The found procedures, each with its match and the next command. */
export function renderMatches(matches: readonly Match[], { width }: Screen): string {
    const blocks = matches.map(({ procedure: { id, title, when }, because }) =>
        [
            `${id}  ${title}`,
            ...fold(`    ${when}`, width, "    "),
            ...(because.length === 0 ? [] : fold(`    Found by ${because.join(", ")}.`, width, "    ")),
            `    npm run runbook -- show ${id}`,
        ].join("\n"),
    );
    return `${blocks.join("\n\n")}\n`;
}

/** Ids similar to a mistyped one, closest first. */
export function alike(id: string): string[] {
    return catalogue
        .map((procedure) => ({ id: procedure.id, distance: distance(id, procedure.id) }))
        .filter((each) => each.distance <= Math.max(2, each.id.length / 3))
        .sort((one, other) => one.distance - other.distance)
        .slice(0, 3)
        .map((each) => each.id);
}

/** Edit distance of two texts. */
function distance(one: string, other: string): number {
    let row = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (const [at, letter] of [...one].entries()) {
        row = [...other].reduce<number[]>(
            (next, each, index) => [
                ...next,
                Math.min(next[index]! + 1, row[index + 1]! + 1, row[index]! + (letter === each ? 0 : 1)),
            ],
            [at + 1],
        );
    }
    return row.at(-1)!;
}
