import { type ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { type NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { type ComponentResource, type Resource } from "@pulumi/pulumi";
import { type Colour } from "../../core/numbers";
import { declareAutoscaler } from "./autoscaler";
import { declareConfiguration } from "./configuration";
import { declareDeployment, declareDump } from "./deployment";
import { declareDisruptionBudget } from "./disruptionBudget";
import { declareNetworkPolicy } from "./networkPolicy";
import { type Release } from "./release";
import { declareSecrets, declareSecretValues, type SecretValues } from "./secrets";
import { declareServiceAccount } from "./serviceAccount";
import { type BlueGreenWorkloadArgs } from "./workload";

/** The pods of both colours of a workload, and what the colours share. */
export class Colours {
    private readonly account: ServiceAccount;
    private readonly network: NetworkPolicy;
    private readonly secretValues: SecretValues;

    constructor(
        private readonly app: string,
        private readonly args: BlueGreenWorkloadArgs,
        private readonly parent: ComponentResource,
    ) {
        this.account = declareServiceAccount(app, args, parent);
        this.network = declareNetworkPolicy(app, args, parent);
        this.secretValues = declareSecretValues(app, args, parent);
    }

    /** Declares the pods of one colour, and returns the resources to wait for until they are ready and scaled. */
    declare(colour: Colour, release: Release, after: readonly Resource[]): readonly Resource[] {
        const { app, args, parent } = this;
        const name = `${app}-${colour}`;
        const selector = { app, version: colour };
        const idle = colour !== args.active && colour !== args.stage;
        const deployment = declareDeployment(
            name,
            args,
            {
                app,
                release,
                selector,
                versionLabel: colour,
                configMap: declareConfiguration(name, app, args, release.config, parent).metadata.name,
                secrets: declareSecrets(name, app, args, this.secretValues, parent),
                serviceAccount: this.account.metadata.name,
                scaledToZero: idle && args.standby !== "warm",
                dependsOn: [
                    this.network,
                    ...(args.after ?? []),
                    ...declareDump(name, app, args, release, parent),
                    ...after,
                ],
            },
            parent,
        );
        declareDisruptionBudget(name, app, args, selector, parent);
        return [deployment, declareAutoscaler(name, app, args, deployment, parent)];
    }
}
