import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { record, type Recording } from "../../offline/record";
import { root } from "../support";

const examples = join(root, "examples");
const load = createRequire(__filename);

/** Records an example as a stack of its own project, from its own folder. */
async function recordExample(name: string, config: Readonly<Record<string, string>>): Promise<Recording> {
    const file = join(examples, name, "index.ts");
    const folder = process.cwd();
    process.chdir(join(examples, name));
    try {
        return await record(
            { file, run: () => void load(file), locate: () => undefined },
            {
                project: name,
                stack: "dev",
                config: Object.fromEntries(
                    Object.entries(config).map(([key, value]) => [`${name}:${key}`, value]),
                ),
                secretKeys: [],
            },
        );
    } finally {
        delete load.cache[file];
        process.chdir(folder);
    }
}

const typesOf = ({ resources }: Recording) => resources.map(({ type }) => type);

describe("the examples", () => {
    it("are those that are tested", () => {
        assert.deepEqual(readdirSync(examples).sort(), ["audit-archive", "blue-green"]);
    });

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
