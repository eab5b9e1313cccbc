import { Alias } from "@pulumi/aws/kms/alias";
import { Key } from "@pulumi/aws/kms/key";
import { type Resource } from "@pulumi/pulumi";

/** One statement of an AWS policy document. */
export interface PolicyStatement {
    Sid: string;
    Effect: "Allow" | "Deny";
    Principal: string | { AWS: string } | { Service: string | readonly string[] };
    Action: string | readonly string[];
    Resource: string;
    Condition?: Record<string, Record<string, string>>;
}

/** Arguments of {@link declareKey}. */
export interface KeyArgs {
    /** Description of what the key encrypts. */
    description: string;
    /** Account that administers the key and delegates its use by IAM policies. */
    accountId: string;
    /** Statements for other services. Default: none. */
    statements?: readonly PolicyStatement[];
    /** Refuses to delete the key, without which its data is lost. */
    protect: boolean;
}

/** Prefix of the log groups that CloudWatch may encrypt. CloudWatch requires this statement. */
export function logsUse(
    { region, accountId }: { region: string; accountId: string },
    logGroups: string,
): PolicyStatement {
    return {
        Sid: "Logs",
        Effect: "Allow",
        Principal: { Service: `logs.${region}.amazonaws.com` },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        Resource: "*",
        Condition: {
            ArnLike: {
                "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${region}:${accountId}:log-group:${logGroups}*`,
            },
        },
    };
}

/** Without its key the archive is lost: not even an administrator may delete it without first changing this policy. */
export const KEEP_KEY: PolicyStatement = {
    Sid: "KeepKey",
    Effect: "Deny",
    Principal: "*",
    Action: ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
    Resource: "*",
};

/** A customer key with yearly rotation and the longest waiting period before deletion, with the alias `name`. */
export function declareKey(name: string, args: KeyArgs, parent: Resource): Key {
    const { description, accountId, statements = [], protect } = args;
    const administration: PolicyStatement = {
        Sid: "Administration",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: "kms:*",
        Resource: "*",
    };
    const key = new Key(
        name,
        {
            description,
            enableKeyRotation: true,
            deletionWindowInDays: 30,
            policy: JSON.stringify({ Version: "2012-10-17", Statement: [administration, ...statements] }),
        },
        { parent, protect },
    );
    new Alias(name, { name: `alias/${name}`, targetKeyId: key.keyId }, { parent });
    return key;
}
