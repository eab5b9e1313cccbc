/** One value of a page of metrics. */
export interface Sample {
    name: string;
    labels: Record<string, string>;
    value: number;
}

/** Reads Prometheus's text format; lines that are none of it are passed over. */
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

/** Names that a page declares (`# TYPE name counter`), whether or not it has a value of them. */
export function declaredNames(page: string): Set<string> {
    return new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!));
}

function unescaped(content: string): string {
    return content.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}

/** The increases of counters, whatever restarts, comes and goes. */
export class Increases {
    /** Last value of each series. */
    private readonly last = new Map<string, number>();
    private readonly begun = new Set<string>();
    /** How many readings of a source found a counter lower than before. */
    readonly falls = new Map<string, number>();

    /**
     * Returns by how much one source's counters have grown. Those of a source that is `old` were counting before the
     * start: its first reading is what they are compared with. Those of any other began with 0 since then.
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
            // A counter that fell has been set to 0 in between.
            return [{ sample, increase: value < before ? value : value - before }];
        });
        if (fell) this.falls.set(source, (this.falls.get(source) ?? 0) + 1);
        return increases;
    }
}

/** Observations of a histogram up to each upper bound, that one included. The last bound is Infinity. */
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
    // Of what is beyond the last bound, no more is known.
    if (upper === Infinity) return lower;
    return lower + (upper - lower) * (count === below ? 1 : (rank - below) / (count - below));
}
