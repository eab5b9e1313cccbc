import { z } from "zod";
import { getOwn } from "../core/getOwn";
import { digest, distinct, imageReference, text } from "./scalars";
import { versionsOf } from "./workload";

const registry = text(
    /^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._/-]+)?$/,
    "a registry host, such as registry.example.com",
);

/** Where images come from and what exactly each tag stands for. */
export const imagesSchema = z.strictObject({
    /** Registry of the platform's own images. Default: the ECR registry of the stack's account and region. */
    registry: registry.optional(),
    /**
     * Further registries, or publishers of one, whose images may run. Default: none, beside the publishers on
     * public.ecr.aws of the images that the jobs run on.
     */
    trusted: distinct(z.array(registry)).default([]),
    /**
     * Digest of each `registry/repository:tag` in use, written by `npm run images -- pin`. A tag can be moved,
     * a digest cannot: production runs nothing that is not pinned.
     */
    pins: z.record(imageReference, digest).default({}),
});

/** Official images that the stack's jobs run on. */
export const jobsSchema = z.strictObject({
    images: z.strictObject({
        /** Node.js, for the gates. */
        node: imageReference,
        /** PostgreSQL's tools, for the bootstrap, the dumps and the checks of the database. */
        postgres: imageReference
            .refine(
                (reference) => !reference.includes("alpine"),
                "an image of Debian: the bootstrap needs its perl",
            )
            .optional(),
        /** AWS command line, for what those exchange with AWS. */
        aws: imageReference.optional(),
        /** AWS's Fluent Bit, for shipping what the pods print. */
        fluentBit: imageReference.optional(),
        /** AWS's OpenTelemetry collector, for the services' metrics. */
        collector: imageReference.optional(),
    }),
});

/** Values that name the registries. */
interface RegistryValues {
    aws?: { accountId: string; region: string } | undefined;
    images: { registry?: string | undefined };
}

/** Registry of the platform's own images. The values of a stack without AWS name one. */
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

/** Reference as it is pulled: with its digest, where it is pinned. */
export function pinned({ pins }: { pins: Record<string, string> }, reference: string): string {
    const pin = getOwn(pins, reference);
    return pin === undefined ? reference : `${reference}@${pin}`;
}
