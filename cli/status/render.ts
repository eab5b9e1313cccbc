import { fold } from "../../core/fold";
import { type Paint, painter, type Screen } from "../../offline/layout";
import { type Gate, type Ringing, type Side, type Status } from "./read";

/** The status for a terminal; `now` is the time it is of. */
export function renderStatus(status: Status, screen: Screen, now = Date.now()): string {
    const paint = painter(screen);
    const { stack, namespace, workloads, gates } = status;
    const blocks = [
        [paint("bold", `Status of ${stack} (namespace ${namespace})`)],
        [paint("bold", "Releases"), ...sides(workloads, screen, paint)],
        [
            paint("bold", "Gates"),
            ...(gates.length === 0
                ? ["  No update waits for a gate."]
                : gates.flatMap((gate) => gateLines(gate, screen, paint, now))),
        ],
        [paint("bold", "Alarms"), ...alarmLines(status, screen, paint, now)],
    ];
    return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function sides(all: readonly Side[], { width }: Screen, paint: Paint): string[] {
    const rows = all.map((side) => [
        side.active ? "*" : " ",
        side.workload,
        side.colour ?? "",
        side.version ?? "-",
        `${side.ready}/${side.wanted}`,
    ]);
    const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
    const lines = rows.flatMap((row, index) => {
        const start = `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}  `;
        const side = all[index]!;
        const { words, style } = stateOf(side);
        const approval = side.ticket === undefined ? "" : ` (${side.ticket})`;
        const [first = "", ...more] = fold(`${start}${words}${approval}`, width, " ".repeat(start.length));
        return [`${start}${paint(style, first.slice(start.length))}`, ...more];
    });
    return [...lines, "  * has the traffic"];
}

function stateOf(side: Side): { words: string; style: "green" | "yellow" | "red" | "dim" } {
    const { version, active, ready, wanted, failed, completedAt } = side;
    if (version === undefined) return { words: "not deployed", style: "dim" };
    if (ready < wanted) return { words: `${wanted - ready} of ${wanted} pods are not ready`, style: "red" };
    if (active && wanted === 0) return { words: "has the traffic and no pods", style: "red" };
    if (failed !== undefined)
        return { words: `did not pass the ${failed.gate} gate: ${failed.reason}`, style: "red" };
    if (wanted === 0) return { words: "scaled to 0", style: "dim" };
    if (!side.recorded) return { words: "not in the release history", style: "yellow" };
    return completedAt === undefined
        ? { words: "has not passed all gates", style: "yellow" }
        : { words: `completed ${completedAt.slice(0, 16).replace("T", " ")} UTC`, style: "green" };
}

function gateLines(
    { job, since, workload, version, ticket }: Gate,
    { width }: Screen,
    paint: Paint,
    now: number,
) {
    const release = workload === undefined ? "" : `${workload} ${version} waits: `;
    const approval = ticket === undefined ? "" : ` (${ticket})`;
    return fold(`  ${release}Job ${job}, for ${agoOf(since, now)}${approval}`, width, "    ").map((line) =>
        paint("yellow", line),
    );
}

function alarmLines(
    { alarms, alarmsUnknown }: Status,
    { width }: Screen,
    paint: Paint,
    now: number,
): string[] {
    if (alarms === undefined) {
        return fold(`  Not known: ${alarmsUnknown}. npm run doctor checks the access to AWS.`, width, "    ");
    }
    if (alarms.length === 0) {
        return [`  ${paint("green", "None rings.")}`];
    }
    return alarms.flatMap((alarm: Ringing) => {
        const { name, severity, since, procedure } = alarm;
        const [first = "", ...more] = fold(
            `  ${severity ?? "--"}  ${name}, for ${agoOf(since, now)}`,
            width,
            "      ",
        );
        return [
            paint(severity === "P1" || severity === "P2" ? "red" : "yellow", first),
            ...more,
            ...(procedure === undefined ? [] : [`      npm run runbook -- show ${procedure}`]),
        ];
    });
}

/** How long ago a time was: `4 min`, `2 h`. */
function agoOf(since: string, now: number): string {
    const minutes = Math.floor((now - Date.parse(since)) / 60_000);
    if (Number.isNaN(minutes)) return "some time";
    if (minutes < 1) return "less than a minute";
    const hours = Math.floor(minutes / 60);
    return minutes < 120 ? `${minutes} min` : hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
