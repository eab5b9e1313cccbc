import { type StackValues } from "../config";

/** Change of a resource by an update, as the offline preview reports it. */
export interface ExpectedChange {
    operation: "create" | "update" | "replace" | "delete";
    /** Type token. */
    type: string;
    /** Name of the resource; `*` for a gate's hash. */
    name: string;
}

/** Default of a parameter, from the stack's values. */
export interface Default {
    /** As text, such as `the inactive colour`. */
    meaning: string;
    /** The value, from the stack's values and the other parameters; undefined if there is none. */
    of: (
        values: StackValues,
        given: Readonly<Record<string, string>>,
        resumes: boolean,
    ) => string | undefined;
}

/** A condition on the stack's values and the given parameters. */
export interface Condition {
    /** As text, such as `with a new --version`. */
    meaning: string;
    of: (values: StackValues, given: Readonly<Record<string, string>>) => boolean;
}

/** A parameter that the operator gives. */
export interface Parameter {
    /** Option `--restore-time` for `restoreTime`. */
    name: string;
    /** Description of the value. */
    meaning: string;
    /** A value for the documentation, the prediction and its test. */
    example: string;
    /** Default. Without it, the parameter is required. */
    default?: string | Default;
    /** Allowed values, from the stack's values. Default: any that the schema accepts. */
    choices?: (values: StackValues) => readonly string[];
}

/** A value the operator sets. */
export interface Edit {
    /**
     * Path as `pulumi config set --path` takes it; `{workload}` is replaced by a parameter, and a final `[]` appends
     * one or more comma-separated values to a list.
     */
    path: string;
    /** Description of the value. */
    value: string;
    /** A value for the example, the prediction and its test. */
    example: string;
    /** Name of the parameter. Default: the last key of the path. */
    parameter?: string;
    /** Whether it is optional if the stack file has a value. Default: false. */
    keeps?: boolean;
    /** When it must be given although it keeps its value. Default: never. */
    neededWhen?: Condition;
    /** Whether the printed command leaves it out, because its default is right. Default: false. */
    implied?: boolean;
}

/** One step of the runbook, as an update of the stack or as a declared resource. */
export interface Procedure {
    /** Stable name. */
    id: string;
    /** Sections of the runbook that it implements. */
    sections: readonly string[];
    title: string;
    /** When to use it. */
    when: string;
    /** Further words that it is found by. Default: none. */
    words?: string;
    /** Commands for diagnosis, which change nothing. Default: none. */
    looks?: readonly string[];
    /** Commands before the values are set. Default: none. */
    preparation?: readonly string[];
    /** Parameters in the paths of the edits. Default: none. */
    parameters?: readonly Parameter[];
    /** Path of a record that the edits below it replace as a whole. Default: none. */
    replaces?: string;
    /** Values to set; none if the procedure is always declared. */
    edits: readonly Edit[];
    /** Whether the edit names a release, whose image must be pinned before the update. */
    pinsImages?: boolean;
    /** Edits that prepare the example. Default: none, the stack file as it is. */
    from?: readonly string[];
    /** Exact changes of the example's update. A test compares it with the offline preview. */
    changes: readonly ExpectedChange[];
    /** A remark below the gates and their time limits. Default: none. */
    waitsNote?: string;
    /** How the update verifies the step, or what to check. */
    verify: string;
    /** How to undo the step. */
    undo: string;
    /**
     * Whether the earlier values undo it in one update, so that a failed run can roll back automatically. Default:
     * false.
     */
    revertible?: boolean;
    /** Whether a failed run is rolled back unless it is to be kept. Default: false. */
    rollsBack?: boolean;
    /** Whether a run updates a second time, to set what AWS leaves out when it restores. Default: false. */
    updatesTwice?: boolean;
    /** Whether it can roll back to a revision in the release history. Default: false. */
    takesRevision?: boolean;
    /** Why the values make no sense for the stack, one line each. Default: none. */
    refuses?: (values: StackValues, given: Readonly<Record<string, string>>) => readonly string[];
    /** What to know before the plan, one line each. Default: none. */
    warns?: (values: StackValues, given: Readonly<Record<string, string>>) => readonly string[];
    /** Further actions of the operator. Default: none. */
    rights?: string;
}
