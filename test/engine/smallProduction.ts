import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { copyOfProject } from "../support";

/** Concerns that a release, a database switch and a certificate rotation leave alone. */
const LEFT_OUT = [
    ...["alarms", "archive", "backups", "cache", "health", "maintenance", "objectives", "observability"],
];

interface StackFile {
    config: {
        "mcp:workloads": Record<string, { secrets: Record<string, string> }>;
        "mcp:ingress": { hosts: object[] };
        [key: string]: unknown;
    };
}

/**
 * A copy of the project whose production has MCP Server, its database, its ingress and `others` of its workloads: half of the
 * resources, for tests that update many times. Returns its folder.
 */
export function copyWithSmallProduction(...others: string[]): string {
    const folder = copyOfProject();
    const path = join(folder, "Pulumi.production.yaml");
    const file = parse(readFileSync(path, "utf8")) as StackFile;
    const { config } = file;
    for (const concern of LEFT_OUT) delete config[`mcp:${concern}`];
    const server = config["mcp:workloads"]["mcp-server"]!;
    delete server.secrets["REDIS_URL"];
    const kept = others.map((name) => [name, config["mcp:workloads"][name]!] as const);
    config["mcp:workloads"] = { "mcp-server": server, ...Object.fromEntries(kept) };
    config["mcp:ingress"].hosts = [{ host: "mcp.msil.com", paths: [{ path: "/", workload: "mcp-server" }] }];
    // A time without quotes is another value to some readers.
    writeFileSync(path, stringify(file, { defaultStringType: "QUOTE_DOUBLE" }));
    return folder;
}
