import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isSeq, type Pair, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { parseComplete, SECRET_KEYS, type StackValues } from "../config";
import { configPath, formatProblems, shown } from "../config/problems";
import { isRecord, missingInputs } from "../config/requiredInputs";
import { environmentSchema, isProduction } from "../config/tier";
import { type Tier, TIERS } from "../core/labels";
import { stackNames, UsageError, valuesOf } from "../offline/stackFile";
import { sharedNames } from "../offline/takenNames";
import { parseArgs } from "./args";
import { FORMAT } from "./images/stackPins";
import { print } from "./output";

/** Concerns that a stack can omit. */
const OPTIONAL = [
    "archive",
    "backups",
    "cache",
    "database",
    "health",
    "ingress",
    "maintenance",
    "observability",
] as const;

/** Concerns that are not copied: one-time operations, and those that a trial does not need. */
const LEFT_BEHIND = {
    always: ["operations", "recovery", "cacheRecovery"],
    inTrial: ["checklist", "copies", "objectives"],
};

const HELP = `Writes the stack file of a new environment, Pulumi.NAME.yaml, from that of another.

Usage: npm run environment -- create NAME --from STACK [--tier TIER] [--cluster NAME] [--without CONCERN,…]

Prints what remains to be set. A
trial is smaller: one pod a workload, one node of Redis, an archive of days. Namespace, buckets and hosts have names of
the environment's own; secrets are left out, because only their own stack can decrypt them. A file that exists is never
written over. Exit status: 0, or 1 for bad input; then nothing is written.

  --from STACK       stack whose file is the model
  --tier TIER        ${TIERS.join(" or ")}; default trial, and production for an environment of that name
  --cluster NAME     EKS cluster, where it is not the model's; then the subnets are left out, too
  --without CONCERN  what it is to do without, with commas between: ${OPTIONAL.join(", ")}.
                     URLs of a database or cache that goes are secrets to be set
  --help             this text
`;

/** Inputs of a new environment. */
export interface EnvironmentOptions {
    from: string;
    tier?: string | undefined;
    cluster?: string | undefined;
    without?: readonly string[];
}

/** The command `environment`. */
export async function environmentCommand(root: string, args: string[]): Promise<number> {
    const { values, positionals } = parseArgs({
        args,
        allowPositionals: true,
        options: {
            from: { type: "string" },
            tier: { type: "string" },
            cluster: { type: "string" },
            without: { type: "string" },
            help: { type: "boolean", default: false },
        },
    });
    const [action, name, ...others] = positionals;
    if (values.help || action !== "create" || name === undefined || others.length > 0) {
        print(HELP);
        return values.help ? 0 : 1;
    }
    const { from, without, ...rest } = values;
    if (from === undefined) {
        throw new UsageError("--from: found nothing, expected the stack whose file is the model");
    }
    const listed = (without ?? "").split(",").filter((each) => each !== "");
    print(createEnvironment(root, name, { ...rest, from, without: listed }));
    return 0;
}

/**
 * Writes the stack file of a new environment.
 *
 * @returns the remaining steps, as text.
 * @throws UsageError for bad input, for an existing file, and for values that the new stack cannot have.
 */
export function createEnvironment(root: string, name: string, options: EnvironmentOptions): string {
    const { from, cluster, without = [] } = options;
    const file = `Pulumi.${name}.yaml`;
    const tier = tierOf(name, options);
    const unknown = without.filter((each) => !OPTIONAL.some((concern) => concern === each));
    if (unknown.length > 0) {
        throw new UsageError(
            `--without: found ${shown(unknown.join(","))}, expected some of ${OPTIONAL.join(", ")}`,
        );
    }
    if (existsSync(join(root, file))) {
        throw new UsageError(
            `${file}: found a file, expected none: an environment is created once`,
            "Take another name, or change that file.",
        );
    }
    const model = modelOf(root, from);
    const modelText = readFileSync(join(root, `Pulumi.${from}.yaml`), "utf8");
    const stackFile = new StackFileEdit(modelText);
    const renamed = (text: string, otherwise: string) => {
        const word = new RegExp(`(?<![a-z0-9])${model.environment}(?![a-z0-9])`);
        return word.test(text) ? text.replace(word, name) : otherwise;
    };
    const secretPaths = stackFile.removeSecrets();
    const production = tier === "production";
    stackFile.remove(...LEFT_BEHIND.always, ...(production ? [] : LEFT_BEHIND.inTrial));
    stackFile.set(["environment"], name);
    stackFile.setTier(tier);
    stackFile.remove(...without);
    stackFile.rename(["kubernetes", "namespace"], (text) => renamed(text, `${text}-${name}`));
    for (const bucket of [
        ["backups", "bucket"],
        ["archive", "bucket"],
        ["cache", "snapshotBucket"],
        ["copies", "backups", "bucket"],
        ["copies", "archive", "bucket"],
    ]) {
        stackFile.rename(bucket, (text) => renamed(text, `${text}-${name}`));
    }
    const hosts = new Map(
        (model.ingress?.hosts ?? []).map(({ host }) => [host, renamed(host, `${name}.${host}`)]),
    );
    stackFile.renameHosts(hosts, model.environment, name);
    if (cluster !== undefined && cluster !== model.kubernetes.cluster) {
        stackFile.set(["kubernetes", "cluster"], cluster);
        stackFile.removeAt(["database", "subnets"], ["cache", "subnets"], ["kubernetes", "context"]);
    } else {
        // A cluster-wide add-on.
        stackFile.setWhere(["observability"], ["podMetrics"], false);
    }
    for (const store of ["database", "cache"]) {
        stackFile.rename([store, "active"], () => "primary");
    }
    for (const [workload, { secrets }] of Object.entries(model.workloads)) {
        stackFile.removeAt(["workloads", workload, "restart"]);
        for (const [secret, origin] of Object.entries(secrets)) {
            if (without.includes(origin)) {
                stackFile.set(["workloads", workload, "secrets", secret], "supplied");
            }
        }
    }
    if (!production) {
        stackFile.makeSmaller(model);
    }
    const values = stackFile.values();
    const endpoints = secretPaths.filter(([key]) => key === "endpoints");
    const { values: valid, problems } = parseComplete(
        { ...values, ...(endpoints.length > 0 && { endpoints: placeholderEndpoints(endpoints) }) },
        name,
        [],
        () => false,
    );
    const taken = valid === undefined ? [] : sharedNames(valid, model, `Pulumi.${from}.yaml`);
    if (valid === undefined || taken.length > 0) {
        throw new UsageError(`Cannot create ${file}. ${formatProblems([...problems, ...taken])}`);
    }
    const heading = ` ${name} of the MCP platform, made from the stack file of ${from}. CHECK marks what is an example.`;
    const text = stackFile.text(heading, {
        [`--stack ${from}`]: `--stack ${name}`,
        [model.kubernetes.namespace]: valid.kubernetes.namespace,
    });
    writeFileSync(join(root, file), text, { flag: "wx" });
    return report(name, from, valid, [
        ...missingInputs(values, name).map(({ command }) => command),
        ...endpoints.map((path) => `pulumi config set --stack ${name} --secret --path '${configPath(path)}'`),
    ]);
}

function modelOf(root: string, from: string): StackValues {
    const known = stackNames(root);
    if (!known.includes(from)) {
        throw new UsageError(`--from: found ${shown(from)}, expected one of ${known.join(", ")}`);
    }
    return valuesOf(root, from);
}

function tierOf(name: string, { tier }: EnvironmentOptions): Tier {
    const environment = environmentSchema.safeParse(name);
    if (!environment.success) {
        throw new UsageError(`NAME: found ${shown(name)}, expected ${environment.error.issues[0]!.message}`);
    }
    const found = tier ?? (name === "production" ? "production" : "trial");
    const known = TIERS.find((each) => each === found);
    if (known === undefined) {
        throw new UsageError(`--tier: found ${shown(found)}, expected ${TIERS.join(" or ")}`);
    }
    return known;
}

const placeholderEndpoints = (paths: readonly (readonly string[])[]) =>
    Object.fromEntries(paths.map(([, name]) => [name!, "https://placeholder.example.com/x"]));

function report(name: string, from: string, values: StackValues, commands: readonly string[]): string {
    const { kubernetes, backups, archive, cache, ingress, incident } = values;
    const facts = [
        ["namespace", kubernetes.namespace],
        ["cluster", kubernetes.cluster ?? kubernetes.context],
        ["buckets", [backups?.bucket, archive?.bucket, cache?.snapshotBucket].filter(Boolean).join(", ")],
        ["hosts", (ingress?.hosts ?? []).map(({ host }) => host).join(", ")],
        ["its alarms reach", [...new Set(Object.values(incident?.contacts ?? {}).flat())].join(", ")],
    ].filter(([, fact]) => Boolean(fact));
    return [
        `Wrote Pulumi.${name}.yaml, a ${isProduction(values) ? "production" : "trial"} stack made from ${from}:`,
        ...facts.map(([what, fact]) => `  ${what}: ${fact}`),
        "",
        "To be set, each by a command:",
        `  pulumi stack init ${name}   # with the --secrets-provider of the other stacks`,
        ...[...new Set(commands)].map((command) => `  ${command}`),
        "",
        `Look at what CHECK marks in the file. Then: npm run preview -- --stack ${name}`,
        "",
    ].join("\n");
}

/** A stack file that is adapted for another stack; comments and order stay. Paths begin with a concern. */
class StackFileEdit {
    private readonly document: Document;

    constructor(text: string) {
        this.document = parseDocument(text);
    }

    /** Removes encrypted values and the encryption settings; returns the paths of the removed secrets. */
    removeSecrets(): string[][] {
        const config = this.values();
        const paths = SECRET_KEYS.flatMap((key) => {
            const value = config[key];
            return isRecord(value) ? Object.keys(value).map((name) => [key, name]) : [];
        });
        this.remove(...SECRET_KEYS);
        for (const key of ["encryptionsalt", "encryptedkey", "secretsprovider"]) {
            this.document.delete(key);
        }
        return paths;
    }

    remove(...concerns: readonly string[]): void {
        this.removeAt(...concerns.map((concern) => [concern]));
    }

    removeAt(...paths: readonly (readonly string[])[]): void {
        for (const path of paths) {
            if (this.document.hasIn(keysOf(path))) {
                this.document.deleteIn(keysOf(path));
            }
        }
    }

    set(path: readonly (string | number)[], value: unknown): void {
        const keys = keysOf(path);
        const node = this.document.getIn(keys, true);
        // A scalar keeps its comment.
        if (node !== undefined && !isMap(node) && !isSeq(node)) {
            (node as { value: unknown }).value = value;
        } else {
            this.document.setIn(keys, this.document.createNode(value, { flow: true }));
        }
    }

    /** Sets a value below an existing concern. */
    setWhere(concern: readonly string[], path: readonly string[], value: unknown): void {
        if (this.document.hasIn(keysOf(concern))) {
            this.set([...concern, ...path], value);
        }
    }

    rename(path: readonly (string | number)[], renamed: (text: string) => string): void {
        const found = this.document.getIn(keysOf(path));
        if (typeof found === "string") {
            this.set(path, renamed(found));
        }
    }

    /** Renames the hosts of the ingress in all values, and the environment in the services' configuration. */
    renameHosts(hosts: ReadonlyMap<string, string>, environment: string, name: string): void {
        const { ingress, workloads } = this.values();
        const list = isRecord(ingress) && Array.isArray(ingress["hosts"]) ? ingress["hosts"] : [];
        list.forEach((_, index) =>
            this.rename(["ingress", "hosts", index, "host"], (text) => hosts.get(text) ?? text),
        );
        for (const [workload, value] of Object.entries(isRecord(workloads) ? workloads : {})) {
            const config = isRecord(value) && isRecord(value["config"]) ? value["config"] : {};
            for (const key of Object.keys(config)) {
                this.rename(["workloads", workload, "config", key], (text) =>
                    text === environment
                        ? name
                        : text.replace(/(?<=^https?:\/\/)[^/:]+/, (host) => hosts.get(host) ?? host),
                );
            }
        }
    }

    /** Trial settings: one pod a workload if allowed, one node of Redis, and an archive of days. */
    makeSmaller({ workloads }: StackValues): void {
        for (const [workload, { scaling }] of Object.entries(workloads)) {
            this.set(["workloads", workload, "scaling", "min"], 1);
            this.set(["workloads", workload, "scaling", "max"], Math.min(scaling.max, 3));
        }
        this.removeAt(["database", "multiAz"]);
        this.setWhere(["cache"], ["replicas"], 0);
        this.setWhere(["archive"], ["mode"], "GOVERNANCE");
        this.setWhere(["archive"], ["retention"], { days: 7 });
    }

    /** The values by concern. */
    values(): Record<string, unknown> {
        const { config } = this.document.toJS() as { config: Record<string, unknown> };
        return Object.fromEntries(
            Object.entries(config).flatMap(([key, value]) =>
                key.startsWith("mcp:") ? [[key.slice("mcp:".length), value]] : [],
            ),
        );
    }

    /** Sets the tier, below the environment. */
    setTier(tier: Tier): void {
        this.remove("tier");
        const config = this.document.get("config") as YAMLMap<Scalar<string>>;
        const environment = config.items.findIndex(({ key }) => key.value === "mcp:environment");
        config.items.splice(
            environment + 1,
            0,
            this.document.createPair("mcp:tier", tier) as Pair<Scalar<string>>,
        );
    }

    /** The file as the Pulumi CLI writes it, with another heading; `renamed` are names in its comments. */
    text(heading: string, renamed: Readonly<Record<string, string>>): string {
        const { contents } = this.document;
        this.document.commentBefore = null;
        if (isMap<Scalar>(contents) && contents.items[0] !== undefined) {
            contents.commentBefore = null;
            contents.items[0].key.commentBefore = heading;
        }
        return this.document
            .toString(FORMAT)
            .replaceAll(/\n{2,}/g, "\n")
            .replace(/^ *#.*$/gm, (comment) =>
                Object.entries(renamed).reduce((text, [old, now]) => text.replaceAll(old, now), comment),
            );
    }
}

const keysOf = ([concern, ...rest]: readonly (string | number)[]) => ["config", `mcp:${concern}`, ...rest];
