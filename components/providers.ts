import { Provider as AwsProvider } from "@pulumi/aws/provider";
import { type Region } from "@pulumi/aws/types/enums";
import { Cluster } from "@pulumi/aws/eks/cluster";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import { getProject, getStack, jsonStringify } from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import { type Tier, TIER_TAG } from "../core/labels";
import { eksKubeconfig } from "../core/kubeconfig";
import { required } from "../core/required";

/** The explicit providers of the stack; the default ones are disabled, so nothing lands elsewhere by accident. */
export interface Providers {
    /** @throws Error in a stack without AWS, which declares nothing there. */
    readonly aws: AwsProvider;
    kubernetes: KubernetesProvider;
    random: RandomProvider;
    /** Where copies are, in a second region and maybe account. */
    copies: AwsProvider | undefined;
    /** The EKS cluster, where the stack runs on one. */
    cluster: Cluster | undefined;
}

/** Arguments of {@link configureProviders}. */
export interface ProvidersArgs {
    environment: string;
    /** Whether production's rules hold; else each AWS resource is tagged as one of a trial. */
    production: boolean;
    /** Account and region. Default: none; nothing is on AWS. */
    aws?:
        | {
              region: string;
              /** The only account that the AWS provider may touch. */
              accountId: string;
              /** Tags on every AWS resource, beside project, stack, environment and managed-by. */
              tags: Readonly<Record<string, string>>;
          }
        | undefined;
    /** A second region, and the role to take on in a second account. Default: none. */
    copies?: { region: string; account?: { id: string; role: string } | undefined } | undefined;
    /** The cluster: an EKS cluster by its name, or any other by the context of a kubeconfig. */
    kubernetes: {
        cluster?: string | undefined;
        context?: string | undefined;
        kubeconfig?: string | undefined;
    };
}

/** Declares one provider each for the account, the cluster and generated values. */
export function configureProviders({
    aws: account,
    kubernetes: access,
    copies: elsewhere,
    environment,
    production,
}: ProvidersArgs): Providers {
    const defaultTags = {
        tags: {
            ...account?.tags,
            project: getProject(),
            stack: getStack(),
            environment,
            ...(production ? {} : { [TIER_TAG]: "trial" satisfies Tier }),
            "managed-by": "pulumi",
        },
    };
    const aws =
        account &&
        new AwsProvider("aws", {
            region: account.region as Region,
            allowedAccountIds: [account.accountId],
            defaultTags,
        });
    const copies =
        account &&
        elsewhere &&
        new AwsProvider("aws-copies", {
            region: elsewhere.region as Region,
            allowedAccountIds: [elsewhere.account?.id ?? account.accountId],
            ...(elsewhere.account && { assumeRoles: [{ roleArn: elsewhere.account.role }] }),
            defaultTags,
        });
    const cluster =
        access.cluster === undefined || aws === undefined
            ? undefined
            : Cluster.get(access.cluster, access.cluster, undefined, { provider: aws });
    const kubernetes = new KubernetesProvider("kubernetes", {
        ...(cluster === undefined
            ? { context: access.context, kubeconfig: access.kubeconfig }
            : { kubeconfig: jsonStringify(eksKubeconfig(access.cluster!, account!.region, cluster)) }),
        // A field that somebody changed by hand is taken back by the next update instead of stopping it.
        enablePatchForce: true,
        // Secrets that mean to be replaced say so by `immutable`; a certificate under its fixed name is written over.
        enableSecretMutable: true,
    });
    return {
        get aws() {
            return required(aws, "mcp:aws");
        },
        kubernetes,
        random: new RandomProvider("random"),
        copies,
        cluster,
    };
}
