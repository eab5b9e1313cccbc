import { z } from "zod";
import { EXTERNAL } from "../core/numbers";
import { type IngressValues, workloadAt } from "./edge";
import { getOwn } from "../core/getOwn";
import { dnsLabel, text } from "./scalars";
import { isProduction } from "./tier";

/** Targets of the health check in addition to the stack's own services and stores. Sections 2.1, 4.3.1 and 4.3.4. */
export const healthSchema = z.strictObject({
    /** Azure AD tenant that signs the users' tokens. */
    azureTenant: text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "the id of a tenant, in lower case"),
    /** Health endpoint of APIM. Default: the one of section 4.3.1 step 3. */
    apim: text(/^https:\/\/[^\s?#@]+$/, `an https URL, such as ${EXTERNAL.apim}`)
        .refine(URL.canParse, `an https URL, such as ${EXTERNAL.apim}`)
        .default(EXTERNAL.apim),
    /**
     * Paths that are checked from outside, by workload. Required for a workload whose health path no host routes, if
     * hosts are checked. Each must be routed to its workload and answer 200 without a token. Default: none.
     */
    paths: z
        .record(
            dnsLabel,
            text(
                /^\/[\w.~!$&'()*+,;=:@%/-]{0,254}$/,
                "a path of at most 255 characters, such as /mcp/health",
            ),
        )
        .default({}),
    /**
     * Whether the hosts of `mcp:ingress` are also checked from several regions of the internet. Set it to false if they
     * are not public. Default: true in production, except behind an internal ALB; false elsewhere.
     */
    outside: z.boolean({ error: "true or false" }).optional(),
});

/** See {@link healthSchema}. */
export type HealthValues = z.output<typeof healthSchema>;

/** Whether the hosts of the ingress are checked from outside. Section 2.1. */
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

/** The path by which a workload is checked at a host: its entry in `mcp:health.paths`, else its own health path. */
export function outsidePath(health: HealthValues | undefined, workload: string, live: string): string {
    return getOwn(health?.paths ?? {}, workload) ?? live;
}

/** Whether a host with these paths routes the workload's check path to it. */
export function isAskedAt(
    paths: IngressValues["hosts"][number]["paths"],
    health: HealthValues | undefined,
    workload: string,
    live: string,
): boolean {
    return workloadAt(paths, outsidePath(health, workload, live)) === workload;
}

/** Rules of the health check that depend on other values of the stack. */
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
        /** A workload that its own schema refuses has no health here. */
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
        problem(["health", "outside"], "mcp:ingress, because its hosts are checked");
    }
    if (health.outside === true && ingress?.alb?.scheme === "internal") {
        problem(["health", "outside"], "false, because mcp:ingress.alb is internal");
    }
    const hosts = isAskedFromOutside({ health, ingress, ...tier }) ? (ingress?.hosts ?? []) : [];
    for (const workload of new Set(hosts.flatMap(({ paths }) => paths.map((path) => path.workload)))) {
        const live = getOwn(workloads, workload)?.health?.live;
        if (live !== undefined && !hosts.some(({ paths }) => isAskedAt(paths, health, workload, live))) {
            const message =
                `a path that a host of mcp:ingress routes to ${workload}, and that answers 200 without a ` +
                "token; or mcp:health.outside: false";
            problem(["health", "paths", workload], message);
        }
    }
    if (getOwn(jobs.images, "aws") === undefined) {
        problem(["jobs", "images", "aws"], "an image, because it publishes the metrics of the health check");
    }
}
