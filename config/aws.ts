import { z } from "zod";
import { text, typedText } from "./scalars";

/** Account and region the stack lives in. */
export const awsSchema = z.strictObject({
    /** Region of every AWS resource. */
    region: text(/^[a-z]{2}(-[a-z]+)+-[1-9]$/, "an AWS region, such as ap-south-1"),
    /** The only account the stack may touch: with credentials of another one, the update stops at once. */
    accountId: text(/^[0-9]{12}$/, "an account id of 12 digits"),
    /** The account as the access lists of S3 name it. Needed where there is a cache, whose snapshots are exported. */
    canonicalUserId: text(/^[0-9a-f]{64}$/, "a canonical user id of 64 hexadecimal digits").optional(),
    /** Tags on every AWS resource, beside project, stack, environment and managed-by. Default: none. */
    tags: z.record(z.string(), typedText(z.string({ error: "a tag value" }))).default({}),
});
