/**
 * Whether two texts name the same person. Each is a name, a user name, an address, or `Name <address>`, as git writes
 * authors. Ignores case and punctuation. If both have an address, the addresses decide; otherwise the names.
 */
export function isSamePerson(one: string, other: string): boolean {
    const [first, second] = [identity(one), identity(other)];
    if (first.address !== undefined && second.address !== undefined) {
        return first.address === second.address || (first.name !== undefined && first.name === second.name);
    }
    return namesOf(first).some((name) => namesOf(second).includes(name));
}

interface Identity {
    name: string | undefined;
    address: string | undefined;
}

function identity(text: string): Identity {
    const [, name = "", address] = /^(.*?)<?([^\s<>]+@[^\s<>]+\.[^\s<>]+)>?$/.exec(text.trim()) ?? [, text];
    return { name: letters(name), address: address?.toLowerCase() };
}

/** The name, and the name derived from an address. */
function namesOf({ name, address }: Identity): string[] {
    const account = address?.replace(/@.*$/, "").replace(/^\d+\+/, "");
    return [name, account === undefined ? undefined : letters(account)].filter((each) => each !== undefined);
}

/** Undefined if it has no letters. */
function letters(text: string): string | undefined {
    return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, "") || undefined;
}
