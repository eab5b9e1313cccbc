import { basename } from "node:path";
import { type types } from "@pulumi/kubernetes";
import { CronJob, type Job } from "@pulumi/kubernetes/batch/v1";
import { type ComponentResource, type Input, type Resource } from "@pulumi/pulumi";
import { bundledJob, jobFile } from "../../jobs/bundle.cjs";
import { TIME_ZONE } from "../../core/numbers";
import {
    containerResources,
    literalValue,
    type PodResources,
    pulledImage,
    type Resources,
    restrictedContainer,
} from "../kubernetes/pod";
import { type JobAccess } from "./access";
import { declareFiles, declareJob, jobSpec } from "./job";

/** Resources of one step of a task. */
const TASK_RESOURCES: Resources = {
    cpu: { request: "100m", limit: "1" },
    memory: { request: "128Mi", limit: "512Mi" },
};

/** Pods of this many tasks at the same time. The steps of a task run one after another. */
export function taskPods(tasks: number): PodResources[] {
    return Array<PodResources>(tasks).fill([TASK_RESOURCES]);
}

/** Time for the pod to be scheduled and its images pulled, in seconds, besides the task's own limit. */
const START_SECONDS = 180;

const PROGRAM_PATH = "/opt/task";

/** Where a step finds the keys of its Secrets as files; the variable `SECRETS` has the path. */
const SECRET_PATH = "/run/secrets/task";

/** Directory in memory in which the steps of one run share credentials; the variable `HANDOVER` has the path. */
const HANDOVER_PATH = "/run/task";

/** Runs the command that follows, unless an earlier step found nothing to do, or nothing for this step. */
function unlessSkipped(step: string): string[] {
    return ["sh", "-c", '[ -e "$HANDOVER/skip" ] || [ -e "$HANDOVER/skip-$0" ] || exec "$@"', step];
}

/** Directory on the node's disk that the steps of one run share; the variable `SCRATCH` has the path. */
const SCRATCH_PATH = "/scratch";

/** One container of a task. */
export interface TaskStep {
    name: string;
    /** Image reference. */
    image: string;
    program: {
        /** File name in the task's ConfigMap. */
        file: string;
        content: string;
        /** Command that starts the file. */
        command: readonly string[];
        /** Arguments of the program, given as a JSON file. Default: none. */
        plan?: object;
        /** Files that the program sources, by name. Default: none. */
        beside?: Readonly<Record<string, string>>;
    };
    /** Environment, without secrets. Default: empty. */
    env?: Record<string, Input<string>>;
    /** Secrets whose keys are files in {@link SECRET_PATH}. Default: none. */
    secrets?: readonly MountedKeys[];
    /** Whether the step also runs when the first step found nothing to do. Default: false. */
    always?: boolean;
}

/** Keys of a Secret as files. */
export interface MountedKeys {
    name: Input<string>;
    keys: readonly string[];
    /** Folder of the files, where two Secrets have the same keys. Default: none. */
    folder?: string;
}

/** A Bash script below `jobs/` with the scripts that it sources. The image needs Bash. */
export function script(file: string, ...sourced: readonly string[]): TaskStep["program"] {
    return {
        file: basename(file),
        content: jobFile(file),
        command: ["bash"],
        beside: Object.fromEntries(sourced.map((path) => [basename(path), jobFile(path)])),
    };
}

/** A TypeScript program of `jobs/`, which runs on the Node image. */
export function program(name: string, plan?: object): TaskStep["program"] {
    return { file: `${name}.js`, content: bundledJob(name), command: ["node"], ...(plan && { plan }) };
}

/** Arguments of {@link succeededStep}. */
export interface SucceededArgs {
    /** Image reference with the AWS command line. */
    image: string;
    region: string;
    /** CloudWatch namespace of the heartbeat. */
    metrics: string;
    /** Name of the task, and value of the dimension `Task`. */
    task: string;
}

/** The last step of a monitored task: publishes its heartbeat, also when the run found nothing to do. */
export function succeededStep({ image, region, metrics, task }: SucceededArgs): TaskStep {
    return {
        name: "report",
        image,
        program: script("succeeded.sh"),
        env: { AWS_DEFAULT_REGION: region, METRICS: metrics, TASK: task },
        always: true,
    };
}

/** Arguments common to all tasks. */
export interface TaskArgs {
    /** Identity of its pods, and where they may connect to. */
    access: JobAccess;
    /** Steps, which run one after the other; if one fails, the run ends. */
    steps: readonly [...TaskStep[], TaskStep];
    /** Limit of one run, in seconds. */
    deadlineSeconds: number;
    /** Disk the steps share, as a Kubernetes quantity. Default: none. */
    scratch?: string | undefined;
    /**
     * Whether a step may find nothing to do: it then writes `skip` to {@link HANDOVER_PATH}, and the run succeeds without
     * the steps that follow; or `skip-NAME`, and it goes on without the one of that name. Default: false.
     */
    skippable?: boolean;
    /** How often a pod that failed is replaced; one that was evicted always is. Default: never. */
    retries?: number;
    /** What must exist before the first run, besides its access. Default: nothing. */
    after?: readonly Resource[];
}

/** Arguments of {@link declareTask}. */
export interface TaskJobArgs extends TaskArgs {
    /** Names what is done: the task runs once for each hash. */
    hash: string;
    /** Whether the task also runs again when its program, images or rights change. Default: true. */
    followsChanges?: boolean;
}

/**
 * Declares a task that the update waits for and fails with. A task that succeeded runs again only under another hash;
 * the next update runs a failed one again.
 */
export function declareTask(name: string, args: TaskJobArgs, parent: ComponentResource): Job {
    const { access, hash, after = [], followsChanges = true } = args;
    if (followsChanges) {
        return declareJob(name, { access, hash, after, spec: taskSpec(name, args, parent) }, parent);
    }
    const spec = taskSpec(`${name}-${hash}`, args, parent, { ignoreChanges: ["metadata", "data"] });
    // Not all of its metadata: what the state has of it includes an annotation that only the provider may set.
    return declareJob(
        name,
        { access, hash, after, spec, ignoreChanges: ["metadata.labels", "spec"] },
        parent,
    );
}

/** Arguments of {@link declareScheduledTask}. */
export interface ScheduledTaskArgs extends TaskArgs {
    /** Schedule as five fields of cron, in the runbook's time zone. */
    schedule: string;
}

/** How late a run may start before it counts as missed, in seconds. */
const STARTING_DEADLINE_SECONDS = 3600;

/** Declares a task that the cluster runs on a schedule, one run at a time. */
export function declareScheduledTask(
    name: string,
    args: ScheduledTaskArgs,
    parent: ComponentResource,
): CronJob {
    const { namespace, labels } = args.access;
    const spec = taskSpec(name, args, parent);
    return new CronJob(
        name,
        {
            metadata: { namespace, labels, name },
            spec: {
                schedule: args.schedule,
                timeZone: TIME_ZONE,
                concurrencyPolicy: "Forbid",
                startingDeadlineSeconds: STARTING_DEADLINE_SECONDS,
                successfulJobsHistoryLimit: 3,
                failedJobsHistoryLimit: 3,
                jobTemplate: { metadata: { labels }, spec },
            },
        },
        { parent, dependsOn: [...args.access.ready, ...(args.after ?? [])] },
    );
}

/** Declares the files of a task's programs, and returns the spec of the Job that runs them. */
function taskSpec(
    name: string,
    { access, steps, deadlineSeconds, scratch, skippable = false, retries }: TaskArgs,
    parent: ComponentResource,
    options: Parameters<typeof declareFiles>[4] = {},
) {
    const data = Object.fromEntries(
        steps.flatMap(({ name, program: { file, content, plan, beside = {} } }) => [
            [file, content],
            ...Object.entries(beside),
            ...(plan === undefined ? [] : [[planOf(name), JSON.stringify(plan, undefined, 2)]]),
        ]),
    );
    const files = declareFiles(name, access, data, parent, options);
    const disk = scratch === undefined ? [] : [{ name: "scratch", mountPath: SCRATCH_PATH }];
    const containers = steps.map((step, index): types.input.core.v1.Container => ({
        name: step.name,
        ...pulledImage(step.image),
        command: [
            ...(skippable && index > 0 && !step.always ? unlessSkipped(step.name) : []),
            ...step.program.command,
            `${PROGRAM_PATH}/${step.program.file}`,
            ...(step.program.plan === undefined ? [] : [`${PROGRAM_PATH}/${planOf(step.name)}`]),
        ],
        // The update shows the last lines of a failed step.
        terminationMessagePolicy: "FallbackToLogsOnError",
        env: Object.entries({
            HOME: "/tmp",
            HANDOVER: HANDOVER_PATH,
            SECRETS: SECRET_PATH,
            ...(scratch === undefined ? {} : { SCRATCH: SCRATCH_PATH }),
            ...step.env,
        }).map(([name, value]) => ({ name, value: literalValue(value) })),
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
    return jobSpec(access, {
        limitSeconds: deadlineSeconds + START_SECONDS,
        ...(retries !== undefined && { retries }),
        tokenReason: "reads objects of its namespace",
        pod: {
            // The kubelet runs them in this order, each only after the one before it exited with 0.
            initContainers: containers.slice(0, -1),
            containers: containers.slice(-1),
            volumes: [
                { name: "program", configMap: { name: files } },
                { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
                { name: "handover", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
                ...(scratch === undefined ? [] : [{ name: "scratch", emptyDir: { sizeLimit: scratch } }]),
                ...steps.flatMap(({ name, secrets }) =>
                    secrets === undefined ? [] : [{ name: `${name}-secrets`, projected: filesOf(secrets) }],
                ),
            ],
        },
    });
}

/** Name of the file with the arguments of a step's program. */
function planOf(step: string): string {
    return `${step}.json`;
}

/** With a request and a limit for its disk, a step that fills the disk is evicted itself, and not its neighbours. */
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
