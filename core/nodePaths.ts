/** Node directory of the containers' logs: a directory for each pod, named by its namespace, name and id. */
export const POD_LOGS = "/var/log/pods";

/** Node directory with the log shipper's positions and buffers, one directory for each namespace. */
export const SHIPPER_STATE = "/var/lib/mcp-logs";
