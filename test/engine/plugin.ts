import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
    type handleUnaryCall,
    type sendUnaryData,
    Server,
    ServerCredentials,
    type ServerUnaryCall,
    status,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import {
    CheckResponse,
    ConfigureResponse,
    CreateResponse,
    DiffResponse,
    InvokeResponse,
    ReadResponse,
    UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { replaces } from "../../offline/forceNew";
import { PLANTED } from "./planted";

/*
 * Fake AWS and random providers for the engine's tests. They own nothing: a resource has its inputs, an id, an ARN and
 * the few outputs that the program reads. A new type works without changes, unless the program reads other outputs: add
 * those to the table.
 */

type Properties = Record<string, JavaScriptValue>;

/** What exists before the engine: inputs by type and id, in the file that this variable names. Default: nothing. */
type Existing = Record<string, Record<string, Properties>>;

function existing(type: string): Record<string, Properties> | undefined {
    const file = process.env["MCP_STUB_AWS"];
    return file === undefined ? undefined : (JSON.parse(readFileSync(file, "utf8")) as Existing)[type];
}

/** Outputs beside the inputs, by type, as they are once the resource exists. */
const OUTPUTS: Readonly<Record<string, (inputs: Properties, id: string) => Properties>> = {
    "aws:acm/certificate:Certificate": (_, id) => ({
        arn: `arn:aws:acm:ap-south-1:111122223333:certificate/${id}`,
    }),
    "aws:eks/cluster:Cluster": () => ({
        // What the program looks up is the control plane of the tests.
        ...(JSON.parse(process.env["MCP_STUB_CLUSTER"]!) as Properties),
        vpcConfig: { vpcId: "vpc-0f00", clusterSecurityGroupId: "sg-0f00" },
        // The policy pack checks it, whichever program declares the cluster.
        encryptionConfig: {
            resources: ["secrets"],
            provider: { keyArn: "arn:aws:kms:ap-south-1:111122223333:key/cluster" },
        },
    }),
    "aws:kms/key:Key": (_, id) => ({ keyId: id }),
    "aws:rds/instance:Instance": (inputs, id) => ({
        address: `${id}.rds.example.com`,
        endpoint: `${id}.rds.example.com:5432`,
        port: inputs["port"] ?? 5432,
        resourceId: `db-${id}`,
        masterUserSecrets: [{ secretArn: `arn:aws:secretsmanager:ap-south-1:111122223333:secret:${id}` }],
    }),
    "aws:elasticache/replicationGroup:ReplicationGroup": (inputs, id) => ({
        primaryEndpointAddress: `${id}.cache.example.com`,
        port: inputs["port"] ?? 6379,
    }),
    "aws:s3/bucket:Bucket": (inputs, id) => ({ bucket: inputs["bucket"] ?? id }),
    "random:index/randomBytes:RandomBytes": ({ length }) => ({
        base64: randomBytes(Number(length)).toString("base64"),
    }),
    "random:index/randomId:RandomId": ({ byteLength }) => ({
        hex: randomBytes(Number(byteLength)).toString("hex"),
    }),
    "random:index/randomPassword:RandomPassword": (inputs) => ({
        result: secret((PLANTED + randomBytes(64).toString("hex")).slice(0, Number(inputs["length"]))),
    }),
};

/** How a secret is marked on the wire. */
function secret(value: JavaScriptValue): Properties {
    return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

function created(type: string, inputs: Properties, id: string): Properties {
    const [provider, module] = type.split(/[:/]/);
    const arn = `arn:aws:${module}:ap-south-1:111122223333:${id}`;
    return { ...(provider === "aws" && { arn, name: id }), ...inputs, ...OUTPUTS[type]?.(inputs, id) };
}

/** Names of the inputs that differ. */
function changed(before: Properties, after: Properties): string[] {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        (key) => canonical(before[key]) !== canonical(after[key]),
    );
}

/** As text, with keys in one order: what crosses the wire has them in any. */
function canonical(value: JavaScriptValue | undefined): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
            : inner,
    );
}

const plain = (properties: Struct | undefined): Properties => properties?.toJavaScript() ?? {};
const onTheWire = (properties: Properties): Struct => Struct.fromJavaScript(properties);
const typeOf = (urn: string): string => urn.split("::")[2]!.split("$").at(-1)!;

/** Answers a call with what a function makes of its request; what it throws fails the resource. */
function answer<Request, Response>(make: (request: Request) => Response): handleUnaryCall<Request, Response> {
    return ({ request }: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
        try {
            callback(null, make(request));
        } catch (error) {
            callback({ code: status.UNKNOWN, message: (error as Error).message });
        }
    };
}

const provider: Partial<IResourceProviderServer> = {
    getPluginInfo: answer(() => new PluginInfo().setVersion(process.argv[2]!)),
    configure: answer(() => new ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true)),
    checkConfig: answer((request) => new CheckResponse().setInputs(request.getNews())),
    diffConfig: answer((request) => {
        const keys = changed(plain(request.getOlds()), plain(request.getNews()));
        const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
        return new DiffResponse().setChanges(keys.length > 0 ? DIFF_SOME : DIFF_NONE).setDiffsList(keys);
    }),
    check: answer((request) => new CheckResponse().setInputs(request.getNews())),
    diff: answer((request) => {
        const inputs = plain(request.getNews());
        const keys = changed(plain(request.getOldInputs()), inputs);
        const type = typeOf(request.getUrn());
        const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
        return new DiffResponse()
            .setChanges(keys.length > 0 ? DIFF_SOME : DIFF_NONE)
            .setDiffsList(keys)
            .setReplacesList(keys.filter((key) => replaces({ type, inputs: {} }, key)));
    }),
    create: answer((request) => {
        const inputs = plain(request.getProperties());
        // Outputs that a preview leaves out are unknown to the program.
        if (request.getPreview()) return new CreateResponse().setProperties(onTheWire(inputs));
        const [type, name] = [typeOf(request.getUrn()), request.getUrn().split("::").at(-1)!];
        const id = `${name}-${randomBytes(4).toString("hex")}`;
        return new CreateResponse().setId(id).setProperties(onTheWire(created(type, inputs, id)));
    }),
    read: answer((request) => {
        const state = plain(request.getProperties());
        const id = request.getId();
        const type = typeOf(request.getUrn());
        const known = existing(type);
        // An import knows nothing but the id.
        if (known !== undefined && Object.keys(state).length === 0) {
            const inputs = known[id];
            return inputs === undefined
                ? new ReadResponse()
                : new ReadResponse()
                      .setId(id)
                      .setInputs(onTheWire(inputs))
                      .setProperties(onTheWire(created(type, inputs, id)));
        }
        return new ReadResponse()
            .setId(id)
            .setInputs(request.getInputs())
            .setProperties(onTheWire({ ...created(type, state, id), ...state }));
    }),
    update: answer((request) => {
        const given = plain(request.getOldInputs());
        const kept = Object.entries(plain(request.getOlds())).filter(([key]) => !(key in given));
        const properties = { ...Object.fromEntries(kept), ...plain(request.getNews()) };
        return new UpdateResponse().setProperties(onTheWire(properties));
    }),
    delete: answer(() => new Empty()),
    cancel: answer(() => new Empty()),
    invoke: answer((request) => new InvokeResponse().setReturn(request.getArgs())),
};

const server = new Server();
server.addService(ResourceProviderService, provider as IResourceProviderServer);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    // The engine reads the port from the first line.
    console.log(port);
});

// An engine that is killed cannot end its plugins.
const engine = process.ppid;
setInterval(() => {
    if (process.ppid !== engine) process.exit();
}, 1000);
