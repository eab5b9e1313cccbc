import { type ComponentResource } from "@pulumi/pulumi";
import { Database } from "./components/data/database";
import { DATABASE_TASKS, DatabaseAccess } from "./components/data/databaseAccess";
import { PlatformIngress } from "./components/edge/ingress";
import { PodIdentity } from "./components/identity/podIdentity";
import { SeverityTopics } from "./components/incident/severityTopics";
import { commonLabels } from "./components/labels";
import { LEDGER, PlatformNamespace } from "./components/platform/namespace";
import { quotaFor } from "./components/platform/quota";
import { configureProviders } from "./components/providers";
import { AuditArchive } from "./components/storage/auditArchive";
import { BackupBucket } from "./components/storage/backupBucket";
import { BlueGreenWorkload } from "./components/workload/blueGreenWorkload";
import { RollingWorkload } from "./components/workload/rollingWorkload";
import { loadStack, type WorkloadValues } from "./config";
import { type DatabaseValues } from "./config/database";
import { pinned } from "./config/images";
import { blueGreenOf, connectionsOf, databaseNames, networkOf, releaseOf, secretsOf } from "./config/joins";
import { utcDaily, utcWeekly } from "./config/windows";
import { LOG_RETENTION_DAYS, TRIAL_LOG_RETENTION_DAYS } from "./runbook/numbers";

const values = loadStack();
const { aws, kubernetes, random, cluster } = configureProviders(values);
const labels = commonLabels(values.environment);
const production = values.environment === "production";

const { ingress, tls } = values;
const verify = ingress !== undefined && (ingress.verify ?? production);
const platform = new PlatformNamespace(
    values.kubernetes.namespace,
    {
        namespace: values.kubernetes.namespace,
        labels,
        quota: quotaFor(Object.values(values.workloads), {
            otherGates: verify ? 1 : 0,
            tasks: values.database === undefined ? 0 : DATABASE_TASKS,
        }),
        protect: production,
    },
    { providers: { kubernetes } },
);

const database = values.database && declareDatabase(values.database);

function declareDatabase({ subnets, active, checks, ...database }: DatabaseValues) {
    const names = databaseNames(values);
    const { recovery } = values;
    const name = `${values.kubernetes.namespace}-database`;
    const instances = new Database(
        name,
        {
            ...database,
            ...names,
            subnets,
            accountId: values.aws.accountId,
            vpcId: cluster!.vpcConfig.vpcId,
            clusterSecurityGroup: cluster!.vpcConfig.clusterSecurityGroupId,
            multiAz: database.multiAz ?? production,
            maintenanceWindow: utcWeekly(database.maintenanceWindow),
            backupWindow: utcDaily(database.backupWindow),
            protect: production,
            recovery: recovery && { ...recovery, identifier: names.recovery },
        },
        { providers: { aws, random } },
    );
    const { connection } = new DatabaseAccess(
        "mcp-database",
        {
            namespace: platform.namespace,
            labels,
            cluster: values.kubernetes.cluster!,
            network: values.kubernetes.apiServer.cidr,
            database: instances,
            active,
            checks,
            images: {
                postgres: pinned(values.images, values.jobs.images.postgres!),
                aws: pinned(values.images, values.jobs.images.aws!),
            },
        },
        { providers: { aws, kubernetes, random } },
    );
    return { connection, host: (active === "recovery" ? instances.recovered! : instances.primary).host };
}

if (values.backups !== undefined) {
    new BackupBucket(
        `${values.kubernetes.namespace}-backups`,
        { ...values.backups, accountId: values.aws.accountId, protect: production },
        { providers: { aws } },
    );
}
const archive =
    values.archive &&
    new AuditArchive(
        `${values.kubernetes.namespace}-audit`,
        {
            ...values.aws,
            bucket: values.archive.bucket,
            logGroup: `/mcp/${values.environment}/audit`,
            searchableDays: production ? LOG_RETENTION_DAYS : TRIAL_LOG_RETENTION_DAYS,
            retention: { mode: values.archive.mode, ...values.archive.retention },
            protect: production,
        },
        { providers: { aws } },
    );

const urls = Object.entries(values.workloads).map(([name, workload]) => {
    const after: ComponentResource[] = [platform];
    if (workload.awsPermissions.length > 0) {
        // Before the pods: they are given their credentials when they are created.
        const identity = new PodIdentity(
            `${values.kubernetes.namespace}-${name}`,
            {
                cluster: values.kubernetes.cluster!,
                namespace: platform.namespace,
                serviceAccount: name,
                permissions: workload.awsPermissions,
            },
            { providers: { aws } },
        );
        after.push(identity);
    }
    const { url } = declareWorkload(name, workload, after);
    return [name, url] as const;
});

function declareWorkload(name: string, workload: WorkloadValues, after: ComponentResource[]) {
    const { smoke } = workload;
    const common = {
        ...workload,
        namespace: platform.namespace,
        labels,
        after,
        nodeImage: pinned(values.images, values.jobs.images.node),
        secrets: secretsOf(values, name),
        connections: connectionsOf(values, name, { database }),
        network: networkOf(values, name),
        smoke: { ...smoke, image: smoke.image && pinned(values.images, smoke.image) },
    };
    const opts = { providers: { kubernetes, random } };
    return workload.strategy === "rolling"
        ? new RollingWorkload(
              name,
              { ...common, release: releaseOf(values, workload, workload.release) },
              opts,
          )
        : new BlueGreenWorkload(name, { ...common, ...blueGreenOf(values, workload), ledger: LEDGER }, opts);
}

if (ingress !== undefined) {
    new PlatformIngress(
        "mcp-ingress",
        {
            ...ingress,
            namespace: platform.namespace,
            labels,
            certificates: Object.fromEntries(ingress.certificates.map((name) => [name, tls[name]!])),
            active: { name: ingress.certificate, facts: tls[ingress.certificate]!.facts },
            verify: verify && {
                address: ingress.address,
                ingressNamespace: values.kubernetes.ingressNamespace,
                nodeImage: pinned(values.images, values.jobs.images.node),
            },
        },
        { providers: { kubernetes } },
    );
}

const severities = new SeverityTopics(
    `${values.kubernetes.namespace}-incidents`,
    { accountId: values.aws.accountId, contacts: values.incident.contacts },
    { providers: { aws } },
);

export const namespace = platform.namespace;
export const services = Object.fromEntries(urls);
export const severityTopics = severities.arns;
export const databaseHost = database?.host;
export const auditLogGroup = archive?.logGroup;
