import { z } from "zod";
import { type Tier } from "../core/labels";
import { PATCH_WINDOW } from "../core/numbers";
import { bucketName, distinct, subnet, text, wholeNumber } from "./scalars";
import { isProduction } from "./tier";
import { minutesOf } from "../core/calendar";
import { weeklyWindow } from "./windows";

/** Families on which ElastiCache does not encrypt at rest. */
const FORMER_TYPE = /^cache\.(t1|c1|m[123]|r3)\./;

/** Families that ElastiCache has with data tiering alone, which the program does not enable. */
const TIERED_TYPE = /^cache\.[a-z]+\d+[a-z]*d\./;

/** Redis on ElastiCache. Sections 2.1 and 7.1. */
export const cacheSchema = z
    .strictObject({
        /** Private subnets of the cluster's VPC, in different zones. */
        subnets: distinct(z.array(subnet).min(2, "at least two subnets, in different zones")),
        /**
         * Name of a replication group that the program has not made, and takes over (docs/adopting.md). Its key and subnet
         * group stay as they are. Default: none; the program makes the group.
         */
        adopted: text(
            /^[a-z]([a-z0-9]|-(?!-)){0,39}(?<!-)$/,
            "the name of a replication group, such as mcp-production",
        ).optional(),
        nodeType: text(
            /^cache\.[a-z]+\d+[a-z]*\.(micro|small|medium|(\d+x|x)?large)$/,
            "a node type, such as cache.r7g.large",
        )
            .refine((name) => !FORMER_TYPE.test(name), {
                error: "a current node type, such as cache.r7g.large: ElastiCache does not encrypt on t1, c1, m1 to m3 and r3",
            })
            .refine((name) => !TIERED_TYPE.test(name), {
                error: "a node type without data tiering, such as cache.r7g.large",
            }),
        /** Version of Redis. ElastiCache installs its patches in the maintenance window. Default: 7.1. */
        version: text(/^7\.[01]$/, "7.0 or 7.1").default("7.1"),
        /** Replicas in other zones. If the primary fails, ElastiCache promotes one. Default: 1. */
        replicas: wholeNumber(0, 5).default(1),
        /** When AWS may patch it, in the runbook's time zone. Default: Sunday 02:00 to 04:00. Section 5.1. */
        maintenanceWindow: weeklyWindow.default(PATCH_WINDOW),
        /** Bucket for its snapshots. No other concern may use it, because ElastiCache writes to it directly. */
        snapshotBucket: bucketName,
        /**
         * Which group the services use: `primary`, or `recovery`, the one that `mcp:cacheRecovery` restored. Editing it
         * switches them over. Section 7.2. Default: primary.
         */
        active: z.enum(["primary", "recovery"], { error: "primary or recovery" }).default("primary"),
    })
    .superRefine(({ maintenanceWindow }, context) => {
        if (minutesOf(maintenanceWindow) < 60) {
            context.addIssue({ code: "custom", path: ["maintenanceWindow"], message: "at least an hour" });
        }
    });

/** A second replication group, restored from a snapshot of the first. Section 7.2. */
export const cacheRecoverySchema = z.strictObject({
    /**
     * Name of the snapshot while ElastiCache has it (one day), or name of its file in `mcp:cache.snapshotBucket`, which
     * ends in .rdb (one week). Editing it after the group exists would replace the group.
     */
    snapshot: text(
        /^[a-z]([a-z0-9]|-(?!-)){0,254}(?<!-)(\.rdb)?$/,
        "the name of a snapshot, or of its file in mcp:cache.snapshotBucket, such as " +
            "mcp-production-scheduled-20260131003000000-0001.rdb",
    ),
    /** Least number of keys that the restored group must have before the services use it. Default: 1. */
    atLeast: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(1),
    /** Whether the engine refuses to delete it. Default: true. */
    protect: z.boolean({ error: "true or false" }).default(true),
});

/** See {@link cacheSchema}. */
export type CacheValues = z.output<typeof cacheSchema>;

/** Rules of the cache that depend on other values of the stack. */
export function checkCache(
    values: {
        environment: string;
        tier?: Tier | undefined;
        cache?: CacheValues | undefined;
        cacheRecovery?: object | undefined;
        backups?: { bucket: string } | undefined;
        archive?: { bucket: string } | undefined;
        kubernetes: { cluster?: string | undefined };
    },
    context: z.core.$RefinementCtx,
): void {
    const { cache, cacheRecovery, backups, archive } = values;
    const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (cache === undefined) {
        if (cacheRecovery !== undefined) {
            problem(["cacheRecovery"], "mcp:cache, which it restores");
        }
        return;
    }
    if (cache.active === "recovery" && cacheRecovery === undefined) {
        problem(["cache", "active"], "primary, because there is no mcp:cacheRecovery");
    }
    if (values.kubernetes.cluster === undefined) {
        problem(["cache"], "mcp:kubernetes.cluster, because the cache is reached from EKS only");
    }
    if (isProduction(values) && cache.replicas === 0) {
        problem(["cache", "replicas"], "at least 1 in production");
    }
    if ([backups?.bucket, archive?.bucket].includes(cache.snapshotBucket)) {
        problem(
            ["cache", "snapshotBucket"],
            "a bucket other than those of dumps and audit events, because ElastiCache writes to it directly",
        );
    }
}
