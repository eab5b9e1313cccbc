import { type types } from "@pulumi/kubernetes";
import { Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import {
    type ComponentResource,
    type CustomResourceOptions,
    type Input,
    type Output,
    type Resource,
} from "@pulumi/pulumi";
import { contentHash } from "../../core/hash";
import { REPLACE_UNREADY, SKIP_AWAIT } from "../kubernetes/annotations";
import { restrictedPod } from "../kubernetes/pod";
import { type JobAccess } from "./access";

/** Declares the ConfigMap with the files of a Job, named by their content, and returns its name. */
export function declareFiles(
    name: string,
    { namespace, labels }: JobAccess,
    data: Record<string, string>,
    parent: ComponentResource,
    options: Pick<CustomResourceOptions, "ignoreChanges"> = {},
): Output<string> {
    const metadata = { namespace, labels, name: `${name}-${contentHash(data)}` };
    return new ConfigMap(`${name}-program`, { metadata, immutable: true, data }, { parent, ...options })
        .metadata.name;
}

/** Arguments of {@link jobSpec}. */
export interface JobSpecArgs {
    /** Limit of the whole run, in seconds: scheduling, pulling of images, and the programs themselves. */
    limitSeconds: number;
    /** How often a pod that failed is replaced. Default: never: a failure is reported, not repeated. */
    retries?: number;
    /** Why the pod has a token, where it has one: the policies require a reason. */
    tokenReason: string;
    /** Further annotations of the pod. Default: none. */
    annotations?: Record<string, Input<string>>;
    pod: Pick<types.input.core.v1.PodSpec, "containers" | "initContainers" | "volumes">;
}

/** One run of a pod under the restricted profile. */
export function jobSpec(
    { labels, account, hasToken }: JobAccess,
    { limitSeconds, retries = 0, tokenReason, annotations = {}, pod }: JobSpecArgs,
) {
    return {
        backoffLimit: retries,
        // A pod that was evicted, or whose node is gone, has not failed.
        ...(retries > 0 && {
            podFailurePolicy: {
                rules: [
                    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
                ],
            },
        }),
        activeDeadlineSeconds: limitSeconds,
        template: {
            metadata: {
                labels,
                annotations: {
                    ...annotations,
                    ...(hasToken ? { "mcp.msil.com/needs-token": tokenReason } : {}),
                },
            },
            spec: {
                ...restrictedPod,
                automountServiceAccountToken: hasToken,
                serviceAccountName: account.metadata.name,
                restartPolicy: "Never",
                ...pod,
            },
        },
    } satisfies types.input.batch.v1.JobSpec;
}

/** Arguments of {@link declareJob}. */
export interface JobArgs {
    access: JobAccess;
    /** Hash of the work: the Job runs once for each hash. */
    hash: string;
    spec: ReturnType<typeof jobSpec>;
    /** What must exist before it runs, in addition to its access. Default: nothing. */
    after?: readonly Resource[];
    /** Properties whose changes do not run it again. Default: none. */
    ignoreChanges?: string[];
    /** Whether the update waits for it, and fails with it. Default: true. */
    awaited?: boolean;
}

/**
 * Declares a Job. By default the update waits for it and fails with it. A Job that succeeded runs again only under another hash;
 * the next update runs a failed one again.
 */
export function declareJob(
    name: string,
    { access, hash, spec, after = [], ignoreChanges, awaited = true }: JobArgs,
    parent: ComponentResource,
): Job {
    const { namespace, labels, ready } = access;
    return new Job(
        `${name}-${hash}`,
        { metadata: { namespace, labels, annotations: awaited ? REPLACE_UNREADY : SKIP_AWAIT }, spec },
        {
            parent,
            dependsOn: [...ready, ...after],
            // Longer than the Job's own limit, so that the Job itself gives up and reports why.
            ...(awaited && { customTimeouts: { create: `${spec.activeDeadlineSeconds + 30}s` } }),
            ...(ignoreChanges && { ignoreChanges }),
        },
    );
}
