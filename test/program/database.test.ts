import assert from "node:assert/strict";
import { compare } from "../../offline/compare";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { DATABASE, PATCH_WINDOW } from "../../core/numbers";
import { expanded } from "../kubeletVariables";
import { changesOf, linesOf, only, recordStack, withoutHashes } from "../support";

const INSTANCE = "aws:rds/instance:Instance";
const JOB = "kubernetes:batch/v1:Job";
const RESTORE = "mcp:recovery.restoreTime=2026-01-31T10:30:00+05:30";
const ACTIVE = "mcp:database.active=recovery";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

/** Backups and alarms of the instance in use follow every switch; they have separate tests. */
const follows = ({ type }: { type: string }) => /^aws:(backup|cloudwatch)\//.test(type);

describe("the database", () => {
    let production: Recording;
    let staging: Recording;
    let recovering: Recording;
    before(async () => {
        production = await recordStack("production");
        staging = await recordStack("staging");
        recovering = await recordStack("production", RESTORE, ACTIVE);
    });

    it("of production is protected, in two zones, private, encrypted, and recoverable", () => {
        const { options, dependencies } = only(production, INSTANCE, DATABASE.identifier);
        assert.equal(options.protect, true);
        assert.ok(dependencies.some((urn) => urn.includes("aws:kms/key:Key")));
        const inputs = inputsOf(production, INSTANCE, DATABASE.identifier);
        assert.deepEqual(
            {
                deletionProtection: true,
                multiAz: true,
                publiclyAccessible: false,
                storageEncrypted: true,
                backupRetentionPeriod: 35,
                deleteAutomatedBackups: false,
                skipFinalSnapshot: false,
                manageMasterUserPassword: true,
                dbSubnetGroupName: DATABASE.subnetGroup,
                maintenanceWindow: "sat:20:30-sat:22:30",
                performanceInsightsEnabled: true,
            },
            Object.fromEntries(
                [
                    "deletionProtection",
                    "multiAz",
                    "publiclyAccessible",
                    "storageEncrypted",
                    "backupRetentionPeriod",
                    "deleteAutomatedBackups",
                    "skipFinalSnapshot",
                    "manageMasterUserPassword",
                    "dbSubnetGroupName",
                    "maintenanceWindow",
                    "performanceInsightsEnabled",
                ].map((key) => [key, inputs[key]]),
            ),
        );
        // A second one of the same name would be refused.
        const { propertyDependencies } = only(production, INSTANCE, DATABASE.identifier);
        assert.match(
            propertyDependencies["finalSnapshotIdentifier"]!.join(),
            /random:index\/randomId:RandomId/,
        );
        assert.deepEqual(PATCH_WINDOW, { weekday: "sun", start: "02:00", end: "04:00" });
        assert.equal("password" in inputs, false);
    });

    it("of staging is one instance that can go", () => {
        const inputs = inputsOf(staging, INSTANCE, "mcp-staging");
        assert.deepEqual(
            [inputs.multiAz, inputs.deletionProtection, inputs.skipFinalSnapshot],
            [false, false, false],
        );
        assert.equal(only(staging, INSTANCE, "mcp-staging").options.protect, undefined);
        assert.equal(inputs.dbSubnetGroupName, "mcp-staging-db-subnet");
    });

    it("takes TLS only, counts statements and logs the slow ones", async () => {
        const group = "aws:rds/parameterGroup:ParameterGroup";
        const slow = await recordStack("production", "mcp:database.slowQuery=5s");
        const { family, parameters } = inputsOf(slow, group, "mcp-production-database-17");
        const values = Object.fromEntries(
            parameters.map(({ name, value }: { name: string; value: string }) => [name, value]),
        );
        assert.equal(family, "postgres17");
        assert.equal(values["rds.force_ssl"], "1");
        assert.equal(values["log_min_duration_statement"], "5000");
        const libraries = parameters.find(({ name }: any) => name === "shared_preload_libraries");
        assert.deepEqual([libraries.value, libraries.applyMethod], ["pg_stat_statements", "pending-reboot"]);
    });

    it("admits the cluster only", () => {
        const rules = production.resources.filter(({ type }) => type.startsWith("aws:vpc/securityGroup"));
        const [rule, ...others] = rules.filter(({ name }) => name === "mcp-production-database");
        assert.deepEqual(others, []);
        assert.deepEqual(
            [rule!.inputs["fromPort"], rule!.inputs["toPort"], "cidrIpv4" in rule!.inputs],
            [5432, 5432, false],
        );
        assert.deepEqual(
            rule!.propertyDependencies["referencedSecurityGroupId"],
            production.resources
                .filter(({ read, type }) => read && type === "aws:eks/cluster:Cluster")
                .map(({ urn }) => urn),
        );
        const group = inputsOf(production, "aws:ec2/securityGroup:SecurityGroup", "mcp-production-database");
        assert.equal("ingress" in group, false);
    });

    it("stays reachable for the tasks if the API server has another range", async () => {
        const narrowed = await recordStack(
            "production",
            "mcp:kubernetes.apiServer.cidr=10.20.240.0/24",
            "mcp:kubernetes.vpc=10.20.0.0/16",
        );
        const policy = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
        for (const name of ["mcp-database", "mcp-dumps", "mcp-health", "mcp-db-maintenance"]) {
            assert.deepEqual(inputsOf(narrowed, policy, name), inputsOf(production, policy, name), name);
        }
    });

    it("is prepared before a pod of a workload that uses it starts", () => {
        const secret = only(production, "kubernetes:core/v1:Secret", DATABASE.secret);
        assert.ok(secret.dependencies.some((urn) => urn.includes("mcp-production-bootstrap-")));
        for (const name of ["mcp-server-blue", "mcp-server-green"]) {
            const deployment = only(production, "kubernetes:apps/v1:Deployment", name);
            assert.ok(deployment.dependencies.includes(secret.urn));
            const { spec, metadata } = inputsOf(production, "kubernetes:apps/v1:Deployment", name).spec
                .template;
            const projected = spec.volumes.find((volume: any) => volume.name === "secrets").projected;
            const source = projected.sources.find((each: any) => each.secret.name === DATABASE.secret);
            assert.deepEqual(source, {
                secret: { name: DATABASE.secret, items: [{ key: DATABASE.secretKey, path: "DATABASE_URL" }] },
            });
            assert.ok(
                spec.containers[0].env.some(
                    ({ name: variable, value }: any) =>
                        variable === "DATABASE_URL_FILE" && value.endsWith("/DATABASE_URL"),
                ),
            );
            assert.equal(metadata.annotations["mcp.msil.com/connections"], "[unknown]");
        }
        const portal = inputsOf(production, "kubernetes:apps/v1:Deployment", "admin-portal");
        assert.equal(portal.spec.template.metadata.annotations["mcp.msil.com/connections"], undefined);
    });

    it("shows its bootstrap the administrator's secret and the verifier, but no password", () => {
        const job = production.resources.find(({ name }) => name.startsWith("mcp-production-bootstrap-2"))!;
        const { initContainers, containers, volumes } = (displayed(job.inputs as never) as any).spec.template
            .spec;
        assert.deepEqual(
            initContainers.map((each: any) => each.command),
            [["bash", "/opt/task/administrator.sh"]],
        );
        assert.deepEqual(containers[0].command, ["bash", "/opt/task/bootstrap.sh"]);
        const items = volumes.flatMap((volume: any) =>
            (volume.projected?.sources ?? []).flatMap(({ secret }: any) => secret.items),
        );
        assert.deepEqual(items, [{ key: "verifier", path: "mcp/verifier" }]);
    });

    it("tells every step that runs AWS's command line its region, which nothing around a pod would", () => {
        const asking = [production, recovering].flatMap(({ resources }) =>
            resources.flatMap(({ type, inputs }) => {
                const { spec } = displayed(inputs as never) as any;
                const pod = spec?.jobTemplate?.spec.template.spec ?? spec?.template?.spec;
                return type.startsWith("kubernetes:batch/v1:")
                    ? [...(pod.initContainers ?? []), ...pod.containers].filter(({ image }: any) =>
                          image.includes("/aws-cli"),
                      )
                    : [];
            }),
        );
        assert.ok(asking.length > 5);
        for (const { name, env } of asking) {
            const told = env.find((variable: any) => variable.name === "AWS_DEFAULT_REGION");
            assert.equal(told?.value, "ap-south-1", name);
        }
    });

    it("is restored with the same network, parameters and zones, and protected", () => {
        const first = inputsOf(recovering, INSTANCE, DATABASE.identifier);
        const restored = inputsOf(recovering, INSTANCE, DATABASE.recovery);
        for (const key of [
            "dbSubnetGroupName",
            "vpcSecurityGroupIds",
            "parameterGroupName",
            "multiAz",
            "instanceClass",
        ]) {
            assert.deepEqual(restored[key], first[key], key);
        }
        assert.deepEqual(restored.restoreToPointInTime, {
            sourceDbInstanceIdentifier: DATABASE.identifier,
            restoreTime: "2026-01-31T05:00:00Z",
        });
        assert.equal(restored.deletionProtection, true);
        assert.deepEqual(only(recovering, INSTANCE, DATABASE.recovery).options.protect, true);
    });

    it("is not touched by a recovery", async () => {
        const changes = await changesOf("production", RESTORE, ACTIVE);
        assert.deepEqual(
            changes
                .filter(({ resource }) => resource.name.startsWith("mcp-production-") && !follows(resource))
                .map(({ resource }) => resource.name),
            [],
        );
        assert.equal(
            changes.some(
                ({ resource }) => resource.type === INSTANCE && resource.name === DATABASE.identifier,
            ),
            false,
        );
    });

    it("is switched over only after what was restored has been verified", () => {
        const secret = only(recovering, "kubernetes:core/v1:Secret", DATABASE.secret);
        const [verification] = secret.dependencies.filter((urn) => urn.includes("mcp-recovery-verify-"));
        assert.ok(verification);
        const { dependencies } = recovering.resources.find(({ urn }) => urn === verification)!;
        assert.ok(dependencies.some((urn) => urn.includes("mcp-recovery-bootstrap-")));
        const [comparison] = secret.dependencies.filter((urn) => urn.includes("mcp-recovery-compare-"));
        assert.ok(comparison);
        // In an emergency the switch does not wait for windows and Performance Insights.
        assert.ok(!secret.dependencies.some((urn) => urn.includes("mcp-recovery-settings-")));
    });

    it("is looked at for what RDS restores without, once the services use it", () => {
        const [job] = recovering.resources.filter(
            ({ type, name }) => type === JOB && name.startsWith("mcp-recovery-settings-"),
        );
        const { env } = (displayed(job!.inputs as never) as any).spec.template.spec.containers[0];
        const expected = Object.fromEntries(
            env
                .find(({ name }: any) => name === "EXPECTED")
                .value.split("\n")
                .map((line: string) => line.split("\t")),
        );
        const instance = inputsOf(recovering, INSTANCE, DATABASE.recovery);
        assert.deepEqual(expected, {
            BackupRetentionPeriod: String(instance.backupRetentionPeriod),
            PreferredBackupWindow: instance.backupWindow,
            PreferredMaintenanceWindow: instance.maintenanceWindow,
            PerformanceInsightsEnabled: String(instance.performanceInsightsEnabled),
            MultiAZ: String(instance.multiAz),
            DeletionProtection: String(instance.deletionProtection),
            CopyTagsToSnapshot: String(instance.copyTagsToSnapshot),
            "DBParameterGroups[0].ParameterApplyStatus": "in-sync",
            "PendingModifiedValues.keys(@).length(@)": "0",
        });
    });

    it("is switched back by the opposite edit, which compares, and changes the Secret and the pods alone", async () => {
        const back = compare(recovering, await recordStack("production", RESTORE)).filter(
            ({ operation, resource }) => operation !== "same" && !follows(resource),
        );
        assert.deepEqual(withoutHashes(linesOf(back)), [
            // It counts what the way back loses, before the Secret; the settings are those of an instance in use.
            "create kubernetes:batch/v1:Job mcp-recovery-compare-*",
            "delete kubernetes:batch/v1:Job mcp-recovery-compare-*",
            "delete kubernetes:batch/v1:Job mcp-recovery-settings-*",
            "delete kubernetes:core/v1:ConfigMap mcp-recovery-settings-program",
            "update kubernetes:apps/v1:Deployment mcp-server-blue",
            "update kubernetes:apps/v1:Deployment mcp-server-green",
            "update kubernetes:core/v1:Secret mcp-db-secret",
        ]);
    });

    it("would be replaced by another restore time, which its protection refuses; kept for good, it would not", async () => {
        const other = "mcp:recovery.restoreTime=2026-01-31T11:30:00+05:30";
        const edited = compare(recovering, await recordStack("production", other, ACTIVE));
        assert.deepEqual(linesOf(edited.filter(({ refused }) => refused)), [
            `replace ${INSTANCE} ${DATABASE.recovery}`,
        ]);
        const gone = compare(recovering, await recordStack("production"));
        assert.deepEqual(linesOf(gone.filter(({ refused }) => refused)), [
            `delete ${INSTANCE} ${DATABASE.recovery}`,
        ]);
        const kept = await recordStack("production", other, ACTIVE, "mcp:recovery.keep=true");
        const changes = compare(recovering, kept).filter(({ operation }) => operation !== "same");
        assert.deepEqual(linesOf(changes), []);
    });

    it("asks a restored instance what the values say, and again when they say something else", async () => {
        const verifications = ({ resources }: Recording) =>
            resources.filter(({ type, name }) => type === JOB && name.startsWith("mcp-recovery-verify-"));
        const [first] = verifications(recovering);
        const stricter = await recordStack(
            "production",
            RESTORE,
            "mcp:database.checks[0].query=SELECT COUNT(*) FROM tools",
            "mcp:database.checks[0].atLeast=40",
        );
        const [second] = verifications(stricter);
        assert.notEqual(first!.name, second!.name);
        const [{ env }] = (displayed(second!.inputs as never) as any).spec.template.spec.containers;
        assert.equal(env.find(({ name }: any) => name === "CHECKS").value, "40\tSELECT COUNT(*) FROM tools");
    });

    it("asks it exactly that, though the kubelet replaces variables in what it is given", async () => {
        const query = "SELECT COUNT(*) FROM tools WHERE name <> $$it's $(PGHOST)$$";
        const { resources } = await recordStack(
            "production",
            RESTORE,
            `mcp:database.checks[0].query=${query}`,
        );
        const job = resources.find(
            ({ type, name }) => type === JOB && name.startsWith("mcp-recovery-verify-"),
        );
        const [{ env }] = (displayed(job!.inputs as never) as any).spec.template.spec.containers;
        const { value } = env.find(({ name }: any) => name === "CHECKS");
        assert.equal(expanded(value, { PGHOST: "database" }), `1\t${query}`);
    });
});
