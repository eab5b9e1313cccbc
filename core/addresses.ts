/** A range of IP addresses, inclusive. */
export interface AddressRange {
    readonly family: 4 | 6;
    readonly from: bigint;
    readonly to: bigint;
}

/** All addresses, in the notation that AWS and Kubernetes call "anywhere". */
export const EVERYWHERE: readonly AddressRange[] = ["0.0.0.0/0", "::/0"].map((cidr) => rangeOf(cidr)!);

/** Address of the EC2 instance metadata service, which hands out credentials. */
export const METADATA_SERVICE: readonly AddressRange[] = ["169.254.169.254/32", "fd00:ec2::254/128"].map(
    (cidr) => rangeOf(cidr)!,
);

/** Addresses that are not routed on the internet. */
const PRIVATE: readonly AddressRange[] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
].map((cidr) => rangeOf(cidr)!);

/** The addresses of a CIDR block, or of a single address; undefined for any other text. */
export function rangeOf(cidr: string): AddressRange | undefined {
    const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
    const family = address.includes(":") ? 6 : 4;
    const value = family === 6 ? valueOf6(address) : valueOf4(address);
    const bits = family === 6 ? 128 : 32;
    const prefix = Number(length ?? bits);
    if (value === undefined || prefix > bits) {
        return undefined;
    }
    const size = 1n << BigInt(bits - prefix);
    const from = value - (value % size);
    return { family, from, to: from + size - 1n };
}

function valueOf4(address: string): bigint | undefined {
    const parts = address.split(".");
    const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && +part < 256);
    return isAddress ? parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) : undefined;
}

function valueOf6(address: string): bigint | undefined {
    const [head = "", tail, ...more] = address.split("::");
    const [first, last] = [head, tail ?? ""].map((text) => text.split(":").filter((part) => part !== ""));
    const zeros = 8 - first!.length - last!.length;
    const parts = [...first!, ...Array.from({ length: Math.max(zeros, 0) }, () => "0"), ...last!];
    const isAddress = parts.length === 8 && parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part));
    return isAddress && more.length === 0 && (tail !== undefined || zeros === 0)
        ? parts.reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n)
        : undefined;
}

/** Whether a range holds all addresses of another one. */
export function contains(range: AddressRange, other: AddressRange): boolean {
    return range.family === other.family && range.from <= other.from && other.to <= range.to;
}

/** Whether two ranges have an address in common. */
export function overlap(one: AddressRange, other: AddressRange): boolean {
    return one.family === other.family && one.from <= other.to && other.from <= one.to;
}

/** Whether no address of the range is routed on the internet. */
export function isPrivate(range: AddressRange): boolean {
    return PRIVATE.some((block) => contains(block, range));
}

/** Ranges minus the addresses of other ranges. */
export function without(ranges: readonly AddressRange[], others: readonly AddressRange[]): AddressRange[] {
    return others.reduce<AddressRange[]>(
        (left, other) =>
            left.flatMap((range) =>
                overlap(range, other)
                    ? [
                          { ...range, to: other.from - 1n },
                          { ...range, from: other.to + 1n },
                      ].filter(({ from, to }) => from <= to)
                    : [range],
            ),
        [...ranges],
    );
}

/** A range as the CIDR blocks that it consists of. */
export function cidrsOf({ family, from, to }: AddressRange): string[] {
    const cidrs: string[] = [];
    const bits = family === 6 ? 128 : 32;
    for (let start = from; start <= to;) {
        let length = 0;
        // The largest block that starts here and ends within the range.
        while (
            length < bits &&
            start % (2n << BigInt(length)) === 0n &&
            start + (2n << BigInt(length)) - 1n <= to
        ) {
            length += 1;
        }
        cidrs.push(`${textOf(family, start)}/${bits - length}`);
        start += 1n << BigInt(length);
    }
    return cidrs;
}

function textOf(family: 4 | 6, value: bigint): string {
    const [count, base] = family === 6 ? [8, 65_536n] : [4, 256n];
    const parts = Array.from(
        { length: count },
        (_, index) => (value / base ** BigInt(count - 1 - index)) % base,
    );
    if (family === 4) {
        return parts.join(".");
    }
    // The URL parser writes the shortest form.
    return new URL(`http://[${parts.map((part) => part.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
