import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** File in which `jobs/database/health.sh` leaves what pg_isready said. */
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

/** What the next step of a task needs to publish what this one measured. Read by `metrics.sh`. */
export interface Handover {
    /** CloudWatch namespace of the metrics. */
    namespace: string;
    metrics: readonly MetricDatum[];
    /** Why this step failed, for the next one to fail with. Undefined: it did not. */
    failure: string | undefined;
}

/** Leaves metrics and verdict in the directory that the steps of a run share. */
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
