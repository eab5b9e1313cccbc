import { z } from "zod";
import { type Tier } from "../core/labels";
import { PATCH_WINDOW } from "../core/numbers";
import { bucketName, distinct, subnet, text, wholeNumber } from "./scalars";
import { isProduction } from "./tier";
import { minutesOf } from "../core/calendar";
import { weeklyWindow } from "./windows";

/** Redis on ElastiCache. Sections 2.1 and 7.1. */
export const cacheSchema = z
    .strictObject({
        /** Private subnets of the cluster's VPC, in different zones. */
        subnets: distinct(z.array(subnet).min(2, "at least two subnets, in different zones")),
        nodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, "a node type, such as cache.r7g.large"),
        /** Version of Redis. Its patches install themselves in the maintenance window. Default: 7.1. */
        version: text(/^7\.[01]$/, "7.0 or 7.1").default("7.1"),
        /** Copies of the primary in other zones; one of them takes over when it fails. Default: 1. */
        replicas: wholeNumber(0, 5).default(1),
        /** When AWS may patch it. In the zone of the runbook. Default: Sunday 02:00 to 04:00. Section 5.1. */
        maintenanceWindow: weeklyWindow.default(PATCH_WINDOW),
        /** Bucket for its snapshots: its own, because AWS writes there itself. */
        snapshotBucket: bucketName,
    })
    .superRefine(({ maintenanceWindow }, context) => {
        if (minutesOf(maintenanceWindow) < 60) {
            context.addIssue({ code: "custom", path: ["maintenanceWindow"], message: "at least an hour" });
        }
    });

/**
 * Regions that every account has from the start. In the others, which are opted into, ElastiCache is admitted to a
 * bucket in another way.
 */
const FIRST_REGIONS =
    /^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central|north)-1|eu-west-[123]|ap-(south-1|southeast-[12]|northeast-[123]))$/;

/** See {@link cacheSchema}. */
export type CacheValues = z.output<typeof cacheSchema>;

/** Rules of the cache that need the rest of the stack's values. */
export function checkCache(
    values: {
        environment: string;
        tier?: Tier | undefined;
        cache?: CacheValues | undefined;
        backups?: { bucket: string } | undefined;
        archive?: { bucket: string } | undefined;
        kubernetes: { cluster?: string | undefined };
        aws: { region: string; canonicalUserId?: string | undefined };
    },
    context: z.core.$RefinementCtx,
): void {
    const { cache, backups, archive } = values;
    if (cache === undefined) {
        return;
    }
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (values.kubernetes.cluster === undefined) {
        problem(["cache"], "mcp:kubernetes.cluster, because the cache is reached from EKS only");
    }
    if (values.aws.canonicalUserId === undefined) {
        problem(
            ["aws", "canonicalUserId"],
            "the account's canonical user id, because snapshots are exported",
        );
    }
    if (!FIRST_REGIONS.test(values.aws.region)) {
        problem(
            ["aws", "region"],
            "a region that needs no opt-in, such as ap-south-1, because snapshots are exported",
        );
    }
    if (isProduction(values) && cache.replicas === 0) {
        problem(["cache", "replicas"], "at least 1 in production");
    }
    if ([backups?.bucket, archive?.bucket].includes(cache.snapshotBucket)) {
        problem(["cache", "snapshotBucket"], "a bucket of its own, because AWS writes there itself");
    }
}
