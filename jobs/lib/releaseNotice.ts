import { type Failure } from "./releaseHistory";
import { type Message } from "./sns";

/** A release in a notice. */
export interface Notification {
    /** "mcp-server v2.1.0 (green)". */
    subject: string;
    /** "production". */
    environment: string;
    /** Undefined for an app without colours. */
    colour?: "blue" | "green" | undefined;
    /** The active release before it: "v2.0.3 (blue)". Undefined if there was none. */
    replaces?: string | undefined;
    ticket?: string | undefined;
    /** Reason for skipping the rest of the checklist. */
    skipped?: string | undefined;
    /** URL of its metrics. */
    dashboard?: string | undefined;
}

type Notice = Pick<Message, "subject" | "text">;

/** Notice before a release's first pod starts. Section 3.1. */
export function beginning(told: Notification): Notice {
    const { subject, environment, colour } = told;
    const next =
        colour === undefined
            ? "its pods replace those that run, one after the other, and are tested"
            : `${colour} is tested without traffic, takes the traffic over, and is watched`;
    return {
        subject: `Release begins: ${subject}, ${environment}`,
        text: lines(`The release of ${subject} in ${environment} begins.`, told, [
            `Next: ${next}. A second notice says when that is done, or that the release has failed.`,
        ]),
    };
}

/** Notice after a release passed its last gate. */
export function ending(told: Notification): Notice {
    const { subject, environment, replaces } = told;
    return {
        subject: `Release done: ${subject}, ${environment}`,
        text: lines(`${subject} has passed its tests and serves ${environment}.`, told, [
            `Next: nothing is left to do.${replaces === undefined ? "" : ` Should it misbehave, it is taken back to ${replaces}.`}`,
        ]),
    };
}

/** A release that was announced and has failed. */
export interface Failed extends Notification {
    app: string;
    version: string;
    failed: Failure;
    /** What has the traffic: "v2.1.0 (green)". Missing where the app has no colours. */
    serving?: string | undefined;
}

/** What they read at the moment that a release fails. */
export function failing(told: Failed): Notice {
    const { subject, environment, app, serving, failed, colour, replaces } = told;
    const to = colour === undefined && replaces !== undefined ? ` --version ${replaces}` : "";
    return {
        subject: `Release failed: ${subject}, ${environment}`,
        text: lines(`The release of ${subject} in ${environment} has failed.`, told, [
            ...reasonsOf(failed),
            ...(serving === undefined ? [] : [`Has the traffic: ${serving}`]),
            commitOf(told),
            "Next: the release command and the deploy workflow take it back now, and a notice says so. After pulumi up, or with " +
                `--keep-failed, take it back: npm run runbook -- run rollback --workload ${app}${to}`,
        ]),
    };
}

function reasonsOf({ gate, at, reason }: Failure): string[] {
    return [`Failed: ${gate === "rollout" ? gate : `${gate} gate`}, at ${at}`, `Reason: ${reason}`];
}

/** How to find the commit that brought a release. */
function commitOf({ version, environment }: { version: string; environment: string }): string {
    return `Commit: git log -1 -S ${version} -- Pulumi.${environment}.yaml`;
}

/** A release that was announced, and in whose place another one serves again. */
export interface TakenBack extends Notification {
    app: string;
    version: string;
    /** The active release: "mcp-server v2.0.3 (blue)". */
    serving: string;
    /** Undefined if it reached no gate. */
    failed?: Failure | undefined;
}

/** Notice of a failed release. */
export function takenBack(told: TakenBack): Notice {
    const { subject, environment, app, serving, failed } = told;
    const reasons = failed === undefined ? ["Failed: no gate has kept a reason"] : reasonsOf(failed);
    return {
        subject: `Release taken back: ${subject}, ${environment}`,
        text: lines(`The release of ${subject} in ${environment} has failed and was taken back.`, told, [
            ...reasons,
            `Serving: ${serving}`,
            commitOf(told),
            "Next: revert that commit on main, or the next deploy tries the release again. Then release a version that is mended: " +
                `npm run runbook -- run release --workload ${app}`,
        ]),
    };
}

function lines(
    first: string,
    { replaces, ticket, skipped, dashboard }: Notification,
    last: string[],
): string {
    const facts = Object.entries({
        "In place of": replaces,
        Ticket: ticket,
        "Without the checklist": skipped,
        Dashboard: dashboard,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
    return [first, "", ...facts, ...last, ""].join("\n");
}
