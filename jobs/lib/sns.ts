import { readFileSync } from "node:fs";
import { AwsV4Signer } from "aws4fetch";
import * as z from "zod/mini";
import { GateError, type GateContext, throwIfStopped } from "./gate";
import { type Answer, request, withTimeout } from "./http";
import { pause } from "./kubernetes";
import { parse, text, ValidationError } from "./schema";

/** One message to a topic. */
export interface Message {
    /** ARN of the topic; its region is where the message is sent. */
    topic: string;
    /** Of ASCII, in one line; SNS takes at most 100 characters, and the rest is cut off. */
    subject: string;
    text: string;
}

/** How a message is sent. */
export interface SnsOptions extends Pick<GateContext, "log" | "signal"> {
    /**
     * Where EKS tells a pod how it gets its credentials, and a test where SNS is: the variables are those of AWS's own
     * SDKs. Default: the process's own.
     */
    env?: NodeJS.ProcessEnv;
    /** Time of day, which the signature holds. Default: now. */
    date?: () => Date;
    /** Limit of one request, in seconds. Default: 10. */
    attemptSeconds?: number;
    /** Between two attempts, in seconds. Default: 2. */
    pauseSeconds?: number;
}

/** Temporary credentials of a role. */
const temporaryCredentials = z.strictObject({ AccessKeyId: text, SecretAccessKey: text, Token: text });

/** Attempts before a message counts as not sent. */
const ATTEMPTS = 3;

const SUBJECT_LENGTH = 100;

/**
 * Publishes a message as the pod's own identity, over plain fetch: the one request is not worth AWS's SDK, nor a step
 * on another image. Rejects with {@link GateError} when it was not sent.
 */
export async function publish({ topic, subject, text }: Message, options: SnsOptions): Promise<void> {
    const { env = process.env, date = () => new Date() } = options;
    const region = topic.split(":")[3]!;
    const url = env["AWS_ENDPOINT_URL_SNS"] ?? `https://sns.${region}.amazonaws.com/`;
    const body = new URLSearchParams({
        Action: "Publish",
        Version: "2010-03-31",
        TopicArn: topic,
        Subject: subject.slice(0, SUBJECT_LENGTH),
        Message: text,
    }).toString();
    const credentials = await credentialsOf(env, options);
    await patiently("SNS", options, async (signal) => {
        const { headers } = await new AwsV4Signer({
            url,
            headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
            body,
            accessKeyId: credentials.AccessKeyId,
            secretAccessKey: credentials.SecretAccessKey,
            sessionToken: credentials.Token,
            service: "sns",
            region,
            datetime: date()
                .toISOString()
                .replace(/[-:]|\.\d+/g, ""),
        }).sign();
        return request(url, { method: "POST", headers, body }, signal);
    });
}

/** Those that the agent of EKS Pod Identity gives the pod. */
async function credentialsOf(env: NodeJS.ProcessEnv, options: SnsOptions) {
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = env;
    if (url === undefined) {
        throw new GateError(
            "the pod has no rights on AWS: EKS adds them to pods that are created once its identity is there, " +
                "by the add-on eks-pod-identity-agent",
        );
    }
    const body = await patiently("the pod identity agent", options, (signal) => {
        // Read anew: the kubelet renews it.
        const headers: Record<string, string> = file === undefined ? {} : { authorization: readToken(file) };
        return request(url, { headers }, signal);
    });
    try {
        const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(body) as Record<string, unknown>;
        return parse(temporaryCredentials, { AccessKeyId, SecretAccessKey, Token });
    } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof ValidationError)) throw error;
        // Not quoted: what it has instead may be half of a secret.
        throw new GateError("the pod identity agent answers with something else than credentials");
    }
}

function readToken(file: string): string {
    try {
        return readFileSync(file, "utf8").trim();
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new GateError(`${file} cannot be read (${code}): the pod needs its identity's token`);
    }
}

/** The body of what comes back; asked again where nobody answers, or who does is in error or in a hurry. */
async function patiently(
    whom: string,
    { log, signal, attemptSeconds = 10, pauseSeconds = 2 }: SnsOptions,
    request: (signal: AbortSignal) => Promise<Answer>,
): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
        const late = `no answer within ${attemptSeconds} s`;
        const answer = await withTimeout(attemptSeconds, late, signal, request);
        throwIfStopped(signal);
        const { status = 0, error: error, body } = answer;
        if (status === 200 && error === undefined) return body;

        const told = `${whom}: ${error ?? said(status, body)}`;
        const passing = error !== undefined || status === 429 || status >= 500 || /Throttl/.test(body);
        if (!passing || attempt === ATTEMPTS) throw new GateError(told);
        log(`  ${told}; asked again in ${pauseSeconds} s`);
        await pause(pauseSeconds, signal);
    }
}

/** Status, and what SNS says to it. */
function said(status: number, body: string): string {
    const [code, message] = ["Code", "Message"].map((tag) =>
        new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(body)?.[1]?.trim(),
    );
    return [`status ${status}`, code, message].filter(Boolean).join(", ");
}
