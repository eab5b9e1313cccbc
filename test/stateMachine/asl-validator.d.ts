/** The part of asl-validator that is used here; the package brings no types. */
declare module "asl-validator" {
    function validate(definition: object): {
        isValid: boolean;
        errorsText(separator?: string): string;
    };
    export = validate;
}
