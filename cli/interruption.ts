/** Exit status of an interrupted command, the shells' convention for Ctrl-C. */
export const INTERRUPTED = 130;

/**
 * Interruption by Ctrl-C or a signal. The process does not end at once: the work checks the abort signal where it can
 * stop without loss. Active from construction until `forget`.
 */
export class Interruption {
    private readonly either = new AbortController();
    private readonly termination = new AbortController();

    /** Aborted by either. */
    readonly signal = this.either.signal;
    /** Aborted when the engine must be interrupted. */
    readonly engineSignal = this.termination.signal;

    /** As Ctrl-C does. The terminal also sends it to the engine, and a second signal would kill its current step. */
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
