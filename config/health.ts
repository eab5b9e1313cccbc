import { z } from "zod";
import { EXTERNAL } from "../core/numbers";
import { type IngressValues, workloadAt } from "./edge";
import { getOwn } from "../core/getOwn";
import { dnsLabel, text } from "./scalars";
import { isProduction } from "./tier";

/** What the health check asks beside the stack's own services and stores. Sections 2.1, 4.3.1 and 4.3.4. */
export const healthSchema = z.strictObject({
    /** Tenant of Azure AD that signs the users' tokens. */
    azureTenant: text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "the id of a tenant, in lower case"),
    /** Health endpoint of APIM. Default: that of section 4.3.1 step 3. */
    apim: text(/^https:\/\/[^\s?#@]+$/, `an https URL, such as ${EXTERNAL.apim}`)
        .refine(URL.canParse, `an https URL, such as ${EXTERNAL.apim}`)
        .default(EXTERNAL.apim),
    /**
     * Paths that are asked from outside, by workload: required of those whose own health path no host leads to, where the
     * hosts are asked. Each must be routed to its workload and answer 200 without a token. Default: none.
     */
    paths: z.record(dnsLabel, text(/^\/[^\s?#]*$/, "a path, such as /mcp/health")).default({}),
    /**
     * Whether the hosts of `mcp:ingress` are asked from around the world, too. Needs them to be public: set it to false
     * where they are not. Default: true in production, unless they are behind an internal ALB; false elsewhere.
     */
    outside: z.boolean({ error: "true or false" }).optional(),
});

/** See {@link healthSchema}. */
export type HealthValues = z.output<typeof healthSchema>;

/** Whether the hosts of the ingress are asked from around the world. Section 2.1. */
export function isAskedFromOutside({
    health,
    ingress,
    ...tier
}: Parameters<typeof isProduction>[0] & {
    health?: HealthValues | undefined;
    ingress?: Pick<IngressValues, "alb"> | undefined;
}): boolean {
    return health?.outside ?? (isProduction(tier) && ingress?.alb?.scheme !== "internal");
}

/** The path by which a host is asked for a workload: its own health path, unless `mcp:health.paths` has another. */
export function outsidePath(health: HealthValues | undefined, workload: string, live: string): string {
    return getOwn(health?.paths ?? {}, workload) ?? live;
}

/** Whether the path by which a workload is asked leads to it, at a host with these paths. */
export function isAskedAt(
    paths: IngressValues["hosts"][number]["paths"],
    health: HealthValues | undefined,
    workload: string,
    live: string,
): boolean {
    return workloadAt(paths, outsidePath(health, workload, live)) === workload;
}

/** Rules of the health check that need the rest of the stack's values. */
export function checkHealth(
    {
        health,
        ingress,
        kubernetes,
        jobs,
        workloads,
        ...tier
    }: Parameters<typeof isProduction>[0] & {
        health?: HealthValues | undefined;
        ingress?: Pick<IngressValues, "alb" | "hosts"> | undefined;
        kubernetes: { cluster?: string | undefined };
        jobs: { images: Record<string, string | undefined> };
        /** One that its own schema refuses has no health here. */
        workloads: Record<string, { health?: { live: string } | undefined }>;
    },
    context: z.core.$RefinementCtx,
): void {
    if (health === undefined) {
        return;
    }
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (kubernetes.cluster === undefined) {
        problem(["health"], "mcp:kubernetes.cluster, because its metrics are published from EKS only");
    }
    if (health.outside === true && ingress === undefined) {
        problem(["health", "outside"], "mcp:ingress, because its hosts are what is asked");
    }
    if (health.outside === true && ingress?.alb?.scheme === "internal") {
        problem(["health", "outside"], "false, because mcp:ingress.alb is internal");
    }
    const hosts = isAskedFromOutside({ health, ingress, ...tier }) ? (ingress?.hosts ?? []) : [];
    for (const workload of new Set(hosts.flatMap(({ paths }) => paths.map((path) => path.workload)))) {
        const live = getOwn(workloads, workload)?.health?.live;
        if (live !== undefined && !hosts.some(({ paths }) => isAskedAt(paths, health, workload, live))) {
            const message = `a path that a host of mcp:ingress leads to ${workload}, and that answers 200 without a token; or mcp:health.outside: false`;
            problem(["health", "paths", workload], message);
        }
    }
    if (getOwn(jobs.images, "aws") === undefined) {
        problem(["jobs", "images", "aws"], "an image, because the health check publishes its metrics by it");
    }
}
