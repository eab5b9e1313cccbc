import assert from "node:assert/strict";
import fc from "fast-check";
import { manifestsOf } from "../../offline/manifests";
import { UsageError, valuesOf } from "../../offline/stackFile";
import { PROPERTY_RUNS } from "../properties";
import { recordStack, root } from "../support";
import { Api, pathOf } from "./api";
import { type ControlPlane, openCluster, whyNoCluster } from "./control-plane";

const missing = whyNoCluster();

/** Values of one workload that the API server has rules for. */
const BASE = {
    name: "reports",
    version: "v1.0.0",
    path: "/",
    range: "10.0.0.0/8",
    except: "10.1.0.0/16",
    memory: "128Mi",
    cpu: "1",
    grace: "30s",
    value: "info",
    variable: "LOG_LEVEL",
};

/** Others, near the bounds of the schema and of the server. */
const OTHERS: { [key in keyof typeof BASE]: fc.Arbitrary<string> } = {
    name: fc.stringMatching(/^[a-z0-9][-a-z0-9]{0,29}$/),
    version: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/),
    path: fc.stringMatching(/^\/[a-z./%2F~-]{0,12}$/),
    range: fc.constantFrom("10.1.2.3/32", "0.0.0.0/0", "10.0.0.0/0", "10.1.0.0/16"),
    except: fc.constantFrom("10.0.0.0/8", "192.168.0.0/16", "10.1.2.3/32"),
    memory: fc.stringMatching(/^[0-9]{1,5}(Mi|Gi|M|)$/),
    cpu: fc.stringMatching(/^[0-9]{1,4}m?$/),
    grace: fc.stringMatching(/^[0-9]{1,5}[smhd]$/),
    value: fc.string({ maxLength: 40 }),
    variable: fc.stringMatching(/^[A-Za-z_][A-Z0-9_]{0,20}$/),
};

const edits = fc
    .array(
        fc.oneof(
            ...Object.entries(OTHERS).map(([key, values]) => values.map((value) => [key, value] as const)),
        ),
        { minLength: 1, maxLength: 3 },
    )
    .map((others) => {
        const { name, version, path, range, except, memory, cpu, grace, value, variable } = {
            ...BASE,
            ...(Object.fromEntries(others) as Partial<typeof BASE>),
        };
        const at = `mcp:workloads.${name}`;
        return [
            `${at}.image=probe`,
            `${at}.release.version=${version}`,
            `${at}.port=8080`,
            `${at}.health.live=${path}`,
            `${at}.health.ready=/`,
            `${at}.scaling.min=1`,
            `${at}.scaling.max=2`,
            `${at}.resources.cpu.request=1m`,
            `${at}.resources.cpu.limit=${cpu}`,
            `${at}.resources.memory.request=1Mi`,
            `${at}.resources.memory.limit=${memory}`,
            `${at}.gracePeriod=${grace}`,
            `${at}.config.${variable}=${value}`,
            `${at}.network.ingress=true`,
            `${at}.network.egress[0].cidr=${range}`,
            `${at}.network.egress[0].except[0]=${except}`,
            `${at}.network.egress[0].ports[0]=443`,
            "mcp:ingress.hosts[2].host=probe.example.com",
            `mcp:ingress.hosts[2].paths[0].path=${path}`,
            `mcp:ingress.hosts[2].paths[0].workload=${name}`,
        ];
    });

(missing ? describe.skip : describe)(
    `values that are accepted${missing ? ` (skipped: ${missing})` : ""}`,
    function () {
        this.timeout(15 * 60_000);
        let cluster: ControlPlane;
        let api: Api;
        before(async () => {
            cluster = await openCluster({ log: (line) => console.log(`    ${line}`) });
            api = Api.from(cluster.kubeconfig);
            for (const manifest of manifestsOf(await recordStack("staging"), (secret) => secret)) {
                if (manifest.kind === "Namespace") {
                    await api.apply(pathOf(manifest), manifest);
                }
            }
        });
        after(() => cluster?.stop());

        it("render objects that the API server admits", async () => {
            const accepted = (tried: string[]) => {
                try {
                    valuesOf(root, "staging", { edits: tried });
                    return true;
                } catch (error) {
                    assert.ok(error instanceof UsageError);
                    return false;
                }
            };
            await fc.assert(
                fc.asyncProperty(edits.filter(accepted), async (tried) => {
                    const recording = await recordStack("staging", ...tried);
                    for (const manifest of manifestsOf(recording, (secret) => secret)) {
                        await api.apply(pathOf(manifest), manifest, { dryRun: true });
                    }
                }),
                // Each is a whole run of the program.
                { numRuns: Math.min(PROPERTY_RUNS.numRuns, 300) },
            );
        });
    },
);
