import assert from "node:assert/strict";
import fc from "fast-check";
import { type AddressRange, cidrsOf, contains, isPrivate, rangeOf, without } from "../../core/addresses";

const range = (cidr: string) => rangeOf(cidr)!;
const left = (cidrs: string[], others: string[]) =>
    without(cidrs.map(range), others.map(range)).flatMap(cidrsOf);

describe("ranges of addresses", () => {
    for (const text of [
        "10.0.0.0/33",
        "10.0.0",
        "10.0.0.256",
        "::/129",
        "1::2::3",
        "12345::",
        "everywhere",
        "",
    ]) {
        it(`are not read from ${JSON.stringify(text)}`, () => assert.equal(rangeOf(text), undefined));
    }

    it("are whole blocks, of both families", () => {
        assert.deepEqual(range("10.1.2.3/8"), { family: 4, from: 10n << 24n, to: (11n << 24n) - 1n });
        assert.deepEqual(range("0.0.0.0/0").to, (1n << 32n) - 1n);
        assert.deepEqual(range("::1"), { family: 6, from: 1n, to: 1n });
        assert.deepEqual(cidrsOf(range("fd00:ec2::254/128")), ["fd00:ec2::254/128"]);
        assert.deepEqual(cidrsOf(range("::/0")), ["::/0"]);
    });

    it("are without others what is left", () => {
        assert.deepEqual(left(["10.0.0.0/8"], ["10.0.0.0/9"]), ["10.128.0.0/9"]);
        assert.deepEqual(left(["10.0.0.0/30"], ["10.0.0.1/32"]), ["10.0.0.0/32", "10.0.0.2/31"]);
        assert.deepEqual(left(["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"]), []);
        assert.deepEqual(left(["10.0.0.0/8"], ["::/0", "11.0.0.0/8"]), ["10.0.0.0/8"]);
    });

    it("are private where the whole block is", () => {
        const found = [
            "10.0.0.0/8",
            "10.0.0.0/7",
            "172.31.0.0/16",
            "172.32.0.0/16",
            "fd00::/8",
            "2001:db8::/32",
        ].map((cidr) => isPrivate(range(cidr)));
        assert.deepEqual(found, [true, false, true, false, true, false]);
    });

    it("consist of blocks that hold each of their addresses, and no other", () => {
        const most = (1n << 32n) - 1n;
        const ends = fc.tuple(fc.bigInt(0n, most), fc.bigInt(0n, most));
        fc.assert(
            fc.property(ends, ([one, other]) => {
                const whole: AddressRange = {
                    family: 4,
                    from: one < other ? one : other,
                    to: one < other ? other : one,
                };
                const blocks = cidrsOf(whole).map(range);
                assert.ok(blocks.every((block) => contains(whole, block)));
                const sum = blocks.reduce((count, { from, to }) => count + to - from + 1n, 0n);
                assert.equal(sum, whole.to - whole.from + 1n);
                assert.deepEqual(without([whole], blocks), []);
            }),
            { numRuns: 200, seed: 20_260_201 },
        );
    });
});
