import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageReferences } from "../../config/images";
import { eksKubeconfig } from "../../core/kubeconfig";
import { bundleProgram } from "../../offline/program";
import { recordOnce } from "../../offline/recordings";
import { readStackFile, stackNames, valuesOf } from "../../offline/stackFile";
import { parseArgs } from "../args";
import { parseReference } from "../images/reference";
import { print, screen, step } from "../output";
import {
    checkAws,
    checkCluster,
    checkContext,
    checkPulumi,
    checkQuotas,
    checkRegistries,
    type EksCluster,
    type Subject,
} from "./checks";
import { renderResults, type Result } from "./result";
import { runner } from "./tools";

const help = (
    root: string,
) => `Checks what pulumi up needs on this machine, in the account and in the cluster, and says what to do.

Usage: npm run doctor -- [--stack NAME] [--json]

It changes nothing, shows no secret, and waits 15 s at most for each program that it asks.

  --stack NAME  stack that is meant (${stackNames(root).join(", ")}); default production
  --json        the results as JSON: name, state (ok, missing, unknown), found, todo
  --help        this text

Exit status: 0, or 1 where something is missing. What could not be checked is no failure.
`;

/** `npm run doctor`. Returns the exit status. */
export async function doctorCommand(root: string, args: string[]): Promise<number> {
    const { values: options } = parseArgs({
        args,
        options: {
            stack: { type: "string", default: "production" },
            json: { type: "boolean", default: false },
            help: { type: "boolean", default: false },
        },
    });
    if (options.help) {
        print(help(root));
        return 0;
    }
    const { stack } = options;
    step(`Checking what ${stack} needs`);
    const values = valuesOf(root, stack);
    const results = await examine({ root, stack, values, run: runner(), fetch });
    print(
        options.json
            ? `${JSON.stringify(results, undefined, 2)}\n`
            : renderResults(`mcp/${stack}`, results, screen()),
    );
    return results.some(({ state }) => state === "missing") ? 1 : 0;
}

/** All results, in the order in which to repair them. */
export async function examine(subject: Subject): Promise<Result[]> {
    const { root, stack, values } = subject;
    const file = readStackFile(root, stack);
    const registries = [
        ...new Set(imageReferences(values).map((each) => parseReference(each).registry)),
    ].sort();
    const [pulumi, aws, answering] = await Promise.all([
        checkPulumi(subject),
        checkAws(subject),
        checkRegistries(subject, registries),
    ]);
    const { resources } = await recordOnce(root, bundleProgram(root), file);
    const roles = resources.filter(({ type }) => type === "aws:iam/role:Role").length;
    const isDeployed = pulumi.some(({ name, found }) => name === `Stack ${stack}` && /^[1-9]/.test(found));
    const [quotas, context, cluster] = await Promise.all([
        checkQuotas(subject, roles, aws.isUsable, isDeployed),
        checkContext(subject, aws.cluster),
        withAccess(subject, aws.cluster, (access) => checkCluster(subject, access, aws.cluster)),
    ]);
    const { length } = file.placeholders;
    const complete: Result =
        length === 0
            ? { name: "Values", state: "ok", found: "all are set" }
            : {
                  name: "Values",
                  state: "missing",
                  found: `${length} are missing that only an operator can give`,
                  todo: `npm run preview -- --full --stack ${stack}`,
              };
    return [...pulumi, ...aws.results, complete, ...answering, ...quotas, context, ...cluster];
}

/** Connects to the cluster as the program does: to EKS by its endpoint, to others by their context. */
async function withAccess(
    { values: { aws, kubernetes } }: Subject,
    eks: EksCluster | undefined,
    check: (access: readonly string[]) => Promise<Result[]>,
): Promise<Result[]> {
    const { cluster: name, context, kubeconfig } = kubernetes;
    if (name === undefined) {
        const file = kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig];
        return check([...(context === undefined ? [] : ["--context", context]), ...file]);
    }
    if (eks === undefined || aws === undefined) {
        return [{ name: "Cluster", state: "unknown", found: `AWS does not tell where ${name} is` }];
    }
    const folder = mkdtempSync(join(tmpdir(), "mcp-doctor-"));
    try {
        const file = join(folder, "kubeconfig");
        writeFileSync(file, JSON.stringify(eksKubeconfig(name, aws.region, eks)));
        return await check(["--kubeconfig", file]);
    } finally {
        rmSync(folder, { recursive: true });
    }
}
