/** A finding of kube-score that is accepted, by the name of its check. */
export interface Accepted {
    check: string;
    /** Names of the objects it is accepted on. */
    objects: RegExp;
    reason: string;
}

/** Every finding of kube-score that is accepted; what is not in here fails the test, and so does what is not found. */
export const ACCEPTED: readonly Accepted[] = [
    {
        check: "container-image-pull-policy",
        objects: /./,
        reason: "Production's images are named by digest, whose content cannot change: pulling again has no effect.",
    },
    {
        check: "container-ephemeral-storage-request-and-limit",
        objects: /./,
        reason: "Root file systems are read-only, and the kubelet enforces a separate limit for each emptyDir.",
    },
    {
        check: "pod-probes-identical",
        objects: /^(admin-portal|chat-ui|mcp-metrics)$/,
        reason: "They have one endpoint (runbook 2.1, and the collector's own); the probes differ in how often they may fail.",
    },
    {
        check: "container-security-context-user-group-id",
        objects: /^mcp-(production|staging)-logs$/,
        reason: "The node's log files are root's: the shipper reads them as root, without any capability (docs/decisions).",
    },
    {
        check: "deployment-targeted-by-hpa-does-not-have-replicas-configured",
        objects: /^mcp-server-(blue|green)$/,
        reason: "An idle colour is scaled to 0, which its autoscaler leaves alone.",
    },
    {
        check: "deployment-has-host-podantiaffinity",
        objects: /./,
        reason: "Topology spread constraints over zones and hosts take its place.",
    },
    {
        check: "horizontalpodautoscaler-replicas",
        objects: /./,
        reason: "Staging runs one pod of each service; production's minimum is a rule of the policy pack.",
    },
];
