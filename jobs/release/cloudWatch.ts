import * as z from "zod/mini";
import { requestAws } from "../lib/aws";
import { GateError } from "../lib/gate";
import { pattern, text } from "../lib/schema";
import { type ReleaseContext } from "./context";

/** A CloudWatch metric, one value a minute. */
export const cloudWatchMetric = {
    /** "ap-south-1". */
    region: pattern(/^[a-z]{2}(-[a-z]+)+-\d$/, "an AWS region"),
    /** "MCP/production". */
    namespace: text,
    metric: text,
    dimensions: z.record(z.string(), text),
    statistic: pattern(
        /^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?)$/,
        "Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95",
    ),
};

type CloudWatchMetric = { [Key in keyof typeof cloudWatchMetric]: z.infer<(typeof cloudWatchMetric)[Key]> };

/** Period of a value, and lookback for the newest, in seconds. CloudWatch is some minutes late. */
const [PERIOD_SECONDS, WINDOW_SECONDS] = [60, 600];

/** The newest value since the switch; `value` is undefined while there is none. */
export async function readCloudWatch(
    { region, namespace, metric, dimensions, statistic }: CloudWatchMetric,
    elapsedSeconds: number,
    ctx: ReleaseContext,
): Promise<{ value?: number; error?: string }> {
    const end = ctx.date();
    const start = new Date(end.getTime() - 1000 * Math.min(WINDOW_SECONDS, Math.max(1, elapsedSeconds)));
    const stat = "MetricDataQueries.member.1.MetricStat";
    const parameters = {
        Action: "GetMetricData",
        Version: "2010-08-01",
        StartTime: start.toISOString(),
        EndTime: end.toISOString(),
        ScanBy: "TimestampDescending",
        "MetricDataQueries.member.1.Id": "metric",
        [`${stat}.Metric.Namespace`]: namespace,
        [`${stat}.Metric.MetricName`]: metric,
        ...Object.fromEntries(
            Object.entries(dimensions).flatMap(([name, value], index) => {
                const at = `${stat}.Metric.Dimensions.member.${index + 1}`;
                return [
                    [`${at}.Name`, name],
                    [`${at}.Value`, value],
                ];
            }),
        ),
        [`${stat}.Period`]: String(PERIOD_SECONDS),
        [`${stat}.Stat`]: statistic,
    };
    try {
        const page = await requestAws(
            { title: "CloudWatch", service: "monitoring", region, parameters },
            ctx,
        );
        const [, value] = /<Values>\s*<member>([^<]+)<\/member>/.exec(page) ?? [];
        return value === undefined ? {} : { value: Number(value) };
    } catch (error) {
        if (!(error instanceof GateError) || ctx.signal.aborted) throw error;
        return { error: error.message };
    }
}
