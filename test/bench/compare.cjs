"use strict";

/**
 * Two runs side by side, as text. A figure that differs by more than the spreads of both is called more or less; what
 * lies within them is noise.
 */
exports.compared = (now, before) => {
    const width = Math.max(...now.figures.map(({ name }) => name.length));
    const spread = ({ median, least, most }) => `${median} (${least} to ${most})`;
    const lines = now.figures.map((figure) => {
        const other = before.figures.find(({ name }) => name === figure.name);
        const verdict =
            other === undefined
                ? "new"
                : figure.least > other.most
                  ? "more"
                  : figure.most < other.least
                    ? "less"
                    : "the same";
        return [
            figure.name.padEnd(width),
            spread(figure).padEnd(24),
            (other === undefined ? "" : spread(other)).padEnd(24),
            verdict.padEnd(8),
            `goal ${figure.goal}${figure.median > figure.goal ? ", MISSED" : ""}`,
        ].join("  ");
    });
    const machine = ({ machine: name, node }) => `${name}, Node ${node}`;
    return [
        `now:    ${machine(now)}`,
        `before: ${machine(before)}`,
        `${"median (least to most)".padEnd(width)}  ${"now".padEnd(24)}  ${"before".padEnd(24)}`.trimEnd(),
        ...lines,
        "",
    ].join("\n");
};
