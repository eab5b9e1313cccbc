import { UNKNOWN_TEXT } from "../../offline/manifests";
import { isObject, type Property, Secret, UNKNOWN } from "../../offline/property";
import { type RecordedResource, type Recording } from "../../offline/record";

/** Names that Terraform's provider gives types of AWS otherwise than by their module. */
const TYPES: Readonly<Record<string, string>> = {
    "rds/instance": "aws_db_instance",
    "rds/parameterGroup": "aws_db_parameter_group",
    "rds/subnetGroup": "aws_db_subnet_group",
};

/** Modules that are no part of the name of their types. */
const UNNAMED_MODULES = /^ec2\/|(?<=^s3\/)(?!bucket)/;

/** Maps whose keys are the user's: they stay as they are. */
const MAPS = new Set(["tags", "dimensions", "variables"]);

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * The AWS resources of a recording as a plan of Terraform in JSON (`terraform show -json`), as far as scanners read one:
 * Pulumi's provider is made of Terraform's, so that types and properties have the same names in another spelling. What is
 * unknown or secret is a text that says so; what leads to another resource is a reference.
 */
export function terraformPlan({ resources }: Recording): string {
    const own = resources.filter(({ type, custom, read }) => type.startsWith("aws:") && custom && !read);
    const addresses = new Map(own.map((resource) => [resource.urn, addressOf(resource)]));
    const planned = own.map((resource) => ({
        address: addressOf(resource),
        mode: "managed",
        type: typeOf(resource),
        name: nameOf(resource),
        provider_name: "registry.terraform.io/hashicorp/aws",
        values: plain(resource.inputs),
    }));
    return JSON.stringify({
        format_version: "1.2",
        terraform_version: "1.9.0",
        planned_values: { root_module: { resources: planned } },
        resource_changes: planned.map(({ values, ...resource }) => ({
            ...resource,
            change: { actions: ["create"], before: null, after: values, after_unknown: {} },
        })),
        configuration: {
            root_module: {
                resources: own.map((resource) => ({
                    address: addressOf(resource),
                    mode: "managed",
                    type: typeOf(resource),
                    name: nameOf(resource),
                    expressions: Object.fromEntries(
                        Object.entries(resource.propertyDependencies).map(([key, urns]) => [
                            snakeCase(key),
                            { references: urns.flatMap((urn) => addresses.get(urn) ?? []) },
                        ]),
                    ),
                })),
            },
        },
    });
}

function typeOf({ type }: RecordedResource): string {
    const path = type.split(":")[1]!;
    return TYPES[path] ?? `aws_${snakeCase(path.replace(UNNAMED_MODULES, "").replace("/", "_"))}`;
}

function nameOf({ name }: RecordedResource): string {
    return name.replace(/[^\w-]/g, "_");
}

function addressOf(resource: RecordedResource): string {
    return `${typeOf(resource)}.${nameOf(resource)}`;
}

function plain(value: Property, ofUser = false): Json {
    if (value instanceof Secret) {
        return "secret";
    }
    if (value === UNKNOWN) {
        return UNKNOWN_TEXT;
    }
    if (Array.isArray(value)) {
        return value.map((inner: Property) => plain(inner, ofUser));
    }
    if (!isObject(value)) {
        return value as Json;
    }
    return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
            ofUser ? key : snakeCase(isBlocks(inner) ? singular(key) : key),
            plain(inner, ofUser || MAPS.has(key)),
        ]),
    );
}

/** Blocks of Terraform are named one by one; a list of values has the name of many. */
function isBlocks(value: Property): boolean {
    return Array.isArray(value) && value.length > 0 && value.every((inner: Property) => isObject(inner));
}

function singular(name: string): string {
    return name.replace(/ies$/, "y").replace(/(?<!s)s$/, "");
}

function snakeCase(name: string): string {
    return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
