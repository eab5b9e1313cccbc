import { EventRule } from "@pulumi/aws/cloudwatch/eventRule";
import { EventTarget } from "@pulumi/aws/cloudwatch/eventTarget";
import { type ComponentResource, type Input, jsonStringify } from "@pulumi/pulumi";
import { declareServiceRole } from "../identity/serviceRole";

/** Arguments of {@link declareNotice}. */
export interface NoticeArgs {
    /** What happened, as a short description. */
    description: string;
    /** Event pattern of AWS. */
    pattern: { source: string[]; "detail-type": string[]; detail: object };
    /** Topic of the message, and its key. */
    topic: { arn: Input<string>; keyArn: Input<string> };
    accountId: string;
    region: string;
    /**
     * Parts of the event by name, as JSON paths, and the sentence that contains them as `<name>`. Codes only, never free
     * text: AWS inserts the part as it is, a quotation mark in it breaks the message, and AWS drops a broken message.
     */
    parts: Record<string, string>;
    sentence: string;
}

/**
 * Publishes one sentence to a topic when AWS reports an event.
 *
 * EventBridge publishes in a role. Without one it is the service itself that must be admitted, by the policies of the
 * topic and of its key, and there EventBridge supports no condition that keeps the rules of other accounts out. AWS
 * drops a message that it may not publish; the alarms on `FailedInvocations` report that.
 */
export function declareNotice(name: string, args: NoticeArgs, parent: ComponentResource): void {
    const role = declareServiceRole(
        `${name}-notice`,
        {
            service: "events.amazonaws.com",
            accountId: args.accountId,
            sourceArn: `arn:aws:events:${args.region}:${args.accountId}:rule/${name}`,
            statements: [
                { actions: ["sns:Publish"], resources: [args.topic.arn] },
                { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [args.topic.keyArn] },
            ],
        },
        parent,
    );
    const rule = new EventRule(
        name,
        { name, description: args.description, eventPattern: jsonStringify(args.pattern) },
        { parent },
    );
    new EventTarget(
        name,
        {
            rule: rule.name,
            arn: args.topic.arn,
            roleArn: role.arn,
            inputTransformer: { inputPaths: args.parts, inputTemplate: JSON.stringify(args.sentence) },
        },
        { parent, dependsOn: role.ready },
    );
}
