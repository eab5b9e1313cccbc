import { type Input } from "@pulumi/pulumi";

/** One way a topic reaches people. */
export interface Channel {
    /** Tells it from others of a topic: the address, the number, or the name of the endpoint. */
    name: string;
    protocol: "email" | "sms" | "https";
    endpoint: Input<string>;
}

/** How a contact is reached, by its form: an e-mail address, a phone number, or the name of an https endpoint. */
export function channelOf(contact: string, endpoints: Readonly<Record<string, Input<string>>> = {}): Channel {
    if (contact.includes("@")) {
        return { name: contact, protocol: "email", endpoint: contact };
    }
    return contact.startsWith("+")
        ? { name: contact, protocol: "sms", endpoint: contact }
        : { name: contact, protocol: "https", endpoint: endpoints[contact]! };
}
