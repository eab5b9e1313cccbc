/** One sample of a metrics page. */
export interface Sample {
    name: string;
    labels: Record<string, string>;
    value: number;
}

/** Parses Prometheus's text format; ignores other lines. */
export function parseSamples(page: string): Sample[] {
    return page.split("\n").flatMap((line) => {
        const [, name, labels = "", value] =
            /^\s*([a-zA-Z_:][\w:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)/.exec(line) ?? [];
        if (name === undefined) return [];
        const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g)];
        return {
            name,
            labels: Object.fromEntries(pairs.map(([, label, content]) => [label!, unescaped(content!)])),
            value: Number(value),
        };
    });
}

/** Names that a page declares (`# TYPE name counter`), with or without a sample. */
export function declaredNames(page: string): Set<string> {
    return new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!));
}

function unescaped(content: string): string {
    return content.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

/** Increases of counters, across restarts and changing sources. */
export class Increases {
    /** Last value of each series. */
    private readonly last = new Map<string, number>();
    private readonly begun = new Set<string>();
    /** Number of resets of a source's counters. */
    readonly falls = new Map<string, number>();

    /**
     * Returns the increase of a source's counters. The first reading of an `old` source, which counted before the
     * start, is its baseline; other sources start at 0.
     */
    take(source: string, old: boolean, samples: readonly Sample[]): { sample: Sample; increase: number }[] {
        const first = old && !this.begun.has(source);
        this.begun.add(source);
        let fell = false;
        const increases = samples.flatMap((sample) => {
            const { name, labels, value } = sample;
            if (!Number.isFinite(value)) return [];
            const series = JSON.stringify([source, name, Object.entries(labels).sort()]);
            const before = first ? value : (this.last.get(series) ?? 0);
            this.last.set(series, value);
            fell ||= value < before;
            // A counter that fell was reset to 0.
            return [{ sample, increase: value < before ? value : value - before }];
        });
        if (fell) this.falls.set(source, (this.falls.get(source) ?? 0) + 1);
        return increases;
    }
}

/** Observations of a histogram up to each inclusive upper bound. The last bound is Infinity. */
export type Buckets = ReadonlyMap<number, number>;

/** A quantile of a histogram, interpolated as PromQL's histogram_quantile does; undefined without observations. */
export function quantile(share: number, buckets: Buckets): number | undefined {
    const bounds = [...buckets].sort(([one], [other]) => one - other);
    const total = bounds.at(-1)?.[1] ?? 0;
    if (!(total > 0)) return undefined;
    const rank = share * total;
    const index = bounds.findIndex(([, count]) => count >= rank);
    const [upper, count] = bounds[index]!;
    const [lower, below] = bounds[index - 1] ?? [0, 0];
    // Nothing more is known of values above the last bound.
    if (upper === Infinity) return lower;
    return lower + (upper - lower) * (count === below ? 1 : (rank - below) / (count - below));
}
