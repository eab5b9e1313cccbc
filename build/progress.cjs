// A line on the terminal that says what takes its time. A thread writes it: the commands work without a pause.
"use strict";
const { writeSync } = require("node:fs");
const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");

/** After how long there is a line, and how often it is written, in milliseconds. */
const FIRST = 1000;
const EACH = 1000;

/** What the shared number says: whether the thread may write. */
const FREE = 0;
const WRITING = 1;
const STOPPED = 2;

/** Clears the line that the cursor is on. */
const CLEAR = "\r\u001b[2K";

/**
 * Begins to show `text`, with the seconds it has taken, on standard error where that is a terminal. `step` shows another
 * text, `stop` clears the line: nothing is written after it.
 */
exports.startProgress = function startProgress(text) {
    if (!process.stderr.isTTY || process.env.TERM === "dumb") {
        return { step() {}, stop() {} };
    }
    const state = new Int32Array(new SharedArrayBuffer(8));
    const width = process.stderr.columns || 80;
    const worker = new Worker(__filename, { workerData: { state, text, width } });
    worker.unref();
    // Without a thread there is no line, and the command goes on.
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
