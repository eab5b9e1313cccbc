/**
 * A value that earlier checks have made sure of, such as those of the stack file's schema.
 *
 * @throws Error when it is missing all the same: a fault of the program, not of its user.
 */
export function required<T>(value: T | undefined, name: string): T {
    if (value === undefined) {
        throw new Error(`${name}: found nothing, expected a value that earlier checks ensure`);
    }
    return value;
}
