/**
 * A value that earlier checks ensure, such as the schema of the stack file.
 *
 * @throws Error if it is missing: a fault of the program, not of its user.
 */
export function required<T>(value: T | undefined, name: string): T {
    if (value === undefined) {
        throw new Error(`${name}: found nothing, expected a value that earlier checks ensure`);
    }
    return value;
}
