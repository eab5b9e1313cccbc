/** Port of the collector's health endpoint. */
export const HEALTH_PORT = 13133;

/** Metrics that the runbook's grep finds in `/metrics`. Sections 4.3.1, 4.3.2 and 6.3. */
const SCRAPED_NAMES = ["request_duration", "requests_total", "error", "circuit_breaker", "db_pool"];

/** One service to scrape. */
export interface ScrapeTarget {
    /** Name of the workload, the value of the dimension `Service`. */
    service: string;
    /** DNS name that resolves to the address of each pod. */
    host: string;
    port: number;
    path: string;
}

/** Arguments of {@link collectorConfiguration}. */
export interface CollectorArgs {
    region: string;
    targets: readonly ScrapeTarget[];
    intervalSeconds: number;
    /** Namespace of the metrics in CloudWatch, such as MCP/production. */
    namespace: string;
    /** Log group that CloudWatch reads the metrics from. */
    logGroup: string;
}

/**
 * Configuration of the OpenTelemetry collector: scrapes every pod of the targets, turns cumulative counters and
 * histograms into deltas, and sends them to CloudWatch with the single dimension `Service`.
 */
export function collectorConfiguration(args: CollectorArgs): object {
    const { region, targets, intervalSeconds, namespace, logGroup } = args;
    return {
        extensions: { health_check: { endpoint: `0.0.0.0:${HEALTH_PORT}` } },
        receivers: {
            prometheus: {
                config: {
                    global: { scrape_interval: `${intervalSeconds}s` },
                    scrape_configs: targets.map(({ service, host, port, path }) => ({
                        job_name: service,
                        // The collector expands environment variables after a dollar sign.
                        metrics_path: path.replaceAll("$", "$$$$"),
                        // Format of a server that does not declare one.
                        fallback_scrape_protocol: "PrometheusText0.0.4",
                        dns_sd_configs: [{ names: [host], type: "A", port }],
                        relabel_configs: [{ target_label: "Service", replacement: service }],
                        metric_relabel_configs: [
                            {
                                source_labels: ["__name__"],
                                regex: `.*(${SCRAPED_NAMES.join("|")}).*`,
                                action: "keep",
                            },
                        ],
                    })),
                },
            },
        },
        processors: {
            cumulativetodelta: {},
            // This step leaves summaries unchanged. The exporter computes their deltas only for metrics that this
            // attribute marks as Prometheus'.
            resource: { attributes: [{ key: "receiver", value: "prometheus", action: "insert" }] },
        },
        exporters: {
            awsemf: {
                region,
                namespace,
                log_group_name: logGroup,
                log_stream_name: "collector",
                dimension_rollup_option: "NoDimensionRollup",
                // Distinguishes the pods: otherwise series with the same labels would be merged.
                resource_to_telemetry_conversion: { enabled: true },
                metric_declarations: [{ dimensions: [["Service"]], metric_name_selectors: SCRAPED_NAMES }],
            },
        },
        service: {
            extensions: ["health_check"],
            pipelines: {
                metrics: {
                    receivers: ["prometheus"],
                    processors: ["cumulativetodelta", "resource"],
                    exporters: ["awsemf"],
                },
            },
            telemetry: { logs: { level: "warn" }, metrics: { level: "none" } },
        },
    };
}
