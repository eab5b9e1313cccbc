/**
 * Whether two texts name the same person. Each is a name, a user name, an address, or `Name <address>`, as git writes
 * authors. Ignores case, accents, punctuation, the order of the words and the tag of an address. If both have an address,
 * the addresses decide; otherwise the names.
 */
export function isSamePerson(one: string, other: string): boolean {
    const [first, second] = [identity(one), identity(other)];
    if (first.address !== undefined && second.address !== undefined) {
        return first.address === second.address || first.names.some((name) => second.names.includes(name));
    }
    return namesOf(first).some((name) => namesOf(second).includes(name));
}

interface Identity {
    names: readonly string[];
    address: string | undefined;
}

function identity(text: string): Identity {
    const [, name = "", address] = /^(.*?)<?([^\s<>]+@[^\s<>]+\.[^\s<>]+)>?$/.exec(text.trim()) ?? [, text];
    // 123+name@ is an account of GitHub, name+tag@ a mailbox with a tag.
    return {
        names: forms(name),
        address: address
            ?.toLowerCase()
            .replace(/^\d+\+/, "")
            .replace(/\+[^@]*/, ""),
    };
}

/** The forms of the name, and of the name derived from an address. */
function namesOf({ names, address }: Identity): readonly string[] {
    return address === undefined ? names : [...names, ...forms(address.replace(/@.*$/, ""))];
}

/** The letters and digits of a name, as they are and with its words in order. Empty if it has none. */
function forms(text: string): readonly string[] {
    // Accents of Latin, Greek and Cyrillic; the marks of other scripts are vowels.
    const plain = text
        .normalize("NFKD")
        .replace(/[\u0300-\u036f]/g, "")
        .toLowerCase();
    const words = plain.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
    return words.length === 0 ? [] : [words.join(""), [...words].sort().join("")];
}
