import { type ApprovalPlan } from "../../jobs/evidence";
import { app, namespace } from "./releaseCluster";

/** When the gates of a test ask. */
export const date = "2026-11-23T12:00:00.000Z";

/** Plan of the gate before a release, if staging must have completed its image. */
export const evidencePlan = {
    subject: "mcp-server v2.1.0 (green)",
    deadlineSeconds: 20,
    namespace,
    app,
    colour: "green",
    release: {
        hash: "0a1b2c3d",
        version: "v2.1.0",
        image: `registry/msil-mcp-server:v2.1.0@sha256:${"a".repeat(64)}`,
    },
    ledger: "mcp-releases",
    change: {
        version: "v2.1.0",
        ticket: "CHG-1042",
        approvers: ["change board", "platform lead"],
        rollbackPlan: "live: blue",
    },
    validation: { stack: "organization/mcp/staging", configMap: "mcp-validated" },
    dashboard: "https://console/#dashboard",
} satisfies ApprovalPlan;
