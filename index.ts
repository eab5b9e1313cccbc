import { declareAlarms } from "./stack/alarms";
import { declareReleaseApproval } from "./stack/releaseApproval";
import { declareData } from "./stack/data";
import { declareEdge } from "./stack/edge";
import { declarePlatform } from "./stack/platform";
import { declareHealth } from "./stack/health";
import { declareIncidents } from "./stack/incidents";
import { declareMaintenance } from "./stack/maintenance";
import { declareObservability } from "./stack/observability";
import { declareOperations } from "./stack/operations";
import { declareWorkloads, promoteWorkloads } from "./stack/workloads";
import { stackQuota } from "./stack/quota";
import { loadStack } from "./config";
import { resolveStack } from "./config/resolve";

const stack = resolveStack(loadStack());
const context = declarePlatform(stack, stackQuota(stack));
const incidents = declareIncidents(context);
const data = declareData(context, incidents);
const observability = declareObservability(context, data);
const approval = declareReleaseApproval(context, observability);
const workloads = declareWorkloads(context, data, approval);
const ingress = declareEdge(context, workloads.readyForTraffic);
const completed = promoteWorkloads(context, workloads, ingress);
declareMaintenance(context, incidents);
declareHealth(context, data);
declareAlarms(context, incidents, observability?.dashboard);
declareOperations(context, data);

const outputs = {
    namespace: context.namespace.namespace,
    services: workloads.urls,
    completedImages: completed,
    severityTopics: incidents?.topics,
    databaseHost: data.database?.host,
    cacheHost: data.cache?.host,
    snapshotVaults: data.database?.vaults,
    backupBucket: data.backups?.bucket,
    auditBucket: data.archive?.bucket,
    auditLogGroup: data.archive?.logGroup,
    dashboard: observability?.dashboard,
    savedQueries: observability?.queries,
};

// The SDK warns of an output that is undefined.
export = Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined));
