import { fold } from "../../core/fold";
import { cut, painter, type Screen } from "../../offline/layout";
import { timeOf, WAIT_SECONDS } from "../../runbook/waits";
import { LiveBlock } from "./liveBlock";

/** What the update waits for now. */
export interface Waiting {
    /** Name of the resource: a Deployment, or a gate's Job. */
    name: string;
    /** Whether it is a Job: a gate or a task. */
    isJob: boolean;
    /** When it began, in milliseconds. */
    since: number;
    /** Ready and wanted pods of the Deployment that it is about, as far as the cluster says. */
    pods?: { ready: number; wanted: number } | undefined;
    /** The last line of a gate about its progress, such as `250 of 600 s: 4213 requests, 3 errors (0.07 %)`. */
    progress?: string;
}

/** Reads the pods of a Deployment; undefined where it cannot. */
export type ReadPods = (deployment: string) => Promise<Waiting["pods"]>;

/** Milliseconds between two drawings, and between two looks at the pods. */
const DRAW = 1000;
const LOOK = 3000;

/** What a gate says of the time that it watches. */
const PROGRESS = /^\s*(\d+) of (\d+) s: (.*)$/;

/** Shows at a terminal what an update waits for, and prints everything else above it. */
export class GateView {
    private readonly waiting = new Map<string, Waiting>();
    private readonly block: LiveBlock;
    private readonly timers: NodeJS.Timeout[];

    constructor(
        private readonly screen: Screen,
        private readonly readPods: ReadPods,
        write: (text: string) => void,
    ) {
        this.block = new LiveBlock(write);
        this.timers = [
            setInterval(() => this.draw(), DRAW).unref(),
            setInterval(() => void this.look(), LOOK).unref(),
        ];
    }

    readonly log = (line: string): void => line.split("\n").forEach((each) => this.block.print(each));

    begin(name: string, isJob: boolean): void {
        this.waiting.set(name, { name, isJob, since: Date.now() });
        this.draw();
        void this.look();
    }

    end(name: string): void {
        if (this.waiting.delete(name)) this.draw();
    }

    /** A line of a gate: its progress replaces the one before, and any other line is printed. */
    heard(name: string, line: string): void {
        const waiting = this.waiting.get(name);
        if (waiting !== undefined && PROGRESS.test(line)) {
            waiting.progress = line.trim();
            this.draw();
        } else {
            this.log(`    ${name}: ${line}`);
        }
    }

    stop(): void {
        this.timers.forEach(clearInterval);
        this.waiting.clear();
        this.block.show([]);
    }

    private draw(): void {
        this.block.show(renderWaiting([...this.waiting.values()], this.screen, Date.now()));
    }

    private async look(): Promise<void> {
        for (const waiting of this.waiting.values()) {
            if (!waiting.isJob || GATE.test(waiting.name)) {
                waiting.pods = (await this.readPods(deploymentOf(waiting.name))) ?? waiting.pods;
            }
        }
    }
}

/** The end of a gate's name behind that of its Deployment: what it is, and the hash of what it tests. */
const GATE = /-(evidence|dump|capacity|smoke|soak|notice)-[0-9a-f]{8}$/;

/** The Deployment that a gate is about, and a rollout itself. */
function deploymentOf(name: string): string {
    return name.replace(GATE, "");
}

/** What is waited for, in lines that fit the screen: how long, how much is left, pods, requests and errors. */
export function renderWaiting(all: readonly Waiting[], screen: Screen, now: number): string[] {
    const paint = painter(screen);
    const { width } = screen;
    return all.flatMap(({ name, isJob, since, pods, progress }) => {
        const elapsed = Math.max(0, Math.round((now - since) / 1000));
        const [, gate] = GATE.exec(name) ?? [];
        const what = gate === undefined ? (isJob ? "Job" : "rollout") : `${gate} gate`;
        const limit = WAIT_SECONDS[what] ?? WAIT_SECONDS[gate ?? ""];
        const left = limit === undefined ? "" : `, at most ${timeOf(limit)}`;
        const isColoured = /-(?:blue|green)$/.exec(deploymentOf(name));
        const style = isColoured?.[0] === "-green" ? "green" : isColoured ? "blue" : "bold";
        const head = cut(`  ${deploymentOf(name)}  ${what}  ${timeOf(elapsed) || "0 s"}${left}`, width);
        const lines = [paint(style, head)];
        if (pods !== undefined) {
            const text = `    ${pods.ready} of ${pods.wanted} pods ready`;
            lines.push(paint(pods.ready < pods.wanted ? "yellow" : "green", text));
        }
        const [, done, whole, facts] = PROGRESS.exec(progress ?? "") ?? [];
        if (facts !== undefined) {
            const rest = Math.max(0, Number(whole) - Number(done));
            lines.push(`    ${bar(Number(done) / Number(whole))}  ${timeOf(rest) || "0 s"} left`);
            const [, errors] = /(\d+) errors/.exec(facts) ?? [];
            const isWell = errors === undefined || errors === "0";
            lines.push(
                ...fold(`    ${facts}`, width, "    ").map((line) =>
                    paint(isWell ? "green" : "yellow", line),
                ),
            );
        }
        return lines;
    });
}

/** A share as a bar. */
function bar(share: number): string {
    const full = Math.round(Math.min(1, share) * 20);
    return `${"█".repeat(full)}${"░".repeat(20 - full)}`;
}
