import assert from "node:assert/strict";

// eslint-disable-next-line @typescript-eslint/no-require-imports -- ts-node loads it before there is any TypeScript
const { create } = require("../../build/transpiler.cjs") as { create: () => unknown };

describe("the transpiler", () => {
    const { prepareStackTrace } = Error;
    afterEach(() => (Error.prepareStackTrace = prepareStackTrace));

    it("spares the stacks of the SDK's promises the mapping, and no others", () => {
        Error.prepareStackTrace = () => "mapped";
        create();
        const debuggablePromise = () => new Error("of a promise").stack;
        const another = () => new Error("of another").stack;
        assert.deepEqual([debuggablePromise(), another()], ["Error: of a promise", "mapped"]);
    });

    it("does so once, however often ts-node asks for it", () => {
        Error.prepareStackTrace = () => "mapped";
        create();
        const once = Error.prepareStackTrace;
        create();
        assert.equal(Error.prepareStackTrace, once);
    });
});
