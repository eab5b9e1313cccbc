import { z } from "zod";
import { PLACEHOLDER_PEM } from "./certificates";
import { imageReferences } from "./images";
import { getOwn } from "../core/getOwn";
import { PLACEHOLDER_DIGEST } from "../core/placeholderDigest";
import { configPath, type Problem } from "./problems";
import { isProduction } from "./tier";

/** A value that only an operator can set: it is secret, specific to an account, or read from a registry. */
export interface RequiredInput {
    path: readonly string[];
    /** Placeholder in the offline preview, which cannot be a real value. */
    placeholder: string | readonly string[];
    /** Command that sets it. */
    command: string;
}

/** Placeholder of the account's id; no account has it. */
export const PLACEHOLDER_ACCOUNT = "000000000000";

const looseRelease = z.object({ version: z.coerce.string() }).optional().catch(undefined);

/** The parts of unvalidated values that decide which inputs are required. The schema reports malformed values. */
const looseSchema = z.object({
    environment: z.string().catch(""),
    tier: z.string().optional().catch(undefined),
    aws: z
        .object({
            accountId: z.coerce.string().optional().catch(""),
            region: z.string().catch(""),
        })
        .optional()
        .catch({ accountId: "", region: "" }),
    images: z
        .object({
            registry: z.string().optional().catch(undefined),
            pins: z.record(z.string(), z.unknown()).catch({}),
        })
        .catch({ pins: {} }),
    jobs: z
        .object({ images: z.record(z.string(), z.string()) })
        .optional()
        .catch(undefined),
    workloads: z
        .record(
            z.string(),
            z
                .object({
                    image: z.string(),
                    release: looseRelease,
                    releases: z
                        .object({ blue: looseRelease, green: looseRelease })
                        .optional()
                        .catch(undefined),
                    smoke: z.object({ image: z.string().optional() }).catch({}),
                    secrets: z.record(z.string(), z.string()).catch({}),
                })
                .optional()
                .catch(undefined),
        )
        .catch({}),
    checklist: z
        .object({
            validatedBy: z.unknown().optional(),
            unvalidated: z.unknown().optional(),
            stakeholders: z.unknown().optional(),
            unannounced: z.unknown().optional(),
        })
        .catch({ validatedBy: "", stakeholders: "" })
        .prefault({}),
    database: z.object({ subnets: z.unknown().optional() }).optional().catch(undefined),
    cache: z.object({ subnets: z.unknown().optional() }).optional().catch(undefined),
    health: z.object({ azureTenant: z.unknown().optional() }).optional().catch(undefined),
    ingress: z
        .object({ certificates: z.array(z.string()).catch([]) })
        .optional()
        .catch(undefined),
    tls: z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).catch({}),
    secrets: z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).catch({}),
});

/** Required inputs that are not set yet. */
export function missingInputs(raw: unknown, stack: string): RequiredInput[] {
    const values = looseSchema.parse(raw);
    const workloads = Object.fromEntries(
        Object.entries(values.workloads).flatMap(([name, workload]) =>
            workload ? [[name, workload] as const] : [],
        ),
    );
    const production = isProduction(values);
    const missing: RequiredInput[] = [];
    if (values.aws !== undefined && values.aws.accountId === undefined) {
        const path = ["aws", "accountId"];
        missing.push({
            path,
            placeholder: PLACEHOLDER_ACCOUNT,
            command: `pulumi config set --stack ${stack} --path ${configPath(path)} ACCOUNT_ID`,
        });
    }
    if (production && values.jobs !== undefined) {
        const aws = values.aws && { ...values.aws, accountId: values.aws.accountId ?? PLACEHOLDER_ACCOUNT };
        for (const reference of imageReferences({
            aws,
            images: values.images,
            jobs: values.jobs,
            workloads,
        })) {
            if (getOwn(values.images.pins, reference) === undefined) {
                missing.push({
                    path: ["images", "pins", reference],
                    placeholder: PLACEHOLDER_DIGEST,
                    command: `npm run images -- pin --stack ${stack}`,
                });
            }
        }
    }
    const { validatedBy, unvalidated, stakeholders, unannounced } = values.checklist;
    if (production && validatedBy === undefined && unvalidated === undefined) {
        const path = ["checklist", "validatedBy"];
        missing.push({
            path,
            placeholder: "placeholder/mcp/staging",
            command: `pulumi config set --stack ${stack} --path ${configPath(path)} ORGANIZATION/mcp/staging`,
        });
    }
    if (production && stakeholders === undefined && unannounced === undefined) {
        missing.push({
            path: ["checklist", "stakeholders"],
            placeholder: ["placeholder@example.com"],
            command: `pulumi config set --stack ${stack} --path 'mcp:checklist.stakeholders[0]' ADDRESS, and [1] and so on`,
        });
    }
    for (const store of ["database", "cache"] as const) {
        if (values[store] !== undefined && values[store].subnets === undefined) {
            missing.push({
                path: [store, "subnets"],
                placeholder: ["subnet-00000000", "subnet-00000001"],
                command: `pulumi config set --stack ${stack} --path 'mcp:${store}.subnets[0]' SUBNET_ID, and [1] and so on`,
            });
        }
    }
    if (values.health !== undefined && values.health.azureTenant === undefined) {
        const path = ["health", "azureTenant"];
        missing.push({
            path,
            placeholder: "00000000-0000-0000-0000-000000000000",
            command: `pulumi config set --stack ${stack} --path ${configPath(path)} TENANT_ID`,
        });
    }
    for (const [workload, { secrets }] of Object.entries(workloads)) {
        for (const [name, origin] of Object.entries(secrets)) {
            if (origin === "supplied" && getOwn(getOwn(values.secrets, workload) ?? {}, name) === undefined) {
                const path = ["secrets", workload, name];
                missing.push({
                    path,
                    placeholder: "placeholder",
                    command: `pulumi config set --stack ${stack} --secret --path '${configPath(path)}'`,
                });
            }
        }
    }
    return [...missing, ...missingCertificates(values, stack)];
}

/** The parts of the listed certificates that an operator must still set. */
function missingCertificates({ ingress, tls }: z.output<typeof looseSchema>, stack: string): RequiredInput[] {
    return (ingress?.certificates ?? []).flatMap((name) =>
        (["certificate", "privateKey"] as const)
            .filter((part) => getOwn(tls, name)?.[part] === undefined)
            .map((part) => {
                const path = ["tls", name, part];
                const file = { certificate: "CHAIN.pem", privateKey: "KEY.pem" }[part];
                return {
                    path,
                    placeholder: PLACEHOLDER_PEM,
                    command: `pulumi config set --stack ${stack} --secret --path '${configPath(path)}' < ${file}`,
                };
            }),
    );
}

/** A copy of the values with placeholders for the missing ones. Leaves values that are not objects to the schema. */
export function withPlaceholders(
    raw: Record<string, unknown>,
    missing: readonly RequiredInput[],
): Record<string, unknown> {
    const filled = structuredClone(raw);
    for (const { path, placeholder } of missing) {
        let at: unknown = filled;
        path.forEach((key, index) => {
            if (isRecord(at)) {
                at[key] ??= index === path.length - 1 ? placeholder : {};
                at = at[key];
            }
        });
    }
    return filled;
}

/** Whether a value is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The missing values as problems, each with the command that sets it. */
export function asProblems(missing: readonly RequiredInput[]): Problem[] {
    return missing.map(({ path, command }) => ({
        path: configPath(path),
        found: "nothing",
        expected: `a value, set by: ${command}`,
    }));
}
