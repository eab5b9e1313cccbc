import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { temporaryAuthority } from "../certificates";
import { freePort } from "../jobs/postgres";
import { Api, eventually, type Resource } from "./api";
import { type Cloud, CLUSTER } from "./cloud";
import { onProcessEnd } from "./process-end";

/** A folder with `controller`, the binary of a release's image, and that release's manifest, such as v3_5_0_full.yaml. */
const given = process.env["MCP_ALB_CONTROLLER"];

const ACCOUNT = "/api/v1/namespaces/kube-system/serviceaccounts/aws-load-balancer-controller";

/** Where the objects of the manifest are that matter without its Deployment and without a maker of certificates. */
const PATHS: Record<string, string> = {
    CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ServiceAccount: "/api/v1/namespaces/kube-system/serviceaccounts",
    ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
};

const WEBHOOKS: Record<string, string> = {
    MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
};

interface Installed {
    kind: string;
    metadata: { name: string };
    webhooks?: { clientConfig: { service?: { path: string }; url?: string; caBundle?: string } }[];
}

/** The controller, running. */
export interface Controller {
    stop(): void;
}

/** Why there is no controller to test with, in plain words; undefined when there is one. */
export function whyNoController(): string | undefined {
    return given === undefined
        ? "not proven: that the AWS Load Balancer Controller makes the intended load balancer of the Ingress, and that a switch changes nothing else; MCP_ALB_CONTROLLER names no folder with it"
        : undefined;
}

/** Installs the controller as its manifest says, with its own rights, and runs it outside of the cluster. */
export async function startController(kubeconfig: string, cloud: Cloud): Promise<Controller> {
    const folder = mkdtempSync(join(tmpdir(), "mcp-alb-controller-"));
    const authority = temporaryAuthority();
    const at = (name: string) => join(folder, name);
    const api = Api.from(kubeconfig);
    const manifest = readdirSync(given!).find((name) => name.endsWith("_full.yaml"))!;
    const installed = parseAllDocuments(readFileSync(join(given!, manifest), "utf8")).map(
        (document) => document.toJS() as Installed,
    );
    for (const object of installed) {
        const path = PATHS[object.kind];
        if (path !== undefined) await api.post(path, object);
    }
    await api.post("/apis/networking.k8s.io/v1/ingressclasses", {
        metadata: { name: "alb" },
        spec: { controller: "ingress.k8s.aws/alb" },
    });

    const { status } = await api.post<Resource<object, { token: string }>>(`${ACCOUNT}/token`, { spec: {} });
    const config = JSON.parse(readFileSync(kubeconfig, "utf8")) as { users: { user: object }[] };
    config.users[0]!.user = { token: status.token };
    writeFileSync(at("kubeconfig"), JSON.stringify(config), { mode: 0o600 });
    const root = authority.issue("webhooks", { authority: true });
    const { files } = authority.issue("localhost", { hosts: ["localhost"], issuer: root });
    writeFileSync(at("tls.crt"), readFileSync(files.certificate));
    writeFileSync(at("tls.key"), readFileSync(files.privateKey), { mode: 0o600 });
    authority.remove();

    const port = await freePort();
    const log = openSync(at("controller.log"), "a");
    const flags = {
        kubeconfig: at("kubeconfig"),
        "cluster-name": CLUSTER,
        "aws-region": "ap-south-1",
        "aws-vpc-id": cloud.vpc,
        "enable-leader-election": false,
        "webhook-bind-port": port,
        "webhook-cert-dir": folder,
        "webhook-cert-file": "tls.crt",
        "webhook-key-file": "tls.key",
        "metrics-bind-addr": 0,
        "health-probe-bind-addr": "127.0.0.1:0",
        // Not of the AWS stub.
        "enable-shield": false,
        "enable-waf": false,
        "enable-wafv2": false,
    };
    const child = spawn(
        join(given!, "controller"),
        Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
        {
            stdio: ["ignore", log, log],
            env: {
                HOME: folder,
                AWS_ENDPOINT_URL: cloud.url,
                AWS_ACCESS_KEY_ID: "planted",
                AWS_SECRET_ACCESS_KEY: "planted",
                AWS_EC2_METADATA_DISABLED: "true",
            },
        },
    );
    closeSync(log);
    const end = () => {
        child.kill("SIGKILL");
        rmSync(folder, { recursive: true, force: true });
    };
    const forget = onProcessEnd(end);
    const stop = () => {
        end();
        forget();
    };
    try {
        await eventually("the controller answers the API server", () => answers(port), 60);
        for (const object of installed.filter(({ kind }) => kind in WEBHOOKS)) {
            for (const { clientConfig } of object.webhooks!) {
                clientConfig.url = `https://localhost:${port}${clientConfig.service!.path}`;
                clientConfig.caBundle = Buffer.from(root.certificate).toString("base64");
                delete clientConfig.service;
            }
            await api.post(WEBHOOKS[object.kind]!, object);
        }
    } catch (error) {
        const said = readFileSync(at("controller.log"), "utf8").trimEnd().split("\n").slice(-15).join("\n");
        stop();
        throw new Error(`The controller did not start. It said last:\n${said}`, { cause: error });
    }
    return { stop };
}

function answers(port: number): Promise<boolean> {
    return new Promise((done) => {
        const socket = connect(port, "127.0.0.1", () => {
            socket.destroy();
            done(true);
        });
        socket.once("error", () => done(false));
    });
}
