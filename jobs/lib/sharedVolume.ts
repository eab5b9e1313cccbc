import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** File in which `jobs/database/health.sh` stores the result of pg_isready. */
export const POSTGRES_READY = "postgres-ready";

/** Component of the metric that measures the age of credentials. */
export const CREDENTIALS = "Credentials";

/** One value for CloudWatch. */
export interface MetricDatum {
    name: string;
    /** Dimension `Component`. */
    component: string;
    value: number;
    unit: "None" | "Milliseconds" | "Count";
}

/** Measurements for the next step to publish, which `metrics.sh` reads. */
export interface Handover {
    /** CloudWatch namespace of the metrics. */
    namespace: string;
    metrics: readonly MetricDatum[];
    /** Why this step failed, which fails the next one. Undefined: it passed. */
    failure: string | undefined;
}

/** Writes metrics and verdict to the shared directory. */
export function handOver(directory: string, { namespace, metrics, failure }: Handover): void {
    const data = metrics.map(({ name, component, value, unit }) => ({
        MetricName: name,
        Dimensions: [{ Name: "Component", Value: component }],
        Value: value,
        Unit: unit,
    }));
    writeFileSync(
        join(directory, "metrics.json"),
        JSON.stringify({ Namespace: namespace, MetricData: data }),
    );
    if (failure !== undefined) writeFileSync(join(directory, "failed"), `${failure}\n`);
}
