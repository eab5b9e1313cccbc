import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import { ComponentResource, type ComponentResourceOptions, type Input, StackReference } from "@pulumi/pulumi";
import { COMPLETED_KEY } from "../../jobs/evidence";

/** Stack output with the images that passed every gate, by workload. */
const COMPLETED_OUTPUT = "completedImages";

/** Arguments of {@link ValidatedReleases}. */
export interface ValidatedReleasesArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Full name of the other stack, such as `organization/mcp/staging`. */
    stack: string;
}

/**
 * Images that another stack completed, in a ConfigMap that this stack's gates read (section 3.1). It is not part of
 * their plans, so that a release of the other stack runs no gate here.
 */
export class ValidatedReleases extends ComponentResource {
    /** The ConfigMap. */
    public readonly configMap: ConfigMap;

    constructor(name: string, args: ValidatedReleasesArgs, opts?: ComponentResourceOptions) {
        super("mcp:platform:ValidatedReleases", name, {}, opts);
        const other = new StackReference(name, { name: args.stack }, { parent: this });
        this.configMap = new ConfigMap(
            name,
            {
                metadata: { name, namespace: args.namespace, labels: args.labels },
                data: {
                    [COMPLETED_KEY]: other
                        .getOutput(COMPLETED_OUTPUT)
                        .apply((completed: unknown) => JSON.stringify(completed ?? {})),
                },
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}
