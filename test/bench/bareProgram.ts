import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isObject, type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource } from "../../offline/record";

/**
 * Writes a program that declares as many resources, with the same SDK classes and nothing but literals: no components, no
 * configuration, no jobs to bundle. What the real one takes beyond it is the price of the program. Returns its folder.
 */
export function writeBareProgram(
    folder: string,
    resources: readonly RecordedResource[],
    kubeconfig: string,
): string {
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
        const inputs = name === "kubernetes" ? { kubeconfig } : {};
        return [
            `import { Provider as ${name}Provider } from "@pulumi/${name}/provider";`,
            `const ${name} = new ${name}Provider("${name}", ${JSON.stringify(inputs)} as never);`,
        ].join("\n");
    });
    mkdirSync(folder);
    for (const own of ["node_modules", "tools"]) symlinkSync(resolve(own), join(folder, own));
    for (const file of ["Pulumi.yaml", "tsconfig.json"]) copyFileSync(file, join(folder, file));
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
