import { gateMain } from "../../jobs/lib/gate";
import { parseSmokePlan, runSmoke, type SmokePlan, type SmokeResult } from "../../jobs/release/smokeRequests";

/* The requests of the smoke gate as a separate program, without release and release history. */

/** The last line of a run. */
export function smokeVerdict({ subject, requests }: SmokePlan, { passed, failed }: SmokeResult): string {
    return failed.length === 0
        ? `PASSED ${passed} of ${requests.length} requests: ${subject} answers as planned.`
        : `FAILED ${failed.length} of ${requests.length} requests: ${subject} is not fit to serve.`;
}

if (require.main === module) {
    void gateMain(parseSmokePlan, async (plan, context) => {
        const result = await runSmoke(plan, context);
        return { passed: result.failed.length === 0, line: smokeVerdict(plan, result) };
    });
}
