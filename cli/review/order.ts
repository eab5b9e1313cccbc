import { type RecordedResource, type Recording } from "../../offline/record";
import { lasting } from "./access/grant";

const JOB = "kubernetes:batch/v1:Job";

/** What resources of one lasting name wait for: those of both colours, and of each release. */
type Waits = readonly { readonly resource: RecordedResource; readonly jobs: ReadonlySet<string> }[];

/**
 * Resources that no longer wait for a Job that is still declared, a sentence each: a gate that nothing waits for stops
 * nothing. What only follows from that is not repeated for each dependent.
 */
export function lostOrder(before: Recording, after: Recording): string[] {
    const [old, now] = [waitsOf(before), waitsOf(after)];
    const names = new Map(
        after.resources
            .filter(({ type }) => type === JOB)
            .map(({ name }) => [lasting(name), name.replace(/-[0-9a-f]{8}$/, "")]),
    );
    const lost = new Map(
        [...old].map(([key, waits]) => {
            const others = now.get(key) ?? [];
            const count = (some: Waits, job: string) => some.filter(({ jobs }) => jobs.has(job)).length;
            const jobs = [...names.keys()].filter(
                (job) => others.length >= waits.length && count(others, job) < count(waits, job),
            );
            return [key, new Set(jobs)];
        }),
    );
    const byUrn = new Map(after.resources.map((resource) => [resource.urn, resource]));
    /** What each Job waits for itself. */
    const gates = new Map(
        [...now.values()]
            .flat()
            .filter(({ resource }) => resource.type === JOB)
            .map(({ resource, jobs }) => [lasting(resource.name), jobs] as const),
    );
    /** Whether it waits for something that no longer waits for the Job. */
    const isFollowing = ({ dependencies }: RecordedResource, job: string) =>
        dependencies.some((urn) => {
            const other = byUrn.get(urn);
            return other !== undefined && lost.get(keyOf(other))?.has(job) === true;
        });
    /** Whether the resource waited for it before, or is new. */
    const hadIt = (key: string, urn: string, job: string) =>
        old.get(key)!.every(({ resource, jobs }) => resource.urn !== urn || jobs.has(job));
    return [...lost].flatMap(([key, jobs]) => {
        const [type, name] = key.split(" ") as [string, string];
        const waits = now.get(key) ?? [];
        return [...jobs]
            .filter((job) =>
                waits.some(
                    ({ resource, jobs: kept }) =>
                        !kept.has(job) && hadIt(key, resource.urn, job) && !isFollowing(resource, job),
                ),
            )
            .filter((job, _, all) => !all.some((nearer) => gates.get(nearer)!.has(job)))
            .map((job) => `${type.split(":").at(-1)} ${name} no longer waits for Job ${names.get(job)}`);
    });
}

/** Type and name, alike for both colours of a workload and for each release. */
function keyOf({ type, name }: RecordedResource): string {
    return `${type} ${lasting(name).replace(/-(blue|green)$/, "")}`;
}

function waitsOf({ resources }: Recording): ReadonlyMap<string, Waits> {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const known = new Map<string, ReadonlySet<string>>();
    /** Lasting names of the Jobs that a resource waits for, at any distance. The order is free of cycles. */
    const jobsOf = (resource: RecordedResource): ReadonlySet<string> => {
        const found = known.get(resource.urn);
        if (found !== undefined) {
            return found;
        }
        const jobs = new Set<string>();
        for (const urn of resource.dependencies) {
            const other = byUrn.get(urn);
            if (other === undefined) continue;
            if (other.type === JOB) jobs.add(lasting(other.name));
            jobsOf(other).forEach((job) => jobs.add(job));
        }
        known.set(resource.urn, jobs);
        return jobs;
    };
    const waits = new Map<string, Waits>();
    for (const resource of resources.filter(({ custom }) => custom)) {
        const key = keyOf(resource);
        waits.set(key, [...(waits.get(key) ?? []), { resource, jobs: jobsOf(resource) }]);
    }
    return waits;
}
