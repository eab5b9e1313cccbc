import { type Input, type Output } from "@pulumi/pulumi";
import { SeverityTopics } from "../components/incident/severityTopics";
import { type Severity } from "../runbook/numbers";
import { type Foundation } from "./foundation";

/** How the platform calls for people. */
export interface Incidents {
    /** ARN of each severity's topic. */
    topics: Record<Severity, Output<string>>;
    /** What an alarm of each severity does. */
    actions: Record<Severity, Input<string>[]>;
    /** ARN of the topics' key, for those who publish in a role of their own. */
    keyArn: Output<string>;
}

/** Declares who is told what. Sections 4.1 and 8.1. */
export function declareIncidents({ values, providers: { aws }, name }: Foundation): Incidents {
    const { arns: topics, keyArn } = new SeverityTopics(
        `${name}-incidents`,
        { accountId: values.aws.accountId, contacts: values.incident.contacts },
        { providers: { aws } },
    );
    const { P1, P2, P3, P4 } = topics;
    return { topics, keyArn, actions: { P1: [P1], P2: [P2], P3: [P3], P4: [P4] } };
}
