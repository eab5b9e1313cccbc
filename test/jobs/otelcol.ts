import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { GoTools } from "../goTools";

const PROGRAM = "otelcol";
const isOnPath = spawnSync(PROGRAM, ["--version"]).status === 0;

/**
 * The OpenTelemetry collector with the components that the platform's configuration names. Version 0.130 is the newest whose
 * CloudWatch exporter is published as a module; AWS's collector v0.49.0, which the stacks run, is built from 0.156.
 */
export const collector = new GoTools(PROGRAM, [join(__dirname, PROGRAM)]);

/** The collector's command: the one on PATH, or else the one that is built. */
export const otelcol = isOnPath ? PROGRAM : join(collector.folder, PROGRAM);

/** Why there is no collector to test with, in plain words; undefined when there is one. */
export function whyNoCollector(): string | undefined {
    const reason = isOnPath ? undefined : collector.whyNotBuilt();
    return (
        reason &&
        `not proven: that the OpenTelemetry collector reports what the alarms watch, with what is configured; there is no ${PROGRAM} on PATH, and ${reason}`
    );
}
