import { type Job } from "@pulumi/kubernetes/batch/v1";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { type Announcement, type ApprovalPlan, type Validation } from "../../jobs/evidence";
import { type NoticePlan } from "../../jobs/notice";
import { type Colour, COLOURS } from "../../core/numbers";
import { declareKey } from "../encryption";
import { type PodIdentityArgs } from "../identity/podIdentity";
import { declareTopic } from "../incident/topic";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS } from "../tasks/access";
import { declareGate, type GateAccess } from "./gate";
import { approvalHash, type Release } from "./parts";

/** Limit of a gate, in seconds: it reads a few objects, tells the stakeholders, and writes one object. */
const CHECKLIST_SECONDS = 120;

/** Those who are told when a release begins and when it is done. */
export interface Stakeholders {
    /** Name of their topic, and of its key. */
    topic: string;
    /** Each must confirm its subscription once. */
    addresses: readonly string[];
    accountId: string;
    region: string;
    /** EKS cluster, whose pods have identities. */
    cluster: string;
}

/** Arguments of {@link ReleaseApproval}. */
export interface ChecklistArgs {
    namespace: Input<string>;
    /** Name of the namespace, for the gates. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** The environment, as the stakeholders know it. */
    environment: string;
    /** Name of the ConfigMap that remembers the releases. */
    ledger: string;
    /** Where the gates reach the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    /** The apps that are released, and how. */
    workloads: Readonly<Record<string, "rolling" | "blueGreen">>;
    /** The stack that must have completed an image before, or why none must. */
    validation: Validation;
    /** Who is told of a release, or why nobody is. */
    stakeholders: Stakeholders | { unannounced: string };
    /** Where a release's metrics are watched. Default: nowhere. */
    dashboard?: string | undefined;
    /** Node image the gates run on. */
    nodeImage: string;
    /** What must exist before a gate asks. */
    after: readonly Resource[];
}

/** A release of an app, and the colour it is on, where the app has two. */
export interface ReleaseContext {
    app: string;
    release: Release;
    colour?: Colour | undefined;
}

/**
 * The pre-deployment checklist (section 3.1): what a release must bring before its first pod starts, and who is told
 * that it begins and that it is done. What is judged is a version and its image: one that the ledger knows brings nothing
 * and is told to nobody, so that neither scaling nor a restart nor another configuration nor the way back ever waits for
 * an approval.
 */
export class ReleaseApproval extends ComponentResource {
    private readonly access: GateAccess;
    private readonly announcement: Announcement;

    constructor(
        name: string,
        private readonly args: ChecklistArgs,
        opts?: ComponentResourceOptions,
    ) {
        super("mcp:workload:Checklist", name, {}, opts);
        const { stakeholders, apiServer } = args;
        const announced = "topic" in stakeholders;
        const access = {
            namespace: args.namespace,
            labels: args.labels,
            egress: [egressToNetwork(apiServer)],
        };
        if (announced) {
            const { topic, accountId, region, cluster } = stakeholders;
            const permissions = declareStakeholders(stakeholders, this);
            this.access = declareTaskAccess(
                name,
                {
                    ...access,
                    egress: [...access.egress, HTTPS_EGRESS],
                    rules: rulesOf(args),
                    aws: { cluster, permissions },
                },
                this,
            );
            const arn = `arn:aws:sns:${region}:${accountId}:${topic}`;
            this.announcement = { topic: arn, environment: args.environment };
        } else {
            this.access = declareTaskAccess(name, { ...access, rules: rulesOf(args) }, this);
            this.announcement = stakeholders;
        }
        this.registerOutputs();
    }

    /**
     * Declares what a release's pods must wait for. One that is only tried, without traffic, brings the same, but nobody
     * is told of it yet.
     */
    declareEvidence(
        name: string,
        occasion: ReleaseContext & { staged?: boolean },
        parent: ComponentResource,
    ): Job {
        const { validation, dashboard } = this.args;
        const { release, staged = false } = occasion;
        const plan: ApprovalPlan = {
            ...this.planOf(occasion),
            change: release.change,
            validation,
            announcement: staged ? undefined : this.announcement,
            dashboard,
        };
        return this.gate(name, "evidence", plan, this.args.after, parent);
    }

    /** Declares what tells the stakeholders that a release is done, once it has passed `last`. */
    declareNotice(name: string, occasion: ReleaseContext, last: Resource, parent: ComponentResource): void {
        if ("unannounced" in this.announcement) {
            return;
        }
        const plan: NoticePlan = {
            ...this.planOf(occasion),
            ...this.announcement,
        };
        this.gate(name, "notice", plan, [last], parent);
    }

    private planOf({ app, release, colour }: ReleaseContext) {
        const { version, image } = release;
        return {
            subject: `${app} ${version}${colour === undefined ? "" : ` (${colour})`}`,
            deadlineSeconds: CHECKLIST_SECONDS,
            namespace: this.args.namespaceName,
            app,
            colour,
            release: { hash: approvalHash(release), version, image },
            ledger: this.args.ledger,
        };
    }

    private gate(
        name: string,
        program: "evidence" | "notice",
        plan: ApprovalPlan | NoticePlan,
        after: readonly Resource[],
        parent: ComponentResource,
    ): Job {
        const { hash } = plan.release;
        const { nodeImage } = this.args;
        return declareGate(
            `${name}-${program}`,
            { access: this.access, program, plan: { ...plan }, hash, nodeImage, after: [this, ...after] },
            parent,
        );
    }
}

/** Their topic; returns the right to publish to it, and to nothing else. */
function declareStakeholders(
    { topic: name, addresses, accountId, region }: Stakeholders,
    parent: ComponentResource,
): PodIdentityArgs["permissions"] {
    const key = declareKey(
        name,
        { description: "Notices of releases on their way to people", accountId, protect: false },
        parent,
    );
    const { arn } = declareTopic(
        name,
        { displayName: "MCP releases", keyArn: key.arn, accountId, region, contacts: addresses },
        parent,
    );
    return [
        { actions: ["sns:Publish"], resources: [arn] },
        { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [key.arn] },
    ];
}

/** The ledger, what the other stack has completed and, for the notices, which version has the traffic. */
function rulesOf({ ledger, validation, stakeholders, workloads }: ChecklistArgs) {
    const rule = (apiGroup: string, resource: string, resourceNames: string[], ...verbs: string[]) =>
        resourceNames.length === 0
            ? []
            : [{ apiGroups: [apiGroup], resources: [resource], resourceNames, verbs }];
    const apps = Object.entries(workloads);
    const withColours = apps.filter(([, strategy]) => strategy === "blueGreen").map(([app]) => app);
    const deployments = apps.flatMap(([app, strategy]) =>
        strategy === "rolling" ? [app] : COLOURS.map((colour) => `${app}-${colour}`),
    );
    return [
        ...rule("", "configmaps", [ledger], "get", "patch"),
        ...rule("", "configmaps", "stack" in validation ? [validation.configMap] : [], "get"),
        ...("topic" in stakeholders
            ? [
                  ...rule("", "services", withColours, "get"),
                  ...rule("apps", "deployments", deployments, "get"),
              ]
            : []),
    ];
}
