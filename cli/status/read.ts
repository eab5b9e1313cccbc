import { type StackValues } from "../../config";
import { resolveStack } from "../../config/resolve";
import { getOwn } from "../../core/getOwn";
import { LEDGER } from "../../core/labels";
import { COLOURS, type Colour, type Severity } from "../../core/numbers";
import { type HistoryEntry, parseHistory } from "../../jobs/lib/releaseHistory";
import { UsageError } from "../../offline/stackFile";
import { alarmsOf } from "../../stack/alarmTable";
import { json, type Run } from "../doctor/tools";
import { inCluster, type Kubectl } from "../kubectl";
import { runningJobs } from "../runbook/soak";

/** A Deployment of a workload, and what the release history has of its release. */
export interface Side {
    workload: string;
    /** Missing where the workload has no colours. */
    colour?: Colour;
    /** Whether it has the traffic. */
    active: boolean;
    /** Undefined where the cluster has no such Deployment. */
    version?: string | undefined;
    ready: number;
    wanted: number;
    /** Whether the release history has it. */
    recorded: boolean;
    ticket?: string | undefined;
    /** When the release had passed its gates, in ISO 8601. */
    completedAt?: string | undefined;
    /** The gate that it has not passed, and why. */
    failed?: { gate: string; reason: string } | undefined;
}

/** A Job that an update waits for. */
export interface Gate {
    job: string;
    /** When it began, in ISO 8601. */
    since: string;
    workload?: string | undefined;
    version?: string | undefined;
    ticket?: string | undefined;
}

/** An alarm that rings. */
export interface Ringing {
    name: string;
    /** When its state changed, in ISO 8601. */
    since: string;
    /** Missing where the stack's values do not declare it. */
    severity?: Severity | undefined;
    procedure?: string | undefined;
}

/** What runs, as cluster and CloudWatch have it. */
export interface Status {
    stack: string;
    namespace: string;
    workloads: Side[];
    gates: Gate[];
    /** Those that ring, most severe first; undefined where AWS could not be asked. */
    alarms?: Ringing[] | undefined;
    /** Why AWS could not be asked. */
    alarmsUnknown?: string | undefined;
}

interface Deployment {
    kind: "Deployment";
    metadata: { name: string };
    spec: { replicas?: number; template: { metadata: { labels?: Record<string, string> } } };
    status?: { readyReplicas?: number };
}

interface Service {
    kind: "Service";
    metadata: { name: string };
    spec: { selector?: Record<string, string> };
}

/**
 * Reads the status of a stack.
 *
 * @throws UsageError where kubectl is missing or fails.
 */
export async function readStatus(
    stack: string,
    values: StackValues,
    kubectl: Kubectl,
    run: Run,
): Promise<Status> {
    const read = <T>(...what: string[]) => {
        const text = kubectl([
            ...["get", ...what, "-o", "json", "--request-timeout=10s"],
            ...inCluster(values.kubernetes),
        ]);
        try {
            // A ConfigMap that is not there yet is an empty answer.
            return JSON.parse(text.trim() === "" ? "{}" : text) as T;
        } catch {
            throw new UsageError(
                `kubectl get ${what[0]!}: found no JSON in its answer`,
                "npm run doctor checks kubectl and the access to the cluster.",
            );
        }
    };
    const { items = [] } = read<{ items?: (Deployment | Service)[] }>("deployments,services");
    const { data = {} } = read<{ data?: Record<string, string> }>("configmap", LEDGER, "--ignore-not-found");
    const gates = runningJobs(values.kubernetes, kubectl).map(({ name, since, release }) => ({
        job: name,
        since,
        workload: release?.workload,
        version: release?.version,
        ticket: release?.approval[0],
    }));
    return {
        stack,
        namespace: values.kubernetes.namespace,
        workloads: Object.keys(values.workloads).flatMap((name) => sidesOf(name, values, items, data)),
        gates,
        ...(await alarmsNow(values, run)),
    };
}

function sidesOf(
    workload: string,
    { workloads }: StackValues,
    items: readonly (Deployment | Service)[],
    data: Record<string, string>,
): Side[] {
    const { entries } = parseHistory(data, workload);
    const named = <T extends Deployment | Service>(kind: T["kind"], name: string) =>
        items.find((item): item is T => item.kind === kind && item.metadata.name === name);
    const side = (name: string, colour?: Colour): Omit<Side, "active"> => {
        const deployment = named<Deployment>("Deployment", name);
        const version = deployment?.spec.template.metadata.labels?.["app.kubernetes.io/version"];
        const entry = entries.findLast(
            (each: HistoryEntry) => each.colour === colour && each.version === version,
        );
        return {
            workload,
            ...(colour && { colour }),
            version,
            ready: deployment?.status?.readyReplicas ?? 0,
            wanted: deployment?.spec.replicas ?? 0,
            recorded: entry !== undefined,
            ticket: entry?.ticket,
            completedAt: entry?.completedAt,
            failed: entry?.failed && { gate: entry.failed.gate, reason: entry.failed.reason },
        };
    };
    if (getOwn(workloads, workload)?.strategy !== "blueGreen") {
        return [{ ...side(workload), active: true }];
    }
    const active = named<Service>("Service", workload)?.spec.selector?.["version"];
    return COLOURS.map((colour) => ({
        ...side(`${workload}-${colour}`, colour),
        active: colour === active,
    }));
}

async function alarmsNow(values: StackValues, run: Run): Promise<Pick<Status, "alarms" | "alarmsUnknown">> {
    if (values.aws === undefined) {
        return { alarmsUnknown: "the stack has no mcp:aws" };
    }
    const resolved = resolveStack(values);
    const answer = await run("aws", [
        ...["cloudwatch", "describe-alarms", "--alarm-name-prefix", `${resolved.name}-`],
        ...["--state-value", "ALARM", "--alarm-types", "MetricAlarm", "CompositeAlarm"],
        ...["--output", "json", "--region", values.aws.region],
    ]);
    type Alarms = { AlarmName: string; StateTransitionedTimestamp?: string }[];
    const found = json<{ MetricAlarms?: Alarms; CompositeAlarms?: Alarms }>(answer);
    if (found === undefined) {
        return { alarmsUnknown: answer.status === 0 ? "aws answered no JSON" : answer.reason };
    }
    const known = new Map(alarmsOf(resolved).map((alarm) => [`${resolved.name}-${alarm.id}`, alarm]));
    const alarms = [...(found.MetricAlarms ?? []), ...(found.CompositeAlarms ?? [])].map(
        ({ AlarmName: name, StateTransitionedTimestamp: since = "" }): Ringing => ({
            name,
            since,
            severity: known.get(name)?.severity,
            procedure: known.get(name)?.procedure,
        }),
    );
    // Those that the stack does not declare come last.
    const key = ({ severity, name }: Ringing) => `${severity ?? "P9"} ${name}`;
    return { alarms: alarms.sort((one, other) => (key(one) < key(other) ? -1 : 1)) };
}
