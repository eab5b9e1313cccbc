import { POD_LOGS } from "../../core/nodePaths";

/** Port that answers how Fluent Bit is. */
export const HEALTH_PORT = 2020;

/** Disk that may fill with what waits for one log group, as Fluent Bit takes it. The oldest goes first. */
const BUFFER_LIMIT = "200M";

/** Memory that events on their way may take. */
const MEMORY_LIMIT = "32M";

/** Seconds to send what is there when the pod is told to stop. */
export const GRACE_SECONDS = 30;

/** Which events are audit events, and where they go beside their own log group. */
export interface AuditRoute {
    /** Top-level field of the event, and the text in it. */
    field: string;
    value: string;
    logGroup: string;
}

/** Arguments of {@link fluentBitConfiguration}. */
export interface FluentBitArgs {
    region: string;
    /** Namespace whose pods are read. */
    namespace: string;
    /** Log groups of the services, by the name of their container. */
    services: Readonly<Record<string, string>>;
    /** Log group of every other container: gates, tasks, probes. */
    jobs: string;
    /** Default: no event is one. */
    audit?: AuditRoute | undefined;
    /** Directory for positions and waiting events. */
    state: string;
}

/**
 * What Fluent Bit does, as its YAML configuration: reads what the namespace's containers print, line by line as they
 * printed them; makes the fields of a JSON line those of the event, with nothing around them; and sends each event to
 * the log group of its container, under the name of its pod. Section 6.2 searches there by `$.status` and the like.
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
        // Joins the parts that the container runtime cuts a long line into.
        "multiline.parser": "cri",
        db: `${state}/${kind}.db`,
        // A pod that is new has nothing yet to skip; where an old one was left is in the database.
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
        // As long as it takes: what is too much goes by the limit, the oldest first.
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
                // What the container runtime adds; the event has its time from it already.
                { name: "modify", match: "*", remove_regex: "^(time|_p)$" },
                // A line that is no JSON stays as it is, in `log`.
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

/** Sends a copy of each audit event of the services along a second way. */
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
