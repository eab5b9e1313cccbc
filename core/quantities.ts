/** CPU quantity in thousandths of a core. */
export function millicores(quantity: string): number {
    return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000;
}

/** Memory quantity in MiB. */
export function mebibytes(quantity: string): number {
    return Number(quantity.slice(0, -2)) * (quantity.endsWith("Gi") ? 1024 : 1);
}

/** Whether an IPv4 range is a proper part of another. */
export function isInside(range: string, outer: string): boolean {
    const [inner, around] = [range, outer].map((each) => {
        const [address = "", bits = ""] = each.split("/");
        return {
            bits: Number(bits),
            address: address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0),
        };
    });
    const size = 2 ** (32 - around!.bits);
    return (
        inner!.bits > around!.bits && Math.floor(inner!.address / size) === Math.floor(around!.address / size)
    );
}
