import { type Exception } from "../../policies/exception";

/** When the exceptions of the tests are judged. */
export const NOW = new Date("2026-11-23T12:00:00Z");

/** An exception that holds then, but for what is said otherwise. */
export function exception(own: Partial<Exception>): Exception {
    return {
        rule: "aws-rds-instance-require-multi-az",
        stack: "production",
        resource: "mcp-production",
        reason: "One zone until the second is there.",
        owner: "Platform Lead",
        ticket: "CHG-1",
        expires: "2026-12-31",
        ...own,
    };
}
