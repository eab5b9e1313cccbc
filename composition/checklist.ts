import { LEDGER } from "../components/platform/namespace";
import { ValidatedReleases } from "../components/platform/validatedReleases";
import { type Checklist } from "../components/workload/evidence";
import { type Foundation } from "./foundation";
import { type Observability } from "./observability";

/** Name of the ConfigMap with what the other stack has completed. */
const VALIDATED = "mcp-validated";

/** Declares what a release must bring before it starts; nothing outside of production. Section 3.1. */
export function declareChecklist(
    { values, production, labels, namespace, providers: { kubernetes } }: Foundation,
    observability: Observability | undefined,
): Checklist | undefined {
    if (!production) {
        return undefined;
    }
    const common = {
        namespaceName: values.kubernetes.namespace,
        ledger: LEDGER,
        apiServer: values.kubernetes.apiServer,
        dashboard: observability?.dashboard,
    };
    const { validatedBy: stack, unvalidated } = values.checklist;
    if (stack === undefined) {
        return { ...common, validation: { unvalidated: unvalidated! }, after: [] };
    }
    const validated = new ValidatedReleases(
        VALIDATED,
        { namespace: namespace.namespace, labels, stack },
        { providers: { kubernetes } },
    );
    return { ...common, validation: { stack, configMap: VALIDATED }, after: [validated.configMap] };
}
