import { propertiesAsData } from "../../offline/describe";
import { verdict } from "./report";
import { isRefused, type Review } from "./review";

/** The review as data; secrets and unknowns are marked, not shown. */
export function renderJson(result: Review): string {
    const report = {
        verdict: verdict(result),
        refused: isRefused(result),
        base: result.base,
        attention: result.attention ?? [],
        stacks: result.stacks.map(({ endangered, changes, ...stack }) => ({
            ...stack,
            // Each change says its own.
            sources: undefined,
            endangered: endangered.map(({ operation, resource }) => ({ operation, urn: resource.urn })),
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
