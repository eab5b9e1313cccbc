import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countUnknowns, decode, isObject, type Property, UNKNOWN } from "../../offline/property";
import { type RecordedOptions, type Recording } from "../../offline/record";
import { STEPS } from "../golden";
import { Engine, whyNoEngine } from "./engine";

/* Proves that what the offline preview records is what the real engine is asked for: every registration of both
 * stacks and of every step of their lives, with parents, dependencies, options and inputs. */

/** One line of the log that the engine writes of its calls: a request and what it answered. */
interface Call {
    method: string;
    request: {
        type: string;
        name: string;
        parent?: string;
        custom?: boolean;
        provider?: string;
        object?: Record<string, unknown>;
        properties?: Record<string, unknown>;
        dependencies?: string[];
        propertyDependencies?: Record<string, { urns?: string[] }>;
        customTimeouts?: Record<string, string>;
    } & Record<string, unknown>;
    response?: { urn: string };
}

/** What both sides are compared by; secrets by what they hide, unknowns as such. */
interface Registration {
    parent: string;
    custom: boolean;
    read: boolean;
    provider: string;
    inputs: Property;
    dependencies: readonly string[];
    propertyDependencies: Readonly<Record<string, readonly string[]>>;
    options: RecordedOptions;
}

const OPTIONS = [
    "protect",
    "retainOnDelete",
    "deleteBeforeReplace",
    "ignoreChanges",
    "replaceOnChanges",
    "additionalSecretOutputs",
    "customTimeouts",
    "deletedWith",
];

function asked(log: string): Map<string, Registration> {
    const registrations = new Map<string, Registration>();
    for (const line of log.split("\n").filter((each) => each.includes("pulumirpc.ResourceMonitor/"))) {
        const { method, request, response } = JSON.parse(line) as Call;
        const read = method.endsWith("/ReadResource");
        if ((!read && !method.endsWith("/RegisterResource")) || response === undefined) {
            continue;
        }
        const propertyDependencies = Object.entries(request.propertyDependencies ?? {}).flatMap(
            ([key, { urns = [] }]) => (urns.length > 0 ? [[key, [...urns].sort()] as const] : []),
        );
        registrations.set(response.urn, {
            parent: request.parent ?? "",
            custom: read || (request.custom ?? false),
            read,
            provider: (request.provider ?? "").split("::").slice(0, 4).join("::"),
            inputs: decode(request.object ?? request.properties ?? {}),
            dependencies: [...new Set(request.dependencies ?? [])].sort(),
            propertyDependencies: read ? {} : Object.fromEntries(propertyDependencies),
            options: Object.fromEntries(
                OPTIONS.filter((key) => !read && isSaid(request[key])).map((key) => [key, request[key]]),
            ),
        });
    }
    return registrations;
}

/** What is false or empty on the wire was not said. */
function isSaid(option: unknown): boolean {
    return typeof option === "object" && option !== null ? Object.keys(option).length > 0 : Boolean(option);
}

function recorded({ resources }: Recording): Map<string, Registration> {
    return new Map(
        resources.map(({ urn, parent, custom, read, provider, inputs, ...rest }) => {
            const { dependencies, propertyDependencies, options } = rest;
            return [
                urn,
                { parent, custom, read, provider, inputs, dependencies, propertyDependencies, options },
            ];
        }),
    );
}

/**
 * The engine's inputs with two things as unknown as they are offline: what only a look-up can tell, and the names
 * that the Kubernetes provider makes up for objects without one.
 */
function asOffline(
    { inputs, propertyDependencies }: Registration,
    offline: Registration,
    all: ReadonlyMap<string, Registration>,
): Property {
    const isLookedUp = (key: string) => propertyDependencies[key]?.every((urn) => all.get(urn)?.read);
    const isMadeUp = (text: string) => {
        const [, name] = /^(.+)-[0-9a-f]{8}$/.exec(text) ?? [];
        return [...all].some(
            ([urn, other]) =>
                urn.endsWith(`::${name}`) &&
                isObject(other.inputs) &&
                isObject(other.inputs["metadata"]) &&
                other.inputs["metadata"]["name"] === undefined,
        );
    };
    const hidden = (value: Property, counterpart: Property | undefined): Property => {
        if (counterpart === UNKNOWN) {
            return typeof value === "string" && value.split(" ").every(isMadeUp) ? UNKNOWN : value;
        }
        if (Array.isArray(value) && Array.isArray(counterpart)) {
            return value.map((inner, index) => hidden(inner, counterpart[index]));
        }
        return isObject(value) && isObject(counterpart)
            ? Object.fromEntries(
                  Object.entries(value).map(([key, inner]) => [key, hidden(inner, counterpart[key])]),
              )
            : value;
    };
    return Object.fromEntries(
        Object.entries(inputs as Record<string, Property>).map(([key, value]) => {
            const counterpart = (offline.inputs as Record<string, Property>)[key];
            return [key, counterpart === UNKNOWN && isLookedUp(key) ? UNKNOWN : hidden(value, counterpart)];
        }),
    );
}

/** Every situation the steps go through, once: the first step that comes through it names it. */
const situations = new Map([
    ["staging", { stack: "staging", edits: [] as readonly string[] }],
    ["production", { stack: "production", edits: [] }],
]);
for (const [step, { before, after }] of Object.entries(STEPS)) {
    for (const [when, edits] of [
        ["before", before],
        ["after", after],
    ] as const) {
        const seen = [...situations.values()].some((other) => other.edits.join() === edits.join());
        if (!seen) {
            situations.set(`production ${when} ${step}`, { stack: "production", edits });
        }
    }
}

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`conformance with the real engine${missing ? ` (skipped: ${missing})` : ""}`, () => {
    let engine: Engine;
    let unknowns = 0;

    before(async function () {
        this.timeout(30 * 60_000);
        engine = await Engine.open();
    });
    after(async () => {
        console.log(`    ${unknowns} unknowns, the same on both sides`);
        await engine?.close();
    });

    for (const [situation, { stack, edits }] of situations) {
        it(`is complete for ${situation}`, async () => {
            const log = join(engine.folder, `calls of ${situation}.jsonl`);
            const { code, output } = await engine.preview(stack, edits, [], {
                env: { PULUMI_DEBUG_GRPC: log },
            });
            assert.equal(code, 0, output);
            const onEngine = asked(readFileSync(log, "utf8"));
            const offline = recorded(await engine.record(stack, edits));
            assert.deepEqual([...offline.keys()].sort(), [...onEngine.keys()].sort());
            for (const [urn, registration] of offline) {
                const real = onEngine.get(urn)!;
                unknowns += countUnknowns(registration.inputs);
                assert.deepEqual(registration, {
                    ...real,
                    inputs: asOffline(real, registration, offline),
                });
            }
        });
    }
});
