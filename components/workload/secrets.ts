import { Secret } from "@pulumi/kubernetes/core/v1";
import { type ComponentResource, Output } from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { type MountedSecret } from "./pod";
import { type WorkloadArgs } from "./workload";

/** Length of a generated secret, in characters. */
const GENERATED_SECRET_LENGTH = 40;

/** Values of a workload's secrets by name: the operator's, and separately the generated ones. */
export type SecretValues = Record<"supplied" | "generated", Record<string, Output<string>>>;

/** Declares a workload's generated secrets, and returns the values of all its secrets. */
export function declareSecretValues(
    app: string,
    { secrets = {} }: WorkloadArgs,
    parent: ComponentResource,
): SecretValues {
    const values: SecretValues = { supplied: {}, generated: {} };
    for (const [key, value] of Object.entries(secrets)) {
        if (Output.isInstance(value)) {
            values.supplied[key] = value;
            continue;
        }
        const password = new RandomPassword(
            `${app}-${key.toLowerCase().replaceAll("_", "-")}`,
            {
                length: GENERATED_SECRET_LENGTH,
                special: false,
                ...(value.rotated !== undefined && { keepers: { rotated: value.rotated } }),
            },
            { parent },
        );
        values.generated[key] = password.result;
    }
    return values;
}

/**
 * Declares the Secrets of a set of pods: one for the operator's values and one for the generated ones. Each gets a new
 * name when a value changes.
 */
export function declareSecrets(
    name: string,
    app: string,
    { namespace, labels }: WorkloadArgs,
    values: SecretValues,
    parent: ComponentResource,
): MountedSecret[] {
    return Object.entries(values)
        .filter(([, stringData]) => Object.keys(stringData).length > 0)
        .map(([origin, stringData]) => {
            const metadata = { namespace, labels: { ...labels, app } };
            const secret = new Secret(
                `${name}-${origin}`,
                { metadata, immutable: true, stringData },
                { parent },
            );
            const files = Object.fromEntries(Object.keys(stringData).map((key) => [key, key]));
            return { name: secret.metadata.name, files };
        });
}
