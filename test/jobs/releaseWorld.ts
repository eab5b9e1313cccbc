import { createServer, type Server } from "node:http";
import { type HistoryEntry } from "../../jobs/lib/releaseHistory";
import { GateError } from "../../jobs/lib/gate";
import { runRelease } from "../../jobs/release";
import { parseReleasePlan, type ReleasePlan, type SoakPlan } from "../../jobs/release/plan";
import { type SmokeRequest } from "../../jobs/release/smokeRequests";
import { app, type FakeCluster, namespace, type PodState } from "./releaseCluster";
import { listen } from "./servers";

/** What an application does with a request. */
export interface Reaction {
    status?: number;
    body?: unknown;
    /** How long it took, as its histogram says. */
    seconds?: number;
    /** Nothing comes back at all. */
    silent?: boolean;
}

/** Decides what a pod does with a request, `time` seconds after the switch. */
export type Behaviour = (path: string, time: number, nth: number) => Reaction;

/** How a release is drilled; whatever is missing is ordinary. */
export interface Scenario {
    /** Requests of users in a second. Default: 2. */
    users?: number | ((time: number) => number);
    /** Requests of probes in a second and pod. Default: 0.5. */
    probes?: number;
    /** Whether the metrics say the path of each request. Default: true. */
    pathLabel?: boolean;
    /** Behaviour of the target's pods. Default: all is well. */
    green?: Behaviour;
    /** The same of the active colour's. */
    blue?: Behaviour;
    /** One of a pod's page of metrics, in place of what it would be; undefined: no answer. */
    page?: (page: string, pod: Pod, world: World) => string | undefined;
    /** What happens at a time after the switch. */
    events?: readonly (readonly [seconds: number, happens: (world: World) => void])[];
    /** What is so before the release begins. */
    before?: (world: World) => void;
    /** Changes of the soak's plan. */
    soak?: (world: World) => Partial<SoakPlan>;
    /** Answers of Prometheus, `time` seconds after the switch. */
    prometheus?: (
        query: string,
        time: number,
        world: World,
    ) => { status?: number; body: unknown } | undefined;
    /** Limit of one of the gate's requests. Default: long. */
    timeoutSeconds?: number;
    /** The newest value of CloudWatch. */
    cloudWatch?: (time: number) => number | undefined;
    /** Whether the soak gate is stopped at 200 s, and run again. */
    gateRestarts?: boolean;
}

/** How the release ended. */
export interface Outcome {
    /** The gate that failed; undefined if all passed. */
    gate: ReleasePlan["gate"] | undefined;
    /** Seconds after the switch; undefined before it. */
    seconds: number | undefined;
    /** Last line of the last gate. */
    line: string;
    lines: string[];
}

/** A pod of the drill. */
export class Pod {
    readonly series = new Map<string, number>();
    private nth = 0;

    constructor(
        readonly colour: "blue" | "green",
        readonly number: number,
        public state: PodState,
    ) {}

    get name(): string {
        return `${app}-${this.colour}-${this.number}`;
    }

    get ip(): string {
        return `127.0.0.${this.number + 1}`;
    }

    react(behaviour: Behaviour, path: string, time: number): Reaction {
        const {
            status = 200,
            body = { status: "ok" },
            seconds = 0.04,
            silent,
        } = behaviour(path, time, (this.nth += 1));
        if (silent) return { silent };
        const key = `${path} ${status}`;
        this.series.set(key, (this.series.get(key) ?? 0) + 1);
        this.observe(path, seconds);
        return { status, body };
    }

    readonly buckets = new Map<string, number>();

    private observe(path: string, seconds: number): void {
        for (const bound of [...BOUNDS, Infinity]) {
            if (seconds > bound) continue;
            const key = `${path} ${bound}`;
            this.buckets.set(key, (this.buckets.get(key) ?? 0) + 1);
        }
    }

    page(pathLabel: boolean): string {
        const lines = ["# TYPE requests_total counter"];
        const summed = new Map<string, number>();
        const add = (line: string, value: number) => summed.set(line, (summed.get(line) ?? 0) + value);
        const label = (path: string) => (pathLabel ? `path="${path}",` : "");
        for (const [key, value] of this.series) {
            const [path, status] = key.split(" ") as [string, string];
            add(`requests_total{${label(path)}status="${status}"}`, value);
        }
        for (const [key, value] of this.buckets) {
            const [path, bound] = key.split(" ") as [string, string];
            const le = bound === "Infinity" ? "+Inf" : bound;
            add(`request_duration_seconds_bucket{${label(path)}le="${le}"}`, value);
        }
        return [...lines, ...[...summed].map(([line, value]) => `${line} ${value}`), ""].join("\n");
    }
}

const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What users ask for. */
const USER_PATHS = ["/mcp/tools", "/mcp/call", "/mcp/list", "/mcp/events"];

/** Addresses at which the Services and the public host are. */
const SERVICE = { live: "127.0.1.1", green: "127.0.1.3", public: "127.0.1.4" };

export const IMAGE = "registry/mcp-server@sha256:1";

const former: HistoryEntry = {
    revision: 6,
    hash: "former",
    version: "v2.0.3",
    image: "registry/mcp-server@sha256:0",
    colour: "blue",
    completedAt: "2026-10-01T12:10:00.000Z",
};

/** A cluster with real HTTP servers and a simulated clock: an hour of it takes as long as its requests. */
export class World {
    /** Seconds. */
    clock = 0;
    switchedAt: number | undefined;
    pods: Pod[] = [];
    publicHost = true;
    scenario: Scenario = {};
    private server!: Server;
    private port = 0;
    private close = () => undefined as void;
    private turn = 0;
    private owed = { users: 0, probes: 0 };
    private happened = 0;

    constructor(readonly cluster: FakeCluster) {}

    async start(): Promise<void> {
        this.server = createServer((request, response) => {
            const url = new URL(request.url!, "http://localhost");
            const address = request.socket.localAddress!.replace("::ffff:", "");
            if (url.pathname === "/api/v1/query") {
                const query = url.searchParams.get("query")!;
                const answer = this.scenario.prometheus?.(query, this.time, this);
                if (answer === undefined) return void request.socket.destroy();
                return void response.writeHead(answer.status ?? 200).end(JSON.stringify(answer.body));
            }
            if (url.pathname === "/credentials") {
                const credentials = { AccessKeyId: "planted", SecretAccessKey: "planted", Token: "planted" };
                return void response.end(JSON.stringify(credentials));
            }
            if (url.pathname === "/cloudwatch") {
                const value = this.scenario.cloudWatch?.(this.time);
                const members = value === undefined ? "" : `<member>${value}</member>`;
                return void response.end(
                    `<GetMetricDataResponse><Values>${members}</Values></GetMetricDataResponse>`,
                );
            }
            if (address === SERVICE.public && !this.publicHost) return void request.socket.destroy();
            const pod =
                address === SERVICE.live || address === SERVICE.public
                    ? this.next()
                    : address === SERVICE.green
                      ? this.next("green")
                      : this.pods.find(({ ip, state }) => ip === address && !state.deleted);
            if (pod === undefined) return void request.socket.destroy();
            if (url.pathname === "/metrics") {
                const page = pod.page(this.scenario.pathLabel ?? true);
                const shown = this.scenario.page === undefined ? page : this.scenario.page(page, pod, this);
                return void (shown === undefined ? request.socket.destroy() : response.end(shown));
            }
            const { status, body, silent } = this.ask(pod, url.pathname);
            if (!silent) response.writeHead(status!).end(JSON.stringify(body));
        });
        const { port, close } = await listen(this.server, "0.0.0.0");
        this.port = port;
        this.close = close;
    }

    stop(): void {
        this.close();
    }

    /** Seconds since the switch; negative before it. */
    get time(): number {
        return this.switchedAt === undefined ? -1 : this.clock - this.switchedAt;
    }

    url(address: string): string {
        return `http://${address}:${this.port}`;
    }

    get prometheusUrl(): string {
        return this.url("127.0.0.1");
    }

    /** Pods of a colour that are there. */
    of(colour: string): Pod[] {
        return this.pods.filter((pod) => pod.colour === colour);
    }

    /** Adds a pod, ready unless its state says otherwise. */
    add(colour: "blue" | "green", state: PodState = {}): Pod {
        const numbers = this.pods.map(({ number }) => number);
        const pod = new Pod(colour, Math.max(0, ...numbers) + 1, { image: IMAGE, ...state });
        this.pods.push(pod);
        this.sync();
        return pod;
    }

    change(pod: Pod, state: PodState): void {
        pod.state = { ...pod.state, ...state };
        this.sync();
    }

    remove(pod: Pod): void {
        this.pods = this.pods.filter((each) => each !== pod);
        this.cluster.remove("pods", pod.name);
        this.sync();
    }

    /** Shows the cluster what there is. */
    sync(): void {
        for (const pod of this.pods) this.cluster.pod(pod.colour, pod.number, pod.state);
        for (const colour of ["blue", "green"]) {
            const pods = this.of(colour);
            const readyReplicas = pods.filter(({ state }) => state.ready !== false).length;
            this.cluster.deployment(colour, pods.length, { readyReplicas });
        }
        this.cluster.endpoints(
            ...this.of(this.selected ?? "")
                .filter(({ state }) => state.ready !== false && !state.deleted && !state.unschedulable)
                .map(({ name }) => name),
        );
    }

    /** The colour that the Service selects. */
    get selected(): string | undefined {
        return this.cluster.object<{ spec: { selector: Record<string, string> } }>("services", app)?.spec
            .selector["version"];
    }

    select(colour: string | undefined): void {
        this.cluster.service(colour);
        this.sync();
    }

    private next(colour = this.selected): Pod | undefined {
        const ready = this.of(colour ?? "").filter(({ state }) => state.ready !== false && !state.deleted);
        return ready[(this.turn += 1) % Math.max(1, ready.length)];
    }

    private ask(pod: Pod, path: string): Reaction {
        const well: Behaviour = () => ({});
        return pod.react(this.scenario[pod.colour] ?? well, path, this.time);
    }

    /** Lets time pass: users and probes send their requests, and what is due happens. */
    advance(seconds: number): void {
        const { users = 2, probes = 0.5, events = [] } = this.scenario;
        for (let left = seconds; left > 1e-9; left -= 1) {
            const step = Math.min(1, left);
            this.clock += step;
            while (this.happened < events.length && events[this.happened]![0] <= this.time) {
                events[this.happened]![1](this);
                this.happened += 1;
            }
            this.owed.users += step * (typeof users === "number" ? users : users(this.time));
            for (; this.owed.users >= 1; this.owed.users -= 1) {
                const pod = this.next();
                if (pod !== undefined) this.ask(pod, USER_PATHS[this.turn % USER_PATHS.length]!);
            }
            this.owed.probes += step * probes;
            for (; this.owed.probes >= 1; this.owed.probes -= 1) {
                for (const pod of this.pods.filter(({ state }) => !state.unschedulable)) {
                    this.ask(pod, this.turn % 2 === 0 ? "/health" : "/ready");
                    this.turn += 1;
                }
            }
        }
    }

    /** Releases green as an update does; returns how that ended. */
    async release(scenario: Scenario): Promise<Outcome> {
        Object.assign(this, { clock: 0, switchedAt: undefined, pods: [], publicHost: true, scenario });
        Object.assign(this, { turn: 0, owed: { users: 0, probes: 0 }, happened: 0 });
        this.cluster.reset();
        this.cluster.autoscaler("green", 3, 12);
        this.cluster.ledger({ [app]: JSON.stringify([former]) });
        this.cluster.service("blue");
        for (let n = 0; n < 3; n += 1) this.add("blue");
        for (let n = 0; n < 3; n += 1) this.add("green");
        scenario.before?.(this);
        this.advance(60);

        const lines: string[] = [];
        for (const plan of this.plans()) {
            if (plan.gate === "soak") {
                this.switchedAt = this.clock;
                this.select("green");
            }
            if (plan.gate === "soak" && scenario.gateRestarts) await this.run(plan, lines, 200);
            const { passed, line } = await this.run(plan, lines);
            lines.push(line);
            if (!passed || plan.gate === "soak") {
                const seconds = this.switchedAt === undefined ? undefined : Math.round(this.time);
                return { gate: passed ? undefined : plan.gate, seconds, line, lines };
            }
        }
        throw new Error("no gate has ended the release");
    }

    private async run(plan: ReleasePlan, lines: string[], stopAfter = Infinity) {
        const stop = new AbortController();
        const limit = this.clock + (plan.gate === "capacity" ? 300 : Infinity);
        const begin = this.clock;
        const log = (line: string) => void lines.push(line);
        return runRelease(parseReleasePlan(JSON.parse(JSON.stringify(plan))), {
            log,
            signal: stop.signal,
            cluster: this.cluster.client(log),
            now: () => 1000 * this.clock,
            date: () => new Date(Date.UTC(2026, 10, 30) + 1000 * this.clock),
            sleep: (seconds, signal) => {
                this.advance(seconds);
                if (this.clock >= limit) stop.abort(new Error("the deadline of 300 s passed"));
                if (this.clock - begin >= stopAfter) stop.abort(new Error("stopped by SIGTERM"));
                return signal.aborted || stop.signal.aborted
                    ? Promise.reject(new GateError((stop.signal.reason as Error).message))
                    : Promise.resolve();
            },
            env: {
                AWS_CONTAINER_CREDENTIALS_FULL_URI: `${this.url("127.0.0.1")}/credentials`,
                AWS_ENDPOINT_URL_CLOUDWATCH: `${this.url("127.0.0.1")}/cloudwatch`,
            },
            pollSeconds: 30,
        });
    }

    private plans(): ReleasePlan[] {
        const base = {
            subject: "mcp-server v2.1.0 (green)",
            deadlineSeconds: 3600,
            namespace,
            app,
            colour: "green" as const,
            release: { hash: "new", version: "v2.1.0", image: IMAGE },
            ledger: "mcp-releases",
        };
        const request = (path: string, json?: Record<string, string>): SmokeRequest => ({
            name: `GET ${path}`,
            method: "GET",
            path,
            headers: {},
            // Real seconds: a busy machine may take its time.
            timeoutSeconds: this.scenario.timeoutSeconds ?? 30,
            attempts: 1,
            expect: { status: 200, ...(json && { json }) },
        });
        const requests = [request("/health"), request("/mcp/call", { status: "ok" })];
        const counter = { counter: "requests_total" };
        const metrics = {
            path: "/metrics",
            port: this.port,
            requests: counter,
            errors: { ...counter, labels: { status: "^5" } },
            probePaths: ["/health", "/ready", "/metrics"],
            duration: { histogram: "request_duration", unit: "s" as const },
        };
        const routes = [
            { target: this.url(SERVICE.live), optional: false, requests },
            { target: this.url(SERVICE.public), optional: true, requests: requests.slice(1) },
        ];
        const soak: SoakPlan = {
            gate: "soak",
            ...base,
            durationSeconds: 600,
            maxErrorPercent: 5,
            minimumRequests: 200,
            allowNoData: false,
            maxErrorIncrease: 1,
            latency: { maxP95Seconds: 2, maxIncreasePercent: 50 },
            metrics,
            synthetic: { everySeconds: 30, routes },
            ...this.scenario.soak?.(this),
        };
        return [
            {
                gate: "capacity",
                ...base,
                baseline: { seconds: 60, metrics: soak.metrics, routes },
            },
            {
                gate: "smoke",
                ...base,
                smoke: {
                    subject: base.subject,
                    target: this.url(SERVICE.green),
                    deadlineSeconds: 60,
                    requests,
                },
            },
            soak,
        ];
    }
}
