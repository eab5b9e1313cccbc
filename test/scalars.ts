import fc from "fast-check";

/** Unquoted YAML scalars, most of which some reader of YAML takes for something else. */
export const scalar = fc.oneof(
    fc.stringMatching(/^[-+]?[0-9_.:xobXOBeE+-]{1,8}$/),
    fc.stringMatching(/^[-+.~=<]?[A-Za-z0-9_.+-]{1,6}$/),
    fc.stringMatching(/^20[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9:.]{4,8}(Z|[+-][0-9]{2}:?[0-9]{0,2})?)?$/),
    fc.constantFrom("true", "True", "TRUE", "no", "NO", "y", "null", "~"),
    fc.constantFrom(".NaN", "0b1", "0o8", "08", "1.e3", "-0x1F", "0XFF", "1_0"),
);
