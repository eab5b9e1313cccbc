import { setTimeout as sleep } from "node:timers/promises";
import { type GateContext, gateMain } from "./lib/gate";
import { reasonOf, withTimeout } from "./lib/http";
import * as z from "zod/mini";
import { list, parse, pattern, seconds, text } from "./lib/schema";
import { type TlsResult, servedLeaf, type TlsTarget, tlsTarget } from "./lib/tls";

/** The certificate to check, and the hosts. */
const certificatePlan = z.strictObject({
    /** Name of the certificate, for log lines: "mcp-tls-new". */
    subject: text,
    /** Expected serial number, in capital hexadecimal digits. */
    serial: pattern(/^[0-9A-F]+$/, "a serial number in capital hexadecimal digits"),
    /** At least one. All must serve it. */
    hosts: list(z.strictObject(tlsTarget)),
    /** Deadline of the run in seconds, after which the gate fails. */
    deadlineSeconds: seconds,
});

/** The certificate to check, and the hosts. */
export type CertificatePlan = z.infer<typeof certificatePlan>;

/** Context of the gate. */
export interface CertificateOptions extends GateContext {
    /** Current time. Default: now. */
    date?: () => Date;
}

/** Result of a run. */
export interface CertificateResult {
    passed: number;
    /** Hosts that did not serve the certificate. */
    failed: string[];
}

const PAUSE_SECONDS = 2;
/** Timeout of one handshake. */
const HANDSHAKE_SECONDS = 10;

/** Checks all hosts in parallel until each serves the certificate; never rejects. */
export async function runCertificate(
    { subject, serial, hosts, deadlineSeconds }: CertificatePlan,
    { log, signal, date = () => new Date() }: CertificateOptions,
): Promise<CertificateResult> {
    log(
        `certificate ${subject}: serial ${serial} at ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`,
    );
    const deadline = `the deadline of ${deadlineSeconds} s passed`;
    return withTimeout(deadlineSeconds, deadline, signal, async (run) => {
        const outcomes = await Promise.all(
            hosts.map((target) => outcome(target, serial, run, { log, date })),
        );
        const failed = hosts.filter((_, index) => !outcomes[index]).map(({ host }) => host);
        return { passed: hosts.length - failed.length, failed };
    });
}

/** The last line of a run. */
export function certificateVerdict(
    { subject, hosts }: CertificatePlan,
    { passed, failed }: CertificateResult,
): string {
    return failed.length === 0
        ? `PASSED ${passed} of ${hosts.length} hosts: ${subject} is what they serve.`
        : `FAILED ${failed.length} of ${hosts.length} hosts: ${subject} is not what they serve.`;
}

/** Whether a host serves the certificate in time; prints changes. */
async function outcome(
    target: TlsTarget,
    serial: string,
    run: AbortSignal,
    { log, date }: Pick<Required<CertificateOptions>, "log" | "date">,
): Promise<boolean> {
    let last = "";
    for (;;) {
        const { leaf, error: error } = await look(target, run);
        const early = leaf !== undefined && Date.parse(leaf.validFrom) > date().getTime();
        if (leaf?.serialNumber === serial && !early) {
            log(`  ✓ ${target.host}: serial ${serial}, valid until ${leaf.validTo}`);
            return true;
        }
        const times = early ? `valid from ${leaf.validFrom} on only` : `valid until ${leaf?.validTo}`;
        const found = leaf === undefined ? error : `served ${leaf.serialNumber}, ${times}`;
        // A handshake that the deadline interrupts says less than the previous one.
        const finding = run.aborted && last !== "" ? last : `expected serial ${serial}, ${found}`;
        if (run.aborted || !(await pause(run))) {
            log(`  ✗ ${target.host}: ${finding}; ${reasonOf(run)}`);
            return false;
        }
        if (finding !== last) {
            log(`  … ${target.host}: ${finding}; looking again`);
            last = finding;
        }
    }
}

/** Waits for the next check. Returns whether there is time for it. */
async function pause(run: AbortSignal): Promise<boolean> {
    await sleep(PAUSE_SECONDS * 1000, undefined, { signal: run }).catch(() => undefined);
    return !run.aborted;
}

/** One handshake. Undefined if the end of the run interrupted it. */
function look(target: TlsTarget, run: AbortSignal): Promise<TlsResult> {
    const reason = `no handshake within ${HANDSHAKE_SECONDS} s`;
    return withTimeout(HANDSHAKE_SECONDS, reason, run, async (signal) => {
        const { host, address = `${host}:443` } = target;
        const found = await servedLeaf(target, signal);
        return run.aborted && found.leaf === undefined
            ? { error: `no TLS at ${address}: no answer yet` }
            : found;
    });
}

/** Parses a plan's file; throws an error with path, found and expected. */
export function parseCertificatePlan(raw: unknown): CertificatePlan {
    return parse(certificatePlan, raw);
}

if (require.main === module) {
    void gateMain(parseCertificatePlan, async (plan, context) => {
        const result = await runCertificate(plan, context);
        return { passed: result.failed.length === 0, line: certificateVerdict(plan, result) };
    });
}
