import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { shared } from "./goTools";

/** Longest that an installation may take, in milliseconds. */
const TIMEOUT = 5 * 60_000;

/** Programs that come as Python packages of fixed versions, installed once for all checkouts of a user. */
export class PythonTools {
    /** Where they are once they are installed. Its name changes with the versions. */
    readonly folder: string;

    constructor(
        name: string,
        /** File with the packages and their versions, as pip takes it. */
        private readonly requirements: string,
        cache = shared,
    ) {
        const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
        this.folder = join(cache, `${name}-${hash}`);
    }

    /** Whether they are installed. */
    get isInstalled(): boolean {
        return existsSync(this.folder);
    }

    /**
     * Installs them unless they are there.
     *
     * @throws Error with the reason if they cannot be installed.
     */
    install(log: (line: string) => void): void {
        if (this.isInstalled) {
            return;
        }
        log(`Installing ${this.requirements} with pip, once: this takes some minutes (${this.folder})`);
        // Made aside and renamed, so that an installation cut short does no harm. Scripts of it name the old folder:
        // they are run as modules of its Python.
        const folder = `${this.folder}.installing-${process.pid}`;
        mkdirSync(folder, { recursive: true });
        try {
            execute("python3", "-m", "venv", folder);
            const pip = join(folder, "bin", "pip");
            execute(pip, "install", "--quiet", "--disable-pip-version-check", "-r", this.requirements);
            renameSync(folder, this.folder);
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    }
}

function execute(command: string, ...args: string[]): void {
    const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: TIMEOUT });
    if (status !== 0) {
        throw new Error(error?.message ?? stderr.trimEnd().split("\n").at(-1));
    }
}
