import { type AwsOptions, requestAws } from "./aws";

/** One message to a topic. */
export interface Message {
    /** ARN of the topic; its region is where the message is sent. */
    topic: string;
    /** Of ASCII, in one line; SNS takes at most 100 characters, and the rest is cut off. */
    subject: string;
    text: string;
}

/** How a message is sent. */
export type SnsOptions = AwsOptions;

const SUBJECT_LENGTH = 100;

/** Publishes a message as the pod's own identity. Rejects with {@link GateError} when it was not sent. */
export async function publish({ topic, subject, text }: Message, options: SnsOptions): Promise<void> {
    const parameters = {
        Action: "Publish",
        Version: "2010-03-31",
        TopicArn: topic,
        Subject: subject.slice(0, SUBJECT_LENGTH),
        Message: text,
    };
    await requestAws({ title: "SNS", service: "sns", region: topic.split(":")[3]!, parameters }, options);
}
