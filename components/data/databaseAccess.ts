import { type Job } from "@pulumi/kubernetes/batch/v1";
import { Secret } from "@pulumi/kubernetes/core/v1";
import {
    all,
    ComponentResource,
    type ComponentResourceOptions,
    type Input,
    interpolate,
} from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random/randomBytes";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { DATABASE } from "../../core/numbers";
import { contentHash } from "../../core/hash";
import { required } from "../../core/required";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareTask, script, taskPods } from "../tasks/task";
import { type Connection, declareConnection } from "./connection";
import { type Database, type DatabaseInstance } from "./database";
import { scramVerifier } from "./scram";

/** A query that checks a database, and its minimum result. */
export interface DatabaseCheck {
    query: string;
    atLeast: number;
}

/** One of the application's users. */
export interface DatabaseUser {
    name: string;
    /** When its password was made: another time makes another password. Default: at the installation. */
    rotated?: string | undefined;
    /** Whether it may log in. */
    login: boolean;
}

/** Arguments of {@link DatabaseAccess}. */
export interface DatabaseAccessArgs {
    namespace: Input<string>;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the EKS cluster. */
    cluster: string;
    /** Region of the administrator's secret. */
    region: string;
    /** Accounts of the services: first the owner of the database, then the other one, and the name of the active one. */
    users: { all: readonly DatabaseUser[]; active: string };
    /** Range of the network that contains the database. */
    network: string;
    database: Database;
    /** The instance in use. */
    active: "primary" | "recovery";
    /** Names a further comparison of both instances. Default: none. */
    compare?: string | undefined;
    /** Checks before a switch to a restored instance. Section 7.2 step 4. */
    checks: readonly DatabaseCheck[];
    /** Images of the tasks, pinned. */
    images: { postgres: string; aws: string };
}

/** Maximum number of pods at the same time: the bootstraps of both instances. */
export const DATABASE_PODS = taskPods(2);

/** Deadline of a bootstrap or verification, in seconds. Counting a large table is slow. */
const DEADLINE_SECONDS = 600;

/** Tables up to this number of rows are compared row by row, by hash. */
const COMPARED_ROWS = 500_000;

/** Number of checks of the settings, over five minutes. */
const SETTINGS_ATTEMPTS = 30;

/** Length of the application's password, in characters. Its alphabet needs no escaping. */
const PASSWORD_LENGTH = 40;

const TLS = "require";

/**
 * Access of the application to the database: a user on each instance, and the Secret `mcp-db-secret` with the URL of
 * the active instance. The services start after the bootstrap, and switch after the verification. Section 7.2 steps 4
 * to 6.
 */
export class DatabaseAccess extends ComponentResource {
    /** The Secret with the URL of the active instance. */
    public readonly connection: Connection;

    constructor(name: string, args: DatabaseAccessArgs, opts?: ComponentResourceOptions) {
        super("mcp:data:DatabaseAccess", name, {}, opts);
        const { database, namespace, labels, images, users } = args;
        const instances = [database.primary, ...(database.recovered ? [database.recovered] : [])];

        const credentials = users.all.map((each, index) =>
            declareCredential(index === 0 ? name : `${name}-b`, each, args, this),
        );
        const application = required(
            credentials.find((each) => each.user.name === users.active),
            "the password of the user in use",
        );
        const mountedPassword = [{ name: application.secret, keys: ["password"] }];

        const access = declareTaskAccess(
            name,
            {
                namespace,
                labels,
                // The database, Secrets Manager and KMS.
                egress: [egressToNetwork({ cidr: args.network, port: DATABASE.port }), HTTPS_EGRESS],
                aws: {
                    cluster: args.cluster,
                    permissions: [
                        {
                            actions: ["secretsmanager:GetSecretValue"],
                            resources: instances.map(({ administrator }) => administrator),
                        },
                        { actions: ["kms:Decrypt"], resources: [database.keyArn] },
                        ...(database.recovered === undefined
                            ? []
                            : [
                                  {
                                      actions: ["rds:DescribeDBInstances"],
                                      resources: [database.recovered.arn],
                                  },
                              ]),
                    ],
                },
            },
            this,
        );
        const environment = ({ host }: DatabaseInstance) => ({
            PGHOST: host,
            PGPORT: String(DATABASE.port),
            PGSSLMODE: TLS,
        });
        const bootstrap = (instance: DatabaseInstance): Job =>
            declareTask(
                `${instance.identifier}-bootstrap`,
                {
                    access,
                    hash: contentHash(instance.identifier),
                    deadlineSeconds: DEADLINE_SECONDS,
                    steps: [
                        {
                            name: "administrator",
                            image: images.aws,
                            program: script("database/administrator.sh"),
                            env: {
                                AWS_DEFAULT_REGION: args.region,
                                ADMINISTRATOR_ARN: instance.administrator,
                            },
                        },
                        {
                            name: "bootstrap",
                            image: images.postgres,
                            program: script("database/bootstrap.sh"),
                            env: {
                                ...environment(instance),
                                DATABASE: DATABASE.name,
                                USERS: users.all
                                    .map(({ name, login, rotated = "" }) =>
                                        [name, login ? "LOGIN" : "NOLOGIN", rotated].join("\t"),
                                    )
                                    .join("\n"),
                            },
                            secrets: credentials.map((each) => ({
                                name: each.secret,
                                keys: ["verifier"],
                                folder: each.user.name,
                            })),
                        },
                    ],
                    after: instance.ready,
                },
                this,
            );
        const verify = (instance: DatabaseInstance, after: Job): Job =>
            declareTask(
                `${instance.identifier}-verify`,
                {
                    access,
                    hash: contentHash([instance.identifier, args.checks]),
                    deadlineSeconds: DEADLINE_SECONDS,
                    steps: [
                        {
                            name: "verify",
                            image: images.postgres,
                            program: script("database/verify.sh"),
                            env: {
                                ...environment(instance),
                                PGDATABASE: DATABASE.name,
                                PGUSER: application.user.name,
                                CHECKS: args.checks
                                    .map(({ query, atLeast }) => `${atLeast}\t${query}`)
                                    .join("\n"),
                            },
                            secrets: mountedPassword,
                        },
                    ],
                    after: [after],
                },
                this,
            );

        const compare = ({ primary }: Database, recovered: DatabaseInstance, after: Job): Job =>
            declareTask(
                `${recovered.identifier}-compare`,
                {
                    access,
                    // Runs after a restore, before each switch, and on demand.
                    hash: contentHash([recovered.identifier, args.active, args.compare]),
                    deadlineSeconds: DEADLINE_SECONDS,
                    scratch: "1Gi",
                    steps: [
                        {
                            name: "compare",
                            image: images.postgres,
                            program: script("database/compare.sh"),
                            env: {
                                PRIMARY: primary.identifier,
                                PRIMARY_HOST: primary.host,
                                PRIMARY_PORT: String(DATABASE.port),
                                RECOVERED: recovered.identifier,
                                RECOVERED_HOST: recovered.host,
                                RECOVERED_PORT: String(DATABASE.port),
                                PGSSLMODE: TLS,
                                PGDATABASE: DATABASE.name,
                                PGUSER: application.user.name,
                                ROWS: String(COMPARED_ROWS),
                            },
                            secrets: mountedPassword,
                        },
                    ],
                    after: [after],
                },
                this,
            );
        const checkSettings = ({ identifier, settings, ready }: DatabaseInstance): Job =>
            declareTask(
                `${identifier}-settings`,
                {
                    access,
                    hash: contentHash([identifier, settings]),
                    deadlineSeconds: DEADLINE_SECONDS,
                    steps: [
                        {
                            name: "settings",
                            image: images.aws,
                            program: script("database/settings.sh"),
                            env: {
                                AWS_DEFAULT_REGION: args.region,
                                INSTANCE: identifier,
                                EXPECTED: Object.entries(settings)
                                    .map(([setting, value]) => `${setting}\t${value}`)
                                    .join("\n"),
                                ATTEMPTS: String(SETTINGS_ATTEMPTS),
                            },
                        },
                    ],
                    after: ready,
                },
                this,
            );

        const ready = { primary: [bootstrap(database.primary)], recovery: [] as Job[] };
        const { recovered } = database;
        if (recovered !== undefined) {
            const verified = verify(recovered, bootstrap(recovered));
            const compared = compare(database, recovered, verified);
            ready.recovery.push(verified, compared);
            ready.primary.push(compared);
            if (args.active === "recovery") {
                // A switch does not wait for it: in an emergency the services switch first, and the next update applies
                // the settings.
                checkSettings(recovered);
            }
        }
        const { host } = args.active === "recovery" ? database.recovered! : database.primary;
        const { port, name: databaseName } = DATABASE;
        const { password } = application;
        const user = application.user.name;
        this.connection = declareConnection(
            DATABASE.secret,
            {
                namespace,
                labels,
                key: DATABASE.secretKey,
                values: {
                    [DATABASE.secretKey]: interpolate`postgresql://${user}:${password}@${host}:${port}/${databaseName}?sslmode=${TLS}`,
                    host,
                    port: String(port),
                    database: databaseName,
                    user,
                    password,
                },
                after: ready[args.active],
            },
            this,
        );

        this.registerOutputs();
    }
}

/** Declares the password of a user, and the Secret that the tasks read it from. */
function declareCredential(
    name: string,
    user: DatabaseUser,
    { namespace, labels }: DatabaseAccessArgs,
    parent: ComponentResource,
) {
    const keepers = user.rotated === undefined ? {} : { keepers: { rotated: user.rotated } };
    const password = new RandomPassword(
        name,
        { length: PASSWORD_LENGTH, special: false, ...keepers },
        { parent },
    );
    const salt = new RandomBytes(name, { length: 16, ...keepers }, { parent });
    const verifier = all([password.result, salt.base64]).apply(([text, bytes]) =>
        scramVerifier(text, Buffer.from(bytes, "base64")),
    );
    const secret = new Secret(
        name,
        {
            metadata: { namespace, labels },
            immutable: true,
            stringData: { password: password.result, verifier },
        },
        { parent },
    );
    return { user, password: password.result, secret: secret.metadata.name };
}
