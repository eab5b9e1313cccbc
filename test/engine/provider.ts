/* A provider plugin that stands in for AWS and random on the real engine: every resource it is asked for exists at
 * once and is what its inputs say. Bundled and started as pulumi-resource-NAME by engine.ts. */

import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import {
    CheckResponse,
    type CheckRequest,
    ConfigureResponse,
    CreateResponse,
    type CreateRequest,
    type DeleteRequest,
    DiffResponse,
    type DiffRequest,
    ReadResponse,
    type ReadRequest,
    UpdateResponse,
    type UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { replaces } from "../../offline/immutable";
import { decode, isObject, type Property } from "../../offline/property";

/** What the plugin is told by engine.ts, in the environment. */
export interface PluginSettings {
    /** Every call that changes something is written here, a line each. */
    log: string;
    /** What reading the EKS cluster answers. */
    cluster: { endpoint: string; certificateAuthority: { data: string } };
}

type Properties = Record<string, JavaScriptValue>;

const settings = JSON.parse(process.env["MCP_TEST_PLUGIN"]!) as PluginSettings;
const [name, version] = process.argv.slice(2) as [string, string];

/** Outputs beside the inputs and the ARN, by type. */
const OUTPUTS: Record<string, (id: string) => Properties> = {
    "aws:kms/key:Key": (id) => ({ keyId: id }),
    "aws:rds/instance:Instance": (id) => ({
        address: `${id}.rds.example.com`,
        masterUserSecrets: [{ secretArn: `arn:aws:secretsmanager:ap-south-1:111122223333:secret:${id}` }],
    }),
    "random:index/randomBytes:RandomBytes": () => ({ base64: randomBytes(16).toString("base64") }),
    "random:index/randomId:RandomId": () => ({ hex: randomBytes(4).toString("hex") }),
    "random:index/randomPassword:RandomPassword": () => ({
        result: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: password() },
    }),
};

/** One that the tests can look for. */
function password(): string {
    return `planted-${randomBytes(16).toString("hex")}`;
}

function outputsOf(type: string, id: string, inputs: Properties): Properties {
    const [, service] = type.split(/[:/]/);
    const arn: Properties = type.startsWith("aws:")
        ? { arn: `arn:aws:${service}:ap-south-1:111122223333:${id}` }
        : {};
    return { ...arn, ...OUTPUTS[type]?.(id), ...inputs };
}

const plain = (struct: Struct | undefined) => struct?.toJavaScript() ?? {};
const typeOf = (urn: string) => urn.split("::")[2]!.split("$").at(-1)!;
const tell = (operation: string, urn: string) => appendFileSync(settings.log, `${operation} ${urn}\n`);

/** Answers a call with what the function makes of its request. */
function answering<Request, Response>(
    respond: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
    return ({ request }, callback) => callback(null, respond(request));
}

const unchanged = answering((request: CheckRequest) => {
    const response = new CheckResponse();
    response.setInputs(request.getNews());
    return response;
});

const diff = answering((request: DiffRequest) => {
    const [before, after] = [plain(request.getOldInputs()), plain(request.getNews())];
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const changed = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
    const type = typeOf(request.getUrn());
    const inputs = decode(after);
    const forced = changed.filter((key) =>
        replaces({ type, inputs: isObject(inputs) ? inputs : ({} as Record<string, Property>) }, key),
    );
    const response = new DiffResponse();
    response.setChanges(
        changed.length > 0 ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE,
    );
    response.setDiffsList(changed);
    response.setReplacesList(forced);
    return response;
});

const calls = {
    checkConfig: unchanged,
    check: unchanged,
    diffConfig: diff,
    diff,
    configure: answering(() => {
        const response = new ConfigureResponse();
        response.setAcceptsecrets(true);
        response.setSupportspreview(true);
        return response;
    }),
    create: answering((request: CreateRequest) => {
        const inputs = plain(request.getProperties());
        const response = new CreateResponse();
        if (request.getPreview()) {
            response.setProperties(Struct.fromJavaScript(inputs));
            return response;
        }
        const [type, id] = [
            typeOf(request.getUrn()),
            `${request.getName()}-${randomBytes(3).toString("hex")}`,
        ];
        tell("create", request.getUrn());
        response.setId(id);
        response.setProperties(Struct.fromJavaScript(outputsOf(type, id, inputs)));
        return response;
    }),
    update: answering((request: UpdateRequest) => {
        const response = new UpdateResponse();
        const inputs = plain(request.getNews());
        if (!request.getPreview()) {
            tell("update", request.getUrn());
        }
        response.setProperties(Struct.fromJavaScript({ ...plain(request.getOlds()), ...inputs }));
        return response;
    }),
    delete: answering((request: DeleteRequest) => {
        tell("delete", request.getUrn());
        return new Empty();
    }),
    read: answering((request: ReadRequest) => {
        const cluster = typeOf(request.getUrn()) === "aws:eks/cluster:Cluster";
        const response = new ReadResponse();
        response.setId(request.getId());
        response.setInputs(request.getInputs());
        response.setProperties(
            cluster
                ? Struct.fromJavaScript({
                      ...settings.cluster,
                      name: request.getId(),
                      vpcConfig: { vpcId: "vpc-1", clusterSecurityGroupId: "sg-1" },
                  })
                : request.getProperties(),
        );
        return response;
    }),
    getPluginInfo: answering(() => {
        const response = new PluginInfo();
        response.setVersion(version);
        return response;
    }),
    cancel: answering(() => new Empty()),
};

const server = new Server({ "grpc.max_receive_message_length": 2 ** 28 });
server.addService(ResourceProviderService, {
    ...Object.fromEntries(
        Object.keys(ResourceProviderService).map((call) => [
            call,
            (_: unknown, callback: (error: object) => void) =>
                callback({ code: status.UNIMPLEMENTED, details: `${name} has no ${call}` }),
        ]),
    ),
    ...calls,
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) {
        throw error;
    }
    // The engine reads the port from the first line.
    console.log(port);
});
