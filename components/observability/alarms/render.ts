import { foldMarkdown } from "../../../core/fold";
import { SEVERITIES } from "../../../core/numbers";
import { type Alarm, conditionOf, MISSING_DATA } from "../alarm";

/** Meaning of missing data in the page. */
const SILENT: Readonly<Record<(typeof MISSING_DATA)[Alarm["missingData"]], string>> = {
    breaching: "silence rings too",
    notBreaching: "silence is well",
    missing: "silence is unknown",
};

/** The page of a stack's alarms (docs/alarms.md), most severe first. */
export function renderAlarms(alarms: readonly Alarm[]): string {
    const sorted = SEVERITIES.flatMap((severity) => alarms.filter((alarm) => alarm.severity === severity));
    return [
        "# Alarms",
        "",
        "Generated from `components/observability/alarms` by `npm run docs`, with the values of production and with copies in a",
        "second region. The name of each begins with the stack's: `mcp-production-database-silent`. A test finds for each who",
        "publishes its metric.",
        "",
        "| Alarm | Severity | What is wrong | Procedure |",
        "| --- | --- | --- | --- |",
        ...sorted.map(
            ({ id, severity, meaning, procedure }) =>
                `| [${id}](#${id}) | ${severity} | ${meaning} | [${procedure}](runbook.md#${procedure}) |`,
        ),
        "",
        ...sorted.flatMap((alarm) => [
            `<a id="${alarm.id}"></a>`,
            "",
            ...foldMarkdown(`**${alarm.id}** (${alarm.severity}) ${alarm.meaning}`),
            "",
            ...[
                `- Rings on: ${conditionOf(alarm)}; ${SILENT[MISSING_DATA[alarm.missingData]]}`,
                `- Likely cause: ${alarm.cause}`,
                `- What helps: ${alarm.resolution}`,
                ...(alarm.mutedIn === undefined
                    ? []
                    : [`- Muted in the windows of: ${alarm.mutedIn.join(", ")}`]),
                `- Procedure: [${alarm.procedure}](runbook.md#${alarm.procedure})`,
            ].flatMap((item) => foldMarkdown(item, "  ")),
            "",
        ]),
    ].join("\n");
}
