import { Vault } from "@pulumi/aws/backup/vault";
import { VaultLockConfiguration } from "@pulumi/aws/backup/vaultLockConfiguration";
import { VaultPolicy } from "@pulumi/aws/backup/vaultPolicy";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { declareKey } from "../encryption";

/** Arguments of {@link SnapshotCopies}. */
export interface SnapshotCopiesArgs {
    /** Account of the copies. */
    accountId: string;
    /** Account of the copied snapshots. */
    sourceAccountId: string;
    /** Retention of a daily copy, in days. */
    retentionDays: number;
    /** Refuses to delete the vaults and their key, and locks the daily vault. */
    protect: boolean;
}

/** Vaults in a second region for copies of PostgreSQL's snapshots, and their key. Section 7.1. */
export class SnapshotCopies extends ComponentResource {
    /** ARNs of the vaults, resolved after the vaults exist. */
    public readonly vaults: Readonly<Record<"hourly" | "daily", Vault["arn"]>>;

    constructor(name: string, args: SnapshotCopiesArgs, opts?: ComponentResourceOptions) {
        super("mcp:backup:SnapshotCopies", name, {}, opts);
        const { accountId, sourceAccountId, protect } = args;
        const key = declareKey(
            name,
            { description: "Copies of the database's snapshots", accountId, protect },
            this,
        );
        const declareVault = (kind: "hourly" | "daily") => {
            const own = `${name}-${kind}`;
            const vault = new Vault(
                own,
                { name: own, kmsKeyArn: key.arn, forceDestroy: !protect },
                { parent: this, protect },
            );
            if (accountId !== sourceAccountId) {
                new VaultPolicy(
                    own,
                    {
                        backupVaultName: vault.name,
                        policy: JSON.stringify({
                            Version: "2012-10-17",
                            Statement: [
                                {
                                    Sid: "Copies",
                                    Effect: "Allow",
                                    Principal: { AWS: `arn:aws:iam::${sourceAccountId}:root` },
                                    Action: "backup:CopyIntoBackupVault",
                                    Resource: "*",
                                },
                            ],
                        }),
                    },
                    { parent: this },
                );
            }
            return vault;
        };
        const [hourly, daily] = [declareVault("hourly"), declareVault("daily")];
        this.vaults = { hourly: hourly.arn, daily: daily.arn };
        if (protect) {
            new VaultLockConfiguration(
                `${name}-daily`,
                { backupVaultName: daily.name, minRetentionDays: args.retentionDays },
                { parent: this, protect, deleteBeforeReplace: true },
            );
        }
        this.registerOutputs();
    }
}
