import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { onProcessEnd } from "./cluster/process-end";

/** Outside of the checkout: all checkouts of a user share it, and `npm ci` leaves it alone. */
export const shared = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "mcp-platform");

/** Programs that are built from Go modules of fixed versions, once for all checkouts of a user. */
export class GoTools {
    /** Where the programs are once they are built. Its name changes with everything that they are built from. */
    readonly folder: string;
    private readonly flags: readonly string[];

    constructor(
        private readonly name: string,
        /** Folders with a go.mod each: its tools are built, and its own main packages. */
        private readonly modules: readonly string[],
        /** Variables of packages that the linker sets, such as versions. */
        variables: Readonly<Record<string, string>> = {},
        private readonly cache = shared,
    ) {
        const settings = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
        this.flags = ["-trimpath", "-buildvcs=false", `-ldflags=${["-s", "-w", ...settings].join(" ")}`];
        const sources = modules.flatMap((module) =>
            readdirSync(module)
                .sort()
                .map((name) => readFileSync(join(module, name), "utf8")),
        );
        const all = [...sources, ...this.flags, process.platform, process.arch].join();
        const hash = createHash("sha256").update(all).digest("hex").slice(0, 16);
        this.folder = join(cache, `${name}-${hash}`);
    }

    /** Whether they are built. */
    get isBuilt(): boolean {
        return existsSync(this.folder);
    }

    /** Why they cannot be had, in plain words; undefined when they are built or can be. */
    whyNot(): string | undefined {
        if (this.isBuilt || spawnSync("go", ["version"]).status === 0) return undefined;
        return `there is no Go to build ${this.name} with`;
    }

    /** Why they are not there, in plain words; undefined when they are built. */
    whyNotBuilt(): string | undefined {
        if (existsSync(this.folder)) return undefined;
        return this.whyNot() ?? `${this.name} is not built yet: run npm run test:build`;
    }

    /** Builds them unless they are there, and returns their folder. One process builds, others wait for it. */
    async build(log: (line: string) => void = () => {}): Promise<string> {
        const lock = `${this.folder}.lock`;
        for (let waits = 0; !existsSync(this.folder); waits += 1) {
            const reason = this.whyNot();
            if (reason !== undefined) throw new Error(`Cannot build ${this.name}: ${reason}`);
            mkdirSync(this.cache, { recursive: true });
            if (takes(lock)) {
                const forget = onProcessEnd(() => rmSync(lock, { force: true }));
                try {
                    await this.buildNow(log);
                } finally {
                    forget();
                    rmSync(lock, { force: true });
                }
            } else {
                if (waits === 0) log(`Waiting for another process that builds ${this.name} (${lock})`);
                await sleep(1000);
            }
        }
        return this.folder;
    }

    private async buildNow(log: (line: string) => void): Promise<void> {
        log(`Building ${this.name} with Go, once: this takes some minutes (${this.folder})`);
        // Built aside and renamed, so that a build cut short does no harm.
        const aside = mkdtempSync(`${this.folder}.`);
        const building = new AbortController();
        const forget = onProcessEnd(() => {
            building.abort();
            rmSync(aside, { recursive: true, force: true });
        });
        try {
            for (const module of this.modules) {
                const args = ["build", ...this.flags, "-o", `${aside}/`, "tool", "./..."];
                await promisify(execFile)("go", args, {
                    cwd: module,
                    env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
                    maxBuffer: 2 ** 26,
                    signal: building.signal,
                });
            }
            renameSync(aside, this.folder);
        } catch (error) {
            if (existsSync(this.folder)) return;
            const { stderr, message } = error as Error & { stderr?: string };
            const lines = (stderr || message).trimEnd().split("\n").slice(-15);
            throw new Error(`Cannot build ${this.name}:\n${lines.join("\n")}`);
        } finally {
            forget();
            rmSync(aside, { recursive: true, force: true });
        }
    }
}

/** Takes a lock file for this process, also from a process that has ended. */
function takes(lock: string): boolean {
    try {
        writeFileSync(lock, String(process.pid), { flag: "wx" });
        return true;
    } catch {
        if (!isRunning(lock)) rmSync(lock, { force: true });
        return false;
    }
}

function isRunning(lock: string): boolean {
    try {
        // An empty file is one that is being written.
        const id = readFileSync(lock, "utf8");
        return id === "" || process.kill(Number(id), 0);
    } catch {
        return false;
    }
}
