import { type Procedure } from "../procedure";

/** Chapter 2: whether the services are well. */
export const health: readonly Procedure[] = [
    {
        id: "health-checks",
        sections: ["2.1"],
        title: "Health checks of the services",
        when: "Always: the health matrix is declared as the probes of each pod.",
        edits: [],
        changes: [],
        verify:
            "Kubernetes asks the live path every 10 seconds and the ready path every 5. A pod that fails readiness " +
            "leaves its Service, one that fails liveness is restarted.",
        undo: "Nothing to undo.",
    },
];
