import { isKind } from "../pods";
import { type Rule } from "../rule";
import { Undetermined } from "../unknown";

const NOT_AFTER = "mcp.msil.com/certificate-not-after";
const NOT_BEFORE = "mcp.msil.com/certificate-not-before";
/** Value of the annotation as long as no certificate is set. */
const NOT_GIVEN = "unknown";
/** Its value in an offline preview for an encrypted certificate. */
const ENCRYPTED = "encrypted";
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

const DAY = 24 * 60 * 60 * 1000;
/** Time to obtain and roll out the next certificate. */
const NOTICE_DAYS = 30;

export const rule: Rule = {
    name: "kubernetes-ingress-disallow-expiring-certificate",
    description: `The active certificate of an Ingress is valid now, and for ${NOTICE_DAYS} days or more.`,
    severity: "high",
    enforcement: "advisory",
    frameworks: [],
    remediation: "Rotate the certificate: add the new pair to mcp:tls and make it the active one.",
    runbook: "5.4",
    resource(resource, { report, now }) {
        if (!isKind(resource, "networking.k8s.io", "Ingress")) {
            return;
        }
        const annotations = resource.props["metadata"]?.annotations;
        const found: string | null | undefined = annotations?.[NOT_AFTER];
        if (found == null) {
            return;
        }
        if (found === NOT_GIVEN) {
            throw new Undetermined("the certificate", "is a placeholder until mcp:tls has a pair");
        }
        if (found === ENCRYPTED) {
            throw new Undetermined("the certificate", "is encrypted: only the update can read it");
        }
        const end = ISO_DATE.test(found) ? Date.parse(found) : NaN;
        if (Number.isNaN(end)) {
            report(`${NOT_AFTER} is not an ISO date`);
            return;
        }
        const begin: string | null | undefined = annotations[NOT_BEFORE];
        const wait = begin != null && ISO_DATE.test(begin) ? Date.parse(begin) - now.getTime() : 0;
        if (wait > 0) {
            report(`is not valid yet: begins in ${inDays(wait)} (${begin!.slice(0, "YYYY-MM-DD".length)})`);
        }
        const left = end - now.getTime();
        if (left < NOTICE_DAYS * DAY) {
            const date = new Date(end).toISOString().slice(0, "YYYY-MM-DD".length);
            const days = inDays(Math.abs(left));
            report(left < 0 ? `ended ${days} ago (${date})` : `ends in ${days} (${date})`);
        }
    },
};

/** Whole days, rounded down. */
function inDays(milliseconds: number): string {
    const days = Math.floor(milliseconds / DAY);
    return days === 0 ? "less than a day" : days === 1 ? "1 day" : `${days} days`;
}
