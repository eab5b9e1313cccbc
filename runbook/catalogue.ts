import { type WorkloadValues } from "../config";
import { type Procedure } from "./procedure";
import { deployment } from "./procedures/deployment";
import { diagnosis } from "./procedures/diagnosis";
import { health } from "./procedures/health";
import { incidents } from "./procedures/incidents";
import { logs } from "./procedures/logs";
import { maintenance } from "./procedures/maintenance";
import { recovery } from "./procedures/recovery";
import { rotation } from "./procedures/rotation";

/** Commands that select a procedure by the workload's strategy. */
export const BY_STRATEGY: Readonly<Record<string, Readonly<Record<WorkloadValues["strategy"], string>>>> = {
    release: { rolling: "standard-deployment", blueGreen: "blue-green-release" },
    rollback: { rolling: "rollback", blueGreen: "blue-green-rollback" },
};

/** All procedures of the runbook that are a stack update or a declared resource, in the order of its chapters. */
export const catalogue: readonly Procedure[] = [
    ...health,
    ...deployment,
    ...diagnosis,
    ...incidents,
    ...maintenance,
    ...rotation,
    ...logs,
    ...recovery,
];
