import { isPrintable } from "../core/printable";
import { configPath, type Problem, SECRET_KEYS, shown } from "./problems";

/** Limits of a stack's values, far above what a large stack has. */
const DEEPEST = 24;
const MOST_VALUES = 20_000;
const MOST_BYTES = 1024 * 1024;

/** Texts that may have several lines: environment variables, request bodies, and annotations for a controller. */
const MULTILINE =
    /^(workloads\.[^.]+\.(release\.|releases\.[^.]+\.)?config|workloads\.[^.]+\.smoke\.requests\.\d+\.body|ingress\.annotations)(\.|$)/;

/**
 * Checks values before any schema reads them: their number and depth, keys that are special in JavaScript, and control
 * characters. If there are too many values, that is the only problem, and nothing else may read them.
 */
export function rawProblems(raw: Readonly<Record<string, unknown>>): {
    problems: Problem[];
    endless: boolean;
} {
    const problems: Problem[] = [];
    let [values, bytes] = [0, 0];
    let endless: string | undefined;
    const visit = (value: unknown, path: (string | number)[]): void => {
        values += 1;
        bytes += typeof value === "string" ? Buffer.byteLength(value) : 0;
        if (path.length > DEEPEST) {
            endless = `at most ${DEEPEST} levels`;
        } else if (values > MOST_VALUES) {
            endless = `at most ${MOST_VALUES} values`;
        } else if (bytes > MOST_BYTES) {
            endless = `at most ${MOST_BYTES} bytes`;
        }
        if (endless !== undefined) {
            return;
        }
        if (typeof value === "string") {
            const problem = textProblem(value, path);
            problems.push(...(problem === undefined ? [] : [{ path: configPath(path), ...problem }]));
        } else if (typeof value === "object" && value !== null) {
            for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
                bytes += Buffer.byteLength(String(key));
                if (key === "__proto__" || !isPrintable(String(key))) {
                    const expected = "a key of printable characters other than __proto__";
                    problems.push({ path: configPath(path), found: `the key ${shown(key)}`, expected });
                }
                visit(inner, [...path, key]);
            }
        }
    };
    visit(raw, []);
    return endless === undefined
        ? { problems, endless: false }
        : { problems: [{ path: "mcp", found: "more", expected: endless }], endless: true };
}

function textProblem(text: string, path: readonly (string | number)[]): Omit<Problem, "path"> | undefined {
    if (SECRET_KEYS.includes(String(path[0]))) {
        return text.includes("\0")
            ? { found: "a secret (not shown)", expected: "a text without NUL characters" }
            : undefined;
    }
    const allowed = MULTILINE.test(path.join(".")) ? "\t\n\r" : "";
    return isPrintable(text, allowed)
        ? undefined
        : {
              found: shown(text),
              expected:
                  "a text without control characters and without characters that change the direction of text",
          };
}
