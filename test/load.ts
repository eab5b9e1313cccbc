import { availableParallelism, loadavg } from "node:os";

/** How many times slower than on an idle machine things may be now: processes that wait for each core, at least 1. */
export function slowdown(): number {
    return Math.max(1, loadavg()[0]! / availableParallelism());
}

/** Of mocha: the time limits of tests are those of an idle machine, and grow with what else this one has to do. */
export const mochaHooks = {
    beforeEach(this: Mocha.Context) {
        const test = this.currentTest!;
        test.timeout(test.timeout() * slowdown());
    },
};
