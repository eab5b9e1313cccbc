import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { manifestsOf } from "../../offline/manifests";
import { stackNames } from "../../offline/stackFile";
import { GoTools } from "../goTools";
import { PythonTools } from "../pythonTools";
import { recordStack, root } from "../support";
import { terraformPlan } from "./terraformPlan";

/** What a scanner says against something. */
export interface Finding {
    rule: string;
    /** Name of a resource or file. */
    on: string;
    message: string;
}

/** A program by others that looks for faults. */
export interface Scanner {
    name: string;
    /** Why it cannot run here, in plain words; undefined when it can. */
    whyNot(): string | undefined;
    scan(): Promise<Finding[]>;
}

/** Those of PyPI. */
export const pythonTools = new PythonTools("scanners", join(__dirname, "requirements.txt"));

/** The one of the Go module proxy, which serves neither kube-linter nor polaris. */
export const goTools = new GoTools("kube-score", [join(__dirname, "kube-score")]);

const whyNoPython = () => (pythonTools.isInstalled ? undefined : "npm run test:scanners:install installs it");

/** Looks for faults in the workflows. */
const zizmor: Scanner = {
    name: "zizmor",
    whyNot: whyNoPython,
    scan: async () => {
        const args = ["--offline", "--no-progress", "--format", "json", ".github"];
        return output<ZizmorFinding[]>(python("zizmor"), args)
            .filter(({ ignored }) => !ignored)
            .map(({ ident, desc, locations }) => ({
                rule: ident,
                on: locations[0]!.symbolic.key.Local.verbatim_path,
                message: desc,
            }));
    },
};

/** Looks for faults in scripts: those that run in the cluster, and those of the checkout. */
const shellcheck: Scanner = {
    name: "shellcheck",
    whyNot: whyNoPython,
    scan: async () => {
        const jobs = readdirSync(join(root, "jobs"), { recursive: true, encoding: "utf8" })
            .filter((file) => file.endsWith(".sh"))
            .map((file) => join("jobs", file));
        const hooks = readdirSync(join(root, ".githooks")).map((file) => join(".githooks", file));
        return [
            // The task that runs them names Bash, not their first line.
            [...jobs, "--shell=bash"],
            [...hooks, ".ci/run"],
        ]
            .flatMap((args) =>
                output<ShellcheckFinding[]>(python("shellcheck"), [
                    "--format=json",
                    "--external-sources",
                    "--source-path=SCRIPTDIR",
                    ...args,
                ]),
            )
            .map(({ code, file, line, message }) => ({
                rule: `SC${code}`,
                on: file,
                message: `line ${line}: ${message}`,
            }));
    },
};

/** Looks for faults in the Kubernetes objects. */
const kubeScore: Scanner = {
    name: "kube-score",
    whyNot: () =>
        goTools.whyNot() ?? (goTools.isBuilt ? undefined : "npm run test:scanners:install builds it"),
    scan: () =>
        withStacks((folder) => {
            const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
            const args = ["score", "--output-format=json", ...files.map((file) => join(folder, file))];
            return output<ScoredObject[]>(join(goTools.folder, "kube-score"), args).flatMap(
                ({ object_meta: { name }, type_meta: { kind }, checks }) =>
                    checks
                        .filter(({ skipped, grade }) => !skipped && grade <= WARNING)
                        .map(({ check, comments }) => ({
                            rule: check.id,
                            on: `${kind}/${name}`,
                            message: comments?.map(({ summary }) => summary).join(", ") || check.comment,
                        })),
            );
        }),
};

/** Looks for faults in the Kubernetes objects, and in the AWS resources as a plan of Terraform. */
const checkov: Scanner = {
    name: "checkov",
    whyNot: whyNoPython,
    scan: () =>
        withStacks((folder) => {
            const frameworks = ["kubernetes", "terraform_plan"];
            const args = ["-m", "checkov.main", "--skip-download", "--compact", "--quiet", "--output=json"];
            const report = output<CheckovReport | CheckovReport[]>(python("python"), [
                ...args,
                ...["--directory", folder, "--framework", ...frameworks],
            ]);
            const reports = [report].flat();
            for (const framework of frameworks) {
                const summary = reports.find(({ check_type }) => check_type === framework)?.summary;
                if (summary === undefined || summary.parsing_errors > 0 || summary.passed === 0) {
                    throw new Error(
                        `Checkov has not read the ${framework} files: ${JSON.stringify(summary)}`,
                    );
                }
            }
            return reports.flatMap(({ results }) =>
                results.failed_checks.map(({ check_id, check_name, resource }) => ({
                    rule: check_id,
                    on: resource,
                    message: check_name,
                })),
            );
        }),
};

export const scanners: readonly Scanner[] = [zizmor, shellcheck, kubeScore, checkov];

/** Grade of kube-score up to which a check has something to say. */
const WARNING = 5;

function python(program: string): string {
    return join(pythonTools.folder, "bin", program);
}

/** Scans a folder with the manifests of all stacks, and their AWS resources as plans of Terraform. */
async function withStacks(scan: (folder: string) => Finding[]): Promise<Finding[]> {
    const folder = mkdtempSync(join(tmpdir(), "mcp-scan-"));
    try {
        mkdirSync(folder, { recursive: true });
        for (const stack of stackNames(root)) {
            const recording = await recordStack(stack);
            const manifests = manifestsOf(recording, () => "secret").map((each) => stringify(each));
            writeFileSync(join(folder, `${stack}.yaml`), manifests.join("---\n"));
            writeFileSync(join(folder, `${stack}.json`), terraformPlan(recording));
        }
        return scan(folder);
    } finally {
        rmSync(folder, { recursive: true });
    }
}

/** What a scanner writes as JSON. Its exit status says no more than whether it has found something. */
function output<T>(command: string, args: readonly string[]): T {
    const { stdout, stderr, error } = spawnSync(command, args, {
        cwd: root,
        encoding: "utf8",
        maxBuffer: 256 * 1024 * 1024,
        // Checkov would ask its maker for guidelines.
        env: { ...process.env, LOG_LEVEL: "ERROR" },
    });
    try {
        return JSON.parse(stdout) as T;
    } catch {
        throw new Error(`${command} has written no JSON: ${error?.message ?? stderr.trimEnd()}`);
    }
}

interface ZizmorFinding {
    ident: string;
    desc: string;
    ignored: boolean;
    locations: { symbolic: { key: { Local: { verbatim_path: string } } } }[];
}

interface ShellcheckFinding {
    file: string;
    line: number;
    code: number;
    message: string;
}

interface ScoredObject {
    object_meta: { name: string };
    type_meta: { kind: string };
    checks: {
        check: { id: string; comment: string };
        grade: number;
        skipped: boolean;
        comments: { summary: string }[] | null;
    }[];
}

interface CheckovReport {
    check_type: string;
    summary: { passed: number; parsing_errors: number };
    results: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
}
