/** Texts with the form of credentials. A group is the part that is secret; otherwise the whole text is. */
const CREDENTIALS: readonly (readonly [what: string, form: RegExp])[] = [
    ["an access key of AWS", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
    ["a private key", /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40,}/g],
    ["a token of GitHub", /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b/g],
    ["a token of Slack", /\bxox[abprs]-[A-Za-z0-9-]{20,}/g],
    ["a signed token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g],
    ["a password in a URL", /(?<=[a-z0-9+.-]:\/\/[^\s/:@"'`${}]+:)[^\s/:@"'`${}]+(?=@[\w.-])/gi],
];

const SECRET_NAME =
    "(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|(?:private|access|subscription|signing)[_-]?key|credentials?)";

/** Names of secrets. Names of files and addresses have other endings; `needs-token` has the reason for a token. */
const NAMES = new RegExp(`(?:^|[_.-])(?<!needs-)${SECRET_NAME}$`, "i");

/** Headers of HTTP that carry credentials, beside those whose names are names of secrets. */
const HEADERS = /(?:^|[.-])(?:authorization|cookie|session|auth|jwt|csrf)$/i;

/** A secret by its name inside a text: in JSON, a form or a query. */
const ASSIGNED = new RegExp(
    String.raw`(?<=(?:^|[\s"'&?;,_.-])${SECRET_NAME}(?:=|\\*"\s*:\s*\\*"))(?!\/)[^\s"'\\&;,$()]+`,
    "gi",
);

/** Values that are no secrets whatever their name: nothing, a path, the origin of a secret, when it was rotated. */
const ORDINARY = /^(|\/.*|supplied|generated|database|cache|\[secret\]|\d{4}-\d\d-\d\d[T ][\d:.+Z-]+)$/s;

/** What is shown in place of a secret. */
export const NOT_SHOWN = "(not shown)";

/** Kind of secret that a value is; undefined for none. The value is not quoted. */
export function secretIn(name: string, value: unknown): string | undefined {
    if (typeof value !== "string") {
        return undefined;
    }
    const [what] = CREDENTIALS.find(([, form]) => value.search(form) >= 0) ?? [];
    // A path to a secret is no secret.
    return (
        what ??
        (NAMES.test(name) && value !== "" && !value.startsWith("/") ? "a secret by its name" : undefined)
    );
}

/** Whether an HTTP header of this name carries a credential. */
export function isCredentialHeader(name: string): boolean {
    return HEADERS.test(name) || NAMES.test(name);
}

/** A text as it may be shown, without credentials; `name` is the name or the path of the value. */
export function masked(name: string, value: string): string {
    const isSecretByName = isCredentialHeader(name) && !ORDINARY.test(value);
    return isSecretByName
        ? NOT_SHOWN
        : CREDENTIALS.reduce((text, [, form]) => text.replace(form, NOT_SHOWN), value).replace(
              ASSIGNED,
              NOT_SHOWN,
          );
}
