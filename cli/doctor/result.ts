import { fold } from "../../core/fold";
import { painter, type Screen } from "../../offline/layout";

/** Result of a check. */
export interface Result {
    readonly name: string;
    /** `unknown` if it could not be checked. */
    readonly state: "ok" | "missing" | "unknown";
    readonly found: string;
    /** What to do; a command if there is one. */
    readonly todo?: string;
}

const STYLES = { ok: "green", missing: "red", unknown: "yellow" } as const;

/** Results as text: a line each, followed by what to do. */
export function renderResults(project: string, results: readonly Result[], screen: Screen): string {
    const paint = painter(screen);
    const indent = " ".repeat(11);
    const lines = results.flatMap(({ name, state, found, todo }) => {
        const [first = "", ...more] = fold(`${indent}${name}: ${found}`, screen.width, `${indent}  `);
        return [
            `  ${paint(STYLES[state], state.padEnd(7))}  ${first.slice(indent.length)}`,
            ...more,
            // Commands are not folded, so that they can be copied.
            ...(todo === undefined ? [] : [`${indent}  ${paint("cyan", `→ ${todo}`)}`]),
        ];
    });
    const count = (state: Result["state"]) => results.filter((result) => result.state === state).length;
    const summary = `${count("ok")} ok, ${count("missing")} missing, ${count("unknown")} could not be checked.`;
    return [`What pulumi up needs for ${project}:`, "", ...lines, "", summary, ""].join("\n");
}
