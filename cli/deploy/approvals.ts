import { isSamePerson } from "../../core/person";

/** A release that an update deploys. */
interface BroughtRelease {
    workload: string;
    version: string;
    change: { ticket?: string; author?: string; approvers?: string[]; skip?: string } | undefined;
}

/** Releases of the stack file that the last update did not have, with their authors and approvers, a sentence each. */
export function describeReleases(
    config: Readonly<Record<string, unknown>>,
    deployed: Readonly<Record<string, unknown>>,
): string[] {
    return broughtBy(config, deployed).map(({ workload, version, change }) => {
        const { ticket, author, approvers = [], skip } = change ?? {};
        const by = author === undefined ? "" : ` by ${author}`;
        return change === undefined
            ? `${workload} ${version}`
            : skip === undefined
              ? `${workload} ${version}: ${ticket}${by}, approved by ${approvers.join(", ")}`
              : `${workload} ${version} skips the checklist: ${skip}`;
    });
}

/** Those that one of the authors approved, a sentence each. */
export function selfApprovedReleases(
    config: Readonly<Record<string, unknown>>,
    deployed: Readonly<Record<string, unknown>>,
    authors: readonly string[],
): string[] {
    return broughtBy(config, deployed).flatMap(({ workload, version, change }) =>
        (change?.approvers ?? []).flatMap((approver) => {
            const author = authors.find((each) => isSamePerson(each, approver));
            return author === undefined
                ? []
                : [`${workload} ${version} is approved by ${approver}, an author of the change (${author})`];
        }),
    );
}

function broughtBy(
    config: Readonly<Record<string, unknown>>,
    deployed: Readonly<Record<string, unknown>>,
): BroughtRelease[] {
    const before = releasesOf(deployed);
    return releasesOf(config).filter(
        (release) =>
            !before.some(
                ({ workload, version }) => workload === release.workload && version === release.version,
            ),
    );
}

/** The active release of each workload. */
function releasesOf(config: Readonly<Record<string, unknown>>): BroughtRelease[] {
    type Release = Omit<BroughtRelease, "workload">;
    type Workload = { live?: string; release?: Release; releases?: Record<string, Release> };
    const workloads = (config["mcp:workloads"] ?? {}) as Record<string, Workload>;
    return Object.entries(workloads).flatMap(([workload, { live = "", release, releases }]) => {
        const active = release ?? releases?.[live];
        return active === undefined ? [] : [{ ...active, workload }];
    });
}
