import { isKind } from "../pods";
import { type Rule } from "../rule";
import { findOf } from "../selectors";
import { type Properties } from "../unknown";

/** Certificates of an ALB instead of a Secret. */
const CERTIFICATE_ARN = "alb.ingress.kubernetes.io/certificate-arn";

export const rule: Rule = {
    name: "kubernetes-ingress-require-tls",
    description: "Every rule of an Ingress names its host, and every host is served with a certificate.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CIS-EKS-5.4.5"],
    remediation:
        "Name the host in each rule, and in hosts of an entry of tls that has a secretName, or, for an ALB, a certificate in ACM.",
    resource(resource, { report, attempt }) {
        if (!isKind(resource, "networking.k8s.io", "Ingress")) {
            return;
        }
        const spec = resource.props["spec"] ?? {};
        const rules: Properties = spec.rules ?? [];
        // Its ARN may be unknown before the update, but it is set.
        const inAcm = () => CERTIFICATE_ARN in (resource.props["metadata"]?.annotations ?? {});
        for (const index of Object.keys(rules)) {
            attempt(() => {
                const host: string | undefined = rules[index].host;
                if (!host) {
                    report(`rules.${index}: has no host`);
                } else if (!isCovered(host, spec.tls ?? [], inAcm)) {
                    report(`host ${host}: no entry of tls with a certificate covers it`);
                }
            });
        }
    },
};

function isCovered(host: string, tls: Properties, inAcm: () => boolean): boolean {
    // A wildcard matches exactly one label.
    const names = [host, host.replace(/^[^.]+\./, "*.")];
    const entry = findOf(Object.keys(tls), (index) => {
        const hosts: Properties = tls[index].hosts ?? [];
        return (
            findOf(Object.keys(hosts), (at) => names.includes(hosts[at])) !== undefined &&
            (Boolean(tls[index].secretName) || inAcm())
        );
    });
    return entry !== undefined;
}
