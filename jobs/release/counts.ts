import { type Buckets, quantile } from "../lib/metrics";

/** Counts of a metrics source since its first reading. */
export interface Counts {
    /** Requests that no label excludes. */
    requests: number;
    /** Failed ones among them. */
    errors: number;
    /** Requests that labels exclude. */
    excluded: number;
    /** Their durations, if the source knows them. */
    buckets: Buckets;
    /** The 95th percentile in seconds, if the source computes it. */
    p95?: number | undefined;
    /** Total time of all pods, in seconds. */
    podSeconds: number;
    /** Whether the requests include the gate's own to this path. */
    includes: (path: string) => boolean;
    /** What could not be counted. */
    error?: string | undefined;
    /** Whether the source counts requests at all, even if none came. */
    counting: boolean;
}

/** Requests of probes and scrapes that no label distinguishes from users'. */
export interface Background {
    podSeconds: number;
    requests: number;
    errors: number;
    /** Durations: observations up to each upper bound in seconds; "Infinity" for all. */
    buckets: Record<string, number>;
}

/** Users' requests: counted ones minus the background. */
export interface UserTraffic {
    requests: number;
    errors: number;
    /** Lower bound of users' requests, because the background's rate is approximate. */
    certain: number;
    /** Requests with a known duration, and their 95th percentile in seconds. */
    timed: number;
    p95: number | undefined;
}

/** Subtracts the background and the gate's own requests. */
export function usersOf(counts: Counts, background: Background | undefined, own: number): UserTraffic {
    const scale =
        background === undefined || background.podSeconds === 0
            ? 0
            : counts.podSeconds / background.podSeconds;
    const { requests = 0, errors = 0, buckets = {} } = background ?? {};
    const left = Math.max(0, counts.requests - own - scale * requests);
    // The uncertainty of a count is twice its square root.
    const certain = Math.max(0, left - scale * 2 * Math.sqrt(requests));
    const ownShare = counts.requests === 0 ? 0 : own / counts.requests;
    const users = new Map(
        [...counts.buckets].map(([bound, count]) => [
            bound,
            // Assumes that the gate's own requests take as long as others.
            Math.max(0, (count - scale * (buckets[String(bound)] ?? 0)) * (1 - ownShare)),
        ]),
    );
    return {
        requests: left,
        errors: Math.max(0, counts.errors - scale * errors),
        certain,
        timed: counts.p95 === undefined ? (users.get(Infinity) ?? 0) : left,
        p95: counts.p95 ?? quantile(0.95, users),
    };
}

/** Count of pods without users, to be subtracted later. */
export function backgroundOf({ requests, errors, podSeconds, buckets }: Counts): Background {
    return {
        podSeconds,
        requests,
        errors,
        buckets: Object.fromEntries([...buckets].map(([bound, count]) => [String(bound), count])),
    };
}

/** Share of failed requests in percent; errors without any request count as 100 %. */
export function errorPercent({ requests, errors }: { requests: number; errors: number }): number {
    return errors === 0 ? 0 : (100 * errors) / Math.max(requests, errors);
}
