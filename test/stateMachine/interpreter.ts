import validate from "asl-validator";
import jsonata from "jsonata";

/**
 * Executes a state machine of the program: the part of Amazon States Language with JSONata that it uses, against
 * fakes of AWS and on a clock that jumps. What is not interpreted here is refused, never passed over.
 */

/** What a task asked for. */
export interface Call {
    /** ARN of the resource, as the definition has it. */
    resource: string;
    /** Arguments, evaluated. */
    arguments: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- looked into as they are
    /** When, in seconds since the execution started. */
    seconds: number;
}

/** How an execution ended, and what it did until then. */
export interface Run {
    status: "SUCCEEDED" | "FAILED" | "TIMED_OUT";
    output?: unknown;
    error?: string;
    cause?: string;
    calls: readonly Call[];
    /** Names of the states it went through, those of iterations and branches too. */
    states: readonly string[];
    /** How long it took, in seconds. */
    seconds: number;
}

/**
 * Fake AWS resource: returns its result, {@link later} if that takes time, or throws a {@link TaskError}. Any other
 * error ends the test.
 */
export type Fake = (args: Call["arguments"], call: Call) => unknown;

/** An error by its name, as retriers and catchers know it: `ElastiCache.SnapshotNotFoundException`. */
export class TaskError extends Error {
    constructor(
        public readonly error: string,
        public readonly reason = "",
    ) {
        super(`${error}: ${reason}`);
    }
}

class Later {
    constructor(
        public readonly seconds: number,
        public readonly answer: unknown,
    ) {}
}

/** A result, or a {@link TaskError}, after so many seconds. Also for a task that waits for a token. */
export function later(seconds: number, answer: unknown = {}): unknown {
    return new Later(seconds, answer);
}

/** Never responds. */
export const NEVER = later(Infinity);

/** What an execution is started with. */
export interface Start {
    /** The resources it uses, by ARN. */
    fakes: Readonly<Record<string, Fake>>;
    /** Default: {}. */
    input?: unknown;
    /** Default: midnight of 1 February 2026, UTC. */
    time?: string;
    /** Name of the execution. Default: execution. */
    name?: string;
}

/** AWS ends an execution after a year, or after 25,000 events of which each state makes two at least. */
const LONGEST_SECONDS = 365 * 86_400;
const MOST_STATES = 12_500;

/** Fields that are interpreted. */
const COMMON = ["Type", "Comment", "QueryLanguage"];
const GOES_ON = [...COMMON, "Next", "End", "Output", "Assign"];
const MAY_FAIL = [...GOES_ON, "Retry", "Catch"];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
    Pass: GOES_ON,
    Wait: [...GOES_ON, "Seconds", "Timestamp"],
    Task: [...MAY_FAIL, "Resource", "Arguments", "TimeoutSeconds"],
    Choice: [...COMMON, "Choices", "Default", "Output", "Assign"],
    Map: [...MAY_FAIL, "Items", "ItemSelector", "MaxConcurrency", "ItemProcessor"],
    Parallel: [...MAY_FAIL, "Branches", "Arguments"],
    Succeed: [...COMMON, "Output"],
    Fail: [...COMMON, "Error", "Cause"],
    rule: ["Comment", "Condition", "Next", "Output", "Assign"],
    retrier: [
        "Comment",
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    ],
    catcher: ["Comment", "ErrorEquals", "Next", "Output", "Assign"],
    processor: ["Comment", "ProcessorConfig", "StartAt", "States"],
    machine: ["Comment", "QueryLanguage", "TimeoutSeconds", "StartAt", "States"],
};

/** JSONata's own function that AWS refuses, and those of AWS that plain JSONata does not know. */
const NOT_INTERPRETED = /\$(eval|hash|parse|partition|random|range|uuid)\b/;

type Template = unknown;

/** What a state, a rule or a catcher hands on. */
interface HandsOn {
    Next?: string;
    Output?: Template;
    Assign?: Record<string, Template>;
}

interface Retrier {
    ErrorEquals: string[];
    IntervalSeconds?: number;
    MaxAttempts?: number;
    BackoffRate?: number;
    MaxDelaySeconds?: number;
}

interface Processor {
    StartAt: string;
    States: Record<string, State>;
    ProcessorConfig?: { Mode: string };
}

interface State extends HandsOn {
    Type: string;
    Seconds?: Template;
    Timestamp?: Template;
    Resource?: string;
    Arguments?: Template;
    TimeoutSeconds?: Template;
    Retry?: Retrier[];
    Catch?: (HandsOn & { ErrorEquals: string[] })[];
    Choices?: (HandsOn & { Condition: Template })[];
    Default?: string;
    Items?: Template;
    ItemSelector?: Template;
    MaxConcurrency?: number;
    ItemProcessor?: Processor;
    Branches?: Processor[];
    Error?: Template;
    Cause?: Template;
}

interface Machine extends Processor {
    QueryLanguage?: string;
    TimeoutSeconds?: number;
}

/** State of an execution, an iteration or a branch: its time and its variables, which outer scopes do not see. */
class Scope {
    private readonly own: Record<string, unknown> = {};

    constructor(
        public seconds: number,
        private readonly outer?: Scope,
        public readonly item?: { Index: number; Value: unknown },
    ) {}

    get variables(): Record<string, unknown> {
        return { ...this.outer?.variables, ...this.own };
    }

    assign(values: Record<string, unknown>): void {
        for (const [name, value] of Object.entries(values)) {
            if (Object.hasOwn(this.outer?.variables ?? {}, name)) {
                throw new Error(
                    `the variable ${name} is one of an outer scope, which AWS does not allow to assign`,
                );
            }
            this.own[name] = value;
        }
    }
}

/** The time of the whole execution is over; nothing catches that. */
class TimedOut extends Error {}

/** Validates a definition, executes it, and tells how it ended. */
export async function execute(definition: object, start: Start): Promise<Run> {
    const machine = validated(definition);
    const execution = new Execution(machine, start);
    const outcome = await execution.run();
    return { ...outcome, calls: execution.calls, states: execution.states };
}

/** Definitions that passed: it takes a while. */
const valid = new Set<string>();

/** A copy of a definition that AWS would take and that can be interpreted. */
function validated(definition: object): Machine {
    const text = JSON.stringify(definition);
    if (!valid.has(text)) {
        // The validator writes into what it is given.
        const { isValid, errorsText } = validate(structuredClone(definition));
        if (!isValid) {
            throw new Error(`not a state machine: ${errorsText()}`);
        }
        valid.add(text);
    }
    const machine = structuredClone(definition) as Machine;
    if (machine.QueryLanguage !== "JSONata") {
        throw new Error("only state machines that query by JSONata are interpreted");
    }
    refuseUnknown(machine, "machine", "the state machine");
    refuseStates(machine);
    return machine;
}

function refuseStates({ States }: Processor): void {
    for (const [name, state] of Object.entries(States)) {
        refuseUnknown(state, state.Type, name);
        for (const rule of state.Choices ?? []) {
            refuseUnknown(rule, "rule", name);
        }
        for (const retrier of state.Retry ?? []) {
            refuseUnknown(retrier, "retrier", name);
        }
        for (const catcher of state.Catch ?? []) {
            refuseUnknown(catcher, "catcher", name);
        }
        for (const processor of [state.ItemProcessor ?? [], state.Branches ?? []].flat()) {
            refuseUnknown(processor, "processor", name);
            if ((processor.ProcessorConfig?.Mode ?? "INLINE") !== "INLINE") {
                throw new Error(`${name}: only iterations within the execution are interpreted`);
            }
            refuseStates(processor);
        }
    }
}

function refuseUnknown(part: object, kind: string, where: string): void {
    const known = FIELDS[kind];
    if (known === undefined) {
        throw new Error(`${where}: a ${kind} state is not interpreted`);
    }
    for (const field of Object.keys(part)) {
        if (!known.includes(field)) {
            throw new Error(`${where}: ${field} is not interpreted`);
        }
    }
}

class Execution {
    public readonly calls: Call[] = [];
    public readonly states: string[] = [];
    private readonly startMillis: number;
    private tokens = 0;

    constructor(
        private readonly machine: Machine,
        private readonly start: Start,
    ) {
        this.startMillis = Date.parse(start.time ?? "2026-02-01T00:00:00Z");
    }

    async run(): Promise<Omit<Run, "calls" | "states">> {
        const scope = new Scope(0);
        try {
            const output = await this.process(this.machine, this.start.input ?? {}, scope);
            return { status: "SUCCEEDED", output, seconds: scope.seconds };
        } catch (error) {
            if (error instanceof TimedOut) {
                return { status: "TIMED_OUT", seconds: this.limit };
            }
            if (error instanceof TaskError) {
                return {
                    status: "FAILED",
                    error: error.error,
                    cause: error.reason,
                    seconds: scope.seconds,
                };
            }
            throw error;
        }
    }

    private get limit(): number {
        return this.machine.TimeoutSeconds ?? LONGEST_SECONDS;
    }

    private pass(seconds: number, scope: Scope): void {
        scope.seconds += seconds;
        if (scope.seconds >= this.limit) {
            throw new TimedOut();
        }
    }

    /** Goes from state to state until one of them ends it. */
    private async process({ StartAt, States }: Processor, input: unknown, scope: Scope): Promise<unknown> {
        let name: string | undefined = StartAt;
        let data = input;
        while (name !== undefined) {
            this.states.push(name);
            if (this.states.length > MOST_STATES) {
                throw new Error("more states than the history of an execution has room for");
            }
            const state: State = States[name]!;
            [name, data] = await this.step(state, name, data, scope);
        }
        return data;
    }

    /** One state: where it goes on and with what. */
    private async step(
        state: State,
        name: string,
        input: unknown,
        scope: Scope,
    ): Promise<[next: string | undefined, output: unknown]> {
        const query = new Query(scope, { input, context: this.context(name, scope) }, this.millis(scope));
        switch (state.Type) {
            case "Pass":
            case "Succeed":
                return this.handOn(state, query, scope, input);
            case "Fail": {
                const error = await query.text(state.Error ?? "");
                throw new TaskError(error, await query.text(state.Cause ?? ""));
            }
            case "Wait": {
                const seconds =
                    state.Timestamp === undefined
                        ? Number(await query.evaluate(state.Seconds))
                        : (Date.parse(await query.text(state.Timestamp)) - this.millis(scope)) / 1000;
                const handed = await this.handOn(state, query, scope, input);
                this.pass(Math.max(0, seconds), scope);
                return handed;
            }
            case "Choice": {
                for (const rule of state.Choices!) {
                    if ((await query.evaluate(rule.Condition)) === true) {
                        return this.handOn(rule, query, scope, input);
                    }
                }
                if (state.Default === undefined) {
                    throw new TaskError("States.NoChoiceMatched", name);
                }
                return this.handOn({ ...state, Next: state.Default }, query, scope, input);
            }
            default:
                return this.trying(state, query, scope, async () => {
                    const result = await this.perform(state, name, input, query, scope);
                    return this.handOn(state, query.with({ result }), scope, result);
                });
        }
    }

    /** Evaluates what is handed on; assignments see the variables as they were. */
    private async handOn(
        { Next, Output, Assign }: HandsOn,
        query: Query,
        scope: Scope,
        output: unknown,
    ): Promise<[next: string | undefined, output: unknown]> {
        const handed = Output === undefined ? output : await query.evaluate(Output);
        scope.assign((await query.evaluate(Assign ?? {})) as Record<string, unknown>);
        return [Next, handed];
    }

    /** Retriers first, each with a separate count, then catchers. */
    private async trying(
        { Retry = [], Catch = [] }: State,
        query: Query,
        scope: Scope,
        attempt: () => Promise<[string | undefined, unknown]>,
    ): Promise<[next: string | undefined, output: unknown]> {
        const attempts = Retry.map(() => 0);
        for (;;) {
            try {
                return await attempt();
            } catch (error) {
                if (!(error instanceof TaskError)) {
                    throw error;
                }
                const index = Retry.findIndex(({ ErrorEquals }) => matches(ErrorEquals, error));
                const retrier = Retry[index];
                if (retrier === undefined || attempts[index]! >= (retrier.MaxAttempts ?? 3)) {
                    const catcher = Catch.find(({ ErrorEquals }) => matches(ErrorEquals, error));
                    if (catcher === undefined) {
                        throw error;
                    }
                    const errorOutput = { Error: error.error, Cause: error.reason };
                    return this.handOn(catcher, query.with({ errorOutput }), scope, errorOutput);
                }
                // A jitter only ever shortens it: this is the longest.
                const delay =
                    (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** attempts[index]!++;
                this.pass(Math.min(delay, retrier.MaxDelaySeconds ?? Infinity), scope);
            }
        }
    }

    private async perform(
        state: State,
        name: string,
        input: unknown,
        query: Query,
        scope: Scope,
    ): Promise<unknown> {
        if (state.Type === "Task") {
            return this.task(state, name, query, scope);
        }
        if (state.Type === "Parallel") {
            const given = state.Arguments === undefined ? input : await query.evaluate(state.Arguments);
            return this.side(
                state.Branches!.map((branch) => async (inner) => this.process(branch, given, inner)),
                Infinity,
                scope,
            );
        }
        const items = state.Items === undefined ? input : await query.evaluate(state.Items);
        if (!Array.isArray(items)) {
            throw new TaskError("States.QueryEvaluationError", `${name}: its items are no list`);
        }
        return this.side(
            items.map((item: unknown) => async (inner) => {
                const own = new Query(
                    inner,
                    { input, context: this.context(name, inner) },
                    this.millis(inner),
                );
                const selected =
                    state.ItemSelector === undefined ? item : await own.evaluate(state.ItemSelector);
                return this.process(state.ItemProcessor!, selected, inner);
            }),
            state.MaxConcurrency ?? Infinity,
            scope,
            items,
        );
    }

    /**
     * Iterations or branches. They are executed one after the other, each from the time on at which AWS would start it;
     * the state goes on when the last has ended.
     */
    private async side(
        works: readonly ((inner: Scope) => Promise<unknown>)[],
        concurrency: number,
        scope: Scope,
        items?: readonly unknown[],
    ): Promise<unknown[]> {
        const free = Array.from(
            { length: Math.min(concurrency || Infinity, works.length) },
            () => scope.seconds,
        );
        const results: unknown[] = [];
        for (const [index, work] of works.entries()) {
            const first = free.indexOf(Math.min(...free));
            const item = items && { Index: index, Value: items[index] };
            const inner = new Scope(free[first]!, scope, item);
            try {
                results.push(await work(inner));
            } catch (error) {
                scope.seconds = Math.max(scope.seconds, inner.seconds);
                throw error;
            }
            free[first] = inner.seconds;
        }
        scope.seconds = Math.max(scope.seconds, ...free);
        return results;
    }

    private async task(state: State, name: string, query: Query, scope: Scope): Promise<unknown> {
        const resource = state.Resource!;
        const fake = this.start.fakes[resource];
        if (fake === undefined) {
            throw new Error(`${name}: there is no fake of ${resource}`);
        }
        const waits = resource.endsWith(".waitForTaskToken");
        const given = waits
            ? query.with({ context: this.context(name, scope, `token-${++this.tokens}`) })
            : query;
        const limit = Number(await given.evaluate(state.TimeoutSeconds ?? Infinity));
        const args = await given.evaluate(state.Arguments ?? {});
        const call: Call = { resource, arguments: args, seconds: scope.seconds };
        this.calls.push(call);
        const answer = await fake(args, call);
        if (!(answer instanceof Later)) {
            if (waits) {
                throw new Error(`${name}: waits for a token, which is answered later`);
            }
            return plain(answer ?? {});
        }
        this.pass(Math.min(answer.seconds, limit), scope);
        if (answer.seconds >= limit) {
            throw new TaskError("States.Timeout", `${name} took longer than ${limit} seconds`);
        }
        if (answer.answer instanceof TaskError) {
            throw answer.answer;
        }
        return plain(answer.answer);
    }

    private context(name: string, scope: Scope, token?: string): object {
        const execution = this.start.name ?? "execution";
        return {
            Execution: {
                Id: `arn:aws:states:ap-south-1:000000000000:execution:machine:${execution}`,
                Name: execution,
                Input: this.start.input ?? {},
                StartTime: new Date(this.startMillis).toISOString(),
            },
            State: { Name: name, EnteredTime: new Date(this.millis(scope)).toISOString() },
            StateMachine: {
                Id: "arn:aws:states:ap-south-1:000000000000:stateMachine:machine",
                Name: "machine",
            },
            ...(scope.item === undefined ? {} : { Map: { Item: scope.item } }),
            ...(token === undefined ? {} : { Task: { Token: token } }),
        };
    }

    private millis(scope: Scope): number {
        return this.startMillis + scope.seconds * 1000;
    }
}

/** Evaluates the queries of a state, with its variables and with `$states`. */
class Query {
    constructor(
        private readonly scope: Scope,
        private readonly states: Record<string, unknown>,
        private readonly millis: number,
    ) {}

    with(more: Record<string, unknown>): Query {
        return new Query(this.scope, { ...this.states, ...more }, this.millis);
    }

    async text(template: Template): Promise<string> {
        const value = await this.evaluate(template);
        if (typeof value !== "string") {
            throw new TaskError("States.QueryEvaluationError", `${JSON.stringify(template)} gives no text`);
        }
        return value;
    }

    async evaluate(template: Template): Promise<unknown> {
        if (typeof template === "string") {
            const query = /^\{%([\s\S]*)%\}$/.exec(template);
            return query === null ? template : this.query(query[1]!);
        }
        if (Array.isArray(template)) {
            return Promise.all(template.map(async (each) => this.evaluate(each)));
        }
        if (typeof template === "object" && template !== null) {
            const entries = Object.entries(template).map(
                async ([key, value]) => [key, await this.evaluate(value)] as const,
            );
            return Object.fromEntries(await Promise.all(entries));
        }
        return template;
    }

    private async query(source: string): Promise<unknown> {
        const foreign = NOT_INTERPRETED.exec(source);
        if (foreign !== null) {
            throw new Error(`${foreign[0]} is not interpreted: ${source}`);
        }
        const expression = jsonata(source);
        expression.registerFunction("millis", () => this.millis, "<:n>");
        expression.registerFunction("now", () => new Date(this.millis).toISOString(), "<:s>");
        let value: unknown;
        try {
            // There is nothing to query but variables: a bare field name finds nothing.
            value = await expression.evaluate(undefined, { ...this.scope.variables, states: this.states });
        } catch (error) {
            throw new TaskError("States.QueryEvaluationError", `${source}: ${(error as Error).message}`);
        }
        if (value === undefined) {
            throw new TaskError("States.QueryEvaluationError", `${source}: gives nothing`);
        }
        return plain(value);
    }
}

/** `States.ALL` is any error; `States.TaskFailed` is any but a timeout. */
function matches(names: readonly string[], { error }: TaskError): boolean {
    return names.some(
        (name) =>
            name === error ||
            name === "States.ALL" ||
            (name === "States.TaskFailed" && error !== "States.Timeout"),
    );
}

/** As it goes from state to state: JSON, a copy. */
function plain(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value));
}
