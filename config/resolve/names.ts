import { DATABASE } from "../../core/numbers";
import { type StackValues } from "../stack";

/**
 * Names and ARNs of resources that exist once in a stack. All begin with the namespace, so that several stacks can
 * share an account, a region and a cluster.
 */
export function resolveNames({ aws, kubernetes: { namespace: name } }: StackValues) {
    // Unused without AWS.
    const { region, accountId } = aws ?? { region: "", accountId: "" };
    const machineArn = (machine: string) => `arn:aws:states:${region}:${accountId}:stateMachine:${machine}`;
    const escalation = `${name}-escalation`;
    const cacheSnapshots = `${name}-redis-backup`;
    const [product = name, ...rest] = name.split("-");
    const inFolders = (first: string) => [first, rest.join("-")].filter(Boolean).join("/");
    const prefix = `/${inFolders(product)}/`;
    return {
        /** Prefix of names of resources that exist once in a stack: `mcp-production`. */
        name,
        /** CloudWatch namespace of the platform's own metrics: `MCP/production`. */
        metrics: inFolders(product.toUpperCase()),
        /** Log groups in CloudWatch. Section 5.3. */
        logs: {
            /** Prefix of each name: `/mcp/production/`. */
            prefix,
            audit: `${prefix}audit`,
            jobs: `${prefix}jobs`,
            metrics: `${prefix}metrics`,
            patches: `${prefix}patches`,
            server: `${prefix}server`,
        },
        escalation: {
            name: escalation,
            machineArn: machineArn(escalation),
            incidentsMachineArn: machineArn(`${escalation}-incidents`),
        },
        cacheSnapshots: { name: cacheSnapshots, machineArn: machineArn(cacheSnapshots) },
        databaseSnapshots: {
            name: `${name}-snapshots`,
            /** Names of the vaults. */
            vaults: { hourly: `${name}-snapshots-hourly`, daily: `${name}-snapshots-daily` },
            /** Names of the EventBridge rules that count copies in the second region. */
            copied: { hourly: `${name}-snapshots-copied-hourly`, daily: `${name}-snapshots-copied-daily` },
        },
        auditArchive: `${name}-audit`,
    };
}

/**
 * Names of the database's instances and subnet group. In the runbook's namespace they are the runbook's own. Section
 * 7.2.
 */
export function databaseNames({ kubernetes: { namespace }, database }: StackValues) {
    const { identifier, recovery, subnetGroup } = DATABASE;
    const adopted = database?.adopted;
    if (namespace === identifier) {
        return { identifier: adopted ?? identifier, recovery, subnetGroup };
    }
    return {
        identifier: adopted ?? namespace,
        recovery: `${namespace}-recovery`,
        subnetGroup: `${namespace}-db-subnet`,
    };
}
