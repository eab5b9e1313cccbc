import { type Probe } from "../../../jobs/lib/probes";
import { type Severity } from "../../../core/numbers";
import { type Alarm, type Metric } from "../alarm";

/** Arguments of {@link healthAlarms}. */
export interface HealthAlarmsArgs {
    /** Namespace of the health check's metrics. */
    namespace: string;
    /** What the health check asks. */
    probes: readonly Probe[];
    /** Those that are asked from outside, and the service that each reaches, by its name in the matrix. */
    outside: readonly { name: string; title: string }[];
    /** Most milliseconds that APIM may take to answer. */
    latency: number;
}

/** What it means that something is unhealthy, by its name in the matrix. What is not in here is a partial impact. */
const COMPONENTS: Readonly<Record<string, { severity: Severity; procedure: string }>> = {
    "MCP Server": { severity: "P1", procedure: "high-error-rate" },
    "MCP Server Ready": { severity: "P1", procedure: "high-error-rate" },
    "Chat UI": { severity: "P2", procedure: "health-matrix" },
    PostgreSQL: { severity: "P1", procedure: "database-connections" },
    Redis: { severity: "P2", procedure: "redis-memory" },
    APIM: { severity: "P2", procedure: "high-error-rate" },
    "Azure AD": { severity: "P2", procedure: "authentication-failures" },
    JWKS: { severity: "P2", procedure: "authentication-failures" },
    "Login certificate": { severity: "P2", procedure: "authentication-failures" },
};

/** Who is told how long before a certificate ends: there is time to have another one made, and then there is not. */
const CERTIFICATE_DAYS: readonly [days: number, severity: Severity][] = [
    [30, "P4"],
    [14, "P3"],
    [7, "P2"],
];

/** The health check matrix and what the platform depends on. Sections 2.1, 4.3 and 5.4. */
export function healthAlarms({ namespace, probes, outside, latency }: HealthAlarmsArgs): Alarm[] {
    const titles = new Map(outside.map(({ name, title }) => [name, title]));
    const of = (component: string, name: string, statistic: Metric["statistic"]): Metric => ({
        namespace,
        name,
        dimensions: { Component: component },
        statistic,
    });
    return probes.flatMap((probe): Alarm[] => {
        const { name, kind } = probe;
        const id = name.toLowerCase().replaceAll(" ", "-");
        const isOwnCertificate = kind === "certificate" && probe.trust === "any";
        const { severity, procedure } = isOwnCertificate
            ? { severity: "P2" as const, procedure: "certificate-rotation" }
            : (COMPONENTS[titles.get(name) ?? name] ?? {
                  severity: "P3",
                  procedure: "health-matrix",
              });
        return [
            {
                id: `${id}-unhealthy`,
                severity,
                meaning: `${name} has not been healthy for 10 minutes, or the health check does not run.`,
                cause: "It is down, not reached, or answers what it should not.",
                resolution:
                    "The lines of the last health check say which: kubectl logs of the newest Job mcp-health.",
                procedure,
                // Two runs, or none.
                metric: of(name, "Healthy", "Maximum"),
                comparison: "<",
                threshold: 1,
                minutes: 10,
                missingData: "heartbeat",
                // Pods of the services move from node to node.
                ...((kind === "http" || kind === "outside") &&
                    severity === "P3" && { mutedIn: ["patches", "upgrade"] as const }),
            },
            ...(name === "APIM"
                ? [
                      {
                          id: `${id}-slow`,
                          severity: "P3",
                          meaning: `${name} takes more than ${latency} ms to answer.`,
                          cause: "The backend or the network to it is slow.",
                          resolution:
                              "Tell whoever runs it; disable the tools that need it, if users wait too long.",
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
                      meaning: `The certificate of ${probe.host} ends in less than ${days} days.`,
                      cause: "Nobody has rotated it.",
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
    });
}
