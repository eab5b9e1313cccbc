import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { digest, distinct, imageReference, registry } from "./scalars";
import { versionsOf } from "./workload";

/** Image registries, and the digest that each tag is pinned to. */
export const imagesSchema = z.strictObject({
    /** Registry of the platform's images. Default: the ECR registry of the stack's account and region. */
    registry: registry.optional(),
    /**
     * Further registries, or publishers in a registry, whose images may run. The publishers on public.ecr.aws of the
     * jobs' images are always allowed. Default: none.
     */
    trusted: distinct(z.array(registry)).default([]),
    /**
     * Digest of each `registry/repository:tag` in use, written by `npm run images -- pin`. A tag can be moved; a digest
     * cannot. Production runs pinned images only.
     */
    pins: z.record(imageReference, digest).default({}),
});

/** Official images of the stack's jobs. */
export const jobsSchema = z.strictObject({
    images: z.strictObject({
        /** Node.js, for the gates. */
        node: imageReference,
        /** PostgreSQL's tools, for the bootstrap, the dumps and the checks of the database. */
        postgres: imageReference
            .refine(
                (reference) => !reference.includes("alpine"),
                "a Debian image: the bootstrap needs its perl",
            )
            .optional(),
        /** AWS command line, for uploads and downloads of those tasks. */
        aws: imageReference.optional(),
        /** AWS's Fluent Bit, which ships the pods' logs. */
        fluentBit: imageReference.optional(),
        /** AWS's OpenTelemetry collector, for the services' metrics. */
        collector: imageReference.optional(),
    }),
});

/** Values that name registries. */
interface RegistryValues {
    aws?: { accountId: string; region: string } | undefined;
    images: { registry?: string | undefined };
}

/** Registry of the platform's images. The schema requires one for a stack without AWS. */
export function registryOf({ aws, images }: RegistryValues): string | undefined {
    return images.registry ?? (aws && `${aws.accountId}.dkr.ecr.${aws.region}.amazonaws.com`);
}

/** Reference of one release of a platform image. */
export function releaseReference(values: RegistryValues, image: string, version: string): string {
    return `${registryOf(values)}/${image}:${version}`;
}

interface ImageValues extends RegistryValues {
    workloads: Record<
        string,
        Parameters<typeof versionsOf>[0] & { image: string; smoke: { image?: string | undefined } }
    >;
    jobs: { images: Record<string, string | undefined> };
}

/** References of every image the stack runs, sorted. */
export function imageReferences(values: ImageValues): string[] {
    const own = Object.values(values.workloads).flatMap(({ image, smoke, ...releases }) => [
        ...versionsOf(releases).map((version) => releaseReference(values, image, version)),
        ...(smoke.image === undefined ? [] : [smoke.image]),
    ]);
    const jobs = Object.values(values.jobs.images).filter((reference) => reference !== undefined);
    return [...new Set([...own, ...jobs])].sort();
}

/** Reference with its digest, if it is pinned. */
export function pinned({ pins }: { pins: Record<string, string> }, reference: string): string {
    const pin = getOwn(pins, reference);
    return pin === undefined ? reference : `${reference}@${pin}`;
}
