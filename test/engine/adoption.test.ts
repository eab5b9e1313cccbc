import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually, type List, pathOf, type Resource } from "../cluster/api";
import { watchEndpoints } from "../cluster/service-proxy";
import {
    ACCOUNT,
    autoscaler,
    deployment,
    type Handmade,
    ingress,
    INSTANCE,
    inventory,
    NAMESPACE,
    secret,
    service,
} from "../handmade";
import { root, spawned } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { LEAKS, PLANTED } from "./planted";
import { Platform, SERVER } from "./platform";
import { copyWithSmallProduction } from "./smallProduction";
import { changesIn } from "./stack";

/* A platform that was made by other means comes under the program: docs/adopting.md, step by step, on the real engine and the
 * real API server; AWS is the stand-in. The Services must select as many ready pods as before at every moment. */

/** Paths of what `kubectl get` lists, as the page has it. */
const LISTED = [
    "/api/v1/namespaces",
    ...["services", "configmaps", "secrets", "serviceaccounts"].map(
        (kind) => `/api/v1/namespaces/${NAMESPACE}/${kind}`,
    ),
    ...[
        "apps/v1/namespaces/N/deployments",
        "autoscaling/v2/namespaces/N/horizontalpodautoscalers",
        "networking.k8s.io/v1/namespaces/N/ingresses",
        "networking.k8s.io/v1/namespaces/N/networkpolicies",
        "policy/v1/namespaces/N/poddisruptionbudgets",
    ].map((path) => `/apis/${path.replace("/N/", `/${NAMESPACE}/`)}`),
];

const KINDS: Readonly<Record<string, string>> = {
    deployment: "apps/v1 Deployment",
    secret: "v1 Secret",
    service: "v1 Service",
};

const SMALL = [
    { name: "mcp-server", image: "msil-mcp-server:v2.0.9", port: 8000, replicas: 3 },
    { name: "chat-ui", image: "msil-chat-ui:v1.4.0", port: 3000, replicas: 3 },
];

/** The soak is no more than its operation here. */
const BASE = [`${SERVER}.soak.duration=2s`];

/** A platform, and the manager that its fields have. */
interface Origin {
    title: string;
    manager: string;
    /** Labels of a service's pods. */
    labelsOf: (name: string) => Record<string, string>;
    /** Whether the objects keep what `kubectl apply` was given. */
    lastApplied: boolean;
    /** Commands that the comparison prints: without them, it cannot be adopted. */
    mended: RegExp[];
}

const origins: Origin[] = [
    {
        title: "by the runbook's commands",
        manager: "kubectl-client-side-apply",
        labelsOf: (app) => ({ app }),
        lastApplied: true,
        mended: [
            /^kubectl annotate secret mcp-tls /,
            /^kubectl annotate secret mcp-db-secret /,
            /^kubectl scale deployment chat-ui /,
        ],
    },
    {
        title: "by Helm",
        manager: "helm",
        labelsOf: (name) => ({
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/instance": "mcp",
        }),
        lastApplied: false,
        mended: [
            /^kubectl patch deployment mcp-server .*"app":"mcp-server"/,
            /^kubectl patch deployment chat-ui .*"app":"chat-ui"/,
            /^kubectl patch deployment chat-ui .*managedFields/,
            /^kubectl patch service chat-ui .*"value":\{"app":"chat-ui"\}/,
            /^kubectl delete deployment chat-ui .*--cascade orphan && kubectl create/,
            /^kubectl scale deployment chat-ui/,
        ],
    },
];

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

for (const origin of origins) {
    suite(`a platform made ${origin.title}${missing ? ` (skipped: ${missing})` : ""}`, function () {
        this.timeout(900_000);
        let lab: Lab;
        let folder: string;
        let platform: Platform;
        let uids: Record<string, string>;
        const watched = new Map(SMALL.map(({ name }) => [name, { fewest: Infinity, states: 0, ready: 0 }]));
        const ends: (() => void)[] = [];

        before(async function () {
            this.timeout(30 * 60_000);
            lab = await Lab.open((line) => console.log(`    ${line}`));
            // The provider that is built knows the program's enablePatchForce by this variable alone.
            lab.env["PULUMI_K8S_ENABLE_PATCH_FORCE"] = "true";
            folder = copyWithSmallProduction("chat-ui");
            platform = await Platform.ofCopy(lab, folder);
            await platform.stack.set(...BASE);
            for (const object of objects()) await make(object);
            for (const [name, seen] of watched) {
                ends.push(
                    watchEndpoints(lab.api, NAMESPACE, name, ({ ready }) => {
                        seen.ready = ready.length;
                        seen.states += 1;
                        if (seen.fewest !== Infinity) seen.fewest = Math.min(seen.fewest, ready.length);
                    }),
                );
                await eventually(`${name} is ready`, () => seen.ready >= 3, 120);
                [seen.fewest, seen.states] = [seen.ready, 0];
            }
            writeExisting();
        });
        after(async () => {
            for (const end of ends) end();
            await lab?.close();
            if (folder) rmSync(folder, { recursive: true });
        });

        it("is adopted once it fits: what the command says about it makes it fit", async () => {
            const done: string[] = [];
            let edits: string[] = [];
            for (let round = 0; ; round += 1) {
                const { status, stdout, stderr } = await compared();
                assert.doesNotMatch(stdout + stderr, new RegExp(LEAKS.join("|")));
                edits = [
                    ...edits,
                    ...[...stdout.matchAll(/--path '?(\S+?)'? (\S+)$/gm)].map(
                        ([, path, value]) => `${path}=${value}`,
                    ),
                ];
                if (status === 0) {
                    await platform.stack.set(...BASE, ...edits);
                    break;
                }
                assert.ok(round < 6, stdout + stderr);
                const commands = [...stdout.matchAll(/→ (kubectl .*)$/gm)].map(([, command]) => command!);
                assert.notEqual(commands.length, 0, stdout + stderr);
                for (const command of new Set(commands)) {
                    await obey(command);
                    done.push(command);
                }
            }
            for (const command of origin.mended)
                assert.ok(
                    done.some((each) => command.test(each)),
                    `${command} in ${done.join("\n")}`,
                );
            const again = await compared();
            assert.equal(again.status, 0, again.stdout + again.stderr);
            assert.doesNotMatch(again.stdout, /Values by which/);
            uids = await allUids();
        });

        it("is imported into a state that knows nothing, and the preview deletes and replaces nothing", async () => {
            const file = join(folder, "adopt-production.json");
            await platform.stack.succeed("import", "--file", file, "--generate-code=false", "--yes");
            const { status, output, events } = await platform.stack.preview();
            assert.equal(status, 0, output);
            const changes = changesIn(events);
            assert.deepEqual(
                changes.filter((line) => /^(delete|replace)/.test(line)),
                [],
            );
            assert.ok(
                changes.includes("update aws:rds/instance:Instance mcp-production"),
                changes.join("\n"),
            );
            assert.ok(changes.includes("update kubernetes:core/v1:Service mcp-server"), changes.join("\n"));
        });

        it("is updated in place: the traffic moves to the pods of the active colour", async () => {
            const { status, output, events } = await platform.stack.up();
            assert.equal(status, 0, output);
            assert.deepEqual(
                changesIn(events).filter((line) => /^(delete|replace)/.test(line)),
                [],
            );
            const after = await allUids();
            for (const [object, uid] of Object.entries(uids)) assert.equal(after[object], uid, object);
            const { spec } = await platform.get<Resource<{ selector: object }>>("v1", "services/mcp-server");
            assert.deepEqual(spec.selector, { app: "mcp-server", version: "blue" });
            await platform.settles({ live: "blue", blue: 3, green: 0 });
        });

        it("had as many ready pods as before at every moment", () => {
            for (const [name, { fewest, states }] of watched) {
                console.log(`        ${name}: ${states} states, at least ${fewest} ready pods`);
                assert.ok(fewest >= 3, `${name}: ${fewest} ready pods`);
            }
        });

        it("gives the Service back to the old pods by the page's patch", async () => {
            const path = platform.path("v1", "services/mcp-server");
            const { spec } = await lab.api.get<{ spec: object }>(path);
            const text = readFileSync(join(root, "docs", "adopting.md"), "utf8");
            const [, patch] = /kubectl patch service mcp-server[^']*'([^']+)'/.exec(text)!;
            await lab.api.jsonPatch(path, JSON.parse(patch!) as object);
            await eventually("both are selected", () => watched.get("mcp-server")!.ready >= 6, 120);
            await lab.api.jsonPatch(path, [{ op: "replace", path: "/spec", value: spec }]);
        });

        it("leaves the next update nothing to do, before and after the old Deployment has gone", async () => {
            for (const last of [false, true]) {
                if (last) await lab.api.delete(platform.path("apps/v1", "deployments/mcp-server"));
                const { status, output, events } = await platform.stack.up();
                assert.equal(status, 0, output);
                assert.deepEqual(changesIn(events), []);
            }
            assert.ok(watched.get("mcp-server")!.fewest >= 3);
        });

        it("has no secret of the cluster in its state as it is", () => {
            const state = join(platform.stack.folder, "state");
            const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((each) =>
                each.isFile(),
            );
            assert.notEqual(files.length, 0);
            for (const { parentPath, name } of files) {
                const text = readFileSync(join(parentPath, name), "latin1");
                for (const leak of LEAKS) assert.ok(!text.includes(leak), `${leak} in ${name}`);
            }
        });

        function objects(): Handmade[] {
            const services = SMALL.map((each) => ({ ...each, labels: origin.labelsOf(each.name) }));
            const way = ingress() as Handmade & { spec: { rules: { http: object; host: string }[] } };
            const { http } = way.spec.rules[0]!;
            return [
                { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
                secret("mcp-tls", "kubernetes.io/tls", { "tls.crt": PLANTED, "tls.key": PLANTED }),
                secret("mcp-db-secret", "Opaque", {
                    url: `postgresql://mcp_before:${PLANTED}@host:5432/mcp`,
                }),
                ...services.flatMap((each) => [deployment(each), service(each)]),
                autoscaler("mcp-server", 3, 12),
                autoscaler("chat-ui", 3, 6),
                {
                    ...way,
                    spec: {
                        ...way.spec,
                        tls: [{ hosts: ["mcp.msil.com"], secretName: "mcp-tls" }],
                        rules: [{ host: "mcp.msil.com", http }],
                    },
                },
            ];
        }

        async function make(object: Handmade): Promise<void> {
            const applied = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(object) };
            const annotated = origin.lastApplied
                ? { ...object, metadata: { ...object.metadata, annotations: applied } }
                : object;
            await lab.api.post(`${dirname(pathOf(object))}?fieldManager=${origin.manager}`, annotated);
        }

        /** AWS, as the stand-in and the AWS command line tell it. */
        function writeExisting(): void {
            const file = join(lab.folder, "aws.json");
            const { KmsKeyId, DBSubnetGroup } = INSTANCE;
            const instance = {
                identifier: INSTANCE.DBInstanceIdentifier,
                engine: "postgres",
                engineVersion: "16",
                instanceClass: INSTANCE.DBInstanceClass,
                allocatedStorage: INSTANCE.AllocatedStorage,
                storageEncrypted: true,
                kmsKeyId: KmsKeyId,
                dbName: INSTANCE.DBName,
                username: INSTANCE.MasterUsername,
                dbSubnetGroupName: DBSubnetGroup.DBSubnetGroupName,
                backupRetentionPeriod: INSTANCE.BackupRetentionPeriod,
                port: 5432,
            };
            const name = "/aws/rds/instance/mcp-production/postgresql";
            writeFileSync(
                file,
                JSON.stringify({
                    "aws:rds/instance:Instance": { "mcp-production": instance },
                    "aws:cloudwatch/logGroup:LogGroup": { [name]: { name, retentionInDays: 7 } },
                }),
            );
            lab.env["MCP_STUB_AWS"] = file;
            const cluster = {
                name: "mcp-production",
                endpoint: lab.line.endpoint,
                certificateAuthority: { data: lab.api.ca!.toString("base64") },
                resourcesVpcConfig: { vpcId: "vpc-0f00" },
            };
            writeFileSync(
                join(folder, "inventory.json"),
                JSON.stringify(
                    inventory({
                        "sts get-caller-identity": { Account: ACCOUNT },
                        "eks describe-cluster": { cluster },
                        "logs describe-log-groups": {
                            logGroups: [{ logGroupName: name, retentionInDays: 7 }],
                        },
                    }),
                ),
            );
        }

        /** Lists and compares, as a user does. */
        async function compared() {
            const lists = await Promise.all(
                LISTED.map((path) => lab.api.get<List<object> & { kind: string; apiVersion: string }>(path)),
            );
            const items = lists.flatMap(({ kind, apiVersion, items: some }) =>
                some.map((item) => ({ apiVersion, kind: kind.replace(/List$/, ""), ...item })),
            );
            writeFileSync(
                join(folder, "objects.json"),
                JSON.stringify({ apiVersion: "v1", kind: "List", items }),
            );
            return spawned(["adopt", "--kubernetes", "objects.json", "--aws", "inventory.json"], folder);
        }

        /** What tells an object from another of its name: those that the update must keep. */
        async function allUids(): Promise<Record<string, string>> {
            const lists = await Promise.all(LISTED.map((path) => lab.api.get<List<Resource>>(path)));
            const own = new Set(objects().map(({ metadata }) => metadata.name));
            return Object.fromEntries(
                lists.flatMap(({ items }, index) =>
                    items
                        .filter(({ metadata }) => own.has(metadata.name))
                        .map(({ metadata }) => [`${LISTED[index]} ${metadata.name}`, metadata.uid]),
                ),
            );
        }

        /** Plays kubectl, and jq, for the commands that the comparison prints. */
        async function obey(command: string): Promise<void> {
            const [, verb, kind = "", name = ""] = /^kubectl (\w+) (\w+) (\S+) /.exec(command)!;
            const [apiVersion, kindName] = KINDS[kind]!.split(" ") as [string, string];
            const path = pathOf({ apiVersion, kind: kindName, metadata: { name, namespace: NAMESPACE } });
            const [, patch = ""] = /--patch '(.*)'$/.exec(command) ?? [];
            if (verb === "patch" && command.includes("--type json")) {
                await lab.api.jsonPatch(`${path}?fieldManager=kubectl-patch`, JSON.parse(patch) as object);
            } else if (verb === "patch") {
                await lab.api.patch(`${path}?fieldManager=kubectl-patch`, JSON.parse(patch) as object);
                await rolledOut(path);
            } else if (verb === "annotate") {
                const [, key] = / (\S+)-$/.exec(command)!;
                await lab.api.patch(path, { metadata: { annotations: { [key!]: null } } });
            } else if (verb === "scale") {
                const [, replicas] = /--replicas (\d+)$/.exec(command)!;
                await lab.api.patch(`${path}/scale?fieldManager=kubectl`, {
                    spec: { replicas: Number(replicas) },
                });
                await rolledOut(path);
            } else if (verb === "delete") {
                // The command before it has kept the object.
                const object = await lab.api.get<Handmade & { spec: { selector: object } }>(path);
                await lab.api.delete(`${path}?propagationPolicy=Orphan`);
                await eventually(`${name} is gone`, () =>
                    lab.api.get(path).then(
                        () => false,
                        () => true,
                    ),
                );
                const { labels } = object.metadata;
                await lab.api.post(`${dirname(path)}?fieldManager=kubectl-create`, {
                    apiVersion,
                    kind: kindName,
                    metadata: { name, namespace: NAMESPACE, labels },
                    spec: { ...object.spec, selector: { matchLabels: { app: name } } },
                });
                await rolledOut(path);
            } else {
                assert.equal(verb, "get", command);
            }
        }

        async function rolledOut(path: string): Promise<void> {
            await eventually(
                `${path} is rolled out`,
                async () => {
                    const { spec, status, metadata } = await lab.api.get<
                        Resource<
                            { replicas: number },
                            {
                                updatedReplicas?: number;
                                availableReplicas?: number;
                                replicas?: number;
                                observedGeneration?: number;
                            }
                        > & { metadata: { generation: number } }
                    >(path);
                    return (
                        status.observedGeneration === metadata.generation &&
                        [status.updatedReplicas, status.availableReplicas, status.replicas].every(
                            (each) => each === spec.replicas,
                        )
                    );
                },
                120,
            );
        }
    });
}
