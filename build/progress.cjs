// A progress line on the terminal. A thread writes it, because the commands block the event loop.
"use strict";
const { writeSync } = require("node:fs");
const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");

/** Delay before the first line, and interval of updates, in milliseconds. */
const FIRST = 1000;
const EACH = 1000;

/** Shared number: whether the thread may write. */
const FREE = 0;
const WRITING = 1;
const STOPPED = 2;

/** Clears the line of the cursor. */
const CLEAR = "\r\u001b[2K";

/**
 * Shows `text` with the elapsed seconds on standard error, if that is a terminal. `step` shows another text; `stop`
 * clears the line and ends all output.
 */
exports.startProgress = function startProgress(text) {
    if (!process.stderr.isTTY || process.env.TERM === "dumb") {
        return { step() {}, stop() {} };
    }
    const state = new Int32Array(new SharedArrayBuffer(8));
    const width = process.stderr.columns || 80;
    const worker = new Worker(__filename, { workerData: { state, text, width } });
    worker.unref();
    // Without a thread there is no progress line, and the command continues.
    worker.on("error", () => {});
    const stop = () => {
        let was;
        while ((was = Atomics.compareExchange(state, 0, FREE, STOPPED)) === WRITING) {
            Atomics.wait(state, 0, WRITING, 10);
        }
        if (was === FREE) {
            if (state[1] > 0) {
                writeSync(2, CLEAR);
            }
            void worker.terminate();
        }
    };
    process.once("exit", stop);
    return { step: (next) => worker.postMessage(next), stop };
};

function show({ state, text, width }) {
    const began = Date.now();
    let current = text;
    const write = () => {
        if (Atomics.compareExchange(state, 0, FREE, WRITING) !== FREE) {
            return;
        }
        const seconds = Math.round((Date.now() - began) / 1000);
        try {
            writeSync(2, `${CLEAR}${`${current} ... ${seconds} s`.slice(0, width - 1)}`);
            state[1] = 1;
        } finally {
            Atomics.store(state, 0, FREE);
            Atomics.notify(state, 0);
        }
    };
    parentPort.on("message", (next) => {
        current = next;
        if (state[1] > 0) {
            write();
        }
    });
    setTimeout(() => {
        write();
        setInterval(write, EACH);
    }, FIRST);
}

if (!isMainThread && workerData?.state) {
    show(workerData);
}
