/** Where a node keeps what its containers print: a directory for each pod, named by its namespace, name and id. */
export const POD_LOGS = "/var/log/pods";

/** Where on a node it stands how far its logs were shipped, and what waits to be; below it a directory a namespace. */
export const SHIPPER_STATE = "/var/lib/mcp-logs";
