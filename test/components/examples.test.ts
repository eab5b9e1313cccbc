import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { judgeRecording } from "../../offline/evaluate";
import { type ProgramInput, record, type Recording } from "../../offline/record";
import { readStackFile } from "../../offline/stackFile";
import { rules } from "../../policies/rules";
import { root } from "../support";

const examples = join(root, "examples");
const load = createRequire(__filename);

/** Records an example as a stack of a separate project, from its folder. */
async function recordExample(name: string, config: Readonly<Record<string, string>>): Promise<Recording> {
    return recordProject(name, {
        project: name,
        stack: "dev",
        config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`${name}:${key}`, value])),
        secretKeys: [],
    });
}

async function recordProject(name: string, input: ProgramInput): Promise<Recording> {
    const file = join(examples, name, "index.ts");
    const folder = process.cwd();
    process.chdir(join(examples, name));
    try {
        return await record({ file, run: () => load(file) as unknown, locate: () => undefined }, input);
    } finally {
        delete load.cache[file];
        delete load.cache[join(root, "index.ts")];
        process.chdir(folder);
    }
}

const typesOf = ({ resources }: Recording) => resources.map(({ type }) => type);

describe("the examples", () => {
    it("are those that are tested", () => {
        assert.deepEqual(readdirSync(examples).sort(), ["audit-archive", "blue-green", "gke", "minimal"]);
    });

    const stacks: [example: string, stack: string, fewest: number, most: number][] = [
        ["minimal", "dev", 15, 30],
        ["gke", "production", 35, 60],
    ];
    for (const [example, stack, fewest, most] of stacks) {
        it(`declare the program's stack ${example} with nothing on AWS, as the policies want it`, async () => {
            const folder = join(examples, example);
            const recording = await recordProject(example, readStackFile(folder, stack));
            assert.deepEqual(
                typesOf(recording).filter((type) => /(^|:)aws:/.test(type)),
                [],
            );
            const { length } = recording.resources;
            assert.ok(length >= fewest && length <= most, `${length} resources`);
            const violations = judgeRecording(recording, rules).filter(({ kind }) => kind === "violation");
            assert.deepEqual(violations, []);
        });
    }

    it("declare the audit archive in a project of another region and time zone", async () => {
        const recording = await recordExample("audit-archive", {
            accountId: "111122223333",
            bucket: "orders-audit",
        });
        const stream = recording.resources.find(({ type }) => type.includes("FirehoseDeliveryStream"));
        const { extendedS3Configuration } = stream!.inputs as {
            extendedS3Configuration?: { customTimeZone?: string };
        };
        assert.equal(extendedS3Configuration?.customTimeZone, "Europe/Dublin");
        assert.ok(
            typesOf(recording).includes("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"),
        );
        assert.ok(recording.resources.every(({ options }) => options.protect !== true));
    });

    it("move a service from one colour to the other", async () => {
        for (const active of ["blue", "green"]) {
            const config = { context: "kind", apiServer: "10.96.0.1/32", active };
            const recording = await recordExample("blue-green", config);
            const service = recording.resources.find(
                ({ type, name }) => type === "kubernetes:core/v1:Service" && name === "orders",
            );
            assert.equal(
                (service!.inputs as { spec?: { selector?: { version?: string } } }).spec?.selector?.version,
                active,
            );
            const gates = recording.resources.filter(({ type }) => type === "kubernetes:batch/v1:Job");
            assert.equal(gates.length, 3, "capacity, smoke, soak");
        }
    });
});
