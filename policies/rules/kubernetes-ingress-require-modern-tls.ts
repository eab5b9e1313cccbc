import { isKind } from "../pods";
import { type Rule } from "../rule";
import { type Properties } from "../unknown";

const PREFIX = "alb.ingress.kubernetes.io/";

/** Security policies of ELB for TLS 1.2 and newer only. */
const MODERN = /^ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)-/;

export const rule: Rule = {
    name: "kubernetes-ingress-require-modern-tls",
    description: "An ALB accepts TLS 1.2 or newer, and answers HTTP only with a redirect to HTTPS.",
    severity: "high",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_103", "CKV2_AWS_20"],
    remediation:
        "Choose a security policy such as ELBSecurityPolicy-TLS13-1-2-2021-06, and set ssl-redirect to 443.",
    resource(resource, { report, attempt }) {
        if (!isKind(resource, "networking.k8s.io", "Ingress")) {
            return;
        }
        const annotations: Properties = resource.props["metadata"]?.annotations ?? {};
        if (!Object.keys(annotations).some((key) => key.startsWith(PREFIX))) {
            return;
        }
        attempt(() => {
            const policy: string | undefined = annotations[`${PREFIX}ssl-policy`];
            if (!policy) {
                report("has no ssl-policy: the controller's own speaks TLS 1.0");
            } else if (!MODERN.test(policy)) {
                report(`ssl-policy is ${policy}`);
            }
        });
        attempt(() => {
            const ports: string = annotations[`${PREFIX}listen-ports`] ?? "";
            if (/"HTTP"/.test(ports) && !annotations[`${PREFIX}ssl-redirect`]) {
                report("listens to HTTP without ssl-redirect");
            }
        });
    },
};
