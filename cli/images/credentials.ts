import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Credentials of a registry. */
export interface Credentials {
    username: string;
    password: string;
}

interface DockerConfig {
    auths?: Record<string, { auth?: unknown; identitytoken?: unknown } | undefined>;
    credHelpers?: Record<string, string | undefined>;
    credsStore?: string;
}

/** A helper may need to call its cloud first. */
const HELPER_TIMEOUT_MS = 30_000;

/**
 * Credentials of a registry from `docker login`, in `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`: from the
 * registry's credential helper, the credential store, or the file.
 *
 * @returns undefined if there is no such file, or no credentials for this registry.
 * @throws Error if the file cannot be read, a helper is missing or fails, or the login is an identity token. It never
 * quotes the file or the helper's output.
 */
export async function dockerCredentials(registry: string): Promise<Credentials | undefined> {
    const file = join(process.env["DOCKER_CONFIG"] || join(homedir(), ".docker"), "config.json");
    const { auths = {}, credHelpers, credsStore } = await readConfig(file);
    const helper = credHelpers?.[registry] ?? credsStore;
    if (helper) {
        return askHelper(`docker-credential-${helper}`, registry);
    }
    // Older clients wrote the API's URL instead of the host.
    const key = Object.keys(auths).find((address) => hostOf(address) === registry);
    const { auth, identitytoken } = auths[registry] ?? auths[key ?? ""] ?? {};
    if (identitytoken) {
        throw identityToken(registry);
    }
    if (typeof auth !== "string" || auth === "") {
        return undefined;
    }
    const [, username, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, "base64").toString()) ?? [];
    if (username === undefined || password === undefined) {
        throw new Error(`${file} has a malformed entry for ${registry}; run docker login ${registry}`);
    }
    return { username, password };
}

async function readConfig(file: string): Promise<DockerConfig> {
    let text: string;
    try {
        text = await readFile(file, "utf8");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT") {
            return {};
        }
        throw new Error(`${file} cannot be read (${code})`);
    }
    return parseObject(text) ?? fail(`${file} is not a JSON object; correct it`);
}

function hostOf(address: string): string {
    return address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

async function askHelper(helper: string, registry: string): Promise<Credentials | undefined> {
    const { error, stdout } = await run(helper, registry);
    if (error?.code === "ENOENT") {
        throw new Error(`${helper} is not on the PATH, but Docker is set up to use it; install it`);
    }
    if (error) {
        // The protocol's only way to report that there are none.
        if (stdout.includes("credentials not found")) {
            return undefined;
        }
        throw new Error(`${helper} failed (${error.signal ?? error.code}); run docker login ${registry}`);
    }
    const { Username: username, Secret: password } = parseObject(stdout) ?? {};
    if (typeof username !== "string" || typeof password !== "string") {
        throw new Error(`${helper} answered without Username and Secret; check its version`);
    }
    if (username === "<token>") {
        throw identityToken(registry);
    }
    return { username, password };
}

interface Outcome {
    error: { code?: string | number | null; signal?: string | null } | null;
    stdout: string;
}

function run(helper: string, input: string): Promise<Outcome> {
    return new Promise((done) => {
        const child = execFile(helper, ["get"], { timeout: HELPER_TIMEOUT_MS }, (error, stdout) =>
            done({ error, stdout }),
        );
        // A helper may end without reading its input; its exit status decides.
        child.stdin?.on("error", () => undefined).end(input);
    });
}

/** Parses a JSON object. Replaces JSON.parse's error, which quotes the text. */
function parseObject(text: string): Record<string, unknown> | undefined {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null ? { ...value } : undefined;
    } catch {
        return undefined;
    }
}

function identityToken(registry: string): Error {
    return new Error(
        `Docker holds an identity token for ${registry}; run docker login with user and password`,
    );
}

function fail(message: string): never {
    throw new Error(message);
}
