import assert from "node:assert/strict";
import { judgeRecording } from "../../offline/evaluate";
import { type Property } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";
import { rules } from "../../policies/rules";
import { recordStack } from "../support";
import { edited } from "./edit";

const SHIPPER = "kubernetes:apps/v1:DaemonSet";
const TEMPLATE = "inputs spec template";
const POD = `${TEMPLATE} spec`;
const MOUNT = `${POD} containers 0 volumeMounts 1 readOnly`;

/* Reading a node's logs takes what no other pod may have. These say how far that goes. */
describe("what the policies allow a pod that reads its node's logs", () => {
    let production: Recording;
    before(async () => (production = await recordStack("production")));

    /** What is said of the shipper when it is changed; each place is set, or removed by undefined. */
    const found = (changes: Record<string, Property | undefined>): string[] => {
        const resources = production.resources
            .filter(({ type }) => type === SHIPPER)
            .map((shipper) =>
                Object.entries(changes).reduce<unknown>(
                    (resource, [path, value]) => edited(resource, path, value),
                    shipper,
                ),
            ) as RecordedResource[];
        assert.equal(resources.length, 1);
        // The rules of the whole stack miss the rest of it here.
        const own = rules.filter(({ resource }) => resource !== undefined);
        return judgeRecording({ ...production, resources }, own)
            .filter(({ kind }) => kind === "violation")
            .map(({ rule, message }) => `${rule}: ${message}`)
            .sort();
    };
    const HOST_PATH = (volume: string) =>
        `kubernetes-pod-disallow-unsafe-volumes: volume ${volume}: is of type hostPath`;
    const ROOT = [
        "kubernetes-pod-container-require-high-ids: container fluent-bit: runAsGroup is 0, expected 10000 or more",
        "kubernetes-pod-container-require-high-ids: container fluent-bit: runAsUser is 0, expected 10000 or more",
        "kubernetes-pod-container-require-non-root: container fluent-bit: runAsNonRoot is not set, expected true",
    ];
    const EVERYTHING = [...ROOT, HOST_PATH("pod-logs"), HOST_PATH("state")];

    it("is what the shipper has", () => assert.deepEqual(found({}), []));

    it("is nothing where it gives no reason", () =>
        assert.deepEqual(found({ [`${TEMPLATE} metadata annotations`]: undefined }), EVERYTHING));

    it("is nothing for pods that are not one a node", () =>
        assert.deepEqual(found({ type: "kubernetes:apps/v1:StatefulSet" }), EVERYTHING));

    it("is no logs to write to", () => {
        assert.deepEqual(found({ [MOUNT]: false }), [HOST_PATH("pod-logs")]);
        assert.deepEqual(found({ [MOUNT]: undefined }), [HOST_PATH("pod-logs")]);
        const initContainers = [{ name: "init", volumeMounts: [{ name: "pod-logs", mountPath: "/logs" }] }];
        assert.ok(found({ [`${POD} initContainers`]: initContainers }).includes(HOST_PATH("pod-logs")));
    });

    for (const path of [
        "/",
        "/var/log",
        "/var/log/pods/..",
        "/var/lib/mcp-logs",
        "/var/lib/mcp-logs/../kubelet",
    ]) {
        it(`is not ${path} of the node`, () =>
            assert.deepEqual(found({ [`${POD} volumes 2 hostPath path`]: path }), [HOST_PATH("state")]));
    }

    it("is no other kind of volume", () =>
        assert.deepEqual(found({ [`${POD} volumes 2`]: { name: "nfs", nfs: { server: "x", path: "/" } } }), [
            "kubernetes-pod-disallow-unsafe-volumes: volume nfs: is of type nfs",
        ]));

    it("is no capability, no privilege and no file of its image to write to", () => {
        const security = `${POD} containers 0 securityContext`;
        for (const [setting, value] of [
            ["privileged", true],
            ["allowPrivilegeEscalation", true],
            ["readOnlyRootFilesystem", false],
            ["capabilities", { add: ["SYS_ADMIN"] }],
        ] as const) {
            assert.notDeepEqual(found({ [`${security} ${setting}`]: value }), [], setting);
        }
    });
});
