import { type Input } from "@pulumi/pulumi";

/** One subscription of a topic. */
export interface Channel {
    /** Unique in its topic: the address, the number, or the name of the endpoint. */
    name: string;
    protocol: "email" | "sms" | "https";
    endpoint: Input<string>;
}

/** Protocol and address of a contact: an e-mail address, a phone number, or the name of an HTTPS endpoint. */
export function channelOf(contact: string, endpoints: Readonly<Record<string, Input<string>>> = {}): Channel {
    if (contact.includes("@")) {
        return { name: contact, protocol: "email", endpoint: contact };
    }
    return contact.startsWith("+")
        ? { name: contact, protocol: "sms", endpoint: contact }
        : { name: contact, protocol: "https", endpoint: endpoints[contact]! };
}
