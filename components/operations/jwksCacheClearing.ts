import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type JwksCachePlan } from "../../jobs/jwksCache";
import { ASKING_TASKS, TASK_LABEL } from "../labels";
import { declareTask, program } from "../tasks/task";
import { declareGateAccess } from "../workload/gate";

/** Limit of one run, in seconds. */
const DEADLINE_SECONDS = 120;

/** Arguments of {@link JwksCacheClearing}. */
export interface JwksCacheClearingArgs extends Pick<JwksCachePlan, "app" | "port" | "path"> {
    namespace: Input<string>;
    /** The same, for the program. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Where the Kubernetes API is reached. */
    apiServer: { cidr: string; port: number };
    /** Names the run: the ticket. */
    run: string;
    /** Node image, pinned. */
    nodeImage: string;
}

/** Has every pod of a service forget the keys of Azure AD. Section 4.3.4 step 4. */
export class JwksCacheClearing extends ComponentResource {
    constructor(name: string, args: JwksCacheClearingArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:JwksCacheClearing", name, {}, opts);
        const { namespace, labels, apiServer, app, port, path } = args;
        const access = declareGateAccess(
            name,
            {
                namespace,
                labels,
                subject: ASKING_TASKS.jwksCache,
                label: TASK_LABEL,
                egress: [
                    {
                        to: [{ ipBlock: { cidr: apiServer.cidr } }],
                        ports: [{ protocol: "TCP", port: apiServer.port }],
                    },
                    {
                        to: [{ podSelector: { matchLabels: { app } } }],
                        ports: [{ protocol: "TCP", port }],
                    },
                ],
                rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }],
            },
            this,
        );
        declareTask(
            name,
            {
                access,
                hash: args.run,
                followsChanges: false,
                deadlineSeconds: DEADLINE_SECONDS,
                steps: [
                    {
                        name: "clear",
                        image: args.nodeImage,
                        program: program("jwksCache", {
                            namespace: args.namespaceName,
                            app,
                            port,
                            path,
                            deadlineSeconds: DEADLINE_SECONDS,
                        } satisfies JwksCachePlan),
                    },
                ],
            },
            this,
        );
        this.registerOutputs();
    }
}
