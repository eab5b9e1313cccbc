import { eachPod, isDeployment } from "../pods";
import { type Rule } from "../rule";
import { covers, findOf } from "../selectors";
import { type Properties } from "../unknown";

const ZONE = "topology.kubernetes.io/zone";

export const rule: Rule = {
    name: "kubernetes-deployment-require-zone-spread",
    description: "The pods of a Deployment are spread over the zones.",
    severity: "low",
    enforcement: "advisory",
    frameworks: ["kube-score:pod-topology-spread-constraints"],
    remediation: `Add a topologySpreadConstraint over ${ZONE} whose labelSelector matches the pod's labels.`,
    resource: eachPod(({ metadata, spec }, { report }, resource) => {
        if (!isDeployment(resource)) {
            return;
        }
        const constraints: Properties[] = spec["topologySpreadConstraints"] ?? [];
        const spreads = ({ topologyKey, labelSelector }: Properties) =>
            topologyKey === ZONE && labelSelector != null && covers(labelSelector, metadata["labels"] ?? {});
        if (findOf(constraints, spreads) === undefined) {
            report("is not spread over the zones");
        }
    }),
};
