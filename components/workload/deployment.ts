import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { all, type ComponentResource, type Input, type Output, type Resource } from "@pulumi/pulumi";
import { ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { type Connection } from "../data/connection";
import { SKIP_AWAIT } from "../kubernetes/annotations";
import { type PodResources } from "../kubernetes/pod";
import { gatePod } from "../tasks/gate";
import { type MountedSecret, workloadPod } from "./pod";
import { approvalHash, type Release } from "./release";
import { deregistrationSeconds, gracePeriodOf, metadataOf, type WorkloadArgs } from "./workload";

/** Pods that a rollout may add above the desired number, in percent. */
const MAX_SURGE_PERCENT = 25;

/**
 * Maximum number of pods of a workload at the same time: during a rollout, of both colours if it has two, and a gate.
 */
export function podsOfWorkload(
    { scaling, resources, smoke }: Pick<WorkloadArgs, "resources" | "smoke"> & { scaling: { max: number } },
    colours: 1 | 2,
): PodResources[] {
    const surge = Math.ceil((scaling.max * MAX_SURGE_PERCENT) / 100);
    return [
        ...Array<PodResources>(colours * scaling.max + surge).fill([resources]),
        gatePod({ tests: smoke.image !== undefined }),
    ];
}

/** Settings of one Deployment of a workload. */
export interface DeploymentArgs {
    app: string;
    release: Release;
    /** Labels that select the pods, `app` among them. */
    selector: Record<string, string>;
    /** Value of the pods' `version` label, which the runbook's commands select by. */
    versionLabel: string;
    /** Name of the ConfigMap with the release's configuration. */
    configMap: Input<string>;
    secrets: readonly MountedSecret[];
    serviceAccount: Input<string>;
    /** No replicas, and no wait: an idle colour on cold standby. Default: false. */
    scaledToZero?: boolean;
    dependsOn: readonly Resource[];
}

/** Declares the pods of one release. The update waits for their rollout for 300 seconds. Section 3.2 step 2. */
export function declareDeployment(
    name: string,
    args: WorkloadArgs,
    own: DeploymentArgs,
    parent: ComponentResource,
): Deployment {
    const timeout = `${ROLLOUT_TIMEOUT_SECONDS}s`;
    const metadata = metadataOf(name, own.app, args);
    const connections = Object.entries(args.connections ?? {});
    return new Deployment(
        name,
        {
            metadata: own.scaledToZero ? { ...metadata, annotations: SKIP_AWAIT } : metadata,
            spec: {
                // Otherwise replicas are not set: the autoscaler owns them, and each update would reset them.
                ...(own.scaledToZero ? { replicas: 0 } : {}),
                selector: { matchLabels: own.selector },
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxSurge: `${MAX_SURGE_PERCENT}%`, maxUnavailable: 0 },
                },
                progressDeadlineSeconds: ROLLOUT_TIMEOUT_SECONDS,
                revisionHistoryLimit: 10,
                template: workloadPod({
                    app: own.app,
                    image: own.release.image,
                    labels: {
                        ...metadata.labels,
                        ...own.selector,
                        version: own.versionLabel,
                        "app.kubernetes.io/version": own.release.version,
                    },
                    port: args.port,
                    probes: args.probes,
                    resources: args.resources,
                    configMap: own.configMap,
                    secrets: [
                        ...own.secrets,
                        ...connections.map(([variable, { secret, key }]) => ({
                            name: secret,
                            files: { [key]: variable },
                        })),
                    ],
                    connections: checksumOf(connections.map(([, connection]) => connection)),
                    serviceAccount: own.serviceAccount,
                    priorityClass: args.priorityClass,
                    gracePeriodSeconds: gracePeriodOf(args),
                    deregistrationSeconds: deregistrationSeconds(args),
                    restart: args.restart,
                }),
            },
        },
        {
            parent,
            dependsOn: [...own.dependsOn, ...connections.map(([, { resource }]) => resource)],
            customTimeouts: { create: timeout, update: timeout },
        },
    );
}

/** A text that changes if any of the stores does. */
function checksumOf(connections: readonly Connection[]): Output<string> | undefined {
    return connections.length === 0
        ? undefined
        : all(connections.map(({ checksum }) => checksum)).apply((checksums) => checksums.join(" "));
}

/**
 * Declares the dump that the pods of a release must wait for, if the release changes the database. The update that
 * first names the release takes the dump, once. Scaling, a restart, another configuration and a rollback need no
 * dump. Section 3.1.
 */
export function declareDump(
    name: string,
    app: string,
    { dumps }: WorkloadArgs,
    release: Release,
    parent: ComponentResource,
): Resource[] {
    return dumps !== undefined && release.databaseChange
        ? [dumps.takeOnce(`${name}-dump`, approvalHash(release), `${app}-${release.version}`, parent)]
        : [];
}
