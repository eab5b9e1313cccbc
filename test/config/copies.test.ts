import assert from "node:assert/strict";
import { linesOf, type Values, valuesOf, withValue } from "./stackValues";

const COPIES = {
    region: "ap-southeast-1",
    backups: { bucket: "msil-mcp-backups-copy" },
    archive: { bucket: "msil-mcp-audit-copy" },
};
const ACCOUNT = "222222222222";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/mcp-copies`;

/** Production with these copies, and other values beside them. */
function withCopies(copies: object, others: Values = {}): Values {
    return { ...valuesOf("production"), copies: { ...COPIES, ...copies }, ...others };
}

describe("values of copies elsewhere", () => {
    const bad: [what: string, copies: object, line: string][] = [
        [
            "the region of the stack",
            { region: "ap-south-1" },
            'mcp:copies.region: found "ap-south-1", expected a region other than mcp:aws.region, ap-south-1',
        ],
        [
            "a copy of snapshots that ends before its source",
            { snapshots: { retention: "7d" } },
            'mcp:copies.snapshots.retention: found "7d", expected at least 30d, as mcp:database.snapshots.daily.retention',
        ],
        [
            "a copy of the archive that is locked for less",
            { archive: { ...COPIES.archive, retention: { years: 6 } } },
            'mcp:copies.archive.retention: found {"years":6}, expected at least {"years":7}, as mcp:archive.retention',
        ],
        [
            "the same in days",
            { archive: { ...COPIES.archive, retention: { days: 30 } } },
            'mcp:copies.archive.retention: found {"days":30}, expected at least {"years":7}, as mcp:archive.retention',
        ],
        [
            "a lock that is weaker than the archive's",
            { archive: { ...COPIES.archive, mode: "GOVERNANCE" } },
            'mcp:copies.archive.mode: found "GOVERNANCE", expected COMPLIANCE, as mcp:archive.mode',
        ],
        [
            "a bucket of the stack's own",
            { archive: { bucket: "msil-mcp-audit" } },
            'mcp:copies.archive.bucket: found "msil-mcp-audit", expected a bucket that no other value names',
        ],
        [
            "one bucket for both",
            { archive: { bucket: "msil-mcp-backups-copy" } },
            'mcp:copies.archive.bucket: found "msil-mcp-backups-copy", expected a bucket that no other value names',
        ],
        [
            "a role of another account than the copies'",
            { account: { id: "333333333333", role: ROLE } },
            `mcp:copies.account.role: found "${ROLE}", expected a role of the account 333333333333`,
        ],
    ];
    for (const [what, copies, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(withCopies(copies)), [line]));
    }

    it("refuse a lock that is weaker than that of the dumps", () => {
        const backups = { ...(valuesOf("production")["backups"] as object), lock: "COMPLIANCE" };
        const copies = { backups: { ...COPIES.backups, lock: "GOVERNANCE" } };
        assert.deepEqual(linesOf(withCopies(copies, { backups })), [
            'mcp:copies.backups.lock: found "GOVERNANCE", expected COMPLIANCE, as mcp:backups.lock',
        ]);
    });

    it("refuse the account of the stack, and what is not there to be copied", () => {
        const values = withCopies({});
        const account = (values["aws"] as { accountId: string }).accountId;
        const role = `arn:aws:iam::${account}:role/mcp-copies`;
        assert.deepEqual(linesOf(withCopies({ account: { id: account, role } })), [
            `mcp:copies.account.id: found "${account}", expected an account other than mcp:aws.accountId`,
        ]);
        delete values["archive"];
        assert.ok(
            linesOf(values).includes(
                'mcp:copies.archive: found {"bucket":"msil-mcp-audit-copy"}, expected mcp:archive, which it copies',
            ),
        );
    });

    it("report all at once", () => {
        const copies = {
            region: "ap-south-1",
            snapshots: { retention: "1d" },
            archive: { bucket: "msil-mcp-audit", mode: "GOVERNANCE", retention: { years: 1 } },
        };
        assert.equal(linesOf(withCopies(copies)).length, 5);
    });

    it("refuse what cannot be undone outside production", () => {
        const copies = { region: "ap-southeast-1", archive: { bucket: "a-copy", mode: "COMPLIANCE" } };
        assert.deepEqual(linesOf(withValue("copies", copies, "staging")), [
            'mcp:copies.archive.mode: found "COMPLIANCE", expected GOVERNANCE outside production: COMPLIANCE cannot be undone',
        ]);
        assert.deepEqual(linesOf(withValue("backups/lock", "COMPLIANCE", "staging")), [
            'mcp:backups.lock: found "COMPLIANCE", expected GOVERNANCE outside production: COMPLIANCE cannot be undone',
        ]);
    });

    it("take a second account, longer retentions and stronger locks", () => {
        const copies = {
            account: { id: ACCOUNT, role: ROLE },
            snapshots: { retention: "90d" },
            backups: { ...COPIES.backups, lock: "GOVERNANCE" },
            archive: { ...COPIES.archive, retention: { years: 10 } },
        };
        assert.deepEqual(linesOf(withCopies(copies)), []);
        assert.deepEqual(linesOf(withCopies({})), []);
    });
});
