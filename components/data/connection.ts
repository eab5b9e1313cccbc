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

/** How pods reach a store: a Secret under a fixed name, written over when the store changes. */
export interface Connection {
    /** Name of the Secret. */
    secret: Output<string>;
    /** Key in it whose value is the store's URL. */
    key: string;
    /** Changes with the URL. Pods that carry it are replaced when the store is another one. */
    checksum: Output<string>;
    /** The Secret itself, for what must wait for it. */
    resource: Resource;
}

/** Arguments of {@link declareConnection}. */
export interface ConnectionArgs {
    namespace: Input<string>;
    /** Labels of the Secret. */
    labels: Record<string, string>;
    /** Keys and values of the Secret, all kept secret; `key` is the one with the URL. */
    values: Record<string, Input<string>>;
    key: string;
    /** What must be proven before pods are led there. Default: nothing. */
    after?: readonly Resource[];
}

/** Declares the Secret `name` that leads to a store. */
export function declareConnection(name: string, args: ConnectionArgs, parent: ComponentResource): Connection {
    const { namespace, labels, values, key } = args;
    const secret = new Secret(
        name,
        { metadata: { name, namespace, labels }, stringData: values },
        { parent, dependsOn: [...(args.after ?? [])] },
    );
    return {
        secret: secret.metadata.name,
        key,
        // Eight digits of a hash tell nothing of a URL that holds a long random password.
        checksum: unsecret(output(values[key]!).apply(contentHash)),
        resource: secret,
    };
}

/** What a step needs to run a script of `jobs/database/` as the application in the active database, by TLS. */
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
