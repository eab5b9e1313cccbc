import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { type SmokePlan } from "../../jobs/smoke";
import { declareGate, declareGateAccess } from "./gate";
import {
    declareAccount,
    declareAutoscaler,
    declareBudget,
    declareConfiguration,
    declareDeployment,
    declareDump,
    declareNetworkPolicy,
    declareSecrets,
    declareSecretValues,
    declareService,
    type Release,
    releaseHash,
    WORKLOAD_TYPE,
    type WorkloadArgs,
} from "./parts";

/** Arguments of {@link RollingWorkload}. */
export interface RollingWorkloadArgs extends WorkloadArgs {
    /** What runs. */
    release: Release;
}

/**
 * A service whose pods are replaced step by step when its version changes (section 3.2): the rollout is awaited
 * for 300 seconds and then the smoke gate asks the Service. Setting the version back is the rollback. Where there is a
 * checklist, a new release has to bring what that asks for before its first pod starts (section 3.1).
 */
export class RollingWorkload extends ComponentResource {
    /** Address of the Service inside the cluster. */
    public readonly url: string;
    /** Image that runs, once it has passed every gate. */
    public readonly completed: Output<string>;

    constructor(name: string, args: RollingWorkloadArgs, opts?: ComponentResourceOptions) {
        super(WORKLOAD_TYPE, name, {}, opts);
        const { release, smoke, checklist } = args;
        const occasion = { app: name, release };
        const selector = { app: name };
        this.url = `http://${name}:${args.port}`;

        const account = declareAccount(name, args, this);
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
                    ...(checklist === undefined ? [] : [checklist.declareEvidence(name, occasion, this)]),
                ],
            },
            this,
        );
        const service = declareService(
            name,
            args,
            {
                app: name,
                selector,
                await: true,
                dependsOn: [deployment],
            },
            this,
        );
        const autoscaler = declareAutoscaler(name, name, args, deployment, this);
        declareBudget(name, name, args, selector, this);

        const access = declareGateAccess(
            `${name}-gate`,
            {
                namespace: args.namespace,
                labels: args.labels,
                subject: name,
                egress: [
                    {
                        to: [{ podSelector: { matchLabels: selector } }],
                        ports: [{ protocol: "TCP", port: args.port }],
                    },
                ],
            },
            this,
        );
        const checksums = Object.values(args.connections ?? {}).map(({ checksum }) => checksum);
        const gate = declareGate(
            `${name}-smoke`,
            {
                access,
                program: "smoke",
                plan: {
                    subject: `${name} ${release.version}`,
                    target: this.url,
                    deadlineSeconds: smoke.deadline,
                    requests: smoke.requests,
                } satisfies SmokePlan,
                hash: releaseHash(release),
                nodeImage: args.nodeImage,
                after: [deployment, service, autoscaler],
                secrets: [...secrets.map((secret) => secret.name), ...checksums],
                tests: smoke.image === undefined ? undefined : { image: smoke.image, target: this.url },
            },
            this,
        );
        checklist?.declareNotice(name, occasion, gate, this);

        this.completed = gate.id.apply(() => release.image);
        this.registerOutputs({ url: this.url });
    }
}
