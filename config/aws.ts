import { z } from "zod";
import { TIER_TAG } from "../core/labels";
import { text, typedText } from "./scalars";

/** Regions of the commercial partition. The program supports no other partition. */
export const REGIONS: readonly string[] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/** Tags that the program sets on every resource. */
const OWN_TAGS = ["project", "stack", "environment", "managed-by", TIER_TAG, "Name"];

/** AWS accepts 50 tags on a resource, including the program's. */
const MOST_TAGS = 40;

const tagKey = text(
    /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu,
    "a tag key of at most 128 letters, digits, spaces and _ . : / = + - @ that does not begin with aws:",
);

const tagValue = typedText(
    z
        .string({ error: "a tag value" })
        .regex(
            /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u,
            "a tag value of at most 256 letters, digits, spaces and _ . : / = + - @",
        ),
);

/** Account and region of the stack. */
export const awsSchema = z.strictObject({
    /** Region of every AWS resource. */
    region: z.enum(REGIONS, { error: "an AWS region, such as ap-south-1" }),
    /** The account of the stack. With credentials of another account, the update stops before any change. */
    accountId: text(/^[0-9]{12}$/, "an account id of 12 digits"),
    /** Further tags on every AWS resource, in addition to project, stack, environment and managed-by. Default: none. */
    tags: z
        .record(tagKey, tagValue)
        .superRefine((tags, context) => {
            const keys = Object.keys(tags);
            if (keys.length > MOST_TAGS) {
                context.addIssue({ code: "custom", message: `at most ${MOST_TAGS} tags` });
            }
            keys.forEach((key, index) => {
                // IAM does not distinguish keys by case.
                const same = [...OWN_TAGS, ...keys.slice(0, index)].find(
                    (other) => other.toLowerCase() === key.toLowerCase(),
                );
                if (same !== undefined && key !== "Name") {
                    const message = `a key that differs from ${same} in more than case`;
                    context.addIssue({ code: "custom", path: [key], message });
                }
            });
        })
        .default({}),
});

/** Concerns of the stack that are on AWS, and why each needs an account. */
interface OnAws {
    aws?: object | undefined;
    images: { registry?: string | undefined };
    kubernetes: { cluster?: string | undefined };
    ingress?: { alb?: object | undefined } | undefined;
    incident?: object | undefined;
    database?: object | undefined;
    cache?: object | undefined;
    backups?: object | undefined;
    archive?: object | undefined;
    copies?: object | undefined;
    maintenance?: object | undefined;
    observability?: object | undefined;
    health?: object | undefined;
}

/** Requires an account if any concern is on AWS, and then contacts for its alarms. */
export function checkAws(values: OnAws, context: z.core.$RefinementCtx): void {
    const { aws, images, kubernetes, ingress, incident } = values;
    const problem = (path: string, message: string) =>
        context.addIssue({ code: "custom", path: [path], message });
    if (aws !== undefined) {
        if (incident === undefined) {
            problem("incident", "contacts, because alarms on AWS need recipients");
        }
        return;
    }
    const concerns = [
        "incident",
        "database",
        "cache",
        "backups",
        "archive",
        "copies",
        "maintenance",
        "observability",
        "health",
    ] as const;
    const reasons = [
        ...(kubernetes.cluster === undefined ? [] : ["mcp:kubernetes.cluster"]),
        ...(images.registry === undefined ? ["the default of mcp:images.registry"] : []),
        ...(ingress?.alb === undefined ? [] : ["mcp:ingress.alb"]),
        ...concerns.filter((concern) => values[concern] !== undefined).map((concern) => `mcp:${concern}`),
    ];
    if (reasons.length > 0) {
        problem("aws", `an account and a region, for ${reasons.join(", ")}`);
    }
}
