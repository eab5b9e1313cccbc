import { METADATA_SERVICE, contains, rangeOf } from "../../core/addresses";
import { isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

/** Address of the metadata service. */
const PORT = 80;

function reachesPort({ port, endPort, protocol = "TCP" }: Properties): boolean {
    return protocol === "TCP" && (port === undefined || (port <= PORT && PORT <= (endPort ?? port)));
}

/** Whether an address block contains the metadata service without excluding it. */
function holdsService({ cidr, except = [] }: Properties): boolean {
    const holds = (block: unknown) => {
        const range = rangeOf(String(block));
        return METADATA_SERVICE.filter((service) => range !== undefined && contains(range, service));
    };
    const excepted = except.flatMap(holds);
    return holds(cidr).some((service) => !excepted.includes(service));
}

export const rule: Rule = {
    name: "kubernetes-network-policy-disallow-metadata-service",
    description:
        "Pods cannot reach the instance metadata service, which gives out the credentials of their node.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-5.4.2"],
    remediation:
        "Except 169.254.0.0/16 and fd00:ec2::254/128 from each block of addresses, or name other ports than 80.",
    resource(resource, { report, attempt }) {
        if (!isKind(resource, "networking.k8s.io", "NetworkPolicy")) {
            return;
        }
        const entries: Properties = resource.props["spec"]?.egress ?? [];
        for (const index of Object.keys(entries)) {
            attempt(() => {
                const { to = [], ports = [] } = entries[index];
                const blocks: Properties[] = to.flatMap(({ ipBlock }: Properties) => ipBlock ?? []);
                const anywhere = to.length === 0 && (ports.length === 0 || ports.some(reachesPort));
                // A block is for its addresses: it must exclude the service, whatever its ports are.
                if (anywhere || blocks.some(holdsService)) {
                    report(`egress.${index} reaches the instance metadata service`);
                }
            });
        }
    },
};
