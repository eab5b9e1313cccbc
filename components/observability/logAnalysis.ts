import { type LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareMetricFilters, serverMetrics, type ServerLogFields } from "./metricFilters";
import { declareQueries, serverQueries } from "./savedQueries";

/** Arguments of {@link LogAnalysis}. */
export interface LogAnalysisArgs extends ServerLogFields {
    /** Log group of MCP Server. */
    group: LogGroup;
    /** Namespace of the metrics from that log. */
    metrics: string;
    /** Folder of the saved queries in the console. */
    folder: string;
}

/** Queries of sections 6.2 and 6.3 on MCP Server's log: as metrics, and as saved queries. */
export class LogAnalysis extends ComponentResource {
    constructor(name: string, args: LogAnalysisArgs, opts?: ComponentResourceOptions) {
        super("mcp:observability:LogAnalysis", name, {}, opts);
        const { group, metrics, folder } = args;
        declareMetricFilters(name, { group, namespace: metrics, metrics: serverMetrics(args) }, this);
        declareQueries(name, { group, folder, queries: serverQueries(args) }, this);
        this.registerOutputs();
    }
}
