import { type Output } from "@pulumi/pulumi";
import { DATABASE } from "../runbook/numbers";
import { pinned, releaseReference } from "./images";
import { type StackValues } from "./stack";
import { type BlueGreenValues, type STORES, type WorkloadValues } from "./workload";

/** Who may reach a workload and what it may reach, with the names of the values resolved. */
export function networkOf({ workloads, kubernetes }: StackValues, name: string) {
    const { network, awsPermissions } = workloads[name]!;
    const { ingress, calls, egress } = network;
    return {
        ingressNamespace: ingress ? kubernetes.ingressNamespace : undefined,
        callers: Object.keys(workloads).filter((other) => workloads[other]!.network.calls.includes(name)),
        calls: calls.map((app) => ({ app, port: workloads[app]!.port })),
        egress,
        awsIdentity: awsPermissions.length > 0,
    };
}

/** Secrets of a workload by name: the operator's value, or `generated`. */
export function secretsOf(
    { workloads, secrets }: StackValues,
    name: string,
): Record<string, Output<string> | "generated"> {
    const found: Record<string, Output<string> | "generated"> = {};
    for (const [key, origin] of Object.entries(workloads[name]!.secrets)) {
        if (origin === "generated") {
            found[key] = origin;
        } else if (origin === "supplied") {
            found[key] = secrets[name]![key]!;
        }
    }
    return found;
}

/** Connections of a workload to the stack's own stores, by the name of the secret that is their URL. */
export function connectionsOf<T>(
    { workloads }: StackValues,
    name: string,
    stores: Readonly<Record<(typeof STORES)[number], { connection: T } | undefined>>,
): Record<string, T> {
    return Object.fromEntries(
        Object.entries(workloads[name]!.secrets).flatMap(([key, origin]) =>
            origin === "supplied" || origin === "generated" ? [] : [[key, stores[origin]!.connection]],
        ),
    );
}

/** One release of a workload, ready to run: its image pinned, its configuration over the workload's own. */
export function releaseOf(
    values: StackValues,
    { image, config }: WorkloadValues,
    release: { version: string; config: Record<string, string>; ticket?: string | undefined },
) {
    return {
        version: release.version,
        image: pinned(values.images, releaseReference(values, image, release.version)),
        config: { ...config, ...release.config },
        ticket: release.ticket,
    };
}

/** What the blue-green strategy needs beside what every workload does. */
export function blueGreenOf(values: StackValues, workload: BlueGreenValues) {
    const { releases, live, stage, standby, soak, health, port } = workload;
    const { counters, prometheus } = soak;
    return {
        releases: {
            blue: releases.blue && releaseOf(values, workload, releases.blue),
            green: releases.green && releaseOf(values, workload, releases.green),
        },
        live,
        stage,
        standby,
        soak: {
            durationSeconds: soak.duration,
            maxErrorPercent: soak.maxErrorRate,
            minimumRequests: soak.minimumRequests,
            allowNoData: soak.onNoData === "pass",
            metrics: prometheus
                ? { prometheus: prometheus.url, requests: prometheus.requests, errors: prometheus.errors }
                : {
                      path: health.metrics,
                      port,
                      requests: { counter: counters.requests },
                      errors: { counter: counters.errors, labels: { [counters.label]: counters.pattern } },
                  },
        },
        namespaceName: values.kubernetes.namespace,
        apiServer: values.kubernetes.apiServer,
    };
}

/** Names of the database's instances and subnet group: the runbook's own in production. Section 7.2. */
export function databaseNames({ environment, kubernetes: { namespace } }: StackValues) {
    return environment === "production"
        ? DATABASE
        : {
              identifier: namespace,
              recovery: `${namespace}-recovery`,
              subnetGroup: `${namespace}-db-subnet`,
          };
}
