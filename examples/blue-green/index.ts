import { Provider } from "@pulumi/kubernetes/provider";
import { Config } from "@pulumi/pulumi/config";
import { BlueGreenWorkload } from "../../components/workload/blueGreenWorkload";

/* A service with two colours. Edit `active` to release the other one, and edit it back to roll back. */

const config = new Config();
const active = config.get("active") === "green" ? "green" : "blue";
const release = (version: string) => ({
    version,
    image: `registry.example.com/orders:${version}`,
    config: { LOG_LEVEL: "info" },
});
const kubernetes = new Provider("kubernetes", { context: config.require("context") });

const orders = new BlueGreenWorkload(
    "orders",
    {
        namespace: "orders",
        namespaceName: "orders",
        apiServer: { cidr: config.require("apiServer"), port: 443 },
        port: 8080,
        probes: { liveness: "/live", readiness: "/ready" },
        scaling: { min: 2, max: 4, cpu: 70 },
        resources: {
            cpu: { request: "100m", limit: "500m" },
            memory: { request: "128Mi", limit: "256Mi" },
        },
        smoke: {
            requests: [
                {
                    name: "ready",
                    method: "GET",
                    path: "/ready",
                    headers: {},
                    timeoutSeconds: 5,
                    attempts: 5,
                    expect: { status: 200 },
                },
            ],
            deadline: 120,
        },
        soak: {
            durationSeconds: 300,
            maxErrorPercent: 5,
            minimumRequests: 100,
            allowNoData: false,
            metrics: {
                path: "/metrics",
                port: 8080,
                requests: { counter: "requests_total" },
                errors: { counter: "requests_total", labels: { status: "^5" } },
            },
        },
        nodeImage: "docker.io/library/node:22.21.1-bookworm-slim",
        releases: { blue: release("v1.0.0"), green: release("v1.1.0") },
        active,
        releaseHistory: "orders-releases",
    },
    { providers: { kubernetes } },
);

export const image = orders.promote();
