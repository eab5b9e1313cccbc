import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type types } from "@pulumi/kubernetes";
import { CronJob, Job } from "@pulumi/kubernetes/batch/v1";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import {
    type ComponentResource,
    type CustomResourceOptions,
    type Input,
    type Resource,
} from "@pulumi/pulumi";
import { bundledJob } from "../../jobs/bundle";
import { TIME_ZONE } from "../../core/numbers";
import { contentHash } from "../../core/hash";
import { type GateAccess } from "../workload/gate";
import { containerResources, type Resources, restrictedContainer, restrictedPod } from "../workload/pod";

/** What one step of a task may use. */
export const TASK_RESOURCES: Resources = {
    cpu: { request: "100m", limit: "1" },
    memory: { request: "128Mi", limit: "512Mi" },
};

/** Time for the pod to be scheduled and its images pulled, in seconds, beside the task's own limit. */
const START_SECONDS = 180;

const PROGRAM_PATH = "/opt/task";

/** Where a step finds the keys of its Secrets as files; `SECRETS` tells it. */
const SECRET_PATH = "/run/secrets/task";

/** Directory in memory that the steps of one run share: credentials are handed on in it. `HANDOVER` tells it. */
const HANDOVER_PATH = "/run/task";

/** Runs the command that follows, unless there is nothing to be done. */
const UNLESS_SKIPPED = ["sh", "-c", '[ -e "$HANDOVER/skip" ] || exec "$@"', "unless-skipped"];

/** Directory on the node's disk that the steps of one run share. `SCRATCH` tells it. */
const SCRATCH_PATH = "/scratch";

/** One container of a task. */
export interface TaskStep {
    name: string;
    /** Full image reference, pinned where it is. */
    image: string;
    /**
     * File name of the program in the task's ConfigMap, what it says, how it is started, what it is told, and the files
     * beside it that it sources.
     */
    program: {
        file: string;
        content: string;
        command: readonly string[];
        plan?: object;
        beside?: Readonly<Record<string, string>>;
    };
    /** Environment. Nothing secret in here. Default: empty. */
    env?: Record<string, Input<string>>;
    /** Secrets whose keys stand as files in {@link SECRET_PATH}. Default: none. */
    secrets?: readonly MountedKeys[];
    /** Whether it is done although the first step found that nothing is. Default: false. */
    always?: boolean;
}

/** Keys of a Secret as files. */
export interface MountedKeys {
    name: Input<string>;
    keys: readonly string[];
    /** Folder of the files, where two Secrets have the same keys. Default: none. */
    folder?: string;
}

/** A Bash script below `jobs/`, with those that it sources, run on an image that has Bash. */
export function script(file: string, ...sourced: readonly string[]): TaskStep["program"] {
    const read = (path: string) => readFileSync(resolve("jobs", path), "utf8");
    return {
        file: basename(file),
        content: read(file),
        command: ["bash"],
        beside: Object.fromEntries(sourced.map((path) => [basename(path), read(path)])),
    };
}

/** A TypeScript program of `jobs/`, run on the Node image; its plan, if it has one, is a file it is given. */
export function program(name: string, plan?: object): TaskStep["program"] {
    return { file: `${name}.js`, content: bundledJob(name), command: ["node"], ...(plan && { plan }) };
}

/** Arguments of {@link succeededStep}. */
export interface SucceededArgs {
    /** Image with the AWS command line, pinned. */
    image: string;
    region: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** Name of the task, and value of the dimension `Task`. */
    task: string;
}

/** The last step of a task that is missed when it fails: its heartbeat, also of a run that found nothing to be done. */
export function succeededStep({ image, region, metrics, task }: SucceededArgs): TaskStep {
    return {
        name: "report",
        image,
        program: script("succeeded.sh"),
        env: { AWS_DEFAULT_REGION: region, METRICS: metrics, TASK: task },
        always: true,
    };
}

/** Arguments that every task has. */
export interface TaskArgs {
    /** Identity of its pods, and where they may connect to. */
    access: GateAccess;
    /** Run one after the other; one that fails ends the run. */
    steps: readonly [...TaskStep[], TaskStep];
    /** Limit of one run. */
    deadlineSeconds: number;
    /** Disk the steps share, as a Kubernetes quantity. Default: none. */
    scratch?: string | undefined;
    /**
     * Whether the first step may find that nothing is to be done, which ends the run well: it leaves `skip` in
     * {@link HANDOVER_PATH}. Default: false.
     */
    skippable?: boolean;
    /** What must exist before the first run. Default: nothing but its access. */
    after?: readonly Resource[];
}

/** Arguments of {@link declareTask}. */
export interface TaskJobArgs extends TaskArgs {
    /** Names what is done: the task runs once for each hash. */
    hash: string;
    /**
     * Whether it is done again when its own program, images or rights change. If not, what has run stays as it was
     * until its hash changes. Default: true.
     */
    followsChanges?: boolean;
}

/**
 * A task that an update waits for and fails with. One that succeeded is not run again until its hash changes, one
 * that failed is run again by the next update.
 */
export function declareTask(name: string, args: TaskJobArgs, parent: ComponentResource): Job {
    const { followsChanges = true } = args;
    const own = `${name}-${args.hash}`;
    const { metadata, spec } = followsChanges
        ? declareJob(name, args, parent)
        : declareJob(own, args, parent, { ignoreChanges: ["metadata", "data"] });
    return new Job(
        own,
        {
            // A failed Job never becomes ready: without this the next update would wait for it again.
            metadata: { ...metadata, annotations: { "pulumi.com/replaceUnready": "true" } },
            spec,
        },
        {
            parent,
            dependsOn: [...args.access.ready, ...(args.after ?? [])],
            // Longer than the Job's own limit, so that it is the Job that gives up and says why.
            customTimeouts: { create: `${args.deadlineSeconds + START_SECONDS + 30}s` },
            ...(followsChanges ? {} : { ignoreChanges: ["metadata", "spec"] }),
        },
    );
}

/** Arguments of {@link declareScheduledTask}. */
export interface ScheduledTaskArgs extends TaskArgs {
    /** Five fields of cron, in the zone of the runbook. */
    schedule: string;
}

/** Time a run may start late in, in seconds, before it counts as missed. */
const STARTING_DEADLINE_SECONDS = 3600;

/** A task that the cluster runs by the clock, never beside its last run. */
export function declareScheduledTask(
    name: string,
    args: ScheduledTaskArgs,
    parent: ComponentResource,
): CronJob {
    const { metadata, spec } = declareJob(name, args, parent);
    return new CronJob(
        name,
        {
            metadata: { ...metadata, name },
            spec: {
                schedule: args.schedule,
                timeZone: TIME_ZONE,
                concurrencyPolicy: "Forbid",
                startingDeadlineSeconds: STARTING_DEADLINE_SECONDS,
                successfulJobsHistoryLimit: 3,
                failedJobsHistoryLimit: 3,
                jobTemplate: { metadata: { labels: metadata.labels }, spec },
            },
        },
        { parent, dependsOn: [...args.access.ready, ...(args.after ?? [])] },
    );
}

/** The programs as a ConfigMap named by their content, and the Job that runs them. */
function declareJob(
    name: string,
    { access, steps, deadlineSeconds, scratch, skippable = false }: TaskArgs,
    parent: ComponentResource,
    options: Pick<CustomResourceOptions, "ignoreChanges"> = {},
) {
    const metadata = { namespace: access.namespace, labels: access.labels };
    const data = Object.fromEntries(
        steps.flatMap(({ name, program: { file, content, plan, beside = {} } }) => [
            [file, content],
            ...Object.entries(beside),
            ...(plan === undefined ? [] : [[planOf(name), JSON.stringify(plan, undefined, 2)]]),
        ]),
    );
    const programs = new ConfigMap(
        `${name}-program`,
        { metadata: { ...metadata, name: `${name}-${contentHash(data)}` }, immutable: true, data },
        { parent, ...options },
    );
    const disk = scratch === undefined ? [] : [{ name: "scratch", mountPath: SCRATCH_PATH }];
    const containers = steps.map((step, index): types.input.core.v1.Container => ({
        name: step.name,
        image: step.image,
        imagePullPolicy: "IfNotPresent",
        command: [
            ...(skippable && index > 0 && !step.always ? UNLESS_SKIPPED : []),
            ...step.program.command,
            `${PROGRAM_PATH}/${step.program.file}`,
            ...(step.program.plan === undefined ? [] : [`${PROGRAM_PATH}/${planOf(step.name)}`]),
        ],
        // What a step said last is what the update shows of one that failed.
        terminationMessagePolicy: "FallbackToLogsOnError",
        env: Object.entries({
            HOME: "/tmp",
            HANDOVER: HANDOVER_PATH,
            SECRETS: SECRET_PATH,
            ...(scratch === undefined ? {} : { SCRATCH: SCRATCH_PATH }),
            ...step.env,
        }).map(([key, value]) => ({ name: key, value })),
        resources: resourcesOf(scratch),
        securityContext: restrictedContainer,
        volumeMounts: [
            { name: "program", mountPath: PROGRAM_PATH, readOnly: true },
            { name: "tmp", mountPath: "/tmp" },
            { name: "handover", mountPath: HANDOVER_PATH },
            ...disk,
            ...(step.secrets === undefined
                ? []
                : [{ name: `${step.name}-secrets`, mountPath: SECRET_PATH, readOnly: true }]),
        ],
    }));
    const spec: types.input.batch.v1.JobSpec = {
        backoffLimit: 0,
        activeDeadlineSeconds: deadlineSeconds + START_SECONDS,
        template: {
            metadata: {
                labels: access.labels,
                annotations: access.hasToken
                    ? { "mcp.msil.com/needs-token": "reads objects of its namespace" }
                    : {},
            },
            spec: {
                ...restrictedPod,
                automountServiceAccountToken: access.hasToken,
                serviceAccountName: access.account.metadata.name,
                restartPolicy: "Never",
                // The kubelet runs them in this order, each only after the one before it exited with 0.
                initContainers: containers.slice(0, -1),
                containers: containers.slice(-1),
                volumes: [
                    { name: "program", configMap: { name: programs.metadata.name } },
                    { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
                    { name: "handover", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
                    ...(scratch === undefined ? [] : [{ name: "scratch", emptyDir: { sizeLimit: scratch } }]),
                    ...steps.flatMap(({ name, secrets }) =>
                        secrets === undefined
                            ? []
                            : [{ name: `${name}-secrets`, projected: filesOf(secrets) }],
                    ),
                ],
            },
        },
    };
    return { metadata, spec };
}

/** File that tells a step's program what to do. */
function planOf(step: string): string {
    return `${step}.json`;
}

/** A step that fills the disk it was given is evicted by itself, and not its neighbours. */
function resourcesOf(scratch: string | undefined): types.input.core.v1.ResourceRequirements {
    const { requests, limits } = containerResources(TASK_RESOURCES);
    const disk: Record<string, string> = scratch === undefined ? {} : { "ephemeral-storage": scratch };
    return { requests: { ...requests, ...disk }, limits: { ...limits, ...disk } };
}

function filesOf(secrets: NonNullable<TaskStep["secrets"]>): types.input.core.v1.ProjectedVolumeSource {
    return {
        defaultMode: 0o440,
        sources: secrets.map(({ name, keys, folder }) => ({
            secret: {
                name,
                items: keys.map((key) => ({ key, path: folder === undefined ? key : `${folder}/${key}` })),
            },
        })),
    };
}
