import { type StackValues } from "../../config";
import { CACHE, DATABASE } from "../../core/numbers";
import { type Default, type Edit, type ExpectedChange, type Parameter, type Procedure } from "../procedure";
import { DEPLOYMENT, ROLLOUT, workloadsOf } from "./changes";

const EXAMPLE_TIME = "2026-01-31T10:30:00+05:30";

const USERS = ["a", "b"];

type Rotation = StackValues["rotation"];

/** The user that the services use. */
const activeUser = (rotation: Rotation): string => rotation?.database.active ?? "a";

/** Now, or of a run that resumes another one the time that the stack file has. */
const nowOr = (
    timeOf: (rotation: Rotation, given: Readonly<Record<string, string>>) => string | undefined,
): Default => ({
    meaning: "now",
    of: ({ rotation }, given, resumes) =>
        resumes ? timeOf(rotation, given) : `${new Date().toISOString().slice(0, 19)}Z`,
});

/** The time of the rotation that is to end. */
const lastRotation = (timeOf: (rotation: Rotation) => string | undefined): Default => ({
    meaning: "the time of the last rotation",
    of: ({ rotation }) => timeOf(rotation),
});

const time = (meaning: string, value: Default): Parameter => ({
    name: "time",
    meaning,
    example: EXAMPLE_TIME,
    default: value,
});

/** The password that the services use is replaced by that of the other user. */
function refuseActive(
    { rotation }: StackValues,
    { user = "", time: at }: Readonly<Record<string, string>>,
): string[] {
    const isDone = at !== undefined && passwords(rotation)[user] === at;
    return user === activeUser(rotation) && !isDone
        ? [`--user: found "${user}", which the services use; expected the other user`]
        : [];
}

const passwords = (rotation: Rotation): Readonly<Record<string, string | undefined>> =>
    rotation?.database.passwords ?? {};

const timeOf = (parameter: Parameter, path: string): Edit => ({
    path,
    value: parameter.meaning,
    example: parameter.example,
    parameter: parameter.name,
});

const userOf = ({ name, meaning, example }: Parameter): Edit => ({
    path: "mcp:rotation.database.active",
    value: meaning,
    example,
    parameter: name,
});

const USED_USER: Parameter = {
    name: "user",
    meaning: "the user that the services use, which remains",
    example: "b",
    default: { meaning: "as it is", of: ({ rotation }) => activeUser(rotation) },
    choices: ({ rotation }) => [activeUser(rotation)],
};

const DATABASE_USER: Parameter = {
    name: "user",
    meaning: "the user whose password is made, and which the services use afterwards",
    example: "b",
    default: {
        meaning: "the user that the services do not use",
        of: ({ rotation }, _, resumes) => USERS.find((user) => (user === activeUser(rotation)) === resumes),
    },
    choices: () => USERS,
};

const MADE = time(
    "the time of the rotation",
    nowOr((rotation, { user = "" }) => passwords(rotation)[user]),
);

const TOKEN_MADE = time(
    "the time of the rotation",
    nowOr((rotation) => rotation?.cache?.rotated),
);

const SECRET_MADE = time(
    "the time of the rotation",
    nowOr((rotation, { workload = "", secret = "" }) => rotation?.workloads[workload]?.[secret]),
);

const WORKLOAD: Parameter = {
    name: "workload",
    meaning: "the workload that has the secret",
    example: "admin-portal",
    choices: workloadsOf(),
};

const WORKLOAD_SECRET: Parameter = {
    name: "secret",
    meaning: "the name of the secret",
    example: "SESSION_SECRET",
};

const DATABASE_ROTATED = time(
    "the time of the rotation that ends",
    lastRotation((rotation) => passwords(rotation)[activeUser(rotation)]),
);

const TOKEN_ROTATED = time(
    "the time of the rotation that ends",
    lastRotation((rotation) => rotation?.cache?.rotated),
);

const update = (type: string, ...names: string[]): ExpectedChange[] =>
    names.map((name) => ({ operation: "update", type, name }));

const serversUpdated = update(DEPLOYMENT, "mcp-server-blue", "mcp-server-green");

/** The health check measures the age of the new one. */
const ageMeasured: readonly ExpectedChange[] = [
    ...update("kubernetes:batch/v1:CronJob", "mcp-health"),
    { operation: "replace", type: "kubernetes:core/v1:ConfigMap", name: "mcp-health-program" },
];

const bootstrapped: ExpectedChange = {
    operation: "replace",
    type: "kubernetes:batch/v1:Job",
    name: "mcp-production-bootstrap-*",
};

const PASSWORD = "random:index/randomPassword:RandomPassword";

const SECRET = "kubernetes:core/v1:Secret";

/** What ends a rotation of something that has two valid values until then. */
const ending = "At least 15 minutes after the rotation; before, the preview refuses it.";

/** Credentials are replaced, and those before them end. The runbook has this of certificates alone. */
export const rotation: readonly Procedure[] = [
    {
        id: "database-rotation",
        sections: ["5.4"],
        title: "Rotate the application's database password",
        when:
            "`credential-age` rings, or somebody knows the password who should not. The services have two users: " +
            "`a` is `mcp` and owns the database, and `b` is `mcp_b` and acts as `mcp`, so that all objects belong to `mcp`. The user that the services do not use gets a " +
            "new password, and the services change over to it. The other user remains valid until " +
            "[the rotation ends](#database-rotation-end).",
        parameters: [DATABASE_USER, MADE],
        edits: [timeOf(MADE, "mcp:rotation.database.passwords.{user}"), userOf(DATABASE_USER)],
        changes: [
            ...["RandomPassword", "RandomBytes"].map((type): ExpectedChange => ({
                operation: "create",
                type: `random:index/${type[0]!.toLowerCase()}${type.slice(1)}:${type}`,
                name: "mcp-database-b",
            })),
            { operation: "create", type: SECRET, name: "mcp-database-b" },
            bootstrapped,
            ...update(SECRET, DATABASE.secret),
            ...ageMeasured,
            ...serversUpdated,
        ],
        refuses: refuseActive,
        verify:
            "The bootstrap sets the password before `mcp-db-secret` has it. It fails the update, and changes nothing, while " +
            `somebody uses the user whose password is to be made: another rotation is then not at its end. The pods are replaced one by one. ${ROLLOUT}. ` +
            "`SELECT usename, count(*) FROM pg_stat_activity GROUP BY 1` shows which user has connections.",
        undo: "Set `mcp:rotation.database.active` back to the other user, whose password is still valid, and leave the times as they are.",
    },
    {
        id: "database-rotation-end",
        sections: ["5.4"],
        title: "Rotate the application's database password: end the other user",
        when: `The services use the new password. ${ending} Until then the user before can still log in.`,
        from: [`mcp:rotation.database.passwords.b=${EXAMPLE_TIME}`, "mcp:rotation.database.active=b"],
        // All but the last are as they are.
        parameters: [USED_USER, DATABASE_ROTATED],
        edits: [
            timeOf(DATABASE_ROTATED, "mcp:rotation.database.passwords.{user}"),
            userOf(USED_USER),
            timeOf(DATABASE_ROTATED, "mcp:rotation.database.only"),
        ],
        changes: [bootstrapped, ...ageMeasured],
        verify:
            "The bootstrap takes the other user's login away. It fails the update, and changes nothing, while a session uses that user: " +
            "a dump that began before the rotation, or somebody by hand.",
        undo: "`pulumi config rm --stack production --path mcp:rotation.database.only`: the next update lets the other user in again.",
    },
    {
        id: "cache-rotation",
        sections: ["5.4"],
        title: "Rotate the token of Redis",
        when:
            "`credential-age` rings, or somebody knows the token who should not. ElastiCache takes the new token beside the old one " +
            "(`ROTATE`), and the services change over to it. The old one remains valid until [the rotation ends](#cache-rotation-end).",
        parameters: [TOKEN_MADE],
        edits: [timeOf(TOKEN_MADE, "mcp:rotation.cache.rotated")],
        changes: [
            { operation: "replace", type: PASSWORD, name: "mcp-production-cache" },
            ...update("aws:elasticache/replicationGroup:ReplicationGroup", "mcp-production-cache"),
            ...update(SECRET, CACHE.secret),
            ...ageMeasured,
            ...serversUpdated,
        ],
        refuses: ({ rotation: values }) => {
            const { rotated, only } = values?.cache ?? {};
            return rotated !== undefined && Date.parse(only ?? "") !== Date.parse(rotated)
                ? [
                      `--time: found another time, expected ${rotated}: that rotation is not at its end. Run cache-rotation-end before`,
                  ]
                : [];
        },
        verify: `\`mcp-cache-secret\` has the token only once ElastiCache takes it. The pods are replaced one by one. ${ROLLOUT}.`,
        undo: "The old token is gone from the state: nothing leads back to it. A new rotation makes another token.",
    },
    {
        id: "cache-rotation-end",
        sections: ["5.4"],
        title: "Rotate the token of Redis: end the old token",
        when: `The services use the new token. ${ending} Until then the old one is valid, too.`,
        from: [`mcp:rotation.cache.rotated=${EXAMPLE_TIME}`],
        parameters: [TOKEN_ROTATED],
        edits: [
            timeOf(TOKEN_ROTATED, "mcp:rotation.cache.rotated"),
            timeOf(TOKEN_ROTATED, "mcp:rotation.cache.only"),
        ],
        changes: update("aws:elasticache/replicationGroup:ReplicationGroup", "mcp-production-cache"),
        verify: "ElastiCache takes the new token alone (`SET`). Connections that are open stay open.",
        undo: "Nothing leads back: the old token is not kept.",
    },
    {
        id: "secret-rotation",
        sections: ["5.4"],
        title: "Rotate a secret of a workload",
        when:
            "`credential-age` rings, or the secret is known to somebody who should not know it. A `generated` secret is replaced by the time of " +
            "its rotation. Of a `supplied` one, first make a second one where it comes from: APIM has two subscription keys, and an " +
            "application of Azure AD takes several client secrets. Supply it, set the time, and update; afterwards delete the old " +
            "one where it comes from. Users with a session have to log in again after a session secret changes.",
        preparation: [
            "pulumi config set --stack production --secret --path 'mcp:secrets.mcp-server.APIM_SUBSCRIPTION_KEY'   # of a supplied one alone",
        ],
        parameters: [WORKLOAD, WORKLOAD_SECRET, SECRET_MADE],
        edits: [timeOf(SECRET_MADE, "mcp:rotation.workloads.{workload}.{secret}")],
        changes: [
            { operation: "replace", type: PASSWORD, name: "admin-portal-session-secret" },
            { operation: "replace", type: SECRET, name: "admin-portal-generated" },
            { operation: "replace", type: "kubernetes:batch/v1:Job", name: "admin-portal-smoke-*" },
            ...update(DEPLOYMENT, "admin-portal"),
            ...ageMeasured,
        ],
        verify: `The pods are replaced one by one, and each has the old value or the new one. ${ROLLOUT}. The smoke gate of a rolling workload runs again.`,
        undo: "Of a supplied secret, supply the old value again, as long as it is valid. A generated one is not kept.",
    },
    {
        id: "managed-rotation",
        sections: ["5.4"],
        title: "Credentials that rotate by themselves",
        when:
            "Always. AWS rotates the password of the database's administrator `mcp_admin` every seven days, and the keys of KMS every " +
            "year; a policy refuses a key without rotation. Pods get credentials of AWS and of Kubernetes that end within hours. Nothing has to be done.",
        looks: [
            "aws rds describe-db-instances --db-instance-identifier mcp-production --query 'DBInstances[].MasterUserSecret'",
            "aws kms get-key-rotation-status --key-id alias/mcp-production-database",
        ],
        edits: [],
        changes: [],
        verify: "`active` is the status of the administrator's secret, and `KeyRotationEnabled` is true.",
        undo:
            "Nothing to undo. To rotate at once: `aws rds modify-db-instance --db-instance-identifier mcp-production --rotate-master-user-password " +
            "--apply-immediately`; `aws kms rotate-key-on-demand --key-id alias/mcp-production-database`.",
    },
];
