import { POD_LOGS } from "../../core/nodePaths";

/** Port of Fluent Bit's health endpoint. */
export const HEALTH_PORT = 2020;

/** Disk limit of the buffer of one log group, in Fluent Bit's format. The oldest events are dropped first. */
const BUFFER_LIMIT = "200M";

/** Memory limit of events in transit. */
const MEMORY_LIMIT = "32M";

/** Seconds to send buffered events when the pod stops. */
export const GRACE_SECONDS = 30;

/** Which events are audit events, and where a copy of them goes. */
export interface AuditRoute {
    /** Top-level field of the event, and its value. */
    field: string;
    value: string;
    logGroup: string;
}

/** Arguments of {@link fluentBitConfiguration}. */
export interface FluentBitArgs {
    region: string;
    /** Namespace of the pods. */
    namespace: string;
    /** Log groups of the services, by the name of their container. */
    services: Readonly<Record<string, string>>;
    /** Log group of all other containers: gates, tasks, probes. */
    jobs: string;
    /** Default: none. */
    audit?: AuditRoute | undefined;
    /** Directory of positions and buffers. */
    state: string;
}

/**
 * Fluent Bit's YAML configuration: reads the containers' logs of the namespace, turns the fields of a JSON line into
 * the fields of the event, and sends each event to the log group of its container, in a stream with the name of its
 * pod. Section 6.2 queries `$.status` and similar fields there.
 */
export function fluentBitConfiguration(args: FluentBitArgs): object {
    const { region, namespace, services, jobs, audit, state } = args;
    const containers = Object.keys(services);
    const logsOf = (container: string) => `${POD_LOGS}/${namespace}_*/${container}/*.log`;
    const tail = (kind: "service" | "job", own: object) => ({
        name: "tail",
        tag: `${kind}.<container>.<pod>`,
        tag_regex: `^${POD_LOGS}/[^_]+_(?<pod>[^_]+)_[^/]+/(?<container>[^/]+)/`,
        ...own,
        // Joins the parts into which the container runtime splits a long line.
        "multiline.parser": "cri",
        db: `${state}/${kind}.db`,
        // Reads new files from the start; the position of known files is in the database.
        read_from_head: "on",
        refresh_interval: 5,
        rotate_wait: 30,
        skip_long_lines: "on",
        "storage.type": "filesystem",
    });
    const send = (match: string, logGroup: string) => ({
        name: "cloudwatch_logs",
        match,
        region,
        log_group_name: logGroup,
        log_stream_prefix: "pod.",
        auto_create_group: "off",
        // Retries without limit; the buffer's limit drops the oldest events.
        retry_limit: "no_limits",
        "storage.total_limit_size": BUFFER_LIMIT,
    });
    return {
        service: {
            flush: 1,
            grace: GRACE_SECONDS,
            log_level: "warn",
            http_server: "on",
            http_listen: "0.0.0.0",
            http_port: HEALTH_PORT,
            health_check: "on",
            "storage.path": `${state}/buffer`,
            "storage.sync": "normal",
            "storage.max_chunks_up": 32,
            "storage.backlog.mem_limit": MEMORY_LIMIT,
        },
        parsers: [{ name: "application", format: "json" }],
        pipeline: {
            inputs: [
                tail("service", { path: containers.map(logsOf).join(",") }),
                tail("job", { path: logsOf("*"), exclude_path: containers.map(logsOf).join(",") }),
            ],
            filters: [
                // Removes fields of the container runtime; the event already has its time.
                { name: "modify", match: "*", remove_regex: "^(time|_p)$" },
                // A line that is not JSON stays unchanged in `log`.
                {
                    name: "parser",
                    match: "*",
                    key_name: "log",
                    parser: "application",
                    reserve_data: "off",
                    preserve_key: "off",
                },
                ...(audit === undefined ? [] : [auditCopy(audit)]),
            ],
            outputs: [
                ...Object.entries(services).map(([container, logGroup]) =>
                    send(`service.${container}.*`, logGroup),
                ),
                send("job.*", jobs),
                ...(audit === undefined ? [] : [send("audit.*", audit.logGroup)]),
            ],
        },
    };
}

/** Sends a copy of each audit event to a second destination. */
function auditCopy({ field, value }: AuditRoute) {
    return {
        name: "rewrite_tag",
        match: "service.*",
        rule: `$${field} ^${value.replaceAll(".", "\\.")}$ audit.$TAG true`,
        emitter_name: "audit",
        "emitter_storage.type": "filesystem",
        emitter_mem_buf_limit: MEMORY_LIMIT,
    };
}
