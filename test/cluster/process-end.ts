const cleanups = new Set<() => void>();

function cleanUp(): void {
    for (const cleanup of cleanups) cleanup();
    cleanups.clear();
}

/** Calls a synchronous cleanup however this process ends (but by SIGKILL). Returns how to call it off. */
export function onProcessEnd(cleanup: () => void): () => void {
    if (!process.listeners("exit").includes(cleanUp)) {
        process.on("exit", cleanUp);
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
            process.once(signal, () => {
                cleanUp();
                // A listener replaces Node's own reaction, so the process dies here unless somebody else decides.
                if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
            });
        }
    }
    cleanups.add(cleanup);
    return () => void cleanups.delete(cleanup);
}
