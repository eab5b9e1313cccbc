import { type BlueGreenWorkloadArgs } from "../../components/workload/workload";

/** A release of the example. */
export const release = (version: string) => ({
    version,
    image: `registry.example.com/api:${version}`,
    config: { LOG_LEVEL: "info" },
    databaseChange: false,
});

/** A service with two colours, of which green is active, outside of any stack. */
export const EXAMPLE: BlueGreenWorkloadArgs = {
    namespace: "apps",
    namespaceName: "apps",
    labels: {},
    port: 8080,
    probes: { liveness: "/live", readiness: "/ready" },
    scaling: { min: 3, max: 4, cpu: 70 },
    resources: {
        cpu: { request: "100m", limit: "200m" },
        memory: { request: "64Mi", limit: "64Mi" },
    },
    secrets: {},
    gracePeriod: 30,
    network: { callers: [], tasks: [], calls: [], egress: [], awsIdentity: false, scraped: false },
    smoke: { requests: [], deadline: 60 },
    nodeImage: "node:22",
    releases: { blue: release("v1"), green: release("v2") },
    active: "green",
    standby: "cold",
    soak: {
        durationSeconds: 600,
        maxErrorPercent: 5,
        minimumRequests: 200,
        allowNoData: false,
        metrics: { path: "/metrics", port: 8080, requests: { counter: "r" }, errors: { counter: "e" } },
    },
    releaseHistory: "releases",
    apiServer: { cidr: "10.0.0.1/32", port: 443 },
};
