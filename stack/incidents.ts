import { type Input, type Output } from "@pulumi/pulumi";
import { Escalation } from "../components/incident/escalation";
import { SeverityTopics } from "../components/incident/severityTopics";
import { type Severity } from "../core/numbers";
import { type PlatformContext } from "./platform";

/** How the platform calls for people. */
export interface Incidents {
    /** ARN of each severity's topic. */
    topics: Record<Severity, Output<string>>;
    /** What an alarm of each severity does. */
    actions: Record<Severity, Input<string>[]>;
    /** ARN of the topics' key, for those who publish in a role of their own. */
    keyArn: Output<string>;
}

/** Declares who is told what, and who is called until somebody answers. Sections 4.1, 4.2 and 8. */
export function declareIncidents({ stack, providers }: PlatformContext): Incidents {
    const { aws } = providers;
    const { contacts, escalation, external } = stack.incident;
    const { arns: topics, keyArn } = new SeverityTopics(
        `${stack.name}-incidents`,
        { ...stack.aws, contacts },
        { providers: { aws } },
    );
    const { actions: opsItem } = new Escalation(
        stack.escalation.name,
        {
            ...stack.aws,
            platform: stack.name,
            levels: escalation,
            external,
            logDays: stack.logDays,
            topic: { arn: topics.P1, keyArn },
        },
        { providers: { aws } },
    );
    const { P1, P2, P3, P4 } = topics;
    return {
        topics,
        keyArn,
        actions: { P1: [P1, opsItem.P1], P2: [P2, opsItem.P2], P3: [P3], P4: [P4] },
    };
}
