import { Secret } from "@pulumi/kubernetes/core/v1";
import {
    type ComponentResource,
    type Input,
    output,
    type Output,
    type Resource,
    unsecret,
} from "@pulumi/pulumi";
import { contentHash } from "../../core/hash";
import { script, type TaskStep } from "../tasks/task";

/** How pods connect to a store: a Secret with a fixed name, updated in place when the store changes. */
export interface Connection {
    /** Name of the Secret. */
    secret: Output<string>;
    /** Key in it whose value is the store's URL. */
    key: string;
    /** Changes with the URL. Pods have it as an annotation, so that another store replaces them. */
    checksum: Output<string>;
    /** The Secret itself, for `dependsOn`. */
    resource: Resource;
}

/** Arguments of {@link declareConnection}. */
export interface ConnectionArgs {
    namespace: Input<string>;
    /** Labels of the Secret. */
    labels: Record<string, string>;
    /** Keys and values of the Secret, all secret; `key` is the one with the URL. */
    values: Record<string, Input<string>>;
    key: string;
    /** What must be verified before pods use the store. Default: nothing. */
    after?: readonly Resource[];
}

/** Declares the Secret `name` with the URL of a store. */
export function declareConnection(name: string, args: ConnectionArgs, parent: ComponentResource): Connection {
    const { namespace, labels, values, key } = args;
    const secret = new Secret(
        name,
        { metadata: { name, namespace, labels }, stringData: values },
        // An imported Secret has a type, which is Opaque: without it, the update would replace the Secret.
        { parent, dependsOn: [...(args.after ?? [])], ignoreChanges: ["type"] },
    );
    return {
        secret: secret.metadata.name,
        key,
        // Eight digits of a hash do not reveal a URL that contains a long random password.
        checksum: unsecret(output(values[key]!).apply(contentHash)),
        resource: secret,
    };
}

/** What a step needs to run a script of `jobs/database/` in the active database as the application's user, over TLS. */
export function asApplication(
    file: string,
    { secret }: Connection,
): Required<Pick<TaskStep, "program" | "env" | "secrets">> {
    return {
        program: script(`database/${file}`, "database/connection.sh"),
        env: { PGSSLMODE: "require" },
        secrets: [{ name: secret, keys: ["host", "port", "database", "user", "password"] }],
    };
}
