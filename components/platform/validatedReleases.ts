import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import { ComponentResource, type ComponentResourceOptions, type Input, StackReference } from "@pulumi/pulumi";
import { COMPLETED_KEY } from "../../jobs/evidence";

/** Output of a stack with the images that have passed every gate there, by workload. */
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
 * What another stack has completed, where the gates of this one can read it (section 3.1). It stands outside of
 * their plans: a release over there changes this ConfigMap, and runs no gate again.
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
