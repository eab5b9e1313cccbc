import assert from "node:assert/strict";
import { execute, type Fake, later, NEVER, TaskError } from "./interpreter";

/** A machine of the states given, from the first on. */
const machine = (states: Record<string, object>, rest: object = {}) => ({
    QueryLanguage: "JSONata",
    StartAt: Object.keys(states)[0],
    States: states,
    ...rest,
});
const ASK = "arn:aws:states:::aws-sdk:service:ask";
const TOKEN = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
const ask = (rest: object = {}) => ({ Type: "Task", Resource: ASK, End: true, ...rest });

/** Fails so many times, then answers. */
const failing = (times: number, error: string): Fake => {
    let left = times;
    return () => {
        if (left-- > 0) {
            throw new TaskError(error, "why");
        }
        return { answer: 42 };
    };
};

describe("the interpreter of state machines", () => {
    it("hands outputs on, assigns from the variables as they were, and queries nothing but those", async () => {
        const definition = machine({
            First: {
                Type: "Pass",
                Assign: { one: 1, sum: "{% $states.input.a + 1 %}" },
                Output: { a: "{% $states.input.a %}", list: ["{% 'x' %}", "plain"] },
                Next: "Second",
            },
            Second: {
                Type: "Pass",
                Assign: { one: "{% $sum %}", sum: "{% $one %}" },
                Output: "{% [$one, $sum, $states.input.list] %}",
                Next: "Third",
            },
            Third: { Type: "Succeed", Output: "{% $append($states.input, [$one, $sum]) %}" },
        });
        const { status, output } = await execute(definition, { fakes: {}, input: { a: 5 } });
        assert.deepEqual([status, output], ["SUCCEEDED", [1, 6, "x", "plain", 6, 1]]);
        for (const query of ["a", "$", "$states.input.b", "$missing", "1 + 'x'"]) {
            const bare = machine({ Only: { Type: "Pass", Output: `{% ${query} %}`, End: true } });
            const run = await execute(bare, { fakes: {}, input: { a: 5 } });
            assert.deepEqual([run.status, run.error], ["FAILED", "States.QueryEvaluationError"], query);
        }
    });

    it("chooses the first rule that is true, else the default, else fails", async () => {
        const rules = {
            Choices: [
                { Condition: "{% $states.input > 10 %}", Next: "Big", Output: "{% $states.input * 2 %}" },
                { Condition: "{% $states.input > 5 %}", Next: "Big" },
            ],
        };
        const states = {
            Choose: { Type: "Choice", ...rules, Default: "Small" },
            Big: { Type: "Succeed" },
            Small: { Type: "Fail", Error: "Small", Cause: "{% $string($states.input) & ' is small' %}" },
        };
        const run = async (input: number) => execute(machine(states), { fakes: {}, input });
        assert.equal((await run(11)).output, 22);
        assert.equal((await run(6)).output, 6);
        const { status, error, cause } = await run(5);
        assert.deepEqual([status, error, cause], ["FAILED", "Small", "5 is small"]);
        const open = { Choose: { Type: "Choice", ...rules }, Big: states.Big };
        const none = await execute(machine(open), { fakes: {}, input: 1 });
        assert.equal(none.error, "States.NoChoiceMatched");
    });

    it("waits by its own clock, for seconds and until a time", async () => {
        const definition = machine({
            Wait: { Type: "Wait", Seconds: "{% $states.input %}", Next: "Until" },
            Until: { Type: "Wait", Timestamp: "2026-02-01T01:00:00Z", Next: "Now" },
            Now: { Type: "Pass", Output: "{% $now() %}", End: true },
        });
        const { output, seconds } = await execute(definition, { fakes: {}, input: 60 });
        assert.deepEqual([output, seconds], ["2026-02-01T01:00:00.000Z", 3600]);
    });

    it("retries by each retrier's own count, with longer waits, then catches", async () => {
        const Retry = [
            { ErrorEquals: ["Busy"], IntervalSeconds: 10, MaxAttempts: 2, BackoffRate: 3 },
            { ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 1, MaxAttempts: 1 },
        ];
        const Catch = [{ ErrorEquals: ["States.ALL"], Next: "Caught", Output: "{% $states.errorOutput %}" }];
        const definition = machine({ Ask: ask({ Retry, Catch }), Caught: { Type: "Succeed" } });
        const good = await execute(definition, { fakes: { [ASK]: failing(2, "Busy") } });
        assert.deepEqual([good.output, good.seconds], [{ answer: 42 }, 40]);
        assert.deepEqual(
            good.calls.map(({ seconds }) => seconds),
            [0, 10, 40],
        );
        const bad = await execute(definition, { fakes: { [ASK]: failing(3, "Busy") } });
        assert.deepEqual(bad.output, { Error: "Busy", Cause: "why" });
        const other = await execute(definition, { fakes: { [ASK]: failing(2, "Other") } });
        assert.deepEqual([other.output, other.calls.length], [{ Error: "Other", Cause: "why" }, 2]);
        const uncaught = await execute(machine({ Ask: ask() }), { fakes: { [ASK]: failing(1, "Other") } });
        assert.deepEqual([uncaught.status, uncaught.error, uncaught.cause], ["FAILED", "Other", "why"]);
    });

    it("gives a task its time, and the execution its own, which nothing catches", async () => {
        const caught = {
            Catch: [{ ErrorEquals: ["States.Timeout"], Next: "Late" }],
            TimeoutSeconds: 60,
        };
        const states = { Ask: ask(caught), Late: { Type: "Succeed", Output: "{% 'late' %}" } };
        const run = async (answer: unknown, rest: object = {}) =>
            execute(machine(states, rest), { fakes: { [ASK]: () => answer } });
        const inTime = await run(later(59, { answer: 1 }));
        assert.deepEqual([inTime.output, inTime.seconds], [{ answer: 1 }, 59]);
        assert.deepEqual([(await run(NEVER)).output, (await run(NEVER)).seconds], ["late", 60]);
        const over = await run(later(59), { TimeoutSeconds: 30 });
        assert.deepEqual([over.status, over.seconds], ["TIMED_OUT", 30]);
    });

    it("waits for the token that it hands out", async () => {
        const waiting = {
            Type: "Task",
            Resource: TOKEN,
            Arguments: { MessageBody: "{% $states.context.Task.Token %}" },
            TimeoutSeconds: 900,
            End: true,
        };
        const Catch = [{ ErrorEquals: ["States.Timeout"], Next: "Next level" }];
        const definition = machine({ "This level": { ...waiting, Catch }, "Next level": waiting });
        const answers = [NEVER, later(120, { by: "L2" })];
        const { output, seconds, calls } = await execute(definition, {
            fakes: { [TOKEN]: () => answers.shift() },
        });
        assert.deepEqual([output, seconds], [{ by: "L2" }, 1020]);
        assert.deepEqual(
            calls.map((call) => call.arguments.MessageBody),
            ["token-1", "token-2"],
        );
        await assert.rejects(execute(definition, { fakes: { [TOKEN]: () => ({}) } }), /answered later/);
        const refused = await execute(definition, {
            fakes: { [TOKEN]: () => later(5, new TaskError("Refused")) },
        });
        assert.deepEqual([refused.error, refused.seconds], ["Refused", 5]);
    });

    it("goes through a list, as many at once as it may, with variables of each iteration's own", async () => {
        const map = (MaxConcurrency: number) =>
            machine(
                {
                    Ready: { Type: "Pass", Assign: { factor: 10 }, Next: "Each" },
                    Each: {
                        Type: "Map",
                        Items: "{% $states.input %}",
                        ItemSelector: { value: "{% $states.context.Map.Item.Value * $factor %}" },
                        MaxConcurrency,
                        ItemProcessor: {
                            StartAt: "Take",
                            States: {
                                Take: {
                                    Type: "Pass",
                                    Assign: { own: "{% $states.input.value %}" },
                                    Next: "Ask",
                                },
                                Ask: ask({ Output: "{% $own %}" }),
                            },
                        },
                        End: true,
                    },
                },
                {},
            );
        const fakes = { [ASK]: () => later(60) };
        const run = async (concurrency: number) => execute(map(concurrency), { fakes, input: [1, 2, 3] });
        assert.deepEqual((await run(1)).output, [10, 20, 30]);
        assert.deepEqual(
            [(await run(1)).seconds, (await run(2)).seconds, (await run(0)).seconds],
            [180, 120, 60],
        );
        assert.deepEqual((await execute(map(1), { fakes, input: [] })).output, []);
    });

    it("goes through branches at once, and fails with the first that fails", async () => {
        const branch = (name: string, state: object) => ({ StartAt: name, States: { [name]: state } });
        const parallel = (...Branches: object[]) =>
            machine({
                Both: {
                    Type: "Parallel",
                    Branches,
                    Catch: [{ ErrorEquals: ["Bad"], Next: "Caught" }],
                    End: true,
                },
                Caught: { Type: "Succeed", Output: "{% 'caught' %}" },
            });
        const wait = (Seconds: number) => ({ Type: "Wait", Seconds, End: true });
        const good = await execute(parallel(branch("Short", wait(5)), branch("Long", wait(50))), {
            fakes: {},
            input: 1,
        });
        assert.deepEqual([good.output, good.seconds], [[1, 1], 50]);
        const bad = parallel(branch("Fine", wait(5)), branch("Fails", { Type: "Fail", Error: "Bad" }));
        assert.equal((await execute(bad, { fakes: {} })).output, "caught");
    });

    it("refuses what is no state machine, what it does not interpret, and what has no fake", async () => {
        const refused: [object, RegExp][] = [
            [machine({ Only: { Type: "Pass" } }), /not a state machine/],
            [machine({ Only: { Type: "Pass", Next: "Gone" } }), /not a state machine/],
            [{ ...machine({ Only: { Type: "Succeed" } }), QueryLanguage: "JSONPath" }, /by JSONata/],
            [machine({ Ask: ask({ HeartbeatSeconds: 5 }) }), /Ask: HeartbeatSeconds is not interpreted/],
            [
                machine({ Only: { Type: "Pass", Output: "{% $uuid() %}", End: true } }),
                /\$uuid is not interpreted/,
            ],
            [machine({ Ask: ask() }), /no fake of arn:aws/],
            [
                machine({
                    Loop: { Type: "Pass", Next: "Again" },
                    Again: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% true %}", Next: "Loop" }],
                        Default: "End",
                    },
                    End: { Type: "Succeed" },
                }),
                /history/,
            ],
            [
                machine({
                    Ready: { Type: "Pass", Assign: { x: 1 }, Next: "Both" },
                    Both: {
                        Type: "Parallel",
                        Branches: [
                            { StartAt: "In", States: { In: { Type: "Pass", Assign: { x: 2 }, End: true } } },
                        ],
                        End: true,
                    },
                }),
                /outer scope/,
            ],
        ];
        for (const [definition, message] of refused) {
            await assert.rejects(execute(definition, { fakes: {} }), message);
        }
    });
});
