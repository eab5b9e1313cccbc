import { type Rule } from "../rule";

/** Fields of AWS's events with free text. */
const FREE_TEXT = /\.(cause|description|message|reason|statusMessage)$/i;

export const rule: Rule = {
    name: "aws-cloudwatch-event-target-disallow-free-text",
    description: "Messages of EventBridge contain codes of the event, and no free text.",
    severity: "medium",
    enforcement: "mandatory",
    frameworks: [],
    remediation: "Insert the code, such as $.detail.error, and the command that shows the text.",
    resource({ type, props }, { report }) {
        if (type !== "aws:cloudwatch/eventTarget:EventTarget") {
            return;
        }
        const paths: Record<string, unknown> = props["inputTransformer"]?.inputPaths ?? {};
        for (const path of Object.values(paths).filter((path) => FREE_TEXT.test(String(path)))) {
            report(`inserts ${String(path)}: a quotation mark in it breaks the message, and AWS drops it`);
        }
    },
};
