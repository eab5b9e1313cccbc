import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { manifestsOf } from "../../offline/manifests";
import { recordStack, root } from "../support";
import { ACCEPTED } from "./accepted";
import { Api } from "./api";
import { type ControlPlane, openCluster, whyNoCluster } from "./control-plane";

/* What well-known tools say about the manifests and the workflows. They are Go modules, built by the Go of the machine
 * at the versions named here. */

const KUBE_SCORE = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0";
const KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0";
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/** Runs a tool; findings change its exit status. */
async function tool(
    module: string,
    ...args: string[]
): Promise<{ status: number; stdout: string; output: string }> {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
    return promisify(execFile)("go", ["run", module, ...args], options).then(
        ({ stdout, stderr }) => ({ status: 0, stdout, output: stdout + stderr }),
        ({
            code,
            stdout,
            stderr,
            message,
        }: {
            code?: unknown;
            stdout?: string;
            stderr?: string;
            message: string;
        }) => {
            if (typeof code !== "number" || stdout === undefined) throw new Error(message);
            return { status: code, stdout, output: stdout + stderr };
        },
    );
}

interface Score {
    object_name: string;
    object_meta: { name: string };
    checks: {
        check: { id: string };
        grade: number;
        skipped: boolean;
        comments: { summary: string }[] | null;
    }[];
}

/** Grades of kube-score below this are warnings and worse. */
const FINE = 7;

const missing = whyNoCluster();
const suite = missing ? describe.skip : describe;

suite(`the manifests${missing ? ` (skipped: ${missing})` : ""}`, function () {
    this.timeout(15 * 60_000);
    let folder: string;
    before(async () => {
        folder = mkdtempSync(join(tmpdir(), "mcp-manifests-"));
        for (const stack of ["production", "staging"]) {
            mkdirSync(join(folder, stack));
            const recording = await recordStack(stack);
            manifestsOf(recording, () => "").forEach((manifest, index) =>
                writeFileSync(join(folder, stack, `${index}.yaml`), stringify(manifest, { lineWidth: 0 })),
            );
        }
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    const filesOf = (stack: string) =>
        readdirSync(join(folder, stack)).map((file) => join(folder, stack, file));

    it("have no finding of kube-score but the accepted ones, all of which are found", async () => {
        const found: { check: string; object: string; line: string }[] = [];
        for (const stack of ["production", "staging"]) {
            const { stdout } = await tool(KUBE_SCORE, "score", "--output-format", "json", ...filesOf(stack));
            for (const { object_name: name, object_meta: meta, checks } of JSON.parse(stdout) as Score[]) {
                for (const { check, grade, skipped, comments } of checks) {
                    if (!skipped && grade < FINE) {
                        const line = `${stack} ${name}: ${check.id}: ${comments?.map(({ summary }) => summary).join("; ")}`;
                        found.push({ check: check.id, object: meta.name, line });
                    }
                }
            }
        }
        const accepts = ({ check, object }: { check: string; object: string }) =>
            ACCEPTED.filter((each) => each.check === check && each.objects.test(object));
        assert.deepEqual(
            found.filter((each) => accepts(each).length === 0).map(({ line }) => line),
            [],
        );
        const used = new Set(found.flatMap(accepts));
        assert.deepEqual(
            ACCEPTED.filter((each) => !used.has(each)).map(({ check }) => check),
            [],
        );
    });

    it("conform to the schemas of the API server, as kubeconform sees it", async () => {
        const cluster: ControlPlane = await openCluster();
        try {
            const schemas = join(folder, "schemas");
            mkdirSync(schemas);
            await writeSchemas(Api.from(cluster.kubeconfig), schemas);
            const location = join(schemas, "{{.ResourceKind}}{{.KindSuffix}}.json");
            const args = ["-strict", "-summary", "-schema-location", location];
            const { status, output } = await tool(
                KUBECONFORM,
                ...args,
                ...filesOf("production"),
                ...filesOf("staging"),
            );
            assert.equal(status, 0, output);
            assert.match(output, /Invalid: 0, Errors: 0, Skipped: 0/);
            const wrong = join(folder, "wrong.yaml");
            writeFileSync(
                wrong,
                stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec: { port: 1 } }),
            );
            assert.match((await tool(KUBECONFORM, ...args, wrong)).output, /Invalid: 1/);
        } finally {
            await cluster.stop();
        }
    });
});

(missing ? describe.skip : describe)("the workflows", function () {
    this.timeout(10 * 60_000);
    it("have no finding of actionlint", async () => {
        const { status, output } = await tool(ACTIONLINT, "-no-color", "-shellcheck=", "-pyflakes=");
        assert.equal(status, 0, output);
    });
});

interface Schema {
    "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
    properties?: Record<string, object>;
}

/** The server's own OpenAPI document as schemas of JSON, a file a kind, in the way kubeconform names them. */
async function writeSchemas(api: Api, folder: string): Promise<void> {
    const { definitions } = await api.get<{ definitions: Record<string, Schema> }>("/openapi/v2");
    const strict = Object.fromEntries(
        Object.entries(definitions).map(([name, schema]) => [
            name,
            // An object whose fields are known has no others; a quantity may be a text or a number.
            /\.(IntOrString|Quantity)$/.test(name)
                ? { type: ["string", "integer", "number"] }
                : { ...schema, ...(schema.properties === undefined ? {} : { additionalProperties: false }) },
        ]),
    );
    writeFileSync(join(folder, "definitions.json"), JSON.stringify({ definitions: strict }));
    for (const [name, schema] of Object.entries(definitions)) {
        for (const { group, version, kind } of schema["x-kubernetes-group-version-kind"] ?? []) {
            const suffix = [...(group === "" ? [] : [group.split(".")[0]!]), version].join("-");
            const file = `${kind}-${suffix}.json`.toLowerCase();
            writeFileSync(
                join(folder, file),
                JSON.stringify({ $ref: `definitions.json#/definitions/${name}` }),
            );
        }
    }
}
