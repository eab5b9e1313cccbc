import { type RecordedResource, type Recording } from "../../../offline/record";
import { isObject, type Property, Secret } from "../../../offline/property";
import { type AccessChange, type CompareAccess } from "./grant";
import { comparePolicies, compareRoles } from "./iam";
import { compareCluster, compareRbac } from "./kubernetes";
import { compareNetwork } from "./network";

const KINDS: readonly CompareAccess[] = [
    compareNetwork,
    comparePolicies,
    compareRoles,
    compareRbac,
    compareCluster,
];

/** New and lost access after a change, in one line each. */
export interface Access {
    /** New access. */
    readonly gained: readonly string[];
    /** Lost access. */
    readonly lost: readonly string[];
    /** Among it that of services of AWS: what they deliver, encrypt or watch ends. */
    readonly lostByServices: readonly string[];
}

/** Compares access: network, rights on AWS and in the cluster, secrets. */
export function compareAccess(before: Recording, after: Recording): Access {
    const [old, now] = [before, after].map(withoutAccount) as [Recording, Recording];
    const changes = KINDS.flatMap((compare) => compare(old, now));
    return {
        gained: [...linesOf(changes, "gained", "may now"), ...linesOf(changes, "unknown", "may now")],
        lost: linesOf(changes, "lost", "may no longer"),
        lostByServices: linesOf(
            changes.filter(({ subject }) => /^(Service )?[\w.-]+\.amazonaws\.com\b/.test(subject)),
            "lost",
            "may no longer",
        ),
    };
}

/** Changes as text, combined over subjects. */
function linesOf(changes: readonly AccessChange[], kind: AccessChange["kind"], verb: string): string[] {
    const subjects = new Map<string, Set<string>>();
    for (const change of changes.filter((each) => each.kind === kind)) {
        subjects.set(change.may, (subjects.get(change.may) ?? new Set()).add(change.subject));
    }
    return [...subjects].map(([may, names]) => `${[...names].sort().join(", ")} ${verb} ${may}`).sort();
}

type Inputs = RecordedResource["inputs"];

/** Inputs without the account's id, by those with it, and the account. */
const withoutId = new WeakMap<Inputs, { account: string; inputs: Inputs }>();

/** The account's own id reads the same in both, so that the first one an operator gives is no new access. */
function withoutAccount(recording: Recording): Recording {
    const account = accountOf(recording);
    const ofAccount = new RegExp(`(?<!\\d)${account}(?!\\d)`, "g");
    const renamed = (value: Property): Property => {
        if (typeof value === "string") {
            return value.includes(account!) ? value.replace(ofAccount, "ACCOUNT") : value;
        }
        if (value instanceof Secret || typeof value !== "object" || value === null) {
            return value;
        }
        return isObject(value)
            ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renamed(inner)]))
            : (value as readonly Property[]).map(renamed);
    };
    if (account === undefined) {
        return recording;
    }
    const renamedOnce = (inputs: Inputs): Inputs => {
        const known = withoutId.get(inputs);
        const found = known?.account === account ? known.inputs : (renamed(inputs) as Inputs);
        withoutId.set(inputs, { account, inputs: found });
        return found;
    };
    return {
        ...recording,
        resources: recording.resources.map((resource) => ({
            ...resource,
            inputs: renamedOnce(resource.inputs),
        })),
    };
}

function accountOf({ resources }: Recording): string | undefined {
    const provider = resources.find(({ type }) => type === "pulumi:providers:aws");
    return /\d{12}/.exec(JSON.stringify(provider?.inputs["allowedAccountIds"] ?? ""))?.[0];
}
