import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { type Colour, COLOURS } from "../../core/numbers";
import { eventually, type List, type Resource } from "../cluster/api";
import { type Lab } from "./lab";
import { LEAKS } from "./planted";
import { changesIn, type Result, type Running, type Stack } from "./stack";

export const SERVER = "mcp:workloads.mcp-server";
export const GREEN = `${SERVER}.live=green`;

/** What shortens a blue-green workload's gates, and has its soak ask the tests' Prometheus: kwok's pods count nothing. */
export const quickGates = (workload: string): string[] =>
    [
        "smoke.deadline=5s",
        "soak.duration=10s",
        "soak.baseline.duration=1s",
        "soak.prometheus.url=http://prometheus.monitoring:9090",
        "soak.prometheus.requests=requests",
        "soak.prometheus.errors=errors",
    ].map((edit) => `${workload}.${edit}`);

/** What production's next release brings of the checklist. */
const RECORD = [
    "version=v2.1.0",
    "ticket=CHG-2041",
    "approvers[0]=change-board",
    "rollbackPlan=back-to-blue",
].map((edit) => `${SERVER}.releases.green.change.${edit}`);

/** Where MCP Server's traffic goes, and how many ready pods each colour has. */
export type Traffic = { live: Colour } & Record<Colour, number>;

type Deployment = Resource<object, { readyReplicas?: number }>;

/** As production is installed. */
export const HOME: Traffic = { live: "blue", blue: 3, green: 0 };

/** What brings a release's target up, or takes it down. */
export const TARGET = "update kubernetes:apps/v1:Deployment mcp-server-green";

/** The target's gates go when it is not the target any more. */
export function withoutGates(changes: readonly string[]): string[] {
    return changes.filter(
        (line) => !/^delete .* mcp-server-green-(evidence|watch|capacity|smoke|soak|notice)-/.test(line),
    );
}

/** An installed stack, step after step. */
export class Platform {
    private current: readonly string[] = [];

    private constructor(
        readonly lab: Lab,
        readonly stack: Stack,
        readonly namespace: string,
    ) {}

    static async of(lab: Lab, stackName: string, ...edits: string[]): Promise<Platform> {
        const own = edits.find((edit) => edit.startsWith("mcp:kubernetes.namespace="))?.split("=")[1];
        const record = stackName === "production" ? RECORD : [];
        const stack = await lab.stack(stackName, ...quickGates(SERVER), ...record, ...edits);
        return new Platform(lab, stack, own ?? `mcp-${stackName}`);
    }

    /** Production, of a copy of the project. */
    static async ofCopy(lab: Lab, project: string, ...edits: string[]): Promise<Platform> {
        const own = [...quickGates(SERVER), ...RECORD, ...edits];
        const stack = await lab.stackOfCopy(project, "production", ...own);
        return new Platform(lab, stack, "mcp-production");
    }

    /** Installs the stack from nothing. */
    async install(): Promise<Result> {
        await this.stack.set();
        return this.updated(undefined, []);
    }

    /** Updates the stack to other values. It ends well, and does exactly what the offline preview says. */
    async step(...edits: string[]): Promise<Result> {
        await this.stack.set(...edits);
        const result = await this.updated(this.current, edits);
        this.current = edits;
        return result;
    }

    private async updated(before: readonly string[] | undefined, after: readonly string[]): Promise<Result> {
        const result = await this.stack.up();
        assert.equal(result.status, 0, result.output);
        assert.deepEqual(changesIn(result.events), await this.stack.predicted(before, after));
        return result;
    }

    /** An update, with what it printed and what its gates printed, of which the provider does not show all. */
    async attempt(
        start = (args: string[]): Running => this.stack.start(args),
    ): Promise<Result & { said: string }> {
        const { runs } = this.lab.runner;
        const { length } = runs;
        const result = await start(["up", "--yes", "--skip-preview"]).done;
        const own = runs.slice(length).filter(({ namespace }) => namespace === this.namespace);
        return { ...result, said: [result.output, ...own.map(({ log }) => log)].join("\n") };
    }

    async traffic(): Promise<Traffic> {
        const { spec } = await this.get<Resource<{ selector: { version: Colour } }>>(
            "v1",
            "services/mcp-server",
        );
        const ready = await Promise.all(
            COLOURS.map(async (colour) => {
                const { items } = await this.get<List<Deployment>>(
                    "apps/v1",
                    `deployments?fieldSelector=metadata.name%3Dmcp-server-${colour}`,
                );
                // A colour without a release is not there.
                return [colour, items[0]?.status.readyReplicas ?? 0] as const;
            }),
        );
        return { live: spec.selector.version, ...(Object.fromEntries(ready) as Record<Colour, number>) };
    }

    /** Terminating pods need a moment until the traffic has switched. */
    async settles(wanted: Traffic): Promise<void> {
        let found: Traffic | undefined;
        await eventually(
            `traffic is ${JSON.stringify(wanted)}`,
            async () => {
                found = await this.traffic();
                assert.deepEqual(found, wanted);
                return true;
            },
            60,
        );
    }

    /** Keys of the ledger's ConfigMap. */
    async ledger(): Promise<Record<string, string>> {
        const { data = {} } = await this.get<{ data?: Record<string, string> }>(
            "v1",
            "configmaps/mcp-releases",
        );
        return data;
    }

    async releases(): Promise<HistoryEntry[]> {
        return JSON.parse((await this.ledger())["mcp-server"]!) as HistoryEntry[];
    }

    /** Sets keys of the ledger, and removes those that are null. */
    writeLedger(data: Record<string, string | null>): Promise<unknown> {
        return this.lab.api.patch(this.path("v1", "configmaps/mcp-releases"), { data });
    }

    /** What gates printed, run by run, oldest first: all of their Jobs' names that begin so. */
    gateRuns(name: string): string[] {
        return this.lab.runner.runs
            .filter(({ namespace, job }) => namespace === this.namespace && job?.startsWith(`${name}-`))
            .map(({ log }) => log);
    }

    /** Where a secret can be read that is in a Secret, and must be nowhere else. */
    async leaks(): Promise<string[]> {
        const { lab } = this;
        const kinds = {
            v1: ["pods", "configmaps", "events", "services"],
            "apps/v1": ["deployments"],
            "batch/v1": ["jobs"],
        };
        const places: (readonly [place: string, text: string])[] = [
            ...lab.runner.runs.map(({ pod, log }) => [`log of ${pod}`, log] as const),
            // State with its history and backups, the engine's events and logs, everything printed, the stack's file.
            ...[...new Set([lab.folder, this.stack.folder].flatMap((folder) => filesBelow(folder, lab)))].map(
                (file) => [file, told(readFileSync(file, "latin1"))] as const,
            ),
        ];
        for (const [group, names] of Object.entries(kinds)) {
            for (const name of names) {
                places.push([name, JSON.stringify(await this.get<object>(group, name))]);
            }
        }
        // They are there to be found.
        const secrets = JSON.stringify(await this.get<object>("v1", "secrets"));
        for (const encoded of LEAKS.filter((_, index) => index % 2 === 1))
            assert.ok(secrets.includes(encoded));
        return places.flatMap(([place, text]) =>
            LEAKS.filter((leak) => text.includes(leak)).map((leak) => `${leak} in ${place}`),
        );
    }

    get<T>(group: string, place: string): Promise<T> {
        return this.lab.api.get<T>(this.path(group, place));
    }

    path(group: string, place: string): string {
        return `/${group === "v1" ? "api" : "apis"}/${group}/namespaces/${this.namespace}/${place}`;
    }
}

/**
 * What the SDK notes for its own debugging is left out: it is in the event log only, which the tests ask for, and on
 * the screen with --debug.
 */
function told(text: string): string {
    return text
        .split("\n")
        .filter((line) => !/^\{.*"diagnosticEvent":.*"severity":"debug"/.test(line))
        .join("\n");
}

function filesBelow(folder: string, lab: Lab): string[] {
    return (
        readdirSync(folder, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            // The tests' own tools and tokens, which know what the secrets begin with.
            .filter(
                (file) =>
                    !file.startsWith(join(lab.folder, "bin")) && file !== join(lab.folder, "admin-token"),
            )
    );
}
