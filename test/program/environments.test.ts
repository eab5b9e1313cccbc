import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEnvironment, environmentCommand } from "../../cli/environment";
import { previewStack } from "../../offline/preview";
import { bundleProgram, type Program } from "../../offline/program";
import { type RecordedResource, type Recording } from "../../offline/record";
import { recordOnce } from "../../offline/recordings";
import { readStackFile, UsageError, valuesOf } from "../../offline/stackFile";
import { rules } from "../../policies/rules";
import { copyOfProject, root } from "../support";

/** What identifies a resource in an account and a region: the input that names it. Without it, Pulumi adds a random end. */
const NAMED_BY: Readonly<Record<string, string>> = {
    "aws:backup/plan:Plan": "name",
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": "name",
    "aws:backup/vault:Vault": "name",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": "name",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "alarmName",
    "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
    "aws:cloudwatch/eventRule:EventRule": "name",
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "name",
    "aws:cloudwatch/queryDefinition:QueryDefinition": "name",
    "aws:ec2/securityGroup:SecurityGroup": "name",
    "aws:elasticache/replicationGroup:ReplicationGroup": "replicationGroupId",
    "aws:elasticache/subnetGroup:SubnetGroup": "name",
    "aws:iam/role:Role": "name",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "name",
    "aws:kms/alias:Alias": "name",
    "aws:rds/instance:Instance": "identifier",
    "aws:rds/parameterGroup:ParameterGroup": "name",
    "aws:rds/subnetGroup:SubnetGroup": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:scheduler/schedule:Schedule": "name",
    "aws:sfn/stateMachine:StateMachine": "name",
    "aws:sns/topic:Topic": "name",
    "aws:ssm/document:Document": "name",
    "aws:ssm/maintenanceWindow:MaintenanceWindow": "name",
    "aws:ssm/patchBaseline:PatchBaseline": "name",
    "aws:ssm/patchGroup:PatchGroup": "patchGroup",
};

/** Types that are parts of one resource, by which they are known, or known by several inputs together. */
const IDENTIFIED_BY: Readonly<Record<string, readonly string[]>> = {
    "aws:eks/addon:Addon": ["clusterName", "addonName"],
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": ["clusterName", "namespace", "serviceAccount"],
};

/** Types without a name that two stacks could both have, and why. */
const WITHOUT_NAME: Readonly<Record<string, string>> = {
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": "one of its plan",
    "aws:backup/selection:Selection": "one of its plan",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": "a setting of its vault",
    "aws:cloudwatch/eventTarget:EventTarget": "one of its rule",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "one of its log group",
    "aws:cloudwatch/logStream:LogStream": "one of its log group",
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": "one of its log group",
    "aws:iam/rolePolicy:RolePolicy": "one of its role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "one of its role",
    "aws:kms/key:Key": "has an id of AWS's",
    "aws:route53/healthCheck:HealthCheck": "has an id of AWS's",
    "aws:s3/bucketAcl:BucketAcl": "a setting of its bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "a setting of its bucket",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "a setting of its bucket",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "a setting of its bucket",
    "aws:s3/bucketPolicy:BucketPolicy": "a setting of its bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "a setting of its bucket",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
        "a setting of its bucket",
    "aws:s3/bucketVersioning:BucketVersioning": "a setting of its bucket",
    "aws:sns/topicPolicy:TopicPolicy": "a setting of its topic",
    "aws:sns/topicSubscription:TopicSubscription": "one of its topic",
    "aws:ssm/maintenanceWindowTarget:MaintenanceWindowTarget": "one of its window",
    "aws:ssm/maintenanceWindowTask:MaintenanceWindowTask": "one of its window",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "one of its security group",
};

/** What a resource is known by outside of its stack; undefined where the provider adds a random end. */
function identityOf({ urn, type, inputs }: RecordedResource): string | undefined {
    if (type.startsWith("kubernetes:")) {
        const { name, namespace } = inputs["metadata"] as { name?: unknown; namespace?: unknown };
        return typeof name === "string" ? `${type} ${String(namespace ?? "")}/${name}` : undefined;
    }
    const keys = IDENTIFIED_BY[type] ?? [NAMED_BY[type] ?? ""];
    const names = keys.map((key) => inputs[key]);
    assert.ok(
        keys[0] !== "",
        `${urn}: a type that NAMED_BY, IDENTIFIED_BY and WITHOUT_NAME do not know: say what names it`,
    );
    // Alarms of both sorts share their names.
    const kind = type.replace(/(metric|composite)Alarm:\w+/, "alarm");
    return names.every((name) => typeof name === "string") ? `${kind} ${names.join("/")}` : undefined;
}

/** What the resources of a stack are known by, and the folders of nodes that its pods write to. */
function identitiesOf({ resources }: Recording): string[] {
    const owned = resources.filter(
        ({ custom, read, type }) =>
            custom && !read && /^(aws|kubernetes):/.test(type) && !Object.hasOwn(WITHOUT_NAME, type),
    );
    const folders = owned.flatMap(({ inputs }) =>
        [...JSON.stringify(inputs).matchAll(/"hostPath":\{"path":"([^"]+)","type":"DirectoryOrCreate"/g)].map(
            ([, path]) => `folder ${path}`,
        ),
    );
    return [...owned.flatMap((resource) => identityOf(resource) ?? []), ...folders];
}

describe("environments", function () {
    this.timeout(120_000);
    let folder: string;
    let program: Program;
    before(() => {
        folder = copyOfProject();
        program = bundleProgram(root);
    });
    after(() => rmSync(folder, { recursive: true }));

    const fileOf = (stack: string) => join(folder, `Pulumi.${stack}.yaml`);
    const recordingOf = (stack: string, ...edits: string[]) =>
        recordOnce(root, program, readStackFile(folder, stack, edits));
    const refusal = (work: () => unknown): string => {
        try {
            work();
        } catch (error) {
            assert.ok(error instanceof UsageError, String(error));
            return error.message;
        }
        throw new assert.AssertionError({ message: "nothing was refused" });
    };

    it("of five stacks in one account, region and cluster have no name in common", async () => {
        createEnvironment(folder, "dev", { from: "staging", without: ["cache"] });
        createEnvironment(folder, "qa", { from: "staging" });
        createEnvironment(folder, "demo", { from: "production" });
        const cluster = "mcp:kubernetes.cluster=shared";
        const stacks = {
            production: await recordingOf("production", cluster),
            staging: await recordingOf("staging", cluster, "mcp:observability.podMetrics=false"),
            dev: await recordingOf("dev", cluster),
            qa: await recordingOf("qa", cluster),
            demo: await recordingOf("demo", cluster),
        };
        const owners = new Map<string, string>();
        const shared: string[] = [];
        for (const [stack, recording] of Object.entries(stacks)) {
            const identities = identitiesOf(recording);
            assert.ok(identities.length > 150, `${stack}: ${identities.length}`);
            for (const identity of identities) {
                const owner = owners.get(identity);
                if (owner !== undefined) {
                    shared.push(`${identity}: ${owner} and ${stack}`);
                }
                owners.set(identity, stack);
            }
        }
        assert.deepEqual(shared, []);
    });

    it("are valid and pass the policies as they are created", async () => {
        for (const stack of ["dev", "qa", "demo"]) {
            const { findings } = await previewStack(folder, program, rules, stack, []);
            assert.deepEqual(
                findings.filter(({ kind }) => kind === "violation"),
                [],
                stack,
            );
        }
    });

    it("are refused where another stack file has the name, with each value that is to change", async () => {
        writeFileSync(fileOf("copy"), readFileSync(fileOf("qa")));
        await assert.rejects(previewStack(folder, program, rules, "copy", []), (error: Error) => {
            assert.ok(error instanceof UsageError);
            assert.equal(
                error.message,
                `6 problems in the stack's values:
  mcp:kubernetes.namespace: found mcp-qa, which Pulumi.qa.yaml has in the same cluster, expected another name
  mcp:backups.bucket: found msil-mcp-qa-backups, which Pulumi.qa.yaml has in the same world, expected another name
  mcp:archive.bucket: found msil-mcp-qa-audit, which Pulumi.qa.yaml has in the same world, expected another name
  mcp:cache.snapshotBucket: found msil-mcp-qa-redis, which Pulumi.qa.yaml has in the same world, expected another name
  mcp:ingress.hosts[0].host: found qa.mcp.msil.com, which Pulumi.qa.yaml has in the same cluster, expected another name
  mcp:ingress.hosts[1].host: found admin.qa.mcp.msil.com, which Pulumi.qa.yaml has in the same cluster, expected another name`,
            );
            return true;
        });
        rmSync(fileOf("copy"));
        // The runbook's names of the database are production's.
        const edits = ["mcp:kubernetes.namespace=mcp", "mcp:kubernetes.cluster=other"];
        await assert.rejects(
            previewStack(folder, program, rules, "qa", edits),
            /mcp:kubernetes\.namespace: found mcp-recovery, which Pulumi\.production\.yaml has in the same account and region/,
        );
        await assert.rejects(
            previewStack(folder, program, rules, "qa", ["mcp:observability.podMetrics-"]),
            /mcp:observability\.podMetrics: found the add-on, which Pulumi\.staging\.yaml has in the same cluster, expected false/,
        );
    });

    it("can do without each concern that --without names", () => {
        for (const concern of [
            "archive",
            "backups",
            "cache",
            "database",
            "health",
            "ingress",
            "maintenance",
            "observability",
        ]) {
            for (const from of ["staging", "production"]) {
                createEnvironment(folder, "less", { from, without: [concern] });
                assert.equal(valuesOf(folder, "less")[concern as "cache"], undefined);
                rmSync(fileOf("less"));
            }
        }
    });

    it("that do without a store have its URL as a secret to be set", () => {
        const report = createEnvironment(folder, "less", { from: "staging", without: ["database", "cache"] });
        assert.match(
            report,
            /\n {2}pulumi config set --stack less --secret --path 'mcp:secrets\.mcp-server\.DATABASE_URL'\n/,
        );
        assert.match(
            report,
            /\n {2}pulumi config set --stack less --secret --path 'mcp:secrets\.mcp-server\.REDIS_URL'\n/,
        );
        assert.doesNotMatch(report, /subnets/);
        rmSync(fileOf("less"));
    });

    it("are created by the command as it is typed", async () => {
        const status = await environmentCommand(folder, [
            "create",
            "less",
            "--from",
            "staging",
            "--without",
            "cache,health",
        ]);
        assert.equal(status, 0);
        const text = readFileSync(fileOf("less"), "utf8");
        assert.doesNotMatch(text, /\n\n|\{ | \}|--stack staging/, "as Pulumi's command line writes it");
        const { cache, health, archive } = valuesOf(folder, "less");
        assert.deepEqual([cache, health], [undefined, undefined]);
        assert.ok(archive !== undefined);
        rmSync(fileOf("less"));
        await assert.rejects(environmentCommand(folder, ["create", "less"]), {
            message: "--from: found nothing, expected the stack whose file is the model",
        });
        assert.equal(await environmentCommand(folder, ["make", "less"]), 1);
        assert.ok(!existsSync(fileOf("less")));
    });

    it("take no secret and no key along, and say which are to be set", () => {
        const text = readFileSync(fileOf("staging"), "utf8")
            .replace(/^/, "secretsprovider: awskms://alias/x\nencryptedkey: AAAA\n")
            .replace(
                "  mcp:jobs:",
                "  mcp:endpoints:\n    pager: { secure: CIPHER }\n  mcp:secrets:\n    mcp-server:\n      APIM_SUBSCRIPTION_KEY: { secure: CIPHER }\n  mcp:jobs:",
            )
            .replace("P1: [platform-lead@nagarro.com]", "P1: [pager]");
        writeFileSync(fileOf("sealed"), text);
        const report = createEnvironment(folder, "opened", { from: "sealed" });
        assert.doesNotMatch(readFileSync(fileOf("opened"), "utf8"), /CIPHER|AAAA|awskms/);
        assert.match(report, /--path 'mcp:secrets\.mcp-server\.APIM_SUBSCRIPTION_KEY'\n/);
        assert.match(report, /--path 'mcp:endpoints\.pager'\n/);
        rmSync(fileOf("sealed"));
        rmSync(fileOf("opened"));
    });

    it("of production's tier are not made smaller, and say what production needs", () => {
        const report = createEnvironment(folder, "emea", {
            from: "production",
            tier: "production",
            cluster: "eu",
        });
        const values = valuesOf(folder, "emea");
        assert.equal(values.workloads["mcp-server"]?.scaling.min, 3);
        assert.equal(values.archive?.mode, "COMPLIANCE");
        assert.equal(values.kubernetes.cluster, "eu");
        assert.notEqual(values.observability?.podMetrics, false);
        assert.match(report, /npm run images -- pin --stack emea\n/);
        assert.match(report, /mcp:checklist\.validatedBy/);
        rmSync(fileOf("emea"));
    });

    describe("in a project of another name", () => {
        const settings = () => join(folder, "Pulumi.yaml");
        let before: string;
        beforeEach(() => {
            before = readFileSync(settings(), "utf8");
            writeFileSync(settings(), before.replace(/^name: mcp$/m, "name: acme"));
        });
        afterEach(() => writeFileSync(settings(), before));

        it("declare the same, by the same keys", async () => {
            const inputsOf = ({ resources }: Recording) =>
                resources.map(({ type, name, inputs }) =>
                    JSON.stringify([type, name, inputs]).replaceAll(/::acme::|project\\":\\"acme/g, (text) =>
                        text.replace("acme", "mcp"),
                    ),
                );
            const renamed = inputsOf(await recordingOf("staging"));
            writeFileSync(settings(), before);
            const original = inputsOf(await recordingOf("staging"));
            assert.deepEqual(renamed.slice(1), original.slice(1));
        });

        it("are refused in one line where the keys were renamed, too", async () => {
            const text = readFileSync(fileOf("staging"), "utf8");
            writeFileSync(fileOf("staging"), text.replaceAll(/^ {2}mcp:/gm, "  acme:"));
            const message = `1 problem in the stack's values:
  acme:*: found 16 keys named by the project, expected mcp: before each, independent of the project's name`;
            await assert.rejects(previewStack(folder, program, rules, "staging", []), { message });
            assert.equal(
                refusal(() => valuesOf(folder, "staging")),
                message,
            );
            writeFileSync(fileOf("staging"), text);
        });
    });

    it("that cannot be are refused in one message, and nothing is written", () => {
        const before = readFileSync(fileOf("dev"), "utf8");
        const bad: [name: string, options: Parameters<typeof createEnvironment>[2], message: RegExp][] = [
            [
                "dev",
                { from: "staging" },
                /^Pulumi\.dev\.yaml: found a file, expected none: an environment is created once$/,
            ],
            ["Dev", { from: "staging" }, /^NAME: found "Dev", expected a name of at most 63 /],
            ["../x", { from: "staging" }, /^NAME: found "\.\.\/x", expected /],
            ["new", { from: "nope" }, /^--from: found "nope", expected one of /],
            ["new", { from: "staging", tier: "lax" }, /^--tier: found "lax", expected production or trial$/],
            [
                "new",
                { from: "staging", without: ["incident"] },
                /^--without: found "incident", expected some of archive, /,
            ],
            [
                "new",
                { from: "staging", tier: "production" },
                /^Cannot create Pulumi\.new\.yaml\. 4 problems in the stack's values:\n {2}mcp:cache\.replicas: /,
            ],
            [
                "a-name-that-is-longer-than-aws-takes-it",
                { from: "staging" },
                /^Cannot create .*\n {2}mcp:kubernetes\.namespace: found .* expected a name of 2 to 22 /,
            ],
        ];
        for (const [name, options, message] of bad) {
            assert.match(
                refusal(() => createEnvironment(folder, name, options)),
                message,
            );
            assert.ok(!existsSync(fileOf("new")));
        }
        assert.equal(readFileSync(fileOf("dev"), "utf8"), before);
    });
});
