import { HIGH_ERROR_RATE_PERCENT } from "../../core/numbers";
import { type Procedure } from "../procedure";
import { operationOf, runOf } from "./changes";
import { SLOW_RESPONSES, STATUS_SYMPTOMS } from "../../core/symptoms";
import { ONLY_LOOKS } from "./changes";

/** A shell in an active pod: with two colours the Service selects it, and a Deployment's name does not. */
const IN_SERVER = "kubectl exec svc/mcp-server -n mcp-production --";

const REDIS_MEMORY = "REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --tls -h $REDIS_HOST INFO memory";

const metrics = (pattern: string) => `${IN_SERVER} curl -s localhost:8000/metrics | grep ${pattern}`;

const status = (code: keyof typeof STATUS_SYMPTOMS) => {
    const { symptom, cause, resolution } = STATUS_SYMPTOMS[code];
    return `${symptom}: ${lower(cause)}; ${lower(resolution)}`;
};

/** Sections 4.3, 6.1 and 6.3: diagnosis. */
export const diagnosis: readonly Procedure[] = [
    {
        id: "high-error-rate",
        sections: ["4.3.1 steps 1 to 4", "6.1"],
        title: "High error rate",
        when: `More than ${HIGH_ERROR_RATE_PERCENT} % of the requests fail. ${status(500)}. ${status(503)}.`,
        looks: [
            "kubectl logs -l app=mcp-server -n mcp-production --tail=100 | grep ERROR",
            "kubectl top pods -n mcp-production",
            `${IN_SERVER} curl -v https://apim.msil.com/health`,
            metrics("circuit_breaker"),
        ],
        ...ONLY_LOOKS,
        verify:
            "Errors of one tool point at its backend: [disable the tool](#disable-tool) until it is well. Errors of all point at " +
            "APIM, the database or the release: if they began with a release, roll it back. An open circuit " +
            "breaker closes by itself once the backend answers.",
    },
    {
        id: "database-connections",
        sections: ["4.3.2 steps 1 to 3"],
        title: "Database connection issues",
        when: "Requests wait for a connection, or the database refuses one.",
        looks: [
            "aws rds describe-db-instances --db-instance-identifier mcp-production \\\n" +
                "    --query 'DBInstances[0].DBInstanceStatus'",
            "aws rds describe-events --source-type db-instance --source-identifier mcp-production --duration 120",
            metrics("db_pool"),
            `psql -h $DB_HOST -U mcp -d mcp -c "SELECT count(*) FROM pg_stat_activity WHERE state='idle';"`,
        ],
        ...ONLY_LOOKS,
        verify:
            "`available` and a pool with room: the database is healthy. Many idle connections with an exhausted " +
            "pool are a leak: restart gracefully, and find it.",
    },
    {
        id: "resource-exhaustion",
        sections: ["4.3.3 steps 1, 2 and 4"],
        title: "Memory or CPU exhaustion",
        when: "Pods come near their limits, are restarted, or the autoscaler has no room left.",
        looks: [
            "kubectl top pods -n mcp-production --sort-by=memory",
            "kubectl logs svc/mcp-server -n mcp-production | grep -i memory",
            "kubectl get hpa -n mcp-production",
            "kubectl get pods -n mcp-production -o wide",
        ],
        ...ONLY_LOOKS,
        verify:
            "All pods alike and busy: scale up. One pod that only grows, or `OOMKilled` as the reason of a restart, is a leak: " +
            "restart gracefully until it is found.",
    },
    {
        id: "authentication-failures",
        sections: ["4.3.4 steps 1 to 3", "6.1"],
        title: "Authentication failures",
        when: `Users cannot sign in, or their tokens are refused. ${status(401)}.`,
        looks: [
            `${IN_SERVER} curl -v https://login.microsoftonline.com/$TENANT/.well-known/openid-configuration`,
            `${IN_SERVER} curl -s localhost:8000/debug/jwks-status`,
            "openssl s_client -connect login.microsoftonline.com:443 -servername login.microsoftonline.com </dev/null",
        ],
        ...ONLY_LOOKS,
        verify:
            "One user alone has an expired token. All of them: Azure AD is not reached, its certificate is not trusted, or the " +
            "JWKS cache holds keys that are no longer used.",
    },
    {
        id: "refused-requests",
        sections: ["6.1"],
        title: "Requests that are refused",
        when: `${status(403)}. ${status(429)}.`,
        looks: [
            "aws logs filter-log-events --log-group-name /mcp/production/server \\\n" +
                `    --start-time $(date -d "1 hour ago" +%s000) --filter-pattern '?403 ?429'`,
        ],
        ...ONLY_LOOKS,
        verify: "The lines name the users: one of them has a client that misbehaves, many a policy or limit that does not fit.",
    },
    {
        id: "slow-responses",
        sections: ["6.1", "6.3"],
        title: "Slow responses",
        when: `${SLOW_RESPONSES.symptom}: ${lower(SLOW_RESPONSES.cause)}; ${lower(SLOW_RESPONSES.resolution)}.`,
        looks: [
            metrics(`-E "request_duration|requests_total|error"`),
            `psql -h $DB_HOST -U mcp -d mcp -c "SELECT query, calls, mean_exec_time, total_exec_time \\\n` +
                `    FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 10;"`,
            REDIS_MEMORY,
            `${IN_SERVER} curl -o /dev/null -s -w "%{time_total}\\n" https://apim.msil.com/health`,
            "kubectl top pods -n mcp-production",
        ],
        ...ONLY_LOOKS,
        verify: "What is slow by itself is the cause: a statement, the backend, or pods at their limits. Scale up for the last.",
    },
    {
        id: "redis-memory",
        sections: ["6.3"],
        title: "Redis memory",
        when: "Redis is not reached, or runs out of memory and throws keys away.",
        looks: [
            "aws elasticache describe-events --source-type replication-group --source-identifier mcp-production --duration 120",
            REDIS_MEMORY,
        ],
        ...ONLY_LOOKS,
        verify: "`used_memory` near `maxmemory`: clean the cache up (section 5.3), or raise `mcp:cache.nodeType`.",
    },
    {
        id: "diagnostics",
        sections: [
            "4.3.1 steps 1 to 4",
            "4.3.2 steps 2 and 3",
            "4.3.3 steps 1, 2 and 4",
            "4.3.4 steps 1 to 3",
            "6.3",
        ],
        title: "Diagnostics: everything at once",
        when: "The cause is unclear, or the people at hand may not use kubectl and psql.",
        edits: [runOf("diagnostics")],
        changes: operationOf("create", "Diagnostics", "mcp-diagnostics", "inc-2041"),
        verify:
            "`kubectl logs -n mcp-production -l mcp.msil.com/task=mcp-diagnostics --all-containers --tail=-1` has a section for " +
            "each step. It judges nothing; the update fails if something could not be looked at, and names it.",
        undo: "Nothing to undo: it only looks. Removing the value takes its rights away.",
    },
];

function lower(text: string): string {
    return text[0]!.toLowerCase() + text.slice(1);
}
