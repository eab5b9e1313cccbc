import assert from "node:assert/strict";
import { type Issued } from "../certificates";
import { type Moto, startMoto } from "../moto";
import { type Api } from "./api";

const REGION = "ap-south-1";

/** Name of the cluster, which the controller looks for on what is the cluster's. */
export const CLUSTER = "mcp";

/** Addresses of a node, of which kwok gives each of its pods one. */
const ADDRESSES = 62;

/** AWS resources of a cluster, at a stub of AWS. */
export interface Cloud {
    url: string;
    vpc: string;
    /** A subnet in each zone of the cluster's nodes. */
    subnets: readonly { id: string; cidr: string }[];
    /** Imports a certificate into ACM, and returns its ARN. */
    importCertificate(pair: Issued): Promise<string>;
    /** Asks Elastic Load Balancing. */
    balancing<Result>(action: string, parameters?: Record<string, string>): Promise<Result>;
    /** Makes the cluster's nodes instances of this cloud, and its pods' addresses theirs, as amazon-vpc-cni would. */
    join(api: Api): Promise<void>;
    stop(): void;
}

/** Starts a server with a VPC that has a subnet in each of three zones, and an instance in each. */
export async function startCloud(): Promise<Cloud> {
    const moto = await startMoto();
    try {
        return await cloudAt(moto);
    } catch (error) {
        moto.stop();
        throw error;
    }
}

async function cloudAt(moto: Moto): Promise<Cloud> {
    const post = async (service: string, init: RequestInit) => {
        const answer = await moto.ask(`${REGION}/${service}`, "/", { method: "POST", ...init });
        const text = await answer.text();
        assert.ok(answer.ok, text);
        return text;
    };
    const compute = (action: string, parameters: Record<string, string> = {}) =>
        post("ec2", {
            body: new URLSearchParams({ Action: action, Version: "2016-11-15", ...parameters }),
        });
    /** The first value of a tag, in an answer that is XML. */
    const first = (answer: string, tag: string) => new RegExp(`<${tag}>([^<]+)<`).exec(answer)![1]!;

    const vpc = first(await compute("CreateVpc", { CidrBlock: "10.20.0.0/16" }), "vpcId");
    const group = first(
        await compute("CreateSecurityGroup", { GroupName: "nodes", GroupDescription: "nodes", VpcId: vpc }),
        "groupId",
    );
    const image = first(await compute("DescribeImages", { "Owner.1": "amazon" }), "imageId");
    const zones = await Promise.all(
        ["a", "b", "c"].map(async (letter, index) => {
            const zone = REGION + letter;
            const cidr = `10.20.${16 * index}.0/20`;
            const subnet = { VpcId: vpc, CidrBlock: cidr, AvailabilityZone: zone };
            const id = first(await compute("CreateSubnet", subnet), "subnetId");
            const instance = await compute("RunInstances", {
                ...{ ImageId: image, InstanceType: "m5.large", MinCount: "1", MaxCount: "1" },
                ...{ SubnetId: id, "SecurityGroupId.1": group },
            });
            const pods = `10.20.${16 * index + 1}`;
            const addresses = Array.from({ length: ADDRESSES }, (_, each) => `${pods}.${each}`);
            await compute("AssignPrivateIpAddresses", {
                NetworkInterfaceId: first(instance, "networkInterfaceId"),
                ...Object.fromEntries(
                    addresses.map((address, each) => [`PrivateIpAddress.${each + 1}`, address]),
                ),
            });
            return { id, cidr, zone, instance: first(instance, "instanceId"), pods: `${pods}.0/26` };
        }),
    );
    await compute("CreateTags", {
        ...{ "ResourceId.1": group, "Tag.1.Key": `kubernetes.io/cluster/${CLUSTER}`, "Tag.1.Value": "owned" },
    });

    return {
        url: `http://127.0.0.1:${moto.port}`,
        vpc,
        subnets: zones.map(({ id, cidr }) => ({ id, cidr })),
        async importCertificate({ certificate, privateKey }) {
            const encoded = (text: string) => Buffer.from(text).toString("base64");
            const answer = await post("acm", {
                headers: {
                    "content-type": "application/x-amz-json-1.1",
                    "x-amz-target": "CertificateManager.ImportCertificate",
                },
                body: JSON.stringify({ Certificate: encoded(certificate), PrivateKey: encoded(privateKey) }),
            });
            return (JSON.parse(answer) as { CertificateArn: string }).CertificateArn;
        },
        async balancing<Result>(action: string, parameters: Record<string, string> = {}) {
            const query = { Action: action, Version: "2015-12-01", ContentType: "JSON", ...parameters };
            const answer = await post("elasticloadbalancing", { body: new URLSearchParams(query) });
            const { [`${action}Response`]: response } = JSON.parse(answer) as Record<
                string,
                Record<string, Result>
            >;
            return response![`${action}Result`]!;
        },
        async join(api) {
            for (const { zone, instance, pods } of zones) {
                await api.patch(`/api/v1/nodes/node-${zone}`, {
                    spec: { providerID: `aws:///${zone}/${instance}`, podCIDR: pods, podCIDRs: [pods] },
                });
            }
        },
        stop: () => moto.stop(),
    };
}
