import { type StackValues } from "../config";

/** What an update does to a resource, as the offline preview says it. */
export interface ExpectedChange {
    operation: "create" | "update" | "replace" | "delete";
    /** Type token. */
    type: string;
    /** Name of the resource; a gate's hash is written `*`. */
    name: string;
}

/** What a parameter is when it is not given, where the stack's values tell. */
export interface Default {
    /** In words, such as `the inactive colour`. */
    meaning: string;
    /** The value, by the stack's values and what was given; undefined where there is none. */
    of: (
        values: StackValues,
        given: Readonly<Record<string, string>>,
        resumes: boolean,
    ) => string | undefined;
}

/** Something the operator is asked for. */
export interface Parameter {
    /** On the command line `--restore-time` for `restoreTime`. */
    name: string;
    /** What to give, in words. */
    meaning: string;
    /** A value for the documentation, the prediction and its test. */
    example: string;
    /** Value where nothing is given. Default: it must be given. */
    default?: string | Default;
    /** What may be given, by the stack's values. Default: whatever the stack takes. */
    choices?: (values: StackValues) => readonly string[];
}

/** A value the operator sets. */
export interface Edit {
    /**
     * As `pulumi config set --path` takes it; `{workload}` stands for a parameter of the procedure, and `[]` at the end
     * for the place behind the last of a list: those that are there stay, and several may come, with commas between them.
     */
    path: string;
    /** What to put there, in words. */
    value: string;
    /** A value for the example, the prediction and its test. */
    example: string;
    /** Name of the parameter that is put there. Default: the last key of the path. */
    parameter?: string;
    /** Whether it need not be given where the stack file has a value already. Default: false. */
    keeps?: boolean;
}

/** One step of the runbook, as an update of the stack or as a resource that is declared once and for all. */
export interface Procedure {
    /** Stable name. */
    id: string;
    /** Sections of the runbook it carries out. */
    sections: readonly string[];
    title: string;
    /** When to use it. */
    when: string;
    /** What to type to find out what is wrong: it looks, and changes nothing. Default: nothing. */
    looks?: readonly string[];
    /** What to type before the values are set. Default: nothing. */
    preparation?: readonly string[];
    /** What is in the paths of the edits. Default: nothing. */
    parameters?: readonly Parameter[];
    /** Path of the record that edits below it replace as a whole. Default: none. */
    replaces?: string;
    /** Values to set; none where the procedure is declared for good. */
    edits: readonly Edit[];
    /** Whether the edit names a release, whose image must be pinned before the update. */
    pinsImages?: boolean;
    /** Edits that lead to where the example begins. Default: it begins with the stack file as it is. */
    from?: readonly string[];
    /** Exactly what the example's update changes. A test compares it with the offline preview. */
    changes: readonly ExpectedChange[];
    /** How the update itself verifies the step, or what to look at. */
    verify: string;
    /** How the step is undone. */
    undo: string;
    /** Whether the values before it take it back in one update, so that a failed run may do so by itself. Default: false. */
    revertible?: boolean;
    /** Whether a run that fails takes its update back unless it is told to keep it. Default: false. */
    rollsBack?: boolean;
    /** Whether it can go back to a revision in the release history. Default: false. */
    takesRevision?: boolean;
    /** Why the values given make no sense for the stack, one line each. Default: nothing is wrong. */
    refuses?: (values: StackValues, given: Readonly<Record<string, string>>) => readonly string[];
    /** What the operator may do beside updating the stack. Default: nothing else. */
    rights?: string;
}
