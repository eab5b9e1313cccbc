import { DATABASE } from "../../core/numbers";
import { type StackValues } from "../stack";

/** Names and ARNs of what exists once a stack, each built here alone. */
export function resolveNames({
    environment,
    aws: { accountId, region },
    kubernetes: { namespace: name },
}: StackValues) {
    const machineArn = (machine: string) => `arn:aws:states:${region}:${accountId}:stateMachine:${machine}`;
    const escalation = `${name}-escalation`;
    const cacheSnapshots = `${name}-redis-backup`;
    const prefix = `/mcp/${environment}/`;
    return {
        /** Begins the names of what exists once a stack: `mcp-production`. */
        name,
        /** CloudWatch namespace of the platform's own metrics: `MCP/production`. */
        metrics: `MCP/${environment}`,
        /** Log groups in CloudWatch. Section 5.3. */
        logs: {
            /** Before the name of each: `/mcp/production/`. */
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
        },
        auditArchive: `${name}-audit`,
    };
}

/** Names of the database's instances and subnet group: the runbook's own in production. Section 7.2. */
export function databaseNames({ environment, kubernetes: { namespace } }: StackValues) {
    if (environment === "production") {
        const { identifier, recovery, subnetGroup } = DATABASE;
        return { identifier, recovery, subnetGroup };
    }
    return {
        identifier: namespace,
        recovery: `${namespace}-recovery`,
        subnetGroup: `${namespace}-db-subnet`,
    };
}
