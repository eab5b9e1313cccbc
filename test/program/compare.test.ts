import assert from "node:assert/strict";
import { type Change, compare } from "../../offline/compare";
import { type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const SECRET = "kubernetes:core/v1:Secret";
const SERVICE = "kubernetes:core/v1:Service";

function resource(
    type: string,
    name: string,
    inputs: Record<string, Property>,
    propertyDependencies: Record<string, string[]> = {},
): RecordedResource {
    const urn = `urn:pulumi:s::p::${type}::${name}`;
    const common = { parent: "", provider: "", dependencies: [], options: {}, source: undefined };
    return { urn, type, name, custom: true, read: false, inputs, propertyDependencies, ...common };
}

const recording = (...resources: RecordedResource[]): Recording => ({
    project: "p",
    stack: "s",
    resources,
    outputs: {},
});

const operations = (changes: Change[]) =>
    changes.map(({ operation, resource: { name } }) => `${operation} ${name}`);

describe("the comparison", () => {
    const before = resource(SERVICE, "web", { metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } });

    it("finds what is created, deleted and the same", () => {
        const fresh = resource(SERVICE, "new", {});
        assert.deepEqual(operations(compare(recording(before), recording(before, fresh))), [
            "same web",
            "create new",
        ]);
        assert.deepEqual(operations(compare(recording(before, fresh), recording(before))), [
            "same web",
            "delete new",
        ]);
    });

    it("names each property that differs, with both values", () => {
        const after = resource(SERVICE, "web", {
            metadata: { name: "web" },
            spec: { ports: [{ port: 81 }, { port: 82 }], type: "ClusterIP" },
        });
        const [change] = compare(recording(before), recording(after));
        assert.equal(change!.operation, "update");
        assert.deepEqual(change!.properties, [
            { path: "spec.ports[0].port", before: 80, after: 81 },
            { path: "spec.ports[1]", before: undefined, after: { port: 82 } },
            { path: "spec.type", before: undefined, after: "ClusterIP" },
        ]);
    });

    it("sees what RDS refuses of an instance, and why", () => {
        const instance = (engineVersion: string, allocatedStorage: number) =>
            recording(resource("aws:rds/instance:Instance", "db", { engineVersion, allocatedStorage }));
        const refusal = (...to: [string, number]) => compare(instance("17", 100), instance(...to))[0]!;
        assert.match(refusal("16", 100).refusal!, /^RDS takes PostgreSQL 17 back to no earlier version/);
        for (const [size, refused] of [
            [101, true],
            [109, true],
            [90, true],
            [110, false],
            [200, false],
        ] as const) {
            assert.equal(refusal("17", size).refused, refused, String(size));
        }
        assert.match(refusal("17", 101).refusal!, /to 110 GiB or more$/);
        assert.equal(refusal("18", 100).refused, false);
    });

    it("sees that an unknown comes from elsewhere", () => {
        const reader = (source: string) => resource(SERVICE, "reader", { spec: UNKNOWN }, { spec: [source] });
        const [change] = compare(recording(reader("urn::one")), recording(reader("urn::other")));
        assert.deepEqual(change!.properties, [{ path: "spec", before: UNKNOWN, after: UNKNOWN }]);
        assert.deepEqual(change!.because, ["other", "one"]);
        assert.deepEqual(operations(compare(recording(reader("urn::one")), recording(reader("urn::one")))), [
            "same reader",
        ]);
    });

    it("leaves out what the program wants ignored, and nothing that begins like it", () => {
        const options = { ignoreChanges: ["spec.ports"] };
        const web = (inputs: Record<string, Property>) => ({ ...resource(SERVICE, "web", inputs), options });
        const from = web({ spec: { ports: [{ port: 80 }], portsOfOthers: 1 } });
        const to = web({ spec: { ports: [{ port: 81 }], portsOfOthers: 2 } });
        assert.deepEqual(
            compare(recording(from), recording(to)).flatMap(({ properties }) =>
                properties.map(({ path }) => path),
            ),
            ["spec.portsOfOthers"],
        );
    });

    it("replaces when an immutable input changes, or anything beneath it", () => {
        const map = (text: string) =>
            resource(CONFIG_MAP, "map", { metadata: { name: "map" }, data: { text } });
        assert.deepEqual(operations(compare(recording(map("a")), recording(map("b")))), ["replace map"]);
        const renamed = resource(SERVICE, "web", {
            metadata: { name: "web-2" },
            spec: { ports: [{ port: 80 }] },
        });
        assert.deepEqual(operations(compare(recording(before), recording(renamed))), ["replace web"]);
    });

    it("does not guess for a type it has no facts about", () => {
        const thing = (size: number) => resource("aws:some/thing:Thing", "thing", { size });
        assert.deepEqual(operations(compare(recording(thing(1)), recording(thing(2)))), [
            "update or replace thing",
        ]);
    });

    it("compares secrets by what they hide", () => {
        const hidden = (text: string) => resource(SERVICE, "web", { annotations: new Secret({ text }) });
        assert.deepEqual(operations(compare(recording(hidden("a")), recording(hidden("a")))), ["same web"]);
        assert.deepEqual(operations(compare(recording(hidden("a")), recording(hidden("b")))), ["update web"]);
    });

    it("passes a replacement on to those who read its new values, and only to those", () => {
        const secret = (text: string) =>
            resource(SECRET, "secret", { metadata: {}, immutable: true, stringData: new Secret({ text }) });
        const [{ urn }] = [secret("a")];
        const reader = resource(SERVICE, "reader", { name: UNKNOWN }, { name: [urn] });
        const bystander = resource(SERVICE, "bystander", { name: UNKNOWN }, { name: [before.urn] });
        const changes = compare(
            recording(secret("a"), before, reader, bystander),
            recording(secret("b"), before, reader, bystander),
        );
        assert.deepEqual(operations(changes), [
            "replace secret",
            "same web",
            "update reader",
            "same bystander",
        ]);
        assert.deepEqual(changes[2]!.because, ["secret"]);
    });

    it("passes nothing on where the program itself gives the name", () => {
        const map = (text: string) =>
            resource(CONFIG_MAP, "map", { metadata: { name: "map" }, data: { text } });
        const reader = resource(SERVICE, "reader", { other: UNKNOWN }, { other: [map("a").urn] });
        assert.deepEqual(operations(compare(recording(map("a"), reader), recording(map("b"), reader))), [
            "replace map",
            "same reader",
        ]);
    });
});
