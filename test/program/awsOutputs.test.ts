import assert from "node:assert/strict";
import { Role } from "@pulumi/aws/iam/role";
import { Key } from "@pulumi/aws/kms/key";
import { Provider } from "@pulumi/aws/provider";
import { Bucket } from "@pulumi/aws/s3/bucket";
import { Topic } from "@pulumi/aws/sns/topic";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription";
import { type Input } from "@pulumi/pulumi";
import { UNKNOWN } from "../../offline/property";
import { only, recordProgram } from "../support";

describe("outputs of AWS that follow from the inputs", () => {
    /** The value that the program gets of an output, as the endpoint of a subscription. */
    async function seen(
        declare: (opts: { provider: Provider }) => Input<string>,
        allowedAccountIds: string[] | undefined = ["111122223333"],
    ) {
        const recording = await recordProgram(() => {
            const provider = new Provider("aws", {
                region: "eu-west-1",
                ...(allowedAccountIds && { allowedAccountIds }),
            });
            const endpoint = declare({ provider });
            new TopicSubscription("seen", { topic: "t", protocol: "sqs", endpoint }, { provider });
        });
        return only(recording, "aws:sns/topicSubscription:TopicSubscription", "seen").inputs["endpoint"];
    }

    it("are ARNs of what has a name", async () => {
        const topic = await seen((opts) => new Topic("calls", { name: "p1" }, opts).arn);
        assert.equal(topic, "arn:aws:sns:eu-west-1:111122223333:p1");
        const bucket = await seen((opts) => new Bucket("b", { bucket: "audit" }, opts).arn);
        assert.equal(bucket, "arn:aws:s3:::audit");
        const role = { path: "/mcp/", name: "writer", assumeRolePolicy: "{}" };
        assert.equal(
            await seen((opts) => new Role("r", role, opts).arn),
            "arn:aws:iam::111122223333:role/mcp/writer",
        );
    });

    it("are of the account and region of the resource's own provider", async () => {
        const topic = await seen(() => {
            const provider = new Provider("other", {
                region: "us-east-1",
                allowedAccountIds: ["444455556666"],
            });
            return new Topic("calls", { name: "p1" }, { provider }).arn;
        });
        assert.equal(topic, "arn:aws:sns:us-east-1:444455556666:p1");
    });

    it("say whose id it is that AWS gives out", async () => {
        const key = await seen((opts) => new Key("topics", {}, opts).arn);
        assert.equal(key, "arn:aws:kms:eu-west-1:111122223333:key/<topics>");
    });

    it("are unknown for what gets its name from AWS, or is in an account that is not known", async () => {
        assert.equal(await seen((opts) => new Topic("calls", {}, opts).arn), UNKNOWN);
        assert.equal(await seen((opts) => new Topic("calls", { name: "p1" }, opts).arn, []), UNKNOWN);
        const named = (opts: { provider: Provider }) =>
            new Topic("calls", { name: new Key("k", {}, opts).keyId }, opts).arn;
        assert.equal(await seen(named), UNKNOWN);
    });
});
