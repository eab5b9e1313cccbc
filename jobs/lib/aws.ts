import { readFileSync } from "node:fs";
import { AwsV4Signer } from "aws4fetch";
import * as z from "zod/mini";
import { GateError, type GateContext, throwIfStopped } from "./gate";
import { type Answer, request, withTimeout } from "./http";
import { pause } from "./kubernetes";
import { parse, text, ValidationError } from "./schema";

/** Settings of requests to AWS. */
export interface AwsOptions extends Pick<GateContext, "log" | "signal"> {
    /**
     * Environment with the pod's credential endpoint, and with AWS endpoints in tests: the variables of AWS's SDKs.
     * Default: the process's.
     */
    env?: NodeJS.ProcessEnv;
    /** Current time, which is signed. Default: now. */
    date?: () => Date;
    /** Timeout of one attempt, in seconds. Default: 10. */
    attemptSeconds?: number;
    /** Between two attempts, in seconds. Default: 2. */
    pauseSeconds?: number;
}

/** One action of a service with the query protocol. */
export interface AwsAction {
    /** Name in messages: "SNS". */
    title: string;
    /** Name in the host: "sns". */
    service: string;
    region: string;
    /** `Action`, `Version` and parameters. */
    parameters: Record<string, string>;
}

/** Temporary credentials of a role. */
const temporaryCredentials = z.strictObject({ AccessKeyId: text, SecretAccessKey: text, Token: text });

/** Number of attempts. */
const ATTEMPTS = 3;

/**
 * Sends one action with the pod's identity and returns the response's XML, by fetch: AWS's SDK would be larger than the
 * program. Rejects with {@link GateError} on failure.
 */
export async function requestAws(
    { title, service, region, parameters }: AwsAction,
    options: AwsOptions,
): Promise<string> {
    const { env = process.env, date = () => new Date() } = options;
    const variable = `AWS_ENDPOINT_URL_${title.toUpperCase()}`;
    const url = env[variable] ?? `https://${service}.${region}.amazonaws.com/`;
    const body = new URLSearchParams(parameters).toString();
    const credentials = await credentialsOf(env, options);
    return patiently(title, options, async (signal) => {
        const { headers } = await new AwsV4Signer({
            url,
            headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
            body,
            accessKeyId: credentials.AccessKeyId,
            secretAccessKey: credentials.SecretAccessKey,
            sessionToken: credentials.Token,
            service,
            region,
            datetime: date()
                .toISOString()
                .replace(/[-:]|\.\d+/g, ""),
        }).sign();
        return request(url, { method: "POST", headers, body }, signal);
    });
}

/** Credentials from the EKS Pod Identity agent. */
async function credentialsOf(env: NodeJS.ProcessEnv, options: AwsOptions) {
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = env;
    if (url === undefined) {
        throw new GateError(
            "the pod has no rights on AWS: EKS adds them to pods that are created once its identity is there, " +
                "by the add-on eks-pod-identity-agent",
        );
    }
    const body = await patiently("the pod identity agent", options, (signal) => {
        // Read for each request: the kubelet renews it.
        const headers: Record<string, string> = file === undefined ? {} : { authorization: readToken(file) };
        return request(url, { headers }, signal);
    });
    try {
        const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(body) as Record<string, unknown>;
        return parse(temporaryCredentials, { AccessKeyId, SecretAccessKey, Token });
    } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof ValidationError)) throw error;
        // Not quoted: the value may be part of a secret.
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

/** The response's body; retries without a response, or on an overloaded server. */
async function patiently(
    title: string,
    { log, signal, attemptSeconds = 10, pauseSeconds = 2 }: AwsOptions,
    send: (signal: AbortSignal) => Promise<Answer>,
): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
        const late = `no answer within ${attemptSeconds} s`;
        const { status = 0, error, body } = await withTimeout(attemptSeconds, late, signal, send);
        throwIfStopped(signal);
        if (status === 200 && error === undefined) return body;

        const problem = `${title}: ${error ?? describe(status, body)}`;
        const passing = error !== undefined || status === 429 || status >= 500 || /Throttl/.test(body);
        if (!passing || attempt === ATTEMPTS) throw new GateError(problem);
        log(`  ${problem}; asked again in ${pauseSeconds} s`);
        await pause(pauseSeconds, signal);
    }
}

/** Status and message of the service. */
function describe(status: number, body: string): string {
    const [code, message] = ["Code", "Message"].map((tag) =>
        new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(body)?.[1]?.trim(),
    );
    return [`status ${status}`, code, message].filter(Boolean).join(", ");
}
