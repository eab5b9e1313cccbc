import { type Probe } from "../../../jobs/lib/probes";
import { CREDENTIALS } from "../../../jobs/lib/sharedVolume";
import { type Severity } from "../../../core/numbers";
import { type Alarm, type Metric } from "../alarm";
import { type IncidentName } from "../incidentGroups";
import { partsOf } from "../incidents";

/** Arguments of {@link healthAlarms}. */
export interface HealthAlarmsArgs {
    /** Namespace of the health check's metrics. */
    namespace: string;
    /** Targets of the health check. */
    probes: readonly Probe[];
    /** Targets that are also checked from outside, and the service of each, by its name in the matrix. */
    outside: readonly { name: string; title: string }[];
    /** Limit of APIM's response time, in milliseconds. */
    latency: number;
    /** Age in days at which a credential must be rotated. Default: their age is not measured. */
    credentialDays: number | undefined;
}

/** Severity of an unhealthy target, by its name in the matrix. Targets that are not listed are a partial impact. */
const COMPONENTS: Readonly<
    Record<string, { severity: Severity; incident: IncidentName; procedure: string }>
> = {
    "MCP Server": { severity: "P1", incident: "server", procedure: "high-error-rate" },
    "MCP Server Ready": { severity: "P1", incident: "server", procedure: "high-error-rate" },
    "Chat UI": { severity: "P2", incident: "services", procedure: "health-matrix" },
    PostgreSQL: { severity: "P1", incident: "database", procedure: "database-connections" },
    Redis: { severity: "P2", incident: "cache", procedure: "redis-memory" },
    APIM: { severity: "P2", incident: "backend", procedure: "high-error-rate" },
    "Azure AD": { severity: "P2", incident: "sign-in", procedure: "authentication-failures" },
    JWKS: { severity: "P2", incident: "sign-in", procedure: "authentication-failures" },
    "Login certificate": { severity: "P2", incident: "sign-in", procedure: "authentication-failures" },
};

/** If an entry point for users is unreachable from outside, the service is down for all users. */
const FOR_USERS = ["MCP Server", "Chat UI"];

/** Maximum number of metrics in an alarm. */
const MOST_METRICS = 10;

/** Severity and remaining validity of a certificate: first with time to obtain a new one, then without. */
const CERTIFICATE_DAYS: readonly [days: number, severity: Severity][] = [
    [30, "P4"],
    [14, "P3"],
    [7, "P2"],
];

/** The health check matrix and the external dependencies. Sections 2.1, 4.3 and 5.4. */
export function healthAlarms({
    namespace,
    probes,
    outside,
    latency,
    credentialDays,
}: HealthAlarmsArgs): Alarm[] {
    const of = (component: string, name: string, statistic: Metric["statistic"]): Metric => ({
        namespace,
        name,
        dimensions: { Component: component },
        statistic,
    });
    const silent = (id: string, who: string, metric: Alarm["metric"], resolution: string): Alarm => ({
        id,
        severity: "P2",
        incident: "checks",
        meaning: `${who} has reported no data for 10 minutes: alarms that rely on it cannot fire.`,
        cause: "It cannot start, cannot publish, or was taken out.",
        resolution,
        procedure: "health-matrix",
        // No value satisfies this: the alarm fires on missing data only.
        metric,
        comparison: "<",
        threshold: 0,
        minutes: 10,
        missingData: "heartbeat",
    });
    const fromOutside = outside.map(({ name, title }): Alarm => {
        const forUsers = FOR_USERS.includes(title);
        return {
            id: `${idOf(name)}-unreachable`,
            severity: forUsers ? "P1" : "P3",
            ...(forUsers && { incident: "entrance" }),
            meaning: `${name} has not been reached from outside for 2 minutes.`,
            cause: "DNS, the certificate, the ingress or the network is broken; or the service itself is down.",
            resolution:
                "aws route53 get-health-check-status shows what each region sees; then check the ingress and the " +
                "pods.",
            procedure: "health-matrix",
            metric: of(name, "Reachable", "Maximum"),
            comparison: "<",
            threshold: 1,
            minutes: 1,
            periods: 2,
            // Another alarm fires if it is not checked at all.
            missingData: "level",
        };
    });
    const inside = probes.filter(({ kind }) => kind !== "outside");
    return [
        silent(
            "health-check-silent",
            "The health check",
            of(inside[0]!.name, "Healthy", "Minimum"),
            "kubectl describe cronjob mcp-health, and the logs of its newest Job, say why.",
        ),
        ...partsOf(outside, MOST_METRICS).map((part, index) =>
            silent(
                `outside-check-silent${index === 0 ? "" : `-${index + 1}`}`,
                "The check from outside, or of one of the hosts,",
                // A sum has no value unless each metric has one.
                {
                    expression: part.map((_, at) => `m${at}`).join(" + "),
                    metrics: Object.fromEntries(
                        part.map(({ name }, at) => [`m${at}`, of(name, "Reachable", "Minimum")]),
                    ),
                },
                "Check the last executions of its state machine.",
            ),
        ),
        ...fromOutside,
        ...(credentialDays === undefined
            ? []
            : [
                  {
                      id: "credential-age",
                      severity: "P4",
                      meaning: `A password, token or secret is older than ${credentialDays} days.`,
                      cause: "Nobody has rotated it, or mcp:rotation does not have the time of its rotation.",
                      resolution:
                          "The lines of the last health check say which: kubectl logs of the newest Job mcp-health.",
                      procedure: "secret-rotation",
                      metric: of(CREDENTIALS, "CredentialDays", "Minimum"),
                      comparison: ">",
                      threshold: credentialDays,
                      minutes: 60,
                      missingData: "level",
                  } as const,
              ]),
        ...inside.flatMap((probe): Alarm[] => {
            const { name, kind } = probe;
            const id = idOf(name);
            const isOwnCertificate = kind === "certificate" && probe.trust === "any";
            const known: Pick<Alarm, "severity" | "incident" | "procedure"> = isOwnCertificate
                ? { severity: "P2", incident: "certificates", procedure: "certificate-rotation" }
                : (COMPONENTS[name] ?? { severity: "P3", procedure: "health-matrix" });
            return [
                {
                    id: `${id}-unhealthy`,
                    ...known,
                    meaning: `${name} has not been healthy for 5 minutes.`,
                    cause: "It is down, not reached, or answers what it should not.",
                    resolution:
                        "The lines of the last health check say which: kubectl logs of the newest Job mcp-health.",
                    // At least two runs. Another alarm fires if there are no runs.
                    metric: of(name, "Healthy", "Maximum"),
                    comparison: "<",
                    threshold: 1,
                    minutes: 5,
                    missingData: "level",
                    // Pods of the services move between nodes.
                    ...(kind === "http" &&
                        known.severity === "P3" && { mutedIn: ["patches", "upgrade"] as const }),
                },
                ...(name === "APIM"
                    ? [
                          {
                              id: `${id}-slow`,
                              severity: "P3",
                              meaning: `${name} takes more than ${latency} ms to answer.`,
                              cause: "The backend or the network to it is slow.",
                              resolution:
                                  "Inform its operator; disable the tools that need it, if users wait too long.",
                              procedure: "slow-responses",
                              metric: of(name, "LatencyMilliseconds", "Minimum"),
                              comparison: ">",
                              threshold: latency,
                              minutes: 10,
                              periods: 2,
                              missingData: "count",
                          } as const,
                      ]
                    : []),
                ...(isOwnCertificate
                    ? CERTIFICATE_DAYS.map(([days, severity]): Alarm => ({
                          id: `${id}-${days}-days`,
                          severity,
                          ...(severity === "P2" && { incident: "certificates" }),
                          meaning: `The certificate of ${probe.host} ends in less than ${days} days.`,
                          cause: "It was not rotated.",
                          resolution: "Have a new one made, and rotate it.",
                          procedure: "certificate-rotation",
                          metric: of(name, "CertificateDays", "Minimum"),
                          comparison: "<",
                          threshold: days,
                          minutes: 60,
                          missingData: "level",
                      }))
                    : []),
            ];
        }),
    ];
}

/** A component's name as part of an alarm's id. */
function idOf(name: string): string {
    return name.toLowerCase().replaceAll(" ", "-");
}
