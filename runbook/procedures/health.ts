import { type Procedure } from "../procedure";
import { jobOf, runOf } from "./changes";

/** Chapter 2: health of the services. */
export const health: readonly Procedure[] = [
    {
        id: "health-checks",
        sections: ["2.1"],
        title: "Health checks of the services",
        when: "Always: the health matrix is declared as the probes of each pod.",
        edits: [],
        changes: [],
        verify:
            "Kubernetes probes the live path every 10 seconds and the ready path every 5. A pod that fails " +
            "readiness leaves its Service, one that fails liveness is restarted.",
        undo: "Nothing to undo.",
    },
    {
        id: "health-matrix",
        sections: ["2.1"],
        title: "Health check matrix",
        when:
            "Always: every five minutes all six rows are checked, in addition to the external dependencies (4.3.1, " +
            "4.3.4) and, in production, the public hosts from outside (`mcp:health.outside`).",
        edits: [],
        changes: [],
        verify:
            "`kubectl get jobs -n mcp-production -l mcp.msil.com/task=mcp-health` shows the last runs, and " +
            "`kubectl logs -n mcp-production job/NAME --all-containers` their ✓ and ✗ lines. In CloudWatch, `Healthy`, " +
            "`LatencyMilliseconds` and `CertificateDays` by `Component` in the namespace `MCP/production`.",
        undo: "Nothing to undo.",
    },
    {
        id: "health-check",
        sections: ["2.2"],
        title: "Quick health check",
        when: "You want to know whether all services are healthy now: before and after a change, or in an incident.",
        edits: [runOf("healthCheck")],
        changes: jobOf("create", "mcp-health-inc-2041"),
        verify:
            "The update waits for the Job and fails with it, naming what is unhealthy. " +
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-health --all-containers` shows every line.",
        undo: "Nothing to undo: it only looks. The value may stay; the same one does nothing again.",
    },
];
