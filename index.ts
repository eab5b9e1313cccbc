import { declareAlarms } from "./composition/alarms";
import { declareData } from "./composition/data";
import { declareEdge } from "./composition/edge";
import { declareFoundation } from "./composition/foundation";
import { declareHealth } from "./composition/health";
import { declareIncidents } from "./composition/incidents";
import { declareMaintenance } from "./composition/maintenance";
import { declareOperations } from "./composition/operations";
import { declareWorkloads } from "./composition/workloads";
import { loadStack } from "./config";

const foundation = declareFoundation(loadStack());
const incidents = declareIncidents(foundation);
const data = declareData(foundation, incidents);
const urls = declareWorkloads(foundation, data);
declareEdge(foundation);
declareMaintenance(foundation, incidents);
declareHealth(foundation, data);
declareAlarms(foundation, incidents);
declareOperations(foundation, data);

export const namespace = foundation.namespace.namespace;
export const services = urls;
export const severityTopics = incidents.topics;
export const databaseHost = data.database?.host;
export const cacheHost = data.cache?.host;
export const auditLogGroup = data.archive?.logGroup;
