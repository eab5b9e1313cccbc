import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALL_CALLS } from "../../cli/adopt/aws";
import { adopt } from "../../cli/adopt/command";
import { type ImportFile } from "../../cli/adopt/importFile";
import { adoptObjects, readObjects } from "../../cli/adopt/kubernetes";
import { renderAdoption } from "../../cli/adopt/report";
import { type Store } from "../../cli/adopt/values";
import { PLAIN } from "../../offline/layout";
import { UsageError } from "../../offline/stackFile";
import { eksKubeconfig } from "../../core/kubeconfig";
import {
    autoscaler,
    deployment,
    GROUP,
    type Handmade,
    handmadeObjects,
    INSTANCE,
    inventory,
    KEY_ID,
    listed,
    NAMESPACE,
    secret,
    service,
    SERVICES,
} from "../handmade";
import { recordStack, root, run } from "../support";

/** A URL of an account that the first update leaves alone. */
const OTHER_ACCOUNT = secret("mcp-db-secret", "Opaque", {
    url: "postgresql://mcp_before:planted@host:5432/mcp",
});

describe("npm run adopt", () => {
    const [server, portal, chat] = SERVICES as [
        (typeof SERVICES)[0],
        (typeof SERVICES)[0],
        (typeof SERVICES)[0],
    ];
    let folder: string;
    let file: (name: string) => string;

    before(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-adopt-"));
        file = (name) => join(folder, name);
    });
    after(() => rmSync(folder, { recursive: true }));

    /** Objects of which one is another, or is added; services with one replica need no scaling. */
    function objects(...others: Handmade[]): Handmade[] {
        const base = handmadeObjects(SERVICES.map((each) => ({ ...each, replicas: 1 })));
        const key = ({ kind, metadata }: Handmade) => `${kind} ${metadata.name}`;
        const changed = new Map([...base, OTHER_ACCOUNT, ...others].map((each) => [key(each), each]));
        return [...changed.values()];
    }

    /** Writes the files that the command reads; their options. */
    function written(list: object | string, aws: object | string): string[] {
        const write = (name: string, content: object | string) => {
            writeFileSync(file(name), typeof content === "string" ? content : JSON.stringify(content));
            return file(name);
        };
        return ["--kubernetes", write("objects.json", list), "--aws", write("inventory.json", aws)];
    }

    /** Compares as the command does. */
    async function adopted(
        list: object | string = listed(objects()),
        aws: object | string = inventory(),
        make: Store[] = [],
    ) {
        const [, kubernetes, , inventoryFile] = written(list, aws) as [string, string, string, string];
        const options = { stack: "production", kubernetes: [kubernetes], aws: inventoryFile, make };
        try {
            const found = await adopt(root, options, (edits) => recordStack("production", ...edits));
            return { text: renderAdoption(found.adoption, false, PLAIN), imported: found.file };
        } catch (error) {
            assert.ok(error instanceof UsageError, String(error));
            return { text: error.message, imported: undefined };
        }
    }

    /** Expects that no import file is made, and that the message or the report has these texts. */
    async function refuses(patterns: RegExp | RegExp[], list?: object | string, aws?: object | string) {
        const { text, imported } = await adopted(list, aws);
        for (const pattern of [patterns].flat()) assert.match(text, pattern);
        assert.equal(imported, undefined);
        assert.doesNotMatch(text, /planted|cGxhbnRlZ/);
    }

    describe("adopts what the runbook's commands make", () => {
        let found: { stdout: string; imported: ImportFile };
        before(async () => {
            const out = file("import.json");
            const { status, stdout, stderr } = await run(
                "adopt",
                ...written(listed(objects()), inventory()),
                "--out",
                out,
            );
            assert.equal(status, 0, stdout + stderr);
            found = { stdout, imported: JSON.parse(readFileSync(out, "utf8")) as ImportFile };
        });
        const entry = (name: string) => found.imported.resources.find((each) => each.name === name);

        it("with the ids by which the providers import it", () => {
            const ids = Object.fromEntries(
                found.imported.resources.flatMap(({ name, id }) => (id === undefined ? [] : [[name, id]])),
            );
            assert.deepEqual(ids, {
                "Namespace mcp-production (2)": "mcp-production",
                "Secret mcp-ingress-mcp-tls": "mcp-production/mcp-tls",
                "Secret mcp-db-secret": "mcp-production/mcp-db-secret",
                "Deployment admin-portal": "mcp-production/admin-portal",
                "Deployment chat-ui": "mcp-production/chat-ui",
                "Service admin-portal": "mcp-production/admin-portal",
                "Service chat-ui": "mcp-production/chat-ui",
                "Service mcp-server": "mcp-production/mcp-server",
                "HorizontalPodAutoscaler chat-ui": "mcp-production/chat-ui",
                "Ingress mcp-ingress (2)": "mcp-production/mcp-ingress",
                "Instance mcp-production": "mcp-production",
                "ReplicationGroup mcp-production-cache": "msil-redis",
                "Bucket mcp-production-backups": "msil-mcp-backups",
                "LogGroup mcp-production-logs-server": "/mcp/production/server",
            });
        });

        it("below the components and with the providers that the program has", () => {
            const { resources } = found.imported;
            const names = new Set(resources.map(({ name }) => name));
            assert.equal(names.size, resources.length);
            for (const { name, parent, provider, component, type, id } of resources) {
                assert.ok(parent === undefined || names.has(parent), `${name} is in ${parent}`);
                const isProvider = type.startsWith("pulumi:providers:");
                assert.equal([component, id, isProvider || undefined].filter(Boolean).length, 1, name);
                assert.equal(provider !== undefined && names.has(provider), id !== undefined, name);
            }
            assert.equal(entry("Service mcp-server")!.parent, "Workload mcp-server");
            assert.equal(entry("Service mcp-server")!.provider, "kubernetes kubernetes");
        });

        it("in a stack without state: the providers are there as the program configures them", () => {
            const { kubeconfig, ...rest } = entry("kubernetes kubernetes")!.inputs!;
            const found = { endpoint: "https://eks.example", certificateAuthority: { data: "Q0E=" } };
            assert.deepEqual(
                JSON.parse(kubeconfig as string),
                eksKubeconfig("mcp-production", "ap-south-1", found),
            );
            assert.deepEqual(rest, { enablePatchForce: "true", enableSecretMutable: "true" });
            const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
                dependencies: Record<string, string>;
            };
            assert.equal(entry("aws aws")!.version, dependencies["@pulumi/aws"]);
            assert.equal(entry("aws aws")!.inputs!["allowedAccountIds"], '["111122223333"]');
        });

        it("by the values that run: names, sizes, versions", () => {
            const values = [...found.stdout.matchAll(/--path (\S+) (\S+)/g)].map(
                ([, path, value]) => `${path}=${value}`,
            );
            assert.deepEqual(values, [
                "mcp:aws.accountId=111122223333",
                "mcp:database.adopted=mcp-production",
                "mcp:database.instanceClass=db.r6g.xlarge",
                "mcp:database.version=16",
                "mcp:database.storage.initial=200",
                "'mcp:database.subnets[0]'=subnet-0a1b2c3d4e5f60001",
                "'mcp:database.subnets[1]'=subnet-0a1b2c3d4e5f60002",
                "mcp:cache.adopted=msil-redis",
                "mcp:cache.nodeType=cache.r7g.xlarge",
                "mcp:workloads.chat-ui.release.version=v1.4.0",
                "mcp:workloads.chat-ui.release.change.version=v1.4.0",
                "mcp:workloads.chat-ui.scaling.max=8",
                "mcp:workloads.mcp-server.releases.blue.version=v2.0.9",
                "mcp:workloads.mcp-server.releases.blue.change.version=v2.0.9",
                "mcp:workloads.mcp-server.scaling.min=4",
            ]);
        });

        it("and says what is changed in place, and what is not declared", () => {
            const after = (title: string) => found.stdout.split(title)[1]!.split("\n\n")[0]!;
            assert.match(after("Adopted as it is (1)"), /Bucket msil-mcp-backups/);
            assert.match(
                after("Changed in place"),
                /Service mcp-server\n.*spec\.ports\[http\], spec\.selector\.version/s,
            );
            assert.match(after("Changed in place"), /LogGroup \/mcp\/production\/server\n +kmsKeyId/);
            assert.match(
                after("There and not declared (2)"),
                /Deployment mcp-server\n  HorizontalPodAutoscaler mcp-server$/,
            );
            assert.doesNotMatch(found.stdout, /planted/);
        });
    });

    describe("refuses, before it writes anything,", () => {
        const instance = (change: object) =>
            inventory({ "rds describe-db-instances": { DBInstances: [{ ...INSTANCE, ...change }] } });
        const group = (change: object) =>
            inventory({
                "elasticache describe-replication-groups": { ReplicationGroups: [{ ...GROUP, ...change }] },
            });

        it("an inventory of another account, region or cluster", async () => {
            await refuses(
                [
                    /region: found eu-west-1, expected ap-south-1/,
                    /cluster\.name: found other, expected mcp-production/,
                ],
                undefined,
                {
                    ...inventory({ "eks describe-cluster": { cluster: { name: "other" } } }),
                    region: "eu-west-1",
                },
            );
            await refuses(
                /rds describe-db-instances: found arn:aws:rds:ap-south-1:999988887777:db:x, expected ap-south-1 and the account 111122223333/,
                undefined,
                instance({ DBInstanceArn: "arn:aws:rds:ap-south-1:999988887777:db:x" }),
            );
        });

        it("objects of another namespace, or of a cluster without the stack's", async () => {
            const elsewhere = { ...service(chat), metadata: { name: "chat-ui", namespace: "other" } };
            await refuses(
                /items\[\d+\]: found the namespace other, expected mcp-production/,
                listed([...objects(), elsewhere]),
            );
            await refuses(/found no Namespace mcp-production/, listed([service(chat)]));
        });

        it("what is no JSON, no List, cut off, incomplete, or without managed fields", async () => {
            await refuses(/objects\.json: found no JSON/, "{");
            await refuses(/found the kind DeploymentList, expected the List/, {
                kind: "DeploymentList",
                items: [],
            });
            await refuses(/found \[\], expected the List/, []);
            await refuses(/items\[0\]: found 1, expected an object/, { kind: "List", items: [1] });
            await refuses(/found no metadata\.managedFields/, { kind: "List", items: objects() });
            await refuses(
                /items\[\d+\]: found Service chat-ui a second time/,
                listed([...objects(), service(chat)]),
            );
            await refuses(/inventory\.json: found no JSON/, undefined, "nothing");
            await refuses(/found \[\], expected the object/, undefined, "[]");
            await refuses(
                [
                    /sns list-topics: found nothing, expected the answer of aws sns list-topics/,
                    /sns topics: found an unknown call/,
                ],
                undefined,
                { ...inventory({ "sns list-topics": undefined }), "sns topics": {} },
            );
            await refuses(
                /logs describe-log-groups: found an answer that is cut off/,
                undefined,
                inventory({ "logs describe-log-groups": { logGroups: [], nextToken: "x" } }),
            );
        });

        it("with the exit status 1, and without the file", async () => {
            const out = file("none.json");
            const options = written(listed(handmadeObjects()), inventory());
            const { status, stdout, stderr } = await run("adopt", ...options, "--out", out);
            assert.equal(status, 1);
            assert.match(stdout, /Cannot be adopted \(3\)/);
            assert.equal(stderr, "");
            assert.ok(!existsSync(out));
        });

        it("options that it does not take, and files that are not there", async () => {
            assert.match((await run("adopt")).stderr, /^--kubernetes: found nothing/);
            assert.match((await run("adopt", "--kubernetes", "none.json")).stderr, /^--aws: found nothing/);
            const both = ["--kubernetes", "none.json", "--aws", "none.json"];
            assert.match(
                (await run("adopt", ...both)).stderr,
                /^--kubernetes: cannot read none\.json: ENOENT\n/,
            );
            assert.match(
                (await run("adopt", ...both, "--make", "x")).stderr,
                /^--make: found x, expected database or cache/,
            );
        });

        it("data that would be replaced", async () => {
            await refuses(
                /Instance mcp-production\n +its disk is not encrypted, which cannot change, and data is never/,
                undefined,
                instance({ StorageEncrypted: false }),
            );
            await refuses(
                /engine: found mysql, expected postgres.*data is +never/s,
                undefined,
                instance({ Engine: "mysql" }),
            );
        });

        it("a database that the services would not find", async () => {
            await refuses(
                /it holds the database orders, and the services use mcp/,
                undefined,
                instance({ DBName: "orders" }),
            );
            await refuses(
                /its administrator is mcp, which is the services' account/,
                undefined,
                instance({ MasterUsername: "mcp" }),
            );
            await refuses(
                /pods use the account mcp of the database, whose password the first update changes/,
                listed(
                    objects(secret("mcp-db-secret", "Opaque", { url: "postgresql://mcp:planted@host/mcp" })),
                ),
            );
            const two = [INSTANCE, INSTANCE].map((each, index) => ({
                ...each,
                DBInstanceIdentifier: `msil-${index}`,
            }));
            const several = inventory({ "rds describe-db-instances": { DBInstances: two } });
            await refuses(
                [
                    /it would begin empty as mcp-production, and these exist: msil-0, msil-1/,
                    /--make database/,
                ],
                undefined,
                several,
            );
            assert.ok((await adopted(undefined, several, ["database"])).imported);
        });

        it("a cache without encryption, without TLS, or with shards", async () => {
            await refuses(
                /it is not encrypted at rest/,
                undefined,
                group({ AtRestEncryptionEnabled: false }),
            );
            await refuses(
                /it takes connections without TLS/,
                undefined,
                group({ TransitEncryptionEnabled: false }),
            );
            await refuses(/it has shards/, undefined, group({ ClusterEnabled: true }));
        });

        it("a key that two declared keys match", async () => {
            const aliases = ["database", "cache"].map((name) => ({
                AliasName: `alias/mcp-production-${name}`,
                TargetKeyId: KEY_ID,
            }));
            await refuses(
                new RegExp(
                    `Key ${KEY_ID}\\n +the program declares a key each for alias/mcp-production-database and alias/mcp-production-cache`,
                ),
                undefined,
                inventory({ "kms list-aliases": { Aliases: aliases } }),
            );
        });

        it("a Deployment whose selector is another, with what makes it again around its pods", async () => {
            const labels = { app: "chat-ui", tier: "web" };
            await refuses(
                [
                    /spec\.selector\.matchLabels\.tier: found web, expected nothing/,
                    /→ kubectl get deployment chat-ui --namespace mcp-production --output json \| jq '\.spec\.selector\.matchLabels = \{"app":"chat-ui"\} \| del\(.*\)' > chat-ui\.json\n/,
                    /→ kubectl delete deployment chat-ui --namespace mcp-production --cascade orphan && kubectl create --filename chat-ui\.json\n/,
                ],
                listed(objects(deployment({ ...chat, replicas: 1, labels }))),
            );
            // Without the label, it could not take them over.
            await refuses(
                /it would be replaced.*→ kubectl patch deployment chat-ui --namespace mcp-production --patch '\{"spec":\{"template":\{"metadata":\{"labels":\{"app":"chat-ui"\}\}\}\}\}'/s,
                listed(objects(deployment({ ...chat, replicas: 1, labels: { tier: "web" } }))),
            );
        });

        it("a Service that would not select the new pods of a rolling update", async () => {
            const labels = { app: "chat-ui", tier: "web" };
            await refuses(
                [
                    /Service chat-ui\n +it selects by tier, too, which the pods of the first update do not have/,
                    /→ kubectl patch service chat-ui --namespace mcp-production --type json --patch '\[\{"op":"replace","path":"\/spec\/selector","value":\{"app":"chat-ui"\}\}\]'/,
                ],
                listed(objects(service({ ...chat, labels }))),
            );
        });

        it("replicas that nothing but kubectl has set", async () => {
            await refuses(
                [
                    /Deployment chat-ui\n +an update would leave 1 of its 3 pods/,
                    /→ kubectl scale deployment chat-ui --namespace mcp-production --replicas 4/,
                ],
                listed(objects(deployment({ ...chat, replicas: 3 }))),
            );
        });

        it("fields of another tool that the update would leave, with the patch that hands them over", async () => {
            const { items } = listed([deployment({ ...chat, replicas: 1 })], "helm") as { items: object[] };
            const others = objects().filter(
                ({ kind, metadata }) => `${kind} ${metadata.name}` !== "Deployment chat-ui",
            );
            const list = listed(others) as { items: object[] };
            const { text: stdout } = await adopted({ ...list, items: [...list.items, ...items] });
            assert.match(
                stdout,
                /Deployment chat-ui\n +helm owns spec\.template\.spec\.containers\[chat-ui\]\.\S+, which the program does +not declare/,
            );
            const [, patch] =
                /kubectl patch deployment chat-ui --namespace mcp-production --type json --patch '(.*)'/.exec(
                    stdout,
                )!;
            assert.deepEqual(JSON.parse(patch!), [
                { op: "test", path: "/metadata/managedFields/0/manager", value: "helm" },
                { op: "replace", path: "/metadata/managedFields/0/manager", value: "kubectl" },
            ]);
        });

        it("values of a Secret that its annotation would bring into the state", async () => {
            const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "planted" };
            const applied = { ...OTHER_ACCOUNT, metadata: { ...OTHER_ACCOUNT.metadata, annotations } };
            await refuses(
                [
                    /Secret mcp-db-secret\n +its annotation kubectl\.\S+ repeats its values/,
                    /→ kubectl annotate secret mcp-db-secret --namespace mcp-production kubectl\.kubernetes\.io\/last-applied-configuration-$/m,
                ],
                listed(objects(applied)),
            );
        });

        it("pods that the NetworkPolicies would cut off before the switch", async () => {
            const labels = { name: "mcp" };
            await refuses(
                [
                    /Deployment mcp-server\n +its pods have the label app: none, expected mcp-server/,
                    /--patch '\{"spec":\{"template":\{"metadata":\{"labels":\{"app":"mcp-server"\}\}\}\}\}'/,
                ],
                listed(objects(deployment({ ...server, labels }), service({ ...server, labels }))),
            );
            await refuses(
                [/its pods listen on port 9000, expected 8000/, /→ mcp:workloads\.mcp-server\.port: 9000/],
                listed(objects(deployment({ ...server, port: 9000 }), service({ ...server, port: 9000 }))),
            );
        });

        it("a Service whose way in the update would close, and one that is headless", async () => {
            const with_ = (spec: object) => {
                const own = service(portal);
                return listed(objects({ ...own, spec: { ...(own["spec"] as object), ...spec } }));
            };
            await refuses(
                /spec\.type is LoadBalancer, and the update would close that way in/,
                with_({ type: "LoadBalancer" }),
            );
            await refuses(/it is headless/, with_({ clusterIP: "None" }));
        });
    });

    it("refuses what the API has given and an update would replace, unless the program leaves it", async () => {
        const path = file("objects.json");
        writeFileSync(path, JSON.stringify(listed(objects())));
        const recording = await recordStack("production");
        const found = (ignoreChanges?: string[]) =>
            adoptObjects(
                {
                    ...recording,
                    resources: recording.resources.map((resource) => ({
                        ...resource,
                        options: { ...resource.options, ...(ignoreChanges && { ignoreChanges }) },
                    })),
                },
                readObjects([path], [NAMESPACE]),
            )
                .blockers.map(({ subject, reason }) => `${subject}: ${reason}`)
                .sort();
        const replaced = "it would be replaced, because these cannot change:";
        assert.deepEqual(
            found().filter((line) => line.includes(replaced)),
            [],
        );
        assert.deepEqual(
            found([]).filter((line) => line.includes(replaced)),
            [
                `Secret mcp-db-secret: ${replaced} type: found Opaque, expected nothing`,
                ...["admin-portal", "chat-ui", "mcp-server"].map(
                    (name) => `Service ${name}: ${replaced} spec.clusterIP: found 10.0.0.1, expected nothing`,
                ),
            ],
        );
    });

    it("takes the colour that has the traffic, where there are two already", async () => {
        const pods = (colour: string) => {
            const own = deployment({
                ...server,
                replicas: 1,
                image: `msil-mcp-server:v2-${colour}`,
                labels: { app: "mcp-server", version: colour },
            });
            return { ...own, metadata: { ...own.metadata, name: `mcp-server-${colour}` } };
        };
        const others = objects(
            service({ ...server, labels: { app: "mcp-server", version: "green" } }),
            pods("blue"),
            pods("green"),
        );
        const { text: stdout } = await adopted(
            listed(
                others.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== "Deployment mcp-server"),
            ),
        );
        assert.match(stdout, /--path mcp:workloads\.mcp-server\.live green/);
        assert.match(stdout, /--path mcp:workloads\.mcp-server\.releases\.blue\.version v2-blue/);
        assert.match(stdout, /--path mcp:workloads\.mcp-server\.releases\.green\.version v2-green/);
    });

    it("takes an object that no field was ever set of", async () => {
        const list = listed(objects()) as { items: object[] };
        const account = {
            apiVersion: "v1",
            kind: "ServiceAccount",
            metadata: { name: "default", namespace: NAMESPACE },
        };
        const { imported, text } = await adopted({ ...list, items: [...list.items, account] });
        assert.ok(imported, text);
    });

    it("takes no fewer pods than there are without an autoscaler", async () => {
        const others = objects(autoscaler("admin-portal", 3, 9));
        const { text: stdout } = await adopted(listed(others));
        assert.match(stdout, /admin-portal\.scaling\.min 3/);
        assert.match(stdout, /admin-portal\.scaling\.max 9/);
    });

    it("imports the key behind an alias of the program, which then encrypts the database as it is", async () => {
        const alias = { AliasName: "alias/mcp-production-database", TargetKeyId: KEY_ID };
        const { imported } = await adopted(
            undefined,
            inventory({ "kms list-aliases": { Aliases: [alias] } }),
        );
        const ids = imported!.resources
            .filter(({ type }) => type.startsWith("aws:kms/"))
            .map(({ name, id }) => [name, id]);
        assert.deepEqual(ids, [
            ["Key mcp-production-database", KEY_ID],
            ["Alias mcp-production-database", "alias/mcp-production-database"],
        ]);
    });

    it("is documented with the calls that it reads", () => {
        const text = readFileSync(join(root, "docs", "adopting.md"), "utf8");
        const calls = text.split("<< CALLS\n")[1]!.split("\nCALLS")[0]!.split("\n");
        assert.deepEqual(
            calls.map((call) => call.split(" ").slice(0, 2).join(" ")).sort(),
            [...ALL_CALLS].sort(),
        );
    });
});
