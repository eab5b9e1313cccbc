import { propertiesAsData } from "../../offline/render";
import { verdict } from "./report";
import { isRefused, type Review } from "./review";

/** The review as data; secrets and unknowns are marked, not shown. */
export function renderJson(result: Review): string {
    const report = {
        verdict: verdict(result),
        refused: isRefused(result),
        base: result.base,
        stacks: result.stacks.map(({ stack, problems, endangered, workloads, edits, findings, changes }) => ({
            stack,
            problems,
            endangered: endangered.map(({ operation, resource }) => ({ operation, urn: resource.urn })),
            workloads,
            edits,
            findings,
            changes: changes.map(({ operation, resource, properties, because, refused }) => ({
                operation,
                urn: resource.urn,
                source: resource.source,
                properties: propertiesAsData(properties),
                because,
                refused,
            })),
        })),
    };
    return `${JSON.stringify(report, undefined, 2)}\n`;
}
