/** A symptom that users see, its usual cause and remedy. */
export interface Symptom {
    symptom: string;
    cause: string;
    resolution: string;
    /** Id of the procedure to continue with. */
    procedure: string;
}

/** The runbook's common issues, by HTTP status. Section 6.1. */
export const STATUS_SYMPTOMS = {
    401: {
        symptom: "401 Unauthorized",
        cause: "Token expired",
        resolution: "Refresh token",
        procedure: "authentication-failures",
    },
    403: {
        symptom: "403 Forbidden",
        cause: "Insufficient permissions",
        resolution: "Check RBAC policies",
        procedure: "refused-requests",
    },
    429: {
        symptom: "429 Too Many Requests",
        cause: "Rate limit exceeded",
        resolution: "Wait or request limit increase",
        procedure: "refused-requests",
    },
    500: {
        symptom: "500 Internal Error",
        cause: "Backend failure",
        resolution: "Check logs, verify backend",
        procedure: "high-error-rate",
    },
    503: {
        symptom: "503 Service Unavailable",
        cause: "Circuit breaker open",
        resolution: "Wait for recovery",
        procedure: "high-error-rate",
    },
} as const satisfies Readonly<Record<number, Symptom>>;

/** The issue without a status. Section 6.1. */
export const SLOW_RESPONSES = {
    symptom: "Slow responses",
    cause: "Resource exhaustion",
    resolution: "Scale up, check DB",
    procedure: "slow-responses",
} as const satisfies Symptom;

/** Every row of the table. Section 6.1. */
export const SYMPTOMS: readonly Symptom[] = [...Object.values(STATUS_SYMPTOMS), SLOW_RESPONSES];
