import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { displayed } from "../../offline/property";
import { type Recording } from "../../offline/record";
import { OPTIONAL } from "../../cli/documentedAlarms";
import { only, recordStack, root } from "../support";

const BUCKET = "aws:s3/bucket:Bucket";
const LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration";
const REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const VAULT = "aws:backup/vault:Vault";
const VAULT_LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration";
const ACCOUNT = [
    "mcp:copies.account.id=222222222222",
    "mcp:copies.account.role=arn:aws:iam::222222222222:role/mcp-copies",
];

/* eslint-disable @typescript-eslint/no-explicit-any -- inputs are looked into as they are */
const inputsOf = (recording: Recording, type: string, name: string): any =>
    displayed(only(recording, type, name).inputs as never);

describe("copies elsewhere", () => {
    let copied: Recording;
    before(async () => {
        copied = await recordStack("production", "mcp:backups.lock=GOVERNANCE", ...OPTIONAL);
    });

    it("are declared by a provider of the second region, and nothing else is", () => {
        const { region, allowedAccountIds } = inputsOf(copied, "pulumi:providers:aws", "aws-copies");
        assert.equal(region, "ap-southeast-1");
        assert.deepEqual(JSON.parse(allowedAccountIds), ["000000000000"]);
        const there = copied.resources.filter(({ provider }) => provider?.includes("aws-copies"));
        assert.ok(there.length > 20);
        for (const { name } of there) {
            assert.match(name, /^mcp-production-(snapshots-copies|(backups|audit)-copy-replica)/);
        }
        assert.ok(there.every(({ type, options }) => !/(bucket|vault|key):/.test(type) || options.protect));
    });

    it("of snapshots are taken by each plan, and kept as long as their sources", () => {
        for (const [kind, days] of [
            ["hourly", 1],
            ["daily", 30],
        ] as const) {
            const plan = only(copied, "aws:backup/plan:Plan", `mcp-production-snapshots-${kind}`);
            const vault = only(copied, VAULT, `mcp-production-snapshots-copies-${kind}`);
            assert.ok(plan.propertyDependencies["rules"]!.includes(vault.urn));
            for (const { copyActions } of (displayed(plan.inputs as never) as any).rules) {
                assert.deepEqual(
                    copyActions.map(({ lifecycle }: any) => lifecycle),
                    [{ deleteAfter: days }],
                );
            }
        }
        const lock = inputsOf(copied, VAULT_LOCK, "mcp-production-snapshots-copies-daily");
        assert.equal(lock.minRetentionDays, 30);
    });

    it("of buckets hold each object with its lock, and no deletion", () => {
        for (const [kind, source, copy, lock] of [
            ["backups", "msil-mcp-backups", "msil-mcp-backups-copy", { mode: "GOVERNANCE", days: 30 }],
            ["audit", "msil-mcp-audit", "msil-mcp-audit-copy", { mode: "COMPLIANCE", years: 7 }],
        ] as const) {
            const name = `mcp-production-${kind}-copy`;
            const { bucket, rules } = inputsOf(copied, REPLICATION, name);
            assert.equal(bucket, source);
            const [{ destination, ...rule }, ...others] = rules;
            assert.deepEqual(others, []);
            assert.deepEqual(
                [rule.status, rule.filter.prefix, rule.deleteMarkerReplication.status],
                ["Enabled", "", "Disabled"],
            );
            assert.equal(rule.sourceSelectionCriteria.sseKmsEncryptedObjects.status, "Enabled");
            assert.equal(destination.bucket, `arn:aws:s3:::${copy}`);
            assert.equal(inputsOf(copied, BUCKET, `${name}-replica`).objectLockEnabled, true);
            assert.deepEqual(inputsOf(copied, LOCK, `${name}-replica`).rule.defaultRetention, lock);
            const [versioning] = ["aws:s3/bucketVersioning:BucketVersioning"].map((type) =>
                only(copied, type, `${name}-replica`),
            );
            assert.ok(only(copied, REPLICATION, name).dependencies.includes(versioning!.urn));
        }
    });

    it("of the archive die with no key", () => {
        const { policy } = inputsOf(copied, "aws:kms/key:Key", "mcp-production-audit-copy-replica");
        assert.ok(
            JSON.parse(policy).Statement.some(
                ({ Sid, Effect }: any) => Sid === "KeepKey" && Effect === "Deny",
            ),
        );
    });

    it("in a second account are declared in a role of it, and admit the role that copies alone", async () => {
        const recording = await recordStack("production", ...OPTIONAL, ...ACCOUNT);
        const provider = inputsOf(recording, "pulumi:providers:aws", "aws-copies");
        assert.deepEqual(JSON.parse(provider.allowedAccountIds), ["222222222222"]);
        assert.ok(provider.assumeRoles.includes("arn:aws:iam::222222222222:role/mcp-copies"));
        const key = inputsOf(recording, "aws:kms/key:Key", "mcp-production-database");
        const shared = JSON.parse(key.policy).Statement.filter(({ Sid }: any) => Sid.startsWith("Copies"));
        assert.deepEqual(
            shared.map(({ Principal }: any) => Principal.AWS),
            Array(2).fill("arn:aws:iam::222222222222:root"),
        );
        for (const kind of ["hourly", "daily"]) {
            const { policy } = inputsOf(
                recording,
                "aws:backup/vaultPolicy:VaultPolicy",
                `mcp-production-snapshots-copies-${kind}`,
            );
            const [{ Principal, Action }] = JSON.parse(policy).Statement;
            assert.deepEqual(
                [Principal.AWS, Action],
                ["arn:aws:iam::000000000000:root", "backup:CopyIntoBackupVault"],
            );
        }
    });

    it("are switched on and off at a bucket that exists, which is never replaced", async () => {
        const { options } = only(copied, BUCKET, "mcp-production-backups");
        assert.deepEqual(options.ignoreChanges, ["objectLockEnabled"]);
        const lock = inputsOf(copied, LOCK, "mcp-production-backups");
        assert.deepEqual(lock.rule.defaultRetention, { mode: "GOVERNANCE", days: 30 });
        const plain = await recordStack("production");
        assert.equal(
            plain.resources.some(({ name }) => /cop(y|ies)/.test(name)),
            false,
        );
    });

    it("and the other sources of docs/recovery.md are declared under the names and types given there", () => {
        const text = readFileSync(join(root, "docs", "recovery.md"), "utf8");
        const [, table] = /<!-- objectives -->([^]*?)<!-- end of objectives -->/.exec(text)!;
        const named = [...table!.matchAll(/`([^`]+)` \((\w+)\)/g)].map(([, name, type]) => `${type} ${name}`);
        assert.ok(named.length >= 10);
        const declared = new Set(
            copied.resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`),
        );
        assert.deepEqual(
            named.filter((each) => !declared.has(each)),
            [],
        );
    });
});
