/**
 * Whether two texts name one person. Each is a name, a user name, an address, or `Name <address>`, as git writes authors.
 * Case and punctuation do not count. Where both have an address the addresses decide, or the names where there are two.
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

/** The name, and what stands for one in an address. */
function namesOf({ name, address }: Identity): string[] {
    const account = address?.replace(/@.*$/, "").replace(/^\d+\+/, "");
    return [name, account === undefined ? undefined : letters(account)].filter((each) => each !== undefined);
}

/** Undefined where there are none. */
function letters(text: string): string | undefined {
    return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, "") || undefined;
}
