import { Alarms } from "../components/observability/alarms";
import { alarmsOf } from "./alarmTable";
import { type Foundation } from "./foundation";
import { type Incidents } from "./incidents";

/** Declares the alarms of what the stack declares. Section 4.2. */
export function declareAlarms({ values, providers: { aws }, name }: Foundation, incidents: Incidents): void {
    new Alarms(name, { alarms: alarmsOf(values), ...incidents }, { providers: { aws } });
}
