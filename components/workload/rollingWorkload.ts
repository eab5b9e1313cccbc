import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { type ReleaseSmokePlan } from "../../jobs/release/plan";
import { declareGateAccess, egressToNetwork, egressToPods } from "../tasks/access";
import { declareGate } from "../tasks/gate";
import { declareAutoscaler } from "./autoscaler";
import { declareConfiguration } from "./configuration";
import { declareDeployment, declareDump } from "./deployment";
import { declareDisruptionBudget } from "./disruptionBudget";
import { declareNetworkPolicy } from "./networkPolicy";
import { recordedRelease, type Release, releaseHash } from "./release";
import { declareSecrets, declareSecretValues } from "./secrets";
import { declareService } from "./service";
import { declareServiceAccount } from "./serviceAccount";
import { WORKLOAD_TYPE, type WorkloadArgs } from "./workload";

/** Arguments of {@link RollingWorkload}. */
export interface RollingWorkloadArgs extends WorkloadArgs {
    /** The release. */
    release: Release;
}

/**
 * A service whose pods are replaced step by step when its version changes (section 3.2). The update waits for the
 * rollout for 300 seconds, then the smoke gate tests the Service and records the release in the release history. Setting
 * the version back is the rollback.
 */
export class RollingWorkload extends ComponentResource {
    /** URL of the Service inside the cluster. */
    public readonly url: string;
    /** The image, once it has passed the gate. */
    public readonly completed: Output<string>;

    constructor(name: string, args: RollingWorkloadArgs, opts?: ComponentResourceOptions) {
        super(WORKLOAD_TYPE, name, {}, opts);
        const { release, smoke, approval } = args;
        const context = { app: name, release };
        const selector = { app: name };
        this.url = `http://${name}:${args.port}`;

        const account = declareServiceAccount(name, args, this);
        const network = declareNetworkPolicy(name, args, this);
        const secrets = declareSecrets(name, name, args, declareSecretValues(name, args, this), this);
        const deployment = declareDeployment(
            name,
            args,
            {
                app: name,
                release,
                selector,
                versionLabel: release.version,
                configMap: declareConfiguration(name, name, args, release.config, this).metadata.name,
                secrets,
                serviceAccount: account.metadata.name,
                dependsOn: [
                    network,
                    ...(args.after ?? []),
                    ...declareDump(name, name, args, release, this),
                    ...(approval === undefined ? [] : [approval.declareApproval(name, context, this)]),
                ],
            },
            this,
        );
        const service = declareService(
            name,
            args,
            { app: name, selector, await: true, dependsOn: [deployment] },
            this,
        );
        const autoscaler = declareAutoscaler(name, name, args, deployment, this);
        declareDisruptionBudget(name, name, args, selector, this);

        const access = declareGateAccess(
            `${name}-gate`,
            {
                namespace: args.namespace,
                labels: args.labels ?? {},
                subject: name,
                egress: [egressToPods({ app: name, port: args.port }), egressToNetwork(args.apiServer)],
                rules: [
                    {
                        apiGroups: [""],
                        resources: ["configmaps"],
                        resourceNames: [args.releaseHistory],
                        verbs: ["get", "patch"],
                    },
                ],
            },
            this,
        );
        const { deadline: deadlineSeconds, requests } = smoke;
        const subject = `${name} ${release.version}`;
        const plan: ReleaseSmokePlan = {
            gate: "smoke",
            subject,
            deadlineSeconds,
            namespace: args.namespaceName,
            app: name,
            release: recordedRelease(release),
            ledger: args.releaseHistory,
            smoke: { subject, target: this.url, deadlineSeconds, requests },
        };
        const checksums = Object.values(args.connections ?? {}).map(({ checksum }) => checksum);
        const gate = declareGate(
            `${name}-smoke`,
            {
                access,
                program: "release",
                plan: { ...plan },
                hash: releaseHash(release),
                nodeImage: args.nodeImage,
                after: [deployment, service, autoscaler],
                secrets: [...secrets.map((secret) => secret.name), ...checksums],
                tests: smoke.image === undefined ? undefined : { image: smoke.image, target: this.url },
            },
            this,
        );
        approval?.declareNotice(name, context, gate, this);

        this.completed = gate.id.apply(() => release.image);
        this.registerOutputs({ url: this.url });
    }
}
