import { type Buckets, quantile } from "../lib/metrics";

/** What a source of metrics has counted since its first reading. */
export interface Counts {
    /** Requests that labels do not exclude. */
    requests: number;
    /** Those of them that failed. */
    errors: number;
    /** Requests that labels exclude. */
    excluded: number;
    /** How long they took, as far as the source knows. */
    buckets: Buckets;
    /** The 95th percentile in seconds, where the source itself computes it. */
    p95?: number | undefined;
    /** Time of all pods together, in seconds. */
    podSeconds: number;
    /** Whether the gate's own requests for this path are among the requests. */
    includes: (path: string) => boolean;
    /** What could not be counted. */
    error?: string | undefined;
    /** Whether the source has shown that it counts requests at all, be it none. */
    counting: boolean;
}

/** Requests that pods get without any user: probes and scrapes that no label tells from users' requests. */
export interface Background {
    podSeconds: number;
    requests: number;
    errors: number;
    /** Durations: observations up to each upper bound in seconds; "Infinity" is all. */
    buckets: Record<string, number>;
}

/** Users' requests: what is left when those of nobody are subtracted. */
export interface UserTraffic {
    requests: number;
    errors: number;
    /** Fewest requests that are surely users', as the background's rate is known but roughly. */
    certain: number;
    /** Requests with a known duration, and the 95th percentile of these in seconds. */
    timed: number;
    p95: number | undefined;
}

/** Subtracts the background, and as many as the gate itself has sent. */
export function usersOf(counts: Counts, background: Background | undefined, own: number): UserTraffic {
    const scale =
        background === undefined || background.podSeconds === 0
            ? 0
            : counts.podSeconds / background.podSeconds;
    const { requests = 0, errors = 0, buckets = {} } = background ?? {};
    const left = Math.max(0, counts.requests - own - scale * requests);
    // A count of N is known to twice its square root.
    const certain = Math.max(0, left - scale * 2 * Math.sqrt(requests));
    const ownShare = counts.requests === 0 ? 0 : own / counts.requests;
    const users = new Map(
        [...counts.buckets].map(([bound, count]) => [
            bound,
            // The gate's own requests take as long as others.
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

/** What was counted of pods without users, to be subtracted later. */
export function backgroundOf({ requests, errors, podSeconds, buckets }: Counts): Background {
    return {
        podSeconds,
        requests,
        errors,
        buckets: Object.fromEntries([...buckets].map(([bound, count]) => [String(bound), count])),
    };
}

/** Share of failed requests in percent; errors that no request belongs to are no less than all of them. */
export function errorPercent({ requests, errors }: { requests: number; errors: number }): number {
    return errors === 0 ? 0 : (100 * errors) / Math.max(requests, errors);
}
