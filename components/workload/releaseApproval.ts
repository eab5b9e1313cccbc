import { type Job } from "@pulumi/kubernetes/batch/v1";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { type Announcement, type ApprovalPlan, type Validation } from "../../jobs/evidence";
import { type NoticePlan } from "../../jobs/notice";
import { type WatchPlan } from "../../jobs/watch";
import { type Colour, COLOURS, ROLLOUT_TIMEOUT_SECONDS } from "../../core/numbers";
import { declareKey } from "../encryption";
import { type PodIdentityArgs } from "../identity/podIdentity";
import { channelOf } from "../incident/channel";
import { declareTopic } from "../incident/topic";
import { declareTaskAccess, egressToNetwork, HTTPS_EGRESS, type JobAccess } from "../tasks/access";
import { declareGate } from "../tasks/gate";
import { approvalHash, type Release } from "./release";

/** Limit of a gate, in seconds: it reads a few objects, notifies the stakeholders, and writes one object. */
const DEADLINE_SECONDS = 120;

/**
 * Limit of the watch, in seconds: more than the longest soak, and what precedes it, so that the length of the soak is not
 * part of the watch and does not start it again.
 */
const WATCH_SECONDS = 14 * 60 * 60;

/** Contacts of the notices of a release. */
export interface Stakeholders {
    /** Name of their topic, and of its key. */
    topic: string;
    /** E-mail addresses; each must confirm its subscription once. */
    addresses: readonly string[];
    accountId: string;
    region: string;
    /** EKS cluster, for Pod Identity. */
    cluster: string;
}

/** Arguments of {@link ReleaseApproval}. */
export interface ReleaseApprovalArgs {
    namespace: Input<string>;
    /** Name of the namespace, for the gates. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Name of the environment in the notices. */
    environment: string;
    /** Name of the ConfigMap with the releases that were approved and those that passed their gates. */
    releaseHistory: string;
    /** Address range of the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    /** Strategy of each workload that is released. */
    workloads: Readonly<Record<string, "rolling" | "blueGreen">>;
    /** The stack that must have completed the image, or the reason for having none. */
    validation: Validation;
    /** Who is notified of a release, or the reason for no notification. */
    stakeholders: Stakeholders | { unannounced: string };
    /** URL of the dashboard with a release's metrics. Default: none. */
    dashboard?: string | undefined;
    /** Image reference of Node, on which the gates run. */
    nodeImage: string;
    /** What must exist before a gate runs. */
    after: readonly Resource[];
}

/** A release of an app, and its colour if the app has two. */
export interface ReleaseContext {
    app: string;
    release: Release;
    colour?: Colour | undefined;
}

/**
 * The pre-deployment checklist (section 3.1): the approval that a release needs before its first pod starts, and the
 * notices that it begins, has failed and is completed. An approval is for a version and its image. The release history
 * keeps it, so that scaling, a restart, another configuration and a rollback need no new approval and send no notice.
 */
export class ReleaseApproval extends ComponentResource {
    private readonly access: JobAccess;
    private readonly announcement: Announcement;

    constructor(
        name: string,
        private readonly args: ReleaseApprovalArgs,
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
     * Declares the gate that a release's pods wait for and, beside the update, the watch that notifies of its failure. A
     * staged release needs the same approval, but sends no notice.
     */
    declareApproval(
        name: string,
        context: ReleaseContext & { staged?: boolean },
        parent: ComponentResource,
    ): Job {
        const { validation, dashboard } = this.args;
        const { release, staged = false } = context;
        const plan: ApprovalPlan = {
            ...this.planOf(context),
            change: release.change,
            validation,
            announcement: staged ? undefined : this.announcement,
            dashboard,
        };
        const approval = this.gate(name, "evidence", plan, this.args.after, parent);
        if (!staged && !("unannounced" in this.announcement)) {
            const watch: WatchPlan = {
                ...this.planOf(context),
                ...this.announcement,
                deadlineSeconds: WATCH_SECONDS,
                rolloutSeconds: ROLLOUT_TIMEOUT_SECONDS,
            };
            this.gate(name, "watch", watch, [approval], parent);
        }
        return approval;
    }

    /** Declares the notice that a release is completed, after the `last` gate passed. */
    declareNotice(name: string, context: ReleaseContext, last: Resource, parent: ComponentResource): void {
        if ("unannounced" in this.announcement) {
            return;
        }
        const plan: NoticePlan = {
            ...this.planOf(context),
            ...this.announcement,
        };
        this.gate(name, "notice", plan, [last], parent);
    }

    private planOf({ app, release, colour }: ReleaseContext) {
        const { version, image } = release;
        return {
            subject: `${app} ${version}${colour === undefined ? "" : ` (${colour})`}`,
            deadlineSeconds: DEADLINE_SECONDS,
            namespace: this.args.namespaceName,
            app,
            colour,
            release: { hash: approvalHash(release), version, image },
            ledger: this.args.releaseHistory,
        };
    }

    private gate(
        name: string,
        program: "evidence" | "watch" | "notice",
        plan: ApprovalPlan | WatchPlan | NoticePlan,
        after: readonly Resource[],
        parent: ComponentResource,
    ): Job {
        const { hash } = plan.release;
        const { nodeImage } = this.args;
        return declareGate(
            `${name}-${program}`,
            {
                ...{ access: this.access, program, plan: { ...plan }, hash, nodeImage },
                after: [this, ...after],
                awaited: program !== "watch",
            },
            parent,
        );
    }
}

/** Declares the stakeholders' topic, and returns the right to publish to it only. */
function declareStakeholders(
    { topic: name, addresses, accountId, region }: Stakeholders,
    parent: ComponentResource,
): PodIdentityArgs["permissions"] {
    const key = declareKey(
        name,
        { description: "Delivery of release notices", accountId, protect: false },
        parent,
    );
    const { arn } = declareTopic(
        name,
        {
            displayName: "MCP releases",
            keyArn: key.arn,
            accountId,
            region,
            channels: addresses.map((address) => channelOf(address)),
        },
        parent,
    );
    return [
        { actions: ["sns:Publish"], resources: [arn] },
        { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [key.arn] },
    ];
}

/** Rights to the release history, the other stack's images and, for the notices, the active version, Jobs and pods. */
function rulesOf({ releaseHistory, validation, stakeholders, workloads }: ReleaseApprovalArgs) {
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
        ...rule("", "configmaps", [releaseHistory], "get", "patch"),
        ...rule("", "configmaps", "stack" in validation ? [validation.configMap] : [], "get"),
        ...("topic" in stakeholders
            ? [
                  ...rule("", "services", withColours, "get"),
                  ...rule("apps", "deployments", deployments, "get"),
                  { apiGroups: ["batch"], resources: ["jobs"], verbs: ["list"] },
                  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
              ]
            : []),
    ];
}
