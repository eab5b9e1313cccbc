/** Port that answers how the collector is. */
export const HEALTH_PORT = 13133;

/** What the runbook looks for in `/metrics`, as its own grep does. Sections 4.3.1, 4.3.2 and 6.3. */
const SCRAPED_NAMES = ["request_duration", "requests_total", "error", "circuit_breaker", "db_pool"];

/** One service whose pods are asked. */
export interface ScrapeTarget {
    /** Name of the workload, and value of the dimension `Service`. */
    service: string;
    /** DNS name with an address for each of its pods. */
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
    /** Log group through which CloudWatch takes them. */
    logGroup: string;
}

/**
 * What the OpenTelemetry collector does, as its configuration: asks every pod of the targets for its metrics, turns
 * counters and histograms, which count from the start of their process, into what came since the last time, and hands
 * them to CloudWatch with the one dimension `Service`.
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
                        // The collector puts variables of its environment in the place of what a dollar sign begins.
                        metrics_path: path.replaceAll("$", "$$$$"),
                        // A server that does not name its format has this one.
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
            // It leaves summaries as they are. The exporter counts from look to look in those that it knows to be
            // Prometheus', and it knows it by this.
            resource: { attributes: [{ key: "receiver", value: "prometheus", action: "insert" }] },
        },
        exporters: {
            awsemf: {
                region,
                namespace,
                log_group_name: logGroup,
                log_stream_name: "collector",
                dimension_rollup_option: "NoDimensionRollup",
                // Tells the pods apart: two with the same labels would be taken for one.
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
