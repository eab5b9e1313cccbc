import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource } from "../../offline/record";
import { recordStack, root } from "../support";
import { Lab, whyNoEngine } from "./lab";
import { changesIn } from "./stack";

/* What the program costs the engine: its preview beside that of a bare one, which declares the same resources with
 * the same SDK classes and has nothing but literals in it: no components, no configuration, no jobs to bundle. */

const RUNS = 3;

const missing = whyNoEngine();
const suite = missing ? describe.skip : describe;

suite(`the price of the program on the engine${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(180_000);
    let lab: Lab;

    before(async function () {
        this.timeout(30 * 60_000);
        lab = await Lab.open((line) => console.log(`    ${line}`));
    });
    after(() => lab?.close());

    it("is hardly more than that of a bare program with as many resources", async () => {
        const stack = await lab.stack("production");
        await stack.set();
        const { resources } = await recordStack("production", ...stack.valuesWith([]));
        const bare = await lab.otherStack("bare", writeBareProgram(join(lab.folder, "bare"), resources, lab));
        const times: Record<"program" | "bare", number[]> = { program: [], bare: [] };
        for (let run = 0; run < RUNS; run += 1) {
            for (const [name, each] of Object.entries({ program: stack, bare })) {
                const { status, output, seconds, events } = await each.preview();
                assert.equal(status, 0, output);
                // The look-up of the cluster is the one step that creates nothing.
                assert.equal(changesIn(events).length, resources.length - 1);
                times[name as keyof typeof times].push(seconds);
            }
        }
        // The fastest of each: whatever else the machine does only adds to them.
        const ratio = Math.min(...times.program) / Math.min(...times.bare);
        console.log(
            `        measured: preview / preview of a bare program: ${ratio.toFixed(2)} (goal 1.15)`,
            times,
        );
        assert.ok(ratio < 1.5, `${times.program.join(", ")} against ${times.bare.join(", ")} seconds`);
    });
});

/** A program of literals; returns its folder. */
function writeBareProgram(folder: string, resources: readonly RecordedResource[], lab: Lab): string {
    const imports = new Map<string, string>();
    const lines = resources
        .filter(({ type }) => !type.startsWith("pulumi:"))
        .map(({ type, name, custom, read, inputs }, index) => {
            if (!custom) return `new ComponentResource(${JSON.stringify(type)}, "${name}-${index}");`;
            const [, provider, module, kind] = /^(\w+):(.+):(\w+)$/.exec(type)!;
            // kubernetes:rbac.authorization.k8s.io/v1:Role is in rbac/v1, random:index/randomPassword in randomPassword.
            const path = module!.replace(/^index\//, "").replace(/^([a-z]+)\.[^/]*/, "$1");
            const alias = `${kind}${provider}`;
            imports.set(alias, `import { ${kind} as ${alias} } from "@pulumi/${provider}/${path}";`);
            if (read) return `${alias}.get("${name}", "${name}", undefined, { provider: aws });`;
            return `new ${alias}("${name}-${index}", ${JSON.stringify(literal(inputs))} as never, { provider: ${provider} });`;
        });
    const providers = ["aws", "kubernetes", "random"].map((name) => {
        const inputs = name === "kubernetes" ? { kubeconfig: lab.cluster.kubeconfig } : {};
        return [
            `import { Provider as ${name}Provider } from "@pulumi/${name}/provider";`,
            `const ${name} = new ${name}Provider("${name}", ${JSON.stringify(inputs)} as never);`,
        ].join("\n");
    });
    mkdirSync(folder);
    for (const own of ["node_modules", "tools"]) symlinkSync(join(root, own), join(folder, own));
    for (const file of ["Pulumi.yaml", "tsconfig.json"]) copyFileSync(join(root, file), join(folder, file));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "bare", main: "index.ts" }));
    writeFileSync(join(folder, "Pulumi.bare.yaml"), "config: {}\n");
    writeFileSync(
        join(folder, "index.ts"),
        [
            `import { ComponentResource } from "@pulumi/pulumi";`,
            ...imports.values(),
            ...providers,
            ...lines,
            "",
        ].join("\n"),
    );
    return folder;
}

/** A property as a literal of a program: what is unknown is any text, or no entries where a Secret's are expected. */
function literal(value: Property, key = ""): unknown {
    if (value instanceof Secret) return literal(value.value, key);
    if (value === UNKNOWN) return key === "stringData" ? {} : "unknown";
    if (Array.isArray(value)) return value.map((each) => literal(each));
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, literal(inner, name)]))
        : value;
}
