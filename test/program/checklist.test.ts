import assert from "node:assert/strict";
import { parseApprovalPlan } from "../../jobs/evidence";
import { parseNoticePlan } from "../../jobs/notice";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { changesOf, linesOf, only, recordStack } from "../support";

const NAME = "mcp-checklist";
const TOPIC = "mcp-production-stakeholders";
const TOPIC_KEY = `arn:aws:kms:ap-south-1:000000000000:key/<${TOPIC}>`;
const JOB = "kubernetes:batch/v1:Job";
const AT = "mcp:workloads.mcp-server";

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

/** The one Job whose name begins so, and the hash it ends in. */
function jobOf({ resources }: Recording, name: string) {
    const found = resources.filter((each) => each.type === JOB && each.name.startsWith(`${name}-`));
    assert.equal(found.length, 1, `${found.length} Jobs of ${name}`);
    const { name: full, dependencies, inputs } = found[0]!;
    return {
        hash: full.slice(name.length + 1),
        after: dependencies.map((urn) => urn.split("::").at(-1)!),
        inputs: displayed(inputs as never) as any,
    };
}

describe("the checklist", () => {
    let production: Recording;
    before(async () => {
        production = await recordStack("production");
    });

    const planOf = (recording: Recording, gate: string) =>
        JSON.parse(inputsOf(recording, "kubernetes:core/v1:ConfigMap", `${gate}-program`).data["plan.json"]);

    it("is required by one Job a release, named by what is released, before its pods", () => {
        const { hash, after, inputs } = jobOf(production, "mcp-server-blue-evidence");
        assert.equal(hash, jobOf(production, "mcp-server-blue-notice").hash);
        assert.ok(after.includes("mcp-validated"));
        const { metadata, spec } = inputs;
        assert.deepEqual(metadata, {
            namespace: "mcp-production",
            labels: {
                "app.kubernetes.io/managed-by": "pulumi",
                "app.kubernetes.io/part-of": "mcp",
                "mcp.msil.com/environment": "production",
                "mcp.msil.com/task": NAME,
            },
            annotations: { "pulumi.com/replaceUnready": "true" },
        });
        assert.deepEqual([spec.backoffLimit, spec.activeDeadlineSeconds], [0, 240]);
        const { metadata: of, spec: pod } = spec.template;
        assert.equal(of.labels["mcp.msil.com/task"], NAME);
        assert.ok(of.annotations["mcp.msil.com/needs-token"]);
        assert.deepEqual(
            [pod.serviceAccountName, pod.automountServiceAccountToken, pod.restartPolicy],
            [NAME, true, "Never"],
        );
        const program = inputsOf(
            production,
            "kubernetes:core/v1:ConfigMap",
            "mcp-server-blue-evidence-program",
        ).metadata.name;
        assert.deepEqual(pod.volumes, [{ name: "gate", configMap: { name: program } }]);
        assert.equal(pod.containers.length, 1);
        const [{ command, env, volumeMounts }] = pod.containers;
        assert.deepEqual(
            { command, env, volumeMounts },
            {
                command: ["node", "/opt/gate/evidence.js", "/opt/gate/plan.json"],
                env: undefined,
                volumeMounts: [{ name: "gate", mountPath: "/opt/gate", readOnly: true }],
            },
        );
    });

    it("tells its gates what they ask for, and of whom", () => {
        const { hash } = jobOf(production, "mcp-server-blue-evidence");
        const plan = planOf(production, "mcp-server-blue-evidence");
        const { dashboard, release, change, ...rest } = plan;
        const topic = `arn:aws:sns:ap-south-1:000000000000:${TOPIC}`;
        const common = {
            subject: "mcp-server v2.0.3 (blue)",
            deadlineSeconds: 120,
            namespace: "mcp-production",
            app: "mcp-server",
            colour: "blue",
            ledger: "mcp-releases",
        };
        assert.deepEqual(rest, {
            ...common,
            validation: { stack: "placeholder/mcp/staging", configMap: "mcp-validated" },
            announcement: { topic, environment: "production" },
        });
        assert.deepEqual([release.hash, release.version, change.version], [hash, "v2.0.3", "v2.0.3"]);
        assert.match(release.image, /msil-mcp-server:v2\.0\.3@sha256:0{64}$/);
        assert.match(dashboard, /^https:\/\/ap-south-1\.console\.aws\.amazon\.com\/cloudwatch\//);
        assert.deepEqual(planOf(production, "mcp-server-blue-notice"), {
            ...common,
            release,
            topic,
            environment: "production",
        });
        // The programs are the judges of their plans.
        for (const gate of ["admin-portal", "chat-ui", "mcp-server-blue"]) {
            parseApprovalPlan(planOf(production, `${gate}-evidence`));
            parseNoticePlan(planOf(production, `${gate}-notice`));
        }
    });

    it("notifies the stakeholders of completion after the last gate, without delaying the update", () => {
        const last = (gate: string) => `${gate}-${jobOf(production, gate).hash}`;
        assert.ok(jobOf(production, "mcp-server-blue-notice").after.includes(last("mcp-server-blue-soak")));
        assert.ok(jobOf(production, "chat-ui-notice").after.includes(last("chat-ui-smoke")));
        const waiting = production.resources.filter(({ dependencies }) =>
            dependencies.some((urn) => /-notice-[0-9a-f]{8}$/.test(urn)),
        );
        assert.deepEqual(waiting, []);
    });

    it("gives its gates the rights to what they read and write, and to one topic", () => {
        const rights = "kubernetes:rbac.authorization.k8s.io/v1:Role";
        assert.deepEqual(
            inputsOf(production, rights, NAME).rules.map(
                ({ apiGroups, resources, resourceNames, verbs }: any) =>
                    [apiGroups, resources, resourceNames ?? [], verbs].map((each) => each.join(" ")),
            ),
            [
                ["", "configmaps", "mcp-releases", "get patch"],
                ["", "configmaps", "mcp-validated", "get"],
                ["", "services", "mcp-server", "get"],
                ["apps", "deployments", "admin-portal chat-ui mcp-server-blue mcp-server-green", "get"],
                // To see what fails: they have no names that are known before.
                ["batch", "jobs", "", "list"],
                ["", "pods", "", "list"],
            ],
        );
        const { spec } = inputsOf(production, "kubernetes:networking.k8s.io/v1:NetworkPolicy", NAME);
        assert.deepEqual(spec.podSelector, { matchLabels: { "mcp.msil.com/task": NAME } });
        assert.deepEqual(spec.policyTypes, ["Ingress", "Egress"]);
        assert.equal(spec.ingress, undefined);
        assert.deepEqual(spec.egress, [
            {
                to: [{ ipBlock: { cidr: "10.20.0.0/16" } }],
                ports: [{ protocol: "TCP", port: 443 }],
            },
            { ports: [{ protocol: "TCP", port: 443 }] },
            {
                to: [{ ipBlock: { cidr: "169.254.170.23/32" } }],
                ports: [{ protocol: "TCP", port: 80 }],
            },
        ]);
        const policy = only(production, "aws:iam/rolePolicy:RolePolicy", NAME);
        assert.deepEqual(JSON.parse(policy.inputs["policy"] as string).Statement, [
            {
                Effect: "Allow",
                Action: ["sns:Publish"],
                Resource: [`arn:aws:sns:ap-south-1:000000000000:${TOPIC}`],
            },
            { Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: [TOPIC_KEY] },
        ]);
        const about = policy.dependencies.map((urn) => urn.split("$").at(-1)!);
        assert.deepEqual(about, [
            `aws:kms/key:Key::${TOPIC}`,
            `aws:sns/topic:Topic::${TOPIC}`,
            `aws:iam/role:Role::${NAME}`,
        ]);
        const association = "aws:eks/podIdentityAssociation:PodIdentityAssociation";
        assert.equal(inputsOf(production, association, NAME).serviceAccount, NAME);
    });

    it("has a separate encrypted topic, and notifies the listed addresses", async () => {
        const named = ["one", "two"].map((who, at) => `mcp:checklist.stakeholders[${at}]=${who}@example.com`);
        const lines = linesOf(await changesOf("production", ...named));
        const subscription = "aws:sns/topicSubscription:TopicSubscription";
        // Nothing in the cluster changes: no gate runs again for another contact.
        assert.deepEqual(lines, [
            `create ${subscription} ${TOPIC}-one@example.com`,
            `create ${subscription} ${TOPIC}-two@example.com`,
            `delete ${subscription} ${TOPIC}-placeholder@example.com`,
        ]);
        const topic = only(production, "aws:sns/topic:Topic", TOPIC);
        assert.deepEqual([topic.inputs["name"], topic.inputs["kmsMasterKeyId"]], [TOPIC, TOPIC_KEY]);
    });

    it("notifies nobody if the values say so, and then has no AWS rights", async () => {
        const alone = await recordStack("production", "mcp:checklist.unannounced=one team, one room");
        assert.deepEqual(planOf(alone, "chat-ui-evidence").announcement, {
            unannounced: "one team, one room",
        });
        const left = alone.resources.filter(
            ({ type, name }) =>
                name.includes(TOPIC) ||
                /-(notice|watch)-/.test(name) ||
                (name === NAME && (type.startsWith("aws:") || type.includes("PodIdentity"))),
        );
        assert.deepEqual(left, []);
        const { spec } = inputsOf(alone, "kubernetes:networking.k8s.io/v1:NetworkPolicy", NAME);
        assert.equal(spec.egress.length, 1);
        const { rules } = inputsOf(alone, "kubernetes:rbac.authorization.k8s.io/v1:Role", NAME);
        assert.deepEqual(
            rules.map(({ resources }: any) => resources[0]),
            ["configmaps", "configmaps"],
        );
    });

    it("requires the same of a staged release, without a notice", async () => {
        const staged = await recordStack("production", `${AT}.stage=green`);
        assert.equal(planOf(staged, "mcp-server-green-evidence").announcement, undefined);
        assert.deepEqual(
            staged.resources.filter(({ name }) => /^mcp-server-green-(notice|watch)/.test(name)),
            [],
        );
    });

    it("runs no gate again for what is no release", async () => {
        for (const edit of ["scaling.min=6", "restart=INC-2041", "soak.duration=20m", "standby=warm"]) {
            const lines = linesOf(await changesOf("production", `${AT}.${edit}`));
            assert.ok(lines.length > 0, edit);
            assert.deepEqual(
                lines.filter((line) => /-(evidence|watch|notice)-/.test(line)),
                [],
                edit,
            );
        }
    });

    it("asks no image again for another configuration, which is tested like another release", async () => {
        const gatesOf = async (...edits: string[]) =>
            linesOf(await changesOf("production", ...edits)).flatMap(
                (line) => /^(create \S+:Job .*)-[0-9a-f]{8}$/.exec(line)?.[1] ?? [],
            );
        assert.deepEqual(await gatesOf(`${AT}.config.LOG_LEVEL=debug`), [
            `create ${JOB} mcp-server-blue-capacity`,
            `create ${JOB} mcp-server-blue-smoke`,
            `create ${JOB} mcp-server-blue-soak`,
        ]);
        assert.deepEqual(await gatesOf("mcp:workloads.chat-ui.config.LOG_LEVEL=debug"), [
            `create ${JOB} chat-ui-smoke`,
        ]);
        // The way back, with and without it, asks of one and the same image.
        const evidence = async (...edits: string[]) =>
            jobOf(await recordStack("production", ...edits), "mcp-server-green-evidence").hash;
        const back = `${AT}.live=green`;
        assert.equal(await evidence(back, `${AT}.config.LOG_LEVEL=debug`), await evidence(back));
        assert.notEqual(await evidence(back, `${AT}.releases.green.version=v2.2.0`), await evidence(back));
        const pin = 'mcp:images.pins["000000000000.dkr.ecr.ap-south-1.amazonaws.com/msil-mcp-server:v2.1.0"]';
        assert.notEqual(await evidence(back, `${pin}=sha256:${"a".repeat(64)}`), await evidence(back));
    });

    it("is production's alone", async () => {
        const { resources } = await recordStack("staging");
        // The roles of EventBridge's notices are every stack's.
        const found = resources.filter(
            ({ name, type }) =>
                /-evidence|-(notice|watch)\b|Checklist/.test(name + type) && !type.startsWith("aws:iam/role"),
        );
        assert.deepEqual(found, []);
    });
});
