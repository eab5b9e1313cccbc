import { SeverityTopics } from "../components/incident/severityTopics";
import { type Foundation } from "./foundation";

/** Declares who is told what. Sections 4.1 and 8.1. */
export function declareIncidents({ values, providers: { aws }, name }: Foundation): SeverityTopics {
    return new SeverityTopics(
        `${name}-incidents`,
        { accountId: values.aws.accountId, contacts: values.incident.contacts },
        { providers: { aws } },
    );
}
