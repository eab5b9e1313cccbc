import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { examine } from "../../cli/doctor/command";
import { renderResults, type Result } from "../../cli/doctor/result";
import { type Answer, runner } from "../../cli/doctor/tools";
import { valuesOf } from "../../offline/stackFile";
import { root, run } from "../support";

const ACCOUNT = "111122223333";
const ENDPOINT = "https://ABC.gr7.ap-south-1.eks.amazonaws.com";

/** What each program answers where all is well, by the beginning of its command line; kubectl's without its access. */
const WELL: Readonly<Record<string, unknown>> = {
    "pulumi version": "v3.259.0\n",
    "pulumi whoami": { user: "ravi", url: "s3://state" },
    "pulumi stack ls": [{ name: "organization/mcp/staging", resourceCount: 0 }],
    "pulumi config": { "mcp:secrets": { value: "planted-secret" } },
    "aws --version": "aws-cli/2.31.0 Python/3.13\n",
    "aws sts": { Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/ravi` },
    "aws eks": {
        cluster: { endpoint: ENDPOINT, status: "ACTIVE", certificateAuthority: { data: "Q0E=" } },
    },
    "aws iam": { SummaryMap: { Roles: 40, RolesQuota: 1000 } },
    "aws rds": { AccountQuotas: [{ AccountQuotaName: "DBInstances", Used: 1, Max: 40 }] },
    "kubectl config": { "current-context": "staging", clusters: [{ cluster: { server: ENDPOINT } }] },
    "kubectl get --raw": { gitVersion: "v1.33.1" },
    "kubectl auth": "yes\n",
    "kubectl get apiservice": { status: { conditions: [{ type: "Available", status: "True" }] } },
    "kubectl get daemonsets": {
        items: [
            daemonSet("aws-node", "aws-eks-nodeagent", "--enable-network-policy=true"),
            daemonSet("eks-pod-identity-agent", "agent"),
        ],
    },
    "kubectl get ingressclasses": { items: [{ metadata: { name: "traefik" } }] },
};

function daemonSet(name: string, container: string, ...args: string[]) {
    return {
        metadata: { name, namespace: "kube-system" },
        spec: { template: { spec: { containers: [{ name: container, args }] } } },
        status: { desiredNumberScheduled: 3, numberReady: 3 },
    };
}

/** A program that fails, with the last line of its standard error. */
class Failure {
    constructor(
        readonly reason: string,
        readonly absent = false,
    ) {}
}

/** The results where some programs answer other than well. */
async function results(
    others: Record<string, unknown> = {},
    status: number | Error = 401,
): Promise<{ all: Result[]; asked: string[] }> {
    const answers = { ...WELL, ...others };
    const asked: string[] = [];
    const all = await examine({
        root,
        stack: "staging",
        values: valuesOf(root, "staging", { edits: [`mcp:aws.accountId=${ACCOUNT}`] }),
        run: (command, args) => {
            const line = [command, ...args]
                .join(" ")
                .replace(/^kubectl --kubeconfig \S+ --request-timeout=\S+/, "kubectl");
            asked.push(line);
            const key = Object.keys(answers).find((start) => line.startsWith(start));
            assert.ok(key !== undefined, line);
            const answer = answers[key];
            const given: Answer =
                answer instanceof Failure
                    ? { status: 1, stdout: "", reason: answer.reason, absent: answer.absent }
                    : {
                          status: 0,
                          stdout: typeof answer === "string" ? answer : JSON.stringify(answer),
                          reason: "",
                          absent: false,
                      };
            return Promise.resolve(given);
        },
        fetch: () =>
            status instanceof Error
                ? Promise.reject(status)
                : Promise.resolve(new Response(null, { status })),
    });
    return { all, asked };
}

/** Results that are not well. The values of the repository's own stack file are never all set. */
async function troubles(others: Record<string, unknown>, status?: number | Error): Promise<string[]> {
    const { all } = await results(others, status);
    return all.flatMap(({ name, state, found, todo }) =>
        state === "ok" || name === "Values" ? [] : [`${state} ${name}: ${found}${todo ? ` → ${todo}` : ""}`],
    );
}

describe("npm run doctor", () => {
    it("finds nothing missing where all is well, and shows no secret", async () => {
        assert.deepEqual(await troubles({}), []);
        const { all } = await results();
        const text = renderResults("mcp/staging", all, { width: 80, colour: false });
        assert.doesNotMatch(text, /planted-secret/);
        assert.match(text, /^ {2}ok {7}Pulumi CLI: v3\.259\.0$/m);
        assert.match(
            text,
            /^ {2}missing {2}Values: \d+ are missing .*\n {13}→ npm run preview -- --full --stack staging$/m,
        );
        assert.match(text, /\n\n\d+ ok, 1 missing, 0 could not be checked\.\n$/);
        const long = text.split("\n").filter((line) => line.length > 80 && !line.includes("→"));
        assert.deepEqual(long, []);
    });

    it("only reads", async () => {
        const { asked } = await results();
        const reading =
            /^(pulumi (version|whoami|stack ls|config --stack)|aws (--version|sts get-|eks describe-|iam get-|rds describe-)|kubectl (config view|get|auth can-i)) ?/;
        assert.deepEqual(
            asked.filter((line) => !reading.test(line)),
            [],
        );
    });

    const cases: [what: string, others: Record<string, unknown>, expected: RegExp[]][] = [
        [
            "no Pulumi CLI",
            { "pulumi version": new Failure("pulumi is not on the PATH", true) },
            [
                /^missing Pulumi CLI: pulumi is not on the PATH → /,
                /^unknown Backend: /,
                /^unknown Stack/,
                /^unknown Secrets/,
            ],
        ],
        [
            "an old Pulumi CLI",
            { "pulumi version": "v3.100.0" },
            [/^missing Pulumi CLI: v3\.100\.0, expected \d\S+ or newer/],
        ],
        [
            "no login",
            { "pulumi whoami": new Failure("PULUMI_ACCESS_TOKEN must be set") },
            [
                /^missing Backend: PULUMI_ACCESS_TOKEN .* → pulumi login /,
                /^unknown Stack/,
                /^unknown Secrets/,
            ],
        ],
        [
            "no stack",
            { "pulumi stack ls": [] },
            [
                /^missing Stack staging: .* → pulumi stack init staging /,
                /^unknown Secrets of staging: needs the stack$/,
            ],
        ],
        [
            "a key that may not be used",
            { "pulumi config": new Failure("AccessDeniedException") },
            [/^missing Secrets of staging: .*cannot be decrypted: AccessDeniedException/],
        ],
        [
            "another program named aws",
            { "aws --version": "some other tool 1.0" },
            [
                /^missing AWS CLI: `aws` on the PATH is another program/,
                /^unknown AWS account/,
                /^unknown EKS cluster/,
                /^unknown Quota/,
                /^unknown Quota/,
                /^unknown kubectl's context/,
                /^unknown Cluster/,
            ],
        ],
        [
            "another account",
            { "aws sts": { Account: "444455556666", Arn: "arn:x" } },
            [
                /^missing AWS account: found 444455556666 \(arn:x\), expected 111122223333 → /,
                ...Array<RegExp>(5).fill(/^unknown /),
            ],
        ],
        [
            "no such cluster",
            { "aws eks": new Failure("No cluster found for name: mcp-staging.") },
            [
                /^missing EKS cluster mcp-staging: No cluster found/,
                /^unknown kubectl's context/,
                /^unknown Cluster/,
            ],
        ],
        [
            "no room for roles",
            { "aws iam": { SummaryMap: { Roles: 999, RolesQuota: 1000 } } },
            [/^missing Quota of IAM roles: 999 of 1000 used; the first update adds \d+ → /],
        ],
        [
            "quotas that may not be read",
            { "aws rds": new Failure("AccessDenied") },
            [/^unknown Quota of RDS instances: AccessDenied$/],
        ],
        [
            "the context of another cluster",
            {
                "kubectl config": {
                    "current-context": "other",
                    clusters: [{ cluster: { server: "https://other" } }],
                },
            },
            [
                /^missing kubectl's context: other, which is another cluster than mcp-staging → aws eks update-kubeconfig --name mcp-staging --region ap-south-1$/,
            ],
        ],
        [
            "no context",
            { "kubectl config": new Failure("current-context must exist in order to minify") },
            [/^missing kubectl's context: current-context must exist .* → aws eks update-kubeconfig/],
        ],
        [
            "a cluster that does not answer",
            { "kubectl get --raw": new Failure("i/o timeout") },
            [
                /^missing Cluster: i\/o timeout → /,
                ...Array<RegExp>(5).fill(/^unknown .*: needs the cluster$/),
            ],
        ],
        ["no rights", { "kubectl auth": "no\n" }, [/^missing Rights in the cluster: /]],
        [
            "no metrics-server",
            { "kubectl get apiservice": new Failure('apiservices "v1beta1.metrics.k8s.io" not found') },
            [
                /^missing metrics-server: the cluster has none → aws eks create-addon .* --addon-name metrics-server /,
            ],
        ],
        [
            "a metrics-server that is down",
            {
                "kubectl get apiservice": {
                    status: { conditions: [{ type: "Available", status: "False" }] },
                },
            },
            [/^missing metrics-server: installed, and not available/],
        ],
        [
            "policies that are not enforced, and no agent",
            { "kubectl get daemonsets": { items: [daemonSet("aws-node", "aws-eks-nodeagent")] } },
            [
                /^missing NetworkPolicies: the Amazon VPC CNI does not enforce them → aws eks update-addon .*enableNetworkPolicy/,
                /^missing Pod identity agent: the cluster has none → aws eks create-addon /,
            ],
        ],
        [
            "an unknown network plugin",
            { "kubectl get daemonsets": { items: [daemonSet("eks-pod-identity-agent", "agent")] } },
            [/^unknown NetworkPolicies: no network plugin is found/],
        ],
        [
            "another ingress class",
            { "kubectl get ingressclasses": { items: [{ metadata: { name: "nginx" } }] } },
            [/^missing Ingress class traefik: found nginx → /],
        ],
    ];
    for (const [what, others, expected] of cases) {
        it(`says what to do about ${what}`, async () => {
            const found = await troubles(others);
            assert.equal(found.length, expected.length, found.join("\n"));
            expected.forEach((pattern, index) => assert.match(found[index]!, pattern));
        });
    }

    it("says which registry does not answer, and why", async () => {
        const error = Object.assign(new TypeError("fetch failed"), { cause: { code: "ENOTFOUND" } });
        const [first] = await troubles({}, error);
        assert.match(first!, /^missing Registry \S+: no answer \(ENOTFOUND\) → /);
        assert.match((await troubles({}, 502))[0]!, /^missing Registry \S+: answers 502 → /);
    });

    it("refuses bad input", async () => {
        const { status, stdout, stderr } = await run("doctor", "--stack", "qa");
        assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
        assert.match(stderr, /^--stack: found "qa", expected one of /);
    });
});

describe("a program that the doctor asks", () => {
    let folder: string;
    const { PATH } = process.env;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-doctor-test-"));
        process.env["PATH"] = `${folder}${delimiter}${PATH}`;
    });
    after(() => {
        process.env["PATH"] = PATH;
        rmSync(folder, { recursive: true });
    });

    const program = (script: string) => {
        const file = join(folder, "asked");
        writeFileSync(file, `#!/bin/sh\n${script}\n`);
        chmodSync(file, 0o755);
    };

    it("gives its output, or the last line of its error", async () => {
        program('echo out; [ "$1" = well ] || { echo one >&2; echo "error: two" >&2; exit 3; }');
        assert.deepEqual(await runner()("asked", ["well"]), {
            status: 0,
            stdout: "out\n",
            reason: "exit status 0",
            absent: false,
        });
        const failed = await runner()("asked", []);
        assert.deepEqual([failed.status, failed.reason], [3, "two"]);
    });

    it("may be absent", async () => {
        const { status, reason, absent } = await runner()("mcp-no-such-program", []);
        assert.deepEqual(
            [status, reason, absent],
            [undefined, "mcp-no-such-program is not on the PATH", true],
        );
    });

    it("is killed at the limit, with what it has started", async () => {
        const pid = join(folder, "pid");
        program(`sleep 600 & echo $! > '${pid}'; wait`);
        const { status, reason } = await runner(1500)("asked", []);
        assert.deepEqual([status, reason], [undefined, "no answer within 1.5 s"]);
        assert.ok(existsSync(pid));
        const stat = `/proc/${readFileSync(pid, "utf8").trim()}/stat`;
        await new Promise((resolve) => setTimeout(resolve, 300));
        // It is gone, or dead and not yet waited for.
        assert.ok(!existsSync(stat) || / [ZX] /.test(readFileSync(stat, "utf8")));
    });
});
