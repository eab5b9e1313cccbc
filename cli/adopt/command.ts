import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type RecordedResource, type Recording } from "../../offline/record";
import { bundleProgram } from "../../offline/program";
import { recordOnce } from "../../offline/recordings";
import { readStackFile, stackNames, UsageError, valuesOf } from "../../offline/stackFile";
import { isObject } from "../../offline/property";
import { PLACEHOLDER_ACCOUNT } from "../../config/requiredInputs";
import { parseArgs } from "../args";
import { print, screen, step } from "../output";
import { adoptAws, callsFor, readInventory } from "./aws";
import { type ImportFile, importFileOf } from "./importFile";
import { adoptObjects, readObjects } from "./kubernetes";
import { type Adoption, renderAdoption } from "./report";
import { commandOf, fitAws, fitWorkloads, sharedAccount, type Store, STORES } from "./values";

const help = (
    root: string,
) => `Compares a platform that runs with what a stack declares, and writes the file by which pulumi import takes it over.

Usage: npm run adopt -- --kubernetes FILE [--kubernetes FILE] [--aws FILE] [options]

It connects to nothing: docs/adopting.md has the commands that list what is there. Data is never replaced. Exit status: 0, or 1 for
bad input, and where something cannot be adopted; then no file is written.

  --stack NAME       stack that takes the platform over (${stackNames(root).join(", ")}); default production
  --kubernetes FILE  what kubectl lists; repeatable
  --aws FILE         what the AWS command line lists; only for a stack on AWS
  --make STORE       ${STORES.join(" or ")}: makes an empty one although another exists; repeatable
  --full             names every property of a pod template that changes
  --out FILE         where the import file is written; default adopt-STACK.json
  --help             this text
`;

/** `npm run adopt`. Returns the exit status. */
export async function adoptCommand(root: string, args: string[]): Promise<number> {
    const { values: options } = parseArgs({
        args,
        options: {
            stack: { type: "string", default: "production" },
            kubernetes: { type: "string", multiple: true, default: [] as string[] },
            aws: { type: "string" },
            make: { type: "string", multiple: true, default: [] as string[] },
            full: { type: "boolean", default: false },
            out: { type: "string" },
            help: { type: "boolean", default: false },
        },
    });
    if (options.help) {
        print(help(root));
        return 0;
    }
    const { stack } = options;
    if (options.kubernetes.length === 0) {
        throw new UsageError(
            "--kubernetes: found nothing, expected what kubectl lists, as docs/adopting.md says",
        );
    }
    const unknown = options.make.find((each) => !STORES.some((store) => store === each));
    if (unknown !== undefined) {
        throw new UsageError(`--make: found ${unknown}, expected ${STORES.join(" or ")}`);
    }
    step(`Reading what ${stack} declares`);
    const program = bundleProgram(root);
    const { adoption, file } = await adopt(root, { ...options, make: options.make as Store[] }, (edits) =>
        recordOnce(root, program, readStackFile(root, stack, edits)),
    );
    print(renderAdoption(adoption, options.full, screen()));
    if (file === undefined) {
        return 1;
    }
    const out = options.out ?? `adopt-${stack}.json`;
    writeFileSync(resolve(root, out), `${JSON.stringify(file, undefined, 2)}\n`);
    print(`\nWrote ${out}. Next: docs/adopting.md, Import.\n`);
    return 0;
}

/** What is compared with what. */
export interface AdoptionOptions {
    stack: string;
    /** Files that `kubectl get` has written. */
    kubernetes: readonly string[];
    /** File with the answers of the AWS command line. Default: the stack has nothing on AWS. */
    aws?: string | undefined;
    /** Stores that are made although others exist. */
    make: readonly Store[];
}

/**
 * Compares a platform with what a stack declares; `record` runs the program with edits of the stack's values.
 *
 * @returns the findings, and the import file unless something cannot be adopted.
 * @throws UsageError for bad input.
 */
export async function adopt(
    root: string,
    { stack, make, ...files }: AdoptionOptions,
    record: (edits: readonly string[]) => Promise<Recording>,
): Promise<{ adoption: Adoption; file: ImportFile | undefined }> {
    const values = valuesOf(root, stack);
    const { cluster, namespace } = values.kubernetes;
    if ((values.aws === undefined) !== (files.aws === undefined)) {
        throw new UsageError(
            values.aws === undefined
                ? `--aws: found a file, expected none: ${stack} has nothing on AWS`
                : "--aws: found nothing, expected what the AWS command line lists, as docs/adopting.md says",
        );
    }
    const declared = await record([]);
    const objects = readObjects(files.kubernetes, namespacesOf(declared, namespace));
    const inventory =
        files.aws === undefined || values.aws === undefined
            ? undefined
            : readInventory(files.aws, {
                  region: values.aws.region,
                  accountId: values.aws.accountId === PLACEHOLDER_ACCOUNT ? undefined : values.aws.accountId,
                  cluster,
                  calls: callsFor(declared, cluster !== undefined),
              });
    const fits = [
        ...(inventory === undefined ? [] : [fitAws(values, inventory, make)]),
        { edits: fitWorkloads(values, objects), blockers: sharedAccount(values, objects) },
    ];
    const edits = fits.flatMap((fit) => fit.edits);
    const recording = edits.length === 0 ? declared : await record(edits);
    const kubernetes = adoptObjects(recording, objects);
    const aws = inventory && adoptAws(recording, inventory, namespace);
    const matches = [...kubernetes.matches, ...(aws?.matches ?? [])];
    const blockers = [
        ...fits.flatMap((fit) => fit.blockers),
        ...kubernetes.blockers,
        ...(aws?.blockers ?? []),
    ];
    const access =
        cluster === undefined
            ? undefined
            : inventory?.cluster && {
                  name: cluster,
                  region: inventory.account.region,
                  found: inventory.cluster,
              };
    return {
        adoption: {
            stack,
            matches,
            blockers,
            undeclared: [...kubernetes.undeclared, ...(aws?.undeclared ?? [])],
            made: recording.resources.filter(isMade).length - matches.length,
            values: edits.map((edit) => commandOf(stack, edit)),
        },
        file: blockers.length > 0 ? undefined : importFileOf(root, recording, matches, access),
    };
}

/** Custom resources that are the stack's own. */
function isMade({ custom, read, type }: RecordedResource): boolean {
    return custom && !read && !type.startsWith("pulumi:providers:");
}

/** Namespaces with objects of the stack, its own first. */
function namespacesOf({ resources }: Recording, own: string): string[] {
    const others = resources.flatMap(({ type, inputs: { metadata } }) => {
        const namespace =
            type.startsWith("kubernetes:") && isObject(metadata) ? metadata["namespace"] : undefined;
        return typeof namespace === "string" ? [namespace] : [];
    });
    return [...new Set([own, ...others])];
}
