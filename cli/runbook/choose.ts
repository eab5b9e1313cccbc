import { type Screen } from "../../offline/layout";
import { catalogue } from "../../runbook/catalogue";
import { type Lead } from "../../runbook/page";
import { type Procedure } from "../../runbook/procedure";
import { print } from "../output";
import { find, renderList } from "./find";

/**
 * Asks at a terminal until a procedure is chosen: by words, an alarm or an HTTP status, and then by its number or id.
 *
 * @throws what `ask` throws where it is interrupted.
 */
export async function choose(
    ask: (question: string) => Promise<string>,
    alarms: readonly Lead[],
    screen: Screen,
): Promise<Procedure> {
    let question =
        "What is wrong, or what do you want to do? Words, an alarm or an HTTP status; Enter lists all.\n> ";
    let shown: readonly Procedure[] = [];
    for (;;) {
        const answer = await ask(question);
        const chosen = shown[Number(answer) - 1] ?? catalogue.find(({ id }) => id === answer);
        if (chosen !== undefined) {
            return chosen;
        }
        shown = answer === "" ? [] : find(answer, alarms).map(({ procedure }) => procedure);
        if (answer === "") {
            print(renderList(screen));
        } else if (shown.length === 0) {
            print("Nothing found. Try fewer or other words, or Enter for the list.\n");
        } else {
            const width = Math.max(...shown.map(({ id }) => id.length));
            print(shown.map(({ id, title }, at) => `  ${at + 1}  ${id.padEnd(width)}  ${title}\n`).join(""));
        }
        question = shown.length === 0 ? "An id, or words\n> " : "A number, an id, or other words\n> ";
    }
}
