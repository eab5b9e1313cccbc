import { getOwn } from "../../core/getOwn";
import { type StackValues } from "../stack";

/** What the health check measures the age of, and the age at which an alarm asks for a rotation. Default: nothing. */
export function resolveCredentials(
    { rotation, cache, workloads }: StackValues,
    users: readonly { name: string; rotated?: string | undefined; login: boolean }[],
) {
    if (rotation === undefined) {
        return undefined;
    }
    const { since, maxAge } = rotation;
    const times = (workload: string) => getOwn(rotation.workloads, workload) ?? {};
    return {
        maxAge,
        all: [
            ...users
                .filter(({ login }) => login)
                .map(({ name, rotated }) => ({ name: `PostgreSQL ${name}`, made: rotated ?? since })),
            ...(cache === undefined ? [] : [{ name: "Redis", made: rotation.cache?.rotated ?? since }]),
            ...Object.entries(workloads).flatMap(([workload, { secrets }]) =>
                Object.entries(secrets).flatMap(([secret, origin]) =>
                    origin === "generated" || origin === "supplied"
                        ? [{ name: `${workload} ${secret}`, made: getOwn(times(workload), secret) ?? since }]
                        : [],
                ),
            ),
        ],
    };
}
