import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type StackValues } from "../../config";
import { PLACEHOLDER_ACCOUNT } from "../../config/requiredInputs";
import { type Result } from "./result";
import { json, type Run } from "./tools";

/** Common inputs of the checks of a stack. */
export interface Subject {
    /** Folder of the project. */
    readonly root: string;
    readonly stack: string;
    readonly values: StackValues;
    readonly run: Run;
    readonly fetch: typeof globalThis.fetch;
}

const ok = (name: string, found: string): Result => ({ name, state: "ok", found });
const missing = (name: string, found: string, todo: string): Result => ({
    name,
    state: "missing",
    found,
    todo,
});
const unknown = (name: string, found: string, todo?: string): Result => ({
    name,
    state: "unknown",
    found,
    ...(todo === undefined ? {} : { todo }),
});

/** Whether a version such as `v3.259.0` is at least another; undefined for other texts. */
function isAtLeast(found: string, least: string): boolean | undefined {
    const numbers = (text: string) => /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
    const [one, other] = [numbers(found), numbers(least)];
    if (one === undefined || other === undefined) {
        return undefined;
    }
    const index = one.findIndex((part, at) => part !== other[at]);
    return index < 0 || one[index]! > other[index]!;
}

interface Package {
    engines: { node: string };
    dependencies: Record<string, string>;
}

/** Checks Node, the Pulumi CLI, its backend, the stack in it, and the key of its secrets. */
export async function checkPulumi({ root, stack, run }: Subject): Promise<Result[]> {
    const { engines, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Package;
    const node = isAtLeast(process.version, `${engines.node}.0`)
        ? ok("Node", process.version)
        : missing("Node", process.version, `install Node ${engines.node}`);
    const [backend, secrets] = [`Backend`, `Secrets of ${stack}`];
    const least = dependencies["@pulumi/pulumi"]!;
    const version = await run("pulumi", ["version"]);
    if (version.status !== 0) {
        const todo =
            "install it: https://www.pulumi.com/docs/install/, or put npx pulumi@3.259.0 in its place";
        const later = [backend, `Stack ${stack}`, secrets].map((name) =>
            unknown(name, "needs the Pulumi CLI"),
        );
        return [node, missing("Pulumi CLI", version.reason, todo), ...later];
    }
    const found = version.stdout.trim();
    const cli =
        isAtLeast(found, least) === false
            ? missing(
                  "Pulumi CLI",
                  `${found}, expected ${least} or newer`,
                  "https://www.pulumi.com/docs/install/",
              )
            : ok("Pulumi CLI", found);

    const who = await run("pulumi", ["whoami", "--json", "--non-interactive"]);
    const login = json<{ user?: string; url?: string }>(who);
    if (login === undefined) {
        const later = [`Stack ${stack}`, secrets].map((name) => unknown(name, "needs the backend"));
        return [node, cli, missing(backend, who.reason, "pulumi login s3://YOUR-STATE-BUCKET"), ...later];
    }
    const begun = [node, cli, ok(backend, `${login.url ?? "?"}, as ${login.user ?? "?"}`)];
    const stacks = json<{ name: string; resourceCount?: number }[]>(
        await run("pulumi", ["stack", "ls", "--json", "--non-interactive"]),
    );
    const known = stacks?.find(({ name }) => name.split("/").at(-1) === stack);
    if (known === undefined) {
        const todo = `pulumi stack init ${stack} --secrets-provider='awskms://alias/YOUR-KEY?region=REGION'`;
        return [
            ...begun,
            stacks === undefined
                ? unknown(`Stack ${stack}`, "the backend does not list its stacks")
                : missing(`Stack ${stack}`, "the backend does not have it", todo),
            unknown(secrets, "needs the stack"),
        ];
    }
    const count = known.resourceCount ?? 0;
    return [
        ...begun,
        ok(`Stack ${stack}`, `${count} resources`),
        await checkSecrets({ root, stack, run }, secrets),
    ];
}

/** Whether the secrets of a stack can be decrypted, without reading them. */
async function checkSecrets(
    { root, stack, run }: Pick<Subject, "root" | "stack" | "run">,
    name: string,
): Promise<Result> {
    const settings: unknown = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8"));
    const { encryptionsalt: salt, secretsprovider: provider } = settings as Record<string, unknown>;
    const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
    const byPassphrase = salt !== undefined;
    const set = "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it";
    if (
        byPassphrase &&
        PULUMI_CONFIG_PASSPHRASE === undefined &&
        PULUMI_CONFIG_PASSPHRASE_FILE === undefined
    ) {
        return missing(name, "their passphrase is not set", set);
    }
    const way = byPassphrase
        ? "by passphrase"
        : typeof provider === "string"
          ? `by ${provider}`
          : "by the backend";
    // Drops the output: only the exit status matters.
    const { status, reason } = await run("pulumi", [
        ...["config", "--stack", stack, "--show-secrets", "--json", "--non-interactive"],
    ]);
    return status === 0
        ? ok(name, `${way}, can be decrypted`)
        : missing(
              name,
              `${way}, cannot be decrypted: ${reason}`,
              byPassphrase ? set : "use credentials that may use this key",
          );
}

/** Fields that are read of an EKS cluster. */
export interface EksCluster {
    endpoint: string;
    status: string;
    certificateAuthority: { data: string };
    computeConfig?: { enabled?: boolean };
}

/** Checks the AWS CLI, its account, and the cluster. */
export async function checkAws({ stack, values, run }: Subject): Promise<{
    results: Result[];
    /** Whether the stack's account can be queried. */
    isUsable: boolean;
    cluster: EksCluster | undefined;
}> {
    if (values.aws === undefined) {
        return { results: [], isUsable: false, cluster: undefined };
    }
    const { accountId, region } = values.aws;
    const { cluster: name } = values.kubernetes;
    const version = await run("aws", ["--version"]);
    const isAws = version.status === 0 && version.stdout.startsWith("aws-cli/");
    const account = "AWS account";
    const eks = name === undefined ? [] : [`EKS cluster ${name}`];
    if (!isAws) {
        const found = version.status === 0 ? "`aws` on the PATH is another program" : version.reason;
        const todo = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
        return {
            results: [
                missing("AWS CLI", `${found}; the Kubernetes provider gets its token from it`, todo),
                ...[account, ...eks].map((each) => unknown(each, "needs the AWS CLI")),
            ],
            isUsable: false,
            cluster: undefined,
        };
    }
    const cli = ok("AWS CLI", version.stdout.split(/\s/)[0]!);
    const caller = await run("aws", ["sts", "get-caller-identity", "--output", "json", "--region", region]);
    const identity = json<{ Account: string; Arn: string }>(caller);
    const isOther = identity !== undefined && identity.Account !== accountId;
    if (identity === undefined || (isOther && accountId !== PLACEHOLDER_ACCOUNT)) {
        const found =
            identity === undefined
                ? `no credentials: ${caller.reason}`
                : `found ${identity.Account} (${identity.Arn}), expected ${accountId}`;
        return {
            results: [
                cli,
                missing(account, found, "aws configure sso, or set AWS_PROFILE"),
                ...eks.map((each) => unknown(each, "needs the account")),
            ],
            isUsable: false,
            cluster: undefined,
        };
    }
    const results = [
        cli,
        accountId === PLACEHOLDER_ACCOUNT
            ? missing(
                  account,
                  `${identity.Account} (${identity.Arn}); the stack names none`,
                  `pulumi config set --stack ${stack} --path mcp:aws.accountId ${identity.Account}`,
              )
            : ok(account, `${identity.Account}, ${region}, as ${identity.Arn}`),
    ];
    if (name === undefined) {
        return { results, isUsable: true, cluster: undefined };
    }
    const asked = await run("aws", [
        ...["eks", "describe-cluster", "--name", name, "--region", region, "--output", "json"],
    ]);
    const cluster = json<{ cluster: EksCluster }>(asked)?.cluster;
    const state =
        cluster === undefined
            ? missing(
                  eks[0]!,
                  asked.reason,
                  `name the cluster: pulumi config set --stack ${stack} --path mcp:kubernetes.cluster NAME`,
              )
            : cluster.status === "ACTIVE"
              ? ok(eks[0]!, "active")
              : missing(eks[0]!, cluster.status.toLowerCase(), "wait until it is active");
    return { results: [...results, state], isUsable: true, cluster };
}

/** Checks quotas of the account whose use AWS reports. */
export async function checkQuotas(
    { values, run }: Subject,
    roles: number,
    isUsable: boolean,
    isDeployed: boolean,
): Promise<Result[]> {
    if (values.aws === undefined) {
        return [];
    }
    const { region } = values.aws;
    const names = ["IAM roles", ...(values.database === undefined ? [] : ["RDS instances"])];
    if (!isUsable) {
        return names.map((name) => unknown(`Quota of ${name}`, "needs the account"));
    }
    const [iam, rds] = await Promise.all([
        run("aws", ["iam", "get-account-summary", "--output", "json"]),
        run("aws", ["rds", "describe-account-attributes", "--region", region, "--output", "json"]),
    ]);
    const summary = json<{ SummaryMap: Record<string, number> }>(iam)?.SummaryMap;
    const quota = json<{ AccountQuotas: { AccountQuotaName: string; Used: number; Max: number }[] }>(
        rds,
    )?.AccountQuotas.find(({ AccountQuotaName }) => AccountQuotaName === "DBInstances");
    const used: Record<
        string,
        { used?: number | undefined; most?: number | undefined; needed: number; reason: string }
    > = {
        "IAM roles": {
            used: summary?.["Roles"],
            most: summary?.["RolesQuota"],
            needed: roles,
            reason: iam.reason,
        },
        "RDS instances": { used: quota?.Used, most: quota?.Max, needed: 1, reason: rds.reason },
    };
    return names.map((name) => {
        const { used: now, most, needed, reason } = used[name]!;
        if (now === undefined || most === undefined) {
            return unknown(`Quota of ${name}`, reason);
        }
        const found = `${now} of ${most} used${isDeployed ? "" : `; the first update adds ${needed}`}`;
        return isDeployed || now + needed <= most
            ? ok(`Quota of ${name}`, found)
            : missing(`Quota of ${name}`, found, "https://console.aws.amazon.com/servicequotas/");
    });
}

/** Timeout of a registry, in milliseconds. */
const REGISTRY_LIMIT = 10_000;

/** Whether each registry of the stack responds. */
export function checkRegistries({ fetch }: Subject, registries: readonly string[]): Promise<Result[]> {
    return Promise.all(
        registries.map(async (registry) => {
            const name = `Registry ${registry}`;
            if (registry.startsWith(PLACEHOLDER_ACCOUNT)) {
                return unknown(name, "stands for the account's own until mcp:aws.accountId is set");
            }
            const scheme = /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(registry) ? "http" : "https";
            try {
                const { status } = await fetch(`${scheme}://${registry}/v2/`, {
                    signal: AbortSignal.timeout(REGISTRY_LIMIT),
                });
                return status === 200 || status === 401
                    ? ok(name, "answers")
                    : missing(
                          name,
                          `answers ${status}`,
                          "correct mcp:images.registry, or the proxy in front of it",
                      );
            } catch (error) {
                const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
                const reason = cause?.code ?? cause?.message ?? message;
                return missing(
                    name,
                    `no answer (${reason})`,
                    "open the network to it, or set HTTPS_PROXY and NODE_USE_ENV_PROXY=1",
                );
            }
        }),
    );
}

/** Daemon sets that enforce NetworkPolicies, by name. */
const ENFORCING = /^(calico-node|canal|cilium|antrea-agent|kube-router|weave-net|ovnkube-node|azure-npm)$/;

interface Workload {
    metadata: { name: string; namespace: string };
    spec: { template: { spec: { containers: { name: string; args?: string[] }[] } } };
    status?: { desiredNumberScheduled?: number; numberReady?: number };
}

/** Checks the cluster, as `kubectl` reaches it with these arguments, and what must be in it. */
export async function checkCluster(
    { values, run }: Subject,
    access: readonly string[],
    eks: EksCluster | undefined,
): Promise<Result[]> {
    const { kubernetes, ingress } = values;
    const kubectl = (...args: string[]) => run("kubectl", [...access, "--request-timeout=10s", ...args]);
    const names = [
        ...["Rights in the cluster", "metrics-server", "NetworkPolicies"],
        ...(kubernetes.cluster === undefined ? [] : ["Pod identity agent"]),
        ...(ingress === undefined ? [] : [`Ingress class ${ingress.className}`]),
    ];
    const version = await kubectl("get", "--raw", "/version");
    const server = json<{ gitVersion: string }>(version);
    if (server === undefined) {
        const todo = version.absent
            ? "https://kubernetes.io/docs/tasks/tools/"
            : "open the network to it, or use credentials that it knows";
        const cluster = missing("Cluster", version.reason, todo);
        return [cluster, ...names.map((name) => unknown(name, "needs the cluster"))];
    }
    const [rights, metrics, daemons, classes] = await Promise.all([
        kubectl("auth", "can-i", "create", "namespaces"),
        kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "-o", "json"),
        kubectl("get", "daemonsets", "-A", "-o", "json"),
        kubectl("get", "ingressclasses", "-o", "json"),
    ]);
    const may = rights.stdout.trim();
    const conditions = json<{ status?: { conditions?: { type: string; status: string }[] } }>(metrics)?.status
        ?.conditions;
    const sets = json<{ items: Workload[] }>(daemons)?.items;
    const all = json<{ items: { metadata: { name: string } }[] }>(classes)?.items.map(
        ({ metadata }) => metadata.name,
    );
    const eksAddon = (name: string) =>
        `aws eks create-addon --cluster-name ${kubernetes.cluster} --addon-name ${name} --region ${values.aws?.region ?? "REGION"}`;
    const isAuto = eks?.computeConfig?.enabled === true;
    const results = [
        ok("Cluster", `answers, Kubernetes ${server.gitVersion}`),
        may === "yes"
            ? ok("Rights in the cluster", "namespaces can be created")
            : may === "no"
              ? missing(
                    "Rights in the cluster",
                    "namespaces cannot be created",
                    "give this identity an access entry with AmazonEKSClusterAdminPolicy, or the role cluster-admin",
                )
              : unknown("Rights in the cluster", rights.reason),
        conditions?.some(({ type, status }) => type === "Available" && status === "True")
            ? ok("metrics-server", "available")
            : conditions !== undefined || /NotFound|not found/i.test(metrics.reason)
              ? missing(
                    "metrics-server",
                    conditions === undefined ? "the cluster has none" : "installed, and not available",
                    kubernetes.cluster === undefined
                        ? "https://github.com/kubernetes-sigs/metrics-server#installation"
                        : eksAddon("metrics-server"),
                )
              : unknown("metrics-server", metrics.reason),
        networkPolicies(sets, daemons.reason, isAuto, values),
    ];
    if (kubernetes.cluster !== undefined) {
        const agent = sets?.find(({ metadata }) => metadata.name === "eks-pod-identity-agent");
        const { desiredNumberScheduled: desired = 0, numberReady: ready = 0 } = agent?.status ?? {};
        results.push(
            isAuto
                ? ok("Pod identity agent", "part of EKS Auto Mode")
                : sets === undefined
                  ? unknown("Pod identity agent", daemons.reason)
                  : agent === undefined
                    ? missing(
                          "Pod identity agent",
                          "the cluster has none",
                          eksAddon("eks-pod-identity-agent"),
                      )
                    : ready < desired
                      ? missing(
                            "Pod identity agent",
                            `ready on ${ready} of ${desired} nodes`,
                            "kubectl describe daemonset eks-pod-identity-agent -n kube-system",
                        )
                      : ok("Pod identity agent", `ready on ${ready} nodes`),
        );
    }
    if (ingress !== undefined) {
        const name = `Ingress class ${ingress.className}`;
        results.push(
            all === undefined
                ? unknown(name, classes.reason)
                : all.includes(ingress.className)
                  ? ok(name, "the cluster has it")
                  : missing(
                        name,
                        `found ${all.join(", ") || "no class"}`,
                        "install the controller, or name its class: mcp:ingress.className",
                    ),
        );
    }
    return results;
}

/** Whether the cluster enforces NetworkPolicies: without enforcement, they deny nothing. */
function networkPolicies(
    sets: readonly Workload[] | undefined,
    reason: string,
    isAuto: boolean,
    { kubernetes, aws }: StackValues,
): Result {
    const name = "NetworkPolicies";
    const by = sets?.find(({ metadata }) => ENFORCING.test(metadata.name))?.metadata.name;
    const node = sets?.find(({ metadata }) => metadata.name === "aws-node");
    const agent = node?.spec.template.spec.containers.find((each) => each.name === "aws-eks-nodeagent");
    if (by !== undefined) {
        return ok(name, `enforced by ${by}`);
    }
    if (agent?.args?.some((arg) => /^--enable-network-policy(=true)?$/.test(arg))) {
        return ok(name, "enforced by the Amazon VPC CNI");
    }
    if (node !== undefined) {
        const values = `--configuration-values '{"enableNetworkPolicy": "true"}'`;
        return missing(
            name,
            "the Amazon VPC CNI does not enforce them",
            `aws eks update-addon --cluster-name ${kubernetes.cluster ?? "CLUSTER"} --addon-name vpc-cni ${values} --region ${aws?.region ?? "REGION"}`,
        );
    }
    return unknown(
        name,
        sets === undefined
            ? reason
            : isAuto
              ? "EKS Auto Mode enforces them where its ConfigMap amazon-vpc-cni says so"
              : "no network plugin is found that is known to enforce them",
        "look at the documentation of the cluster's network plugin",
    );
}

/** Whether kubectl's context, with which `npm run releases` and the runbook read the cluster, is the stack's. */
export async function checkContext({ values, run }: Subject, eks: EksCluster | undefined): Promise<Result> {
    const { cluster, context, kubeconfig } = values.kubernetes;
    const name = "kubectl's context";
    const answer = await run("kubectl", [
        ...["config", "view", "--minify", "-o", "json"],
        ...(context === undefined ? [] : ["--context", context]),
        ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ]);
    const todo = answer.absent
        ? "https://kubernetes.io/docs/tasks/tools/"
        : cluster === undefined
          ? `add the context ${context} to the kubeconfig`
          : `aws eks update-kubeconfig --name ${cluster} --region ${values.aws?.region ?? "REGION"}`;
    const view = json<{ "current-context"?: string; clusters?: { cluster?: { server?: string } }[] | null }>(
        answer,
    );
    if (view === undefined) {
        return missing(name, answer.reason, todo);
    }
    const server = view.clusters?.[0]?.cluster?.server;
    const current = context ?? view["current-context"] ?? "";
    if (server === undefined) {
        return missing(name, current === "" ? "none is set" : `${current} has no cluster`, todo);
    }
    if (cluster === undefined) {
        return ok(name, current);
    }
    if (eks === undefined) {
        return unknown(name, `${current}; whether it is ${cluster} only AWS can say`);
    }
    return server.toLowerCase() === eks.endpoint.toLowerCase()
        ? ok(name, `${current}, which is ${cluster}`)
        : missing(name, `${current}, which is another cluster than ${cluster}`, todo);
}
