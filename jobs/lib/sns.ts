import { type AwsOptions, requestAws } from "./aws";

/** A message to a topic. */
export interface Message {
    /** ARN of the topic, which contains its region. */
    topic: string;
    /** ASCII, in one line. SNS accepts 100 characters; longer subjects are cut. */
    subject: string;
    text: string;
}

/** Settings of publishing. */
export type SnsOptions = AwsOptions;

const SUBJECT_LENGTH = 100;

/** Publishes a message with the pod's identity. Rejects with {@link GateError} on failure. */
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
