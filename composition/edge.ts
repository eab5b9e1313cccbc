import { PlatformIngress } from "../components/edge/ingress";
import { pinned } from "../config/images";
import { type Foundation, verifiesCertificates } from "./foundation";

/** Declares the way in from outside, if the stack has one. Section 5.4. */
export function declareEdge({ values, providers, labels, namespace }: Foundation): void {
    const { ingress, tls } = values;
    if (ingress === undefined) {
        return;
    }
    new PlatformIngress(
        "mcp-ingress",
        {
            ...ingress,
            namespace: namespace.namespace,
            labels,
            certificates: Object.fromEntries(ingress.certificates.map((name) => [name, tls[name]!])),
            active: { name: ingress.certificate, facts: tls[ingress.certificate]!.facts },
            verify: verifiesCertificates(values) && {
                address: ingress.address,
                ingressNamespace: values.kubernetes.ingressNamespace,
                nodeImage: pinned(values.images, values.jobs.images.node),
            },
        },
        { providers: { kubernetes: providers.kubernetes } },
    );
}
