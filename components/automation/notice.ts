import { EventRule } from "@pulumi/aws/cloudwatch/eventRule";
import { EventTarget } from "@pulumi/aws/cloudwatch/eventTarget";
import { type ComponentResource, type Input, jsonStringify } from "@pulumi/pulumi";

/** Arguments of {@link declareNotice}. */
export interface NoticeArgs {
    /** What has happened, in words. */
    description: string;
    /** Events of AWS that tell of it. */
    pattern: { source: string[]; "detail-type": string[]; detail: object };
    /** Topic that is told. */
    topicArn: Input<string>;
    /**
     * Parts of the event by name, as JSON paths, and the sentence they stand in as `<name>`. Never free text: AWS puts
     * it there as it is, and a quotation mark in it would end the sentence, which is then not delivered.
     */
    parts: Record<string, string>;
    sentence: string;
}

/** Tells people in one sentence when AWS reports an event. */
export function declareNotice(name: string, args: NoticeArgs, parent: ComponentResource): void {
    const rule = new EventRule(
        name,
        { name, description: args.description, eventPattern: jsonStringify(args.pattern) },
        { parent },
    );
    new EventTarget(
        name,
        {
            rule: rule.name,
            arn: args.topicArn,
            inputTransformer: { inputPaths: args.parts, inputTemplate: JSON.stringify(args.sentence) },
        },
        { parent },
    );
}
