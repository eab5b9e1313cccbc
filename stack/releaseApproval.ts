import { LEDGER } from "../core/labels";
import { ValidatedReleases } from "../components/platform/validatedReleases";
import { ReleaseApproval } from "../components/workload/releaseApproval";
import { type PlatformContext } from "./platform";
import { type Observability } from "./observability";

/** Name of the ConfigMap with the other stack's completed images. */
const VALIDATED = "mcp-validated";

/** Declares the approval and the notices of releases, in production only. Section 3.1. */
export function declareReleaseApproval(
    { stack, labels, namespace, providers }: PlatformContext,
    observability: Observability | undefined,
): ReleaseApproval | undefined {
    if (stack.releaseApproval === undefined) {
        return undefined;
    }
    const { validation, stakeholders } = stack.releaseApproval;
    const { kubernetes } = providers;
    const validated =
        "stack" in validation
            ? new ValidatedReleases(
                  VALIDATED,
                  { namespace: namespace.namespace, labels, stack: validation.stack },
                  { providers: { kubernetes } },
              )
            : undefined;
    return new ReleaseApproval(
        "mcp-checklist",
        {
            namespace: namespace.namespace,
            namespaceName: stack.name,
            labels,
            environment: stack.environment,
            releaseHistory: LEDGER,
            apiServer: stack.kubernetes.apiServer,
            workloads: Object.fromEntries(
                Object.entries(stack.workloads).map(([app, { strategy }]) => [app, strategy]),
            ),
            validation: "stack" in validation ? { ...validation, configMap: VALIDATED } : validation,
            stakeholders:
                "addresses" in stakeholders
                    ? { ...stack.aws, ...stakeholders, topic: `${stack.name}-stakeholders` }
                    : stakeholders,
            dashboard: observability?.dashboard,
            nodeImage: stack.nodeImage,
            after: validated === undefined ? [] : [validated],
        },
        { providers: { kubernetes, ...("addresses" in stakeholders && { aws: providers.aws }) } },
    );
}
