import { execFileSync, spawn } from "node:child_process";
import {
    appendFileSync,
    closeSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    openSync,
    readFileSync,
    readSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SECRET_KEYS } from "../../config";
import { compare } from "../../offline/compare";
import { configOf, indexedEdits } from "../../offline/stackFile";
import { onProcessEnd } from "../cluster/process-end";
import { linesOf, recordStack, root } from "../support";
import { type Lab } from "./lab";

/** What the engine tells about a run, as far as the tests read it. */
export interface EngineEvent {
    /** Seconds since 1970. */
    timestamp: number;
    resOutputsEvent?: { planning?: boolean; metadata: StepMetadata };
    resourcePreEvent?: { planning?: boolean; metadata: StepMetadata };
    diagnosticEvent?: { message: string; severity: string };
    policyEvent?: { policyName: string; message: string; resourceUrn?: string };
}

interface StepMetadata {
    op: string;
    urn: string;
    type: string;
}

/** How a command of the CLI ended. */
export interface Result {
    /** Undefined where a signal ended it. */
    status: number | undefined;
    /** Everything it printed. */
    output: string;
    seconds: number;
    events: EngineEvent[];
}

/** A command of the CLI on its way. */
export interface Running {
    done: Promise<Result>;
    /** The engine's output so far. */
    events(): EngineEvent[];
    /** Ends the CLI and every plugin it started, at once. */
    kill(): void;
    /** As Ctrl-C does. */
    interrupt(): void;
}

let recording: Promise<unknown> = Promise.resolve();

/** A stack with separate state, driven by the real CLI. */
export class Stack {
    readonly file: string;
    /** The stack's file as it is before any edit: the key of its secrets is in there. */
    private blank = "";
    /** Folder of the project's file as it is before any edit. */
    private original: string;
    private count = 0;
    private readonly running = new Set<Running>();

    constructor(
        private readonly lab: Lab,
        readonly name: string,
        readonly folder: string,
        /** Of all its values; those of `set` come on top. */
        private readonly base: readonly string[],
        private readonly project = root,
    ) {
        this.file = join(folder, `Pulumi.${name}.yaml`);
        this.original = project;
    }

    async init(): Promise<void> {
        mkdirSync(join(this.folder, "state"), { recursive: true });
        // The stack's file is written to: the project's own is kept, in the project or, if that is a copy, beside it.
        const isCopy = this.folder === this.project;
        if (isCopy) this.original = mkdtempSync(join(this.lab.folder, "original-"));
        for (const name of ["Pulumi.yaml", `Pulumi.${this.name}.yaml`]) {
            copyFileSync(join(this.project, name), join(isCopy ? this.original : this.folder, name));
        }
        await this.succeed("stack", "init", this.name);
        this.blank = readFileSync(this.file, "utf8");
    }

    /** Sets the stack's values: those of its file with these edits, and what only an operator can give. */
    async set(...edits: string[]): Promise<this> {
        writeFileSync(this.file, this.blank);
        const { removed, set } = configOf(this.valuesWith(edits));
        if (removed.length > 0) {
            await this.succeed("config", "rm-all", "--path", ...removed);
        }
        const values = set.flatMap(([path, value]) => {
            const concern = /^mcp:([a-z]+)/.exec(path)![1]!;
            return [SECRET_KEYS.includes(concern) ? "--secret" : "--plaintext", `${path}=${value}`];
        });
        await this.succeed("config", "set-all", "--path", ...values);
        return this;
    }

    /**
     * What the offline preview says of a step to other values, or of an installation from nothing: lines such as
     * `update kubernetes:core/v1:Service mcp-server`.
     */
    async predicted(before: readonly string[] | undefined, after: readonly string[]): Promise<string[]> {
        const record = (edits: readonly string[]) => recordStack(this.name, ...this.valuesWith(edits));
        // One at a time: the recorder has the SDK of this process to itself.
        const changes = recording.then(async () => {
            const end = await record(after);
            return compare(before ? await record(before) : { ...end, resources: [] }, end);
        });
        recording = changes.catch(() => undefined);
        return linesOf((await changes).filter(({ operation }) => !["same", "read"].includes(operation)));
    }

    /** Environment of whatever drives the engine. */
    get env(): NodeJS.ProcessEnv {
        return { ...this.lab.env, PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}` };
    }

    /** All edits of the project's file that lead to these values. */
    valuesWith(edits: readonly string[]): string[] {
        const all = indexedEdits(this.original, this.name, [...this.base, ...edits]);
        return [...all, ...this.lab.supplies(this.name, all, this.original)];
    }

    up(...args: string[]): Promise<Result> {
        return this.start(["up", "--yes", "--skip-preview", ...args]).done;
    }

    preview(env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<Result> {
        return this.start(["preview", ...args], env).done;
    }

    /** Runs a command that must end well. */
    async succeed(...args: string[]): Promise<Result> {
        const result = await this.start(args).done;
        if (result.status !== 0)
            throw new Error(`pulumi ${args[0]} ended with ${result.status}:\n${result.output}`);
        return result;
    }

    /** Starts a command of the CLI. */
    start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
        const began = performance.now();
        const log = join(this.folder, `events-${(this.count += 1)}.json`);
        const logged = ["up", "preview", "destroy", "refresh"].includes(args[0]!) ? ["--event-log", log] : [];
        const named = args[1] === "init" ? [] : ["--stack", this.name];
        const runsProgram = ["up", "preview"].includes(args[0]!);
        const values = runsProgram ? ["--config-file", this.file] : [];
        const child = spawn(
            "pulumi",
            [...args, ...logged, ...named, ...values, "--non-interactive", "--color", "never"],
            {
                cwd: runsProgram ? this.project : this.folder,
                env: { ...this.env, ...env },
                stdio: ["ignore", "pipe", "pipe"],
            },
        );
        const kill = () => withDescendants(child.pid!).forEach((id) => signal(id, "SIGKILL"));
        const forget = onProcessEnd(kill);
        let output = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => (output += text));
        }
        const events = eventsOf(log);
        const running: Running = {
            kill,
            interrupt: () => signal(child.pid!, "SIGINT"),
            events,
            done: new Promise((done, fail) => {
                child.once("error", fail);
                child.once("close", (code) => {
                    forget();
                    this.running.delete(running);
                    const seconds = (performance.now() - began) / 1000;
                    // Everything that was printed, for the search for secrets at the end.
                    appendFileSync(join(this.folder, "output.log"), output);
                    done({ status: code ?? undefined, output, seconds, events: events() });
                });
            }),
        };
        this.running.add(running);
        return running;
    }

    async kill(): Promise<void> {
        const all = [...this.running];
        for (const each of all) each.kill();
        await Promise.all(all.map(({ done }) => done));
    }
}

/** A process and its children, whose process groups would outlive it. */
function withDescendants(id: number): number[] {
    const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
    const processes = lines.map(
        (line) => line.trim().split(/\s+/).map(Number) as [id: number, parent: number],
    );
    const below = (parent: number): number[] =>
        processes.flatMap(([child, of]) => (of === parent ? [child, ...below(child)] : []));
    return [id, ...below(id)];
}

function signal(id: number, name: NodeJS.Signals): void {
    try {
        process.kill(id, name);
    } catch {
        // It has ended by itself.
    }
}

/** Tells the events of a log so far, whose last line may be on its way. What has been read once is not read again. */
function eventsOf(log: string): () => EngineEvent[] {
    const events: EngineEvent[] = [];
    let read = 0;
    return () => {
        if (!existsSync(log)) return events;
        const { size } = statSync(log);
        if (size === read) return [...events];
        const part = Buffer.alloc(size - read);
        const file = openSync(log, "r");
        readSync(file, part, 0, part.length, read);
        closeSync(file);
        const whole = part.subarray(0, part.lastIndexOf("\n") + 1);
        read += whole.length;
        const lines = whole.toString("utf8").split("\n");
        events.push(...lines.filter(Boolean).map((line) => JSON.parse(line) as EngineEvent));
        return [...events];
    };
}

/** What the steps of a run changed, in the words of the offline preview. */
export function changesIn(events: readonly EngineEvent[]): string[] {
    const lines = events
        .flatMap(({ resOutputsEvent }) => (resOutputsEvent === undefined ? [] : [resOutputsEvent.metadata]))
        .filter(({ op }) => ["create", "update", "delete", "replace"].includes(op))
        .map(({ op, type, urn }) => `${op} ${type} ${urn.split("::").at(-1)!}`);
    // Components are reported twice.
    return [...new Set(lines)].sort();
}

/** How long steps on resources of some types took, those at the same time counted once. */
export function secondsOf(events: readonly EngineEvent[], types: RegExp): number {
    let [open, since, sum] = [0, 0, 0];
    for (const { timestamp, resourcePreEvent: begun, resOutputsEvent: ended } of events) {
        const step = begun ?? ended;
        if (step === undefined || !types.test(step.metadata.type) || step.metadata.op === "same") continue;
        if (begun) since = (open += 1) === 1 ? timestamp : since;
        else if ((open -= 1) === 0) sum += timestamp - since;
    }
    return sum;
}
