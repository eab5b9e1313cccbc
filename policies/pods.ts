import { READS_NODE_LOGS } from "../core/labels";
import { HEALTH_MATRIX } from "../core/numbers";
import { type PolicyResource, type Rule, type RuleResult } from "./rule";
import { type Properties } from "./unknown";

/** A pod of a resource, its own or in its template. */
export interface DeclaredPod {
    readonly metadata: Properties;
    readonly spec: Properties;
}

type ResourceCheck = NonNullable<Rule["resource"]>;

/** Type token of a Kubernetes kind, independent of its API version: `isKind(resource, "apps", "Deployment")`. */
export function isKind({ type }: PolicyResource, group: string, kind: string): boolean {
    return type.startsWith(`kubernetes:${group}/`) && type.endsWith(`:${kind}`);
}

/** Whether a resource is a Deployment. */
export function isDeployment(resource: PolicyResource): boolean {
    return isKind(resource, "apps", "Deployment");
}

/** Whether a resource's pods run until they are stopped. */
function isLongRunning(resource: PolicyResource): boolean {
    return ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].some((kind) =>
        isKind(resource, "apps", kind),
    );
}

/** Whether a resource declares pods, by its type alone, so that unknown values do not matter. */
export function declaresPods(resource: PolicyResource): boolean {
    const runsOnce = ["Job", "CronJob"].some((kind) => isKind(resource, "batch", kind));
    return runsOnce || isLongRunning(resource) || isKind(resource, "core", "Pod");
}

/** The pod that a resource declares, if it declares one. */
export function podOf(resource: PolicyResource): DeclaredPod | undefined {
    if (!declaresPods(resource)) {
        return undefined;
    }
    const template = templateOf(resource);
    // Read lazily: unknown labels do not matter to a rule that reads only containers.
    return {
        get metadata() {
            return template?.["metadata"] ?? {};
        },
        get spec() {
            return template?.["spec"] ?? {};
        },
    };
}

function templateOf(resource: PolicyResource): Properties | undefined {
    if (isKind(resource, "core", "Pod")) {
        return resource.props;
    }
    const spec = resource.props["spec"];
    return isKind(resource, "batch", "CronJob") ? spec?.jobTemplate?.spec?.template : spec?.template;
}

/** A check of each pod. */
export function eachPod(
    check: (pod: DeclaredPod, verdict: RuleResult, resource: PolicyResource) => void,
): ResourceCheck {
    return (resource, verdict) => {
        const pod = podOf(resource);
        if (pod !== undefined) {
            check(pod, verdict, resource);
        }
    };
}

type ContainerCheck = (
    container: Properties,
    report: (message: string) => void,
    pod: DeclaredPod,
    resource: PolicyResource,
) => void;

/** A check of each container: unknown values of one do not affect the next. */
export function eachContainer(
    check: ContainerCheck,
    lists: readonly string[] = ["initContainers", "containers"],
): ResourceCheck {
    return eachPod((pod, verdict, resource) => {
        for (const list of lists) {
            verdict.attempt(() => {
                const containers: Properties = pod.spec[list] ?? [];
                for (const index of Object.keys(containers)) {
                    verdict.attempt(() => {
                        const container: Properties = containers[index];
                        const report = (message: string) =>
                            verdict.report(`container ${container["name"]}: ${message}`);
                        check(container, report, pod, resource);
                    });
                }
            });
        }
    });
}

/** A check of each container that serves: init containers and Jobs end. */
export function eachServingContainer(check: ContainerCheck): ResourceCheck {
    const checkEach = eachContainer(check, ["containers"]);
    return (resource, verdict) => {
        if (isLongRunning(resource)) {
            checkEach(resource, verdict);
        }
    };
}

/** Whether a resource's pods read their node's logs with a stated reason: a DaemonSet's may, and must be root. */
export function readsNodeLogs(pod: DeclaredPod, resource: PolicyResource): boolean {
    return isKind(resource, "apps", "DaemonSet") && Boolean(pod.metadata["annotations"]?.[READS_NODE_LOGS]);
}

/** A setting of the container, by default its pod's. */
export function securitySetting(container: Properties, pod: DeclaredPod, key: string): Properties[string] {
    return container["securityContext"]?.[key] ?? pod.spec["securityContext"]?.[key];
}

/** A check that a service of the health matrix is probed on the matrix's port and path. Section 2.1. */
export function probesHealthMatrix(
    probe: "livenessProbe" | "readinessProbe",
    path: "live" | "ready",
): ResourceCheck {
    return eachPod((pod, { report }, resource) => {
        const app = pod.metadata["labels"]?.app;
        const row = HEALTH_MATRIX[app];
        if (row === undefined || !isLongRunning(resource)) {
            return;
        }
        const containers: Properties[] = pod.spec["containers"] ?? [];
        // A sidecar has other paths.
        const main = containers.find(({ name }) => name === app) ?? containers[0];
        const asked = main?.[probe]?.httpGet;
        const port =
            main?.["ports"]?.find(({ name }: Properties) => name === asked?.port)?.containerPort ??
            asked?.port;
        const found = asked == null ? "nothing over HTTP" : `:${port}${asked.path ?? "/"}`;
        const expected = `:${row.port}${row[path]}`;
        if (found !== expected) {
            report(`${probe} of ${app} requests ${found}, expected ${expected}`);
        }
    });
}
