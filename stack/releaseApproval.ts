import { LEDGER } from "../core/labels";
import { ValidatedReleases } from "../components/platform/validatedReleases";
import { ReleaseApproval } from "../components/workload/releaseApproval";
import { pinned } from "../config/images";
import { type PlatformContext } from "./platform";
import { type Observability } from "./observability";

/** Name of the ConfigMap with what the other stack has completed. */
const VALIDATED = "mcp-validated";

/** Declares the approval that a release needs and its notices, in production alone. Section 3.1. */
export function declareReleaseApproval(
    { values, production, name, labels, namespace, providers: { aws, kubernetes } }: PlatformContext,
    observability: Observability | undefined,
): ReleaseApproval | undefined {
    if (!production) {
        return undefined;
    }
    const { validatedBy: stack, unvalidated, stakeholders, unannounced } = values.checklist;
    const validated =
        stack === undefined
            ? undefined
            : new ValidatedReleases(
                  VALIDATED,
                  { namespace: namespace.namespace, labels, stack },
                  { providers: { kubernetes } },
              );
    return new ReleaseApproval(
        "mcp-checklist",
        {
            namespace: namespace.namespace,
            namespaceName: values.kubernetes.namespace,
            labels,
            environment: values.environment,
            releaseHistory: LEDGER,
            apiServer: values.kubernetes.apiServer,
            workloads: Object.fromEntries(
                Object.entries(values.workloads).map(([app, { strategy }]) => [app, strategy]),
            ),
            validation: stack === undefined ? { unvalidated: unvalidated! } : { stack, configMap: VALIDATED },
            stakeholders:
                stakeholders === undefined
                    ? { unannounced: unannounced! }
                    : {
                          ...values.aws,
                          cluster: values.kubernetes.cluster!,
                          topic: `${name}-stakeholders`,
                          addresses: stakeholders,
                      },
            dashboard: observability?.dashboard,
            nodeImage: pinned(values.images, values.jobs.images.node),
            after: validated === undefined ? [] : [validated],
        },
        { providers: { aws, kubernetes } },
    );
}
