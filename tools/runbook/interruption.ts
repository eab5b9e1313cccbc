/**
 * Ctrl-C, or another process that asks this one to end. Nothing ends by itself then: the work looks at the signal where
 * it can stop without loss. Counts from its making until it is forgotten.
 */
export class Interruption {
    private readonly anyway = new AbortController();
    private readonly byProcess = new AbortController();

    /** As Ctrl-C does. The terminal tells the engine of that too, and a second one would have it drop what it is at. */
    readonly interrupt = (): void => this.anyway.abort();
    private readonly terminate = () => {
        this.byProcess.abort();
        this.anyway.abort();
    };

    constructor() {
        process.on("SIGINT", this.interrupt).on("SIGTERM", this.terminate);
    }

    get happened(): boolean {
        return this.signal.aborted;
    }

    /** Aborted by either. */
    get signal(): AbortSignal {
        return this.anyway.signal;
    }

    /** Aborted where the engine has to be told. */
    get engineSignal(): AbortSignal {
        return this.byProcess.signal;
    }

    forget(): void {
        process.off("SIGINT", this.interrupt).off("SIGTERM", this.terminate);
    }
}
