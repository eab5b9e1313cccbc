import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { type DiagnosticsPlan } from "../../jobs/diagnostics";
import { asApplication } from "../data/connection";
import { mountedCache, type Stores, storesEgress } from "../observability/healthChecks";
import { declareTaskAccess, HTTPS_EGRESS } from "../tasks/access";
import { declareTask, program, taskPods, type TaskStep } from "../tasks/task";
import { type AskingPodsArgs, askingPodsEgress } from "./askingPods";

/** Deadline of one run, in seconds. */
const DEADLINE_SECONDS = 180;

/** Maximum number of pods at the same time: one run. */
export const DIAGNOSTICS_PODS = taskPods(1);

/** Arguments of {@link Diagnostics}. */
export interface DiagnosticsArgs
    extends AskingPodsArgs, Pick<DiagnosticsPlan, "metrics" | "jwksStatus" | "probes"> {
    stores: Stores;
    /** Range of the network that contains the stores. */
    network: string;
    /** Images of the steps, pinned. */
    images: { node: string; postgres: string | undefined };
}

/**
 * Collects the diagnostics of sections 4.3 and 6.3 in the log of one Job. Its rights exist only while the value that
 * requests it does.
 */
export class Diagnostics extends ComponentResource {
    constructor(name: string, args: DiagnosticsArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:Diagnostics", name, {}, opts);
        const { namespace, labels, stores, app, port, images } = args;
        const list = (apiGroup: string, ...resources: string[]) => ({
            apiGroups: [apiGroup],
            resources,
            verbs: ["list"],
        });
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: [...askingPodsEgress(args), ...storesEgress(stores, args.network), HTTPS_EGRESS],
                rules: [
                    list("", "pods"),
                    { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
                    list("metrics.k8s.io", "pods"),
                    list("autoscaling", "horizontalpodautoscalers"),
                ],
            },
            this,
        );
        const look: TaskStep = {
            name: "look",
            image: images.node,
            program: program("diagnostics", {
                namespace: args.namespaceName,
                app,
                port,
                metrics: args.metrics,
                jwksStatus: args.jwksStatus,
                probes: args.probes,
                ...(stores.cache && { cache: "cache" }),
                deadlineSeconds: DEADLINE_SECONDS,
            } satisfies DiagnosticsPlan),
            ...(stores.cache && { secrets: mountedCache(stores.cache) }),
        };
        const { database, cache } = stores;
        declareTask(
            name,
            {
                access,
                hash: args.run,
                followsChanges: false,
                deadlineSeconds: DEADLINE_SECONDS,
                steps:
                    database === undefined
                        ? [look]
                        : [
                              {
                                  name: "database",
                                  image: images.postgres!,
                                  ...asApplication("diagnose.sh", database),
                              },
                              look,
                          ],
                after: [database, cache].flatMap((store) => (store === undefined ? [] : [store.resource])),
            },
            this,
        );
        this.registerOutputs();
    }
}
