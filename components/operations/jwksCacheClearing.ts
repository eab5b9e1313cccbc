import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { type JwksCachePlan } from "../../jobs/jwksCache";
import { declareTaskAccess } from "../tasks/access";
import { declareTask, program, taskPods } from "../tasks/task";
import { type AskingPodsArgs, askingPodsEgress } from "./askingPods";

/** Deadline of one run, in seconds. */
const DEADLINE_SECONDS = 120;

/** Maximum number of pods at the same time: one run. */
export const JWKS_CACHE_CLEARING_PODS = taskPods(1);

/** Arguments of {@link JwksCacheClearing}. */
export interface JwksCacheClearingArgs extends AskingPodsArgs, Pick<JwksCachePlan, "path"> {
    /** Node image, pinned. */
    nodeImage: string;
}

/** Clears the Azure AD keys in every pod of a service. Section 4.3.4 step 4. */
export class JwksCacheClearing extends ComponentResource {
    constructor(name: string, args: JwksCacheClearingArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:JwksCacheClearing", name, {}, opts);
        const { namespace, labels, app, port, path } = args;
        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                egress: askingPodsEgress(args),
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
