/** Exit status of a command that was interrupted, as shells have it for Ctrl-C. */
export const INTERRUPTED = 130;

/**
 * Ctrl-C, or another process that asks this one to end. Nothing ends by itself then: the work looks at the signal where
 * it can stop without loss. Counts from its making until it is forgotten.
 */
export class Interruption {
    private readonly either = new AbortController();
    private readonly termination = new AbortController();

    /** Aborted by both. */
    readonly signal = this.either.signal;
    /** Aborted where the engine has to be told. */
    readonly engineSignal = this.termination.signal;

    /** As Ctrl-C does. The terminal tells the engine of that too, and a second one would have it drop what it is at. */
    readonly interrupt = (): void => this.either.abort();
    private readonly terminate = () => {
        this.termination.abort();
        this.either.abort();
    };

    constructor() {
        process.on("SIGINT", this.interrupt).on("SIGTERM", this.terminate);
    }

    get happened(): boolean {
        return this.signal.aborted;
    }

    forget(): void {
        process.off("SIGINT", this.interrupt).off("SIGTERM", this.terminate);
    }
}
