import { type Procedure } from "./procedure";
import { deployment } from "./procedures/deployment";
import { diagnosis } from "./procedures/diagnosis";
import { health } from "./procedures/health";
import { incidents } from "./procedures/incidents";
import { logs } from "./procedures/logs";
import { maintenance } from "./procedures/maintenance";
import { recovery } from "./procedures/recovery";

/** Every procedure of the runbook that is a stack update or a declared resource, in the order of its chapters. */
export const catalogue: readonly Procedure[] = [
    ...health,
    ...deployment,
    ...diagnosis,
    ...incidents,
    ...maintenance,
    ...logs,
    ...recovery,
];
