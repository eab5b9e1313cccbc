import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleProgram } from "../../offline/program";
import { Secret, UNKNOWN } from "../../offline/property";
import { record, type Recording } from "../../offline/record";
import { only, root } from "../support";

describe("the recorder", () => {
    let folder: string;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), "mcp-record-"));
        symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    });
    after(() => rmSync(folder, { recursive: true }));

    const HEADER = `
        import { ComponentResource, CustomResource, Output, output, secret, log } from "@pulumi/pulumi";
        class Group extends ComponentResource {
            constructor(name: string, parent?: ComponentResource) { super("test:index:Group", name, {}, { parent }); }
        }
        class Thing extends CustomResource {
            declare readonly made: Output<string>;
            constructor(name: string, props: object, opts?: object) {
                super("test:index:Thing", name, { made: undefined, ...props }, opts);
            }
        }
    `;
    let runs = 0;
    async function recordSource(source: string): Promise<Recording> {
        const project = join(folder, String(runs++));
        mkdirSync(project);
        symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
        writeFileSync(join(project, "index.ts"), HEADER + source);
        return record(bundleProgram(project), { project: "p", stack: "s", config: {}, secretKeys: [] });
    }

    it("computes URNs in full, through every level of parents", async () => {
        const recording = await recordSource(`
            const outer = new Group("outer");
            const inner = new Group("inner", outer);
            new Thing("thing", {}, { parent: inner });
        `);
        const thing = only(recording, "test:index:Thing", "thing");
        assert.equal(thing.urn, "urn:pulumi:s::p::test:index:Group$test:index:Group$test:index:Thing::thing");
        assert.equal(thing.parent, "urn:pulumi:s::p::test:index:Group$test:index:Group::inner");
        assert.equal(recording.resources[0]!.urn, "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s");
    });

    it("refuses two resources of one type and name, as the engine does", async () => {
        await assert.rejects(
            recordSource(`new Thing("twin", {}); new Thing("twin", {});`),
            /Duplicate resource test:index:Thing twin/,
        );
    });

    it("keeps options, dependencies and the declaring line", async () => {
        const { resources } = await recordSource(`
            const first = new Thing("first", {});
            new Thing("second", { value: first.made }, {
                dependsOn: [first], protect: true, retainOnDelete: true, ignoreChanges: ["a"],
                customTimeouts: { create: "300s" },
            });
        `);
        const second = resources.find(({ name }) => name === "second")!;
        const first = "urn:pulumi:s::p::test:index:Thing::first";
        assert.deepEqual(second.dependencies, [first]);
        assert.deepEqual(second.propertyDependencies, { value: [first] });
        assert.deepEqual(second.options, {
            protect: true,
            retainOnDelete: true,
            ignoreChanges: ["a"],
            customTimeouts: { create: "300s" },
        });
        assert.deepEqual(second.source, { file: "index.ts", line: HEADER.split("\n").length + 2 });
    });

    it("tells known from unknown and marks secrets", async () => {
        const { resources, outputs } = await recordSource(`
            const first = new Thing("first", { given: "in" });
            new Thing("second", { made: first.made, known: (first as any).given, hidden: secret("s3cret") });
            export const made = first.made;
            export const hidden = secret("s3cret");
        `);
        const { inputs } = resources.find(({ name }) => name === "second")!;
        assert.equal(inputs["made"], UNKNOWN);
        assert.ok(inputs["hidden"] instanceof Secret);
        assert.equal(inputs["hidden"].value, "s3cret");
        assert.equal(outputs["made"], UNKNOWN);
        assert.ok(outputs["hidden"] instanceof Secret);
    });

    it("fails with what the program throws, wherever it throws it", async () => {
        await assert.rejects(recordSource(`throw new Error("at the top");`), /at the top/);
        await assert.rejects(
            recordSource(
                `new Thing("late", { value: output(1).apply(() => { throw new Error("in an apply"); }) });`,
            ),
            /in an apply/,
        );
    });

    it("runs a program any number of times from its first line", async () => {
        const project = join(folder, "repeated");
        mkdirSync(project);
        symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
        writeFileSync(join(project, "index.ts"), `${HEADER} new Thing("thing", {});`);
        const program = bundleProgram(project);
        for (const stack of ["one", "two"]) {
            const { resources } = await record(program, { project: "p", stack, config: {}, secretKeys: [] });
            assert.deepEqual(
                resources.map(({ urn }) => urn),
                [
                    `urn:pulumi:${stack}::p::pulumi:pulumi:Stack::p-${stack}`,
                    `urn:pulumi:${stack}::p::test:index:Thing::thing`,
                ],
            );
        }
    });
});
