import { output, type Output, secret } from "@pulumi/pulumi/output";
import { z } from "zod";
import { alarmsSchema, checkObjectives, objectivesSchema } from "./alarms";
import { awsSchema, checkAws } from "./aws";
import { checkCopies, copiesSchema } from "./copies";
import { cacheRecoverySchema, cacheSchema, checkCache } from "./cache";
import { checkChecklist, checklistSchema } from "./checklist";
import { checkDatabase, databaseSchema } from "./database";
import { checkDumps } from "./dumps";
import { checkEdge, ingressSchema, tlsSchema } from "./edge";
import { checkHealth, healthSchema } from "./health";
import { imagesSchema, jobsSchema, releaseReference } from "./images";
import { checkIncident, endpointsSchema, incidentSchema } from "./incident";
import { kubernetesSchema } from "./kubernetes";
import { checkMaintenance, maintenanceSchema } from "./maintenance";
import { checkObservability, observabilitySchema } from "./observability";
import { checkOperations, operationsSchema } from "./operations";
import { getOwn } from "../core/getOwn";
import { checkRecovery, recoverySchema } from "./recovery";
import { checkRotation, rotationSchema } from "./rotation";
import { dnsLabel, environmentName } from "./scalars";
import { archiveSchema, backupsSchema, checkStorage } from "./storage";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { checkSoak } from "./soak";
import { checkTier, environmentSchema, isProduction, tierSchema } from "./tier";
import { checkDisabledTools, disabledToolsSchema } from "./tools";
import { type BlueGreenValues, STORES, workloadsSchema } from "./workload";

/** The schema returns the value as a secret output only. */
const secretValue = z
    .string({ error: "a text" })
    .min(1, "a text that is not empty")
    .max(64 * 1024, "at most 64 KiB")
    .transform((value): Output<string> => secret(output(value)));

const stackShape = z.strictObject({
    /** Name of the environment. */
    environment: environmentSchema,
    /**
     * Tier of the stack. Production's stricter rules follow it, not the stack's name. Default: `production` in the
     * environment production and `trial` in staging; required in any other environment.
     */
    tier: tierSchema.optional(),
    /** Account and region. Default: none; then nothing of the stack is on AWS. */
    aws: awsSchema.optional(),
    kubernetes: kubernetesSchema,
    images: imagesSchema.prefault({}),
    jobs: jobsSchema,
    workloads: workloadsSchema,
    /** Requirements of a release before it starts. Default: none; required in production. */
    checklist: checklistSchema.prefault({}),
    /** Contacts and escalation. Only on AWS, where it is required. */
    incident: incidentSchema.optional(),
    /** URLs of HTTPS endpoints that contacts name. Set them like secrets, never as plain text. Default: none. */
    endpoints: endpointsSchema.default({}),
    /** Limits of the alarms. Default: see each. */
    alarms: alarmsSchema.prefault({}),
    /** Service level objectives, by workload. Default: none. */
    objectives: objectivesSchema.default({}),
    /** PostgreSQL. Workloads can take its URL as a secret. Default: none. */
    database: databaseSchema.optional(),
    /** A second instance, restored from the first. Default: none. Section 7.2. */
    recovery: recoverySchema.optional(),
    /** Redis. Workloads can take its URL as a secret. Default: none. */
    cache: cacheSchema.optional(),
    /** A second Redis, restored from a snapshot of the first. Default: none. Section 7.2. */
    cacheRecovery: cacheRecoverySchema.optional(),
    /** Dumps of the database, exported configurations, and the bucket for both. Default: none. */
    backups: backupsSchema.optional(),
    /** Archive of the audit events. Default: none. */
    archive: archiveSchema.optional(),
    /** Copies of snapshots, dumps and audit events in a second region, and in a second account. Default: none. */
    copies: copiesSchema.optional(),
    /** When credentials were rotated, and the age at which they must be. Default: none; no alarm watches their age. */
    rotation: rotationSchema.optional(),
    /** Scheduled maintenance. Default: none. */
    maintenance: maintenanceSchema.optional(),
    /** Logs and metrics in CloudWatch. Default: none. */
    observability: observabilitySchema.optional(),
    /** Access from outside. Default: none; the services are reachable inside the cluster only. */
    ingress: ingressSchema.optional(),
    /** The scheduled health check. Default: none. */
    health: healthSchema.optional(),
    /** Operations that run once. Default: none. */
    operations: operationsSchema.prefault({}),
    /** Disabled tools of MCP Server. Default: none. */
    disabledTools: disabledToolsSchema.default([]),
    /** Certificates and their private keys. Set them like secrets, never as plain text. */
    tls: tlsSchema.default({}),
    /** Secrets by workload and name. Set them with `pulumi config set --secret --path`, never as plain text. */
    secrets: z.record(dnsLabel, z.record(environmentName, secretValue)).default({}),
});

/** All keys of a stack file under the program's namespace, one for each concern. */
export const stackSchema = stackShape.superRefine((values, context) => {
    checkTier(values, context);
    checkAws(values, context);
    checkChecklist(values, context);
    checkIncident(values, context);
    checkObjectives(values, context);
    checkEdge(values, context);
    checkDatabase(values, context);
    checkRecovery(values, context);
    checkCache(values, context);
    checkStorage(values, context);
    checkCopies(values, context);
    checkDumps(values, context);
    checkHealth(values, context);
    checkOperations(values, context);
    checkDisabledTools(values, context);
    checkObservability(values, context);
    checkMaintenance(values, context);
    checkRotation(values, context);
    for (const [workload, secrets] of Object.entries(values.secrets)) {
        for (const name of Object.keys(secrets)) {
            const declared = getOwn(values.workloads, workload)?.secrets ?? {};
            if (getOwn(declared, name) !== "supplied") {
                context.addIssue({
                    code: "custom",
                    path: ["secrets", workload, name],
                    message: `${name}: supplied in mcp:workloads.${workload}.secrets, or no such secret`,
                });
            }
        }
    }
    for (const [name, workload] of Object.entries(values.workloads)) {
        for (const [variable, origin] of Object.entries(workload.secrets)) {
            if (STORES.some((store) => store === origin && values[store] === undefined)) {
                context.addIssue({
                    code: "custom",
                    path: ["workloads", name, "secrets", variable],
                    message: `mcp:${origin}, because the secret is its URL`,
                });
            }
        }
        if (workload.strategy === "blueGreen") {
            checkReleases(name, workload, values, context);
            if (isProduction(values)) {
                checkSoak(workload.soak, (path, message) =>
                    context.addIssue({
                        code: "custom",
                        path: ["workloads", name, "soak", ...path],
                        message,
                    }),
                );
            }
        }
        const watched = Object.entries(workload.soak.metrics).find(([, { cloudwatch }]) => cloudwatch);
        if (watched !== undefined && values.kubernetes.cluster === undefined) {
            context.addIssue({
                code: "custom",
                path: ["workloads", name, "soak", "metrics", watched[0], "cloudwatch"],
                message: "mcp:kubernetes.cluster, because Pod Identity exists on EKS only",
            });
        }
        if (workload.awsPermissions.length > 0 && values.kubernetes.cluster === undefined) {
            context.addIssue({
                code: "custom",
                path: ["workloads", name, "awsPermissions"],
                message: "mcp:kubernetes.cluster, because Pod Identity exists on EKS only",
            });
        }
    }
});

/** Rules of a blue-green workload that depend on other values of the stack. */
function checkReleases(
    name: string,
    { image, releases }: Pick<BlueGreenValues, "image"> & { releases?: BlueGreenValues["releases"] },
    values: Pick<z.output<typeof stackShape>, "aws" | "environment" | "images">,
    context: z.core.$RefinementCtx,
): void {
    const problem = (path: string[], message: string) =>
        context.addIssue({ code: "custom", path: ["workloads", name, ...path], message });
    // A refused workload arrives here unparsed, perhaps without one.
    const { blue, green } = releases ?? {};
    if (blue === undefined || green === undefined || blue.version === green.version) {
        return;
    }
    const [one, other] = [blue, green].map(
        ({ version }) => values.images.pins[releaseReference(values, image, version)],
    );
    if (one !== undefined && one === other && one !== PLACEHOLDER_DIGEST) {
        problem(
            ["releases", "green", "version"],
            `an image other than blue's: ${blue.version} and ${green.version} are pinned to one digest`,
        );
    }
}

/** A stack's values, validated, with defaults filled in. */
export type StackValues = z.output<typeof stackSchema>;
