import { contentHash } from "../../core/hash";
import { type ChangeRecord } from "../../jobs/evidence";
import { type GateBase } from "../../jobs/release/plan";

/** One release, ready to declare. */
export interface Release {
    /** Image tag. */
    version: string;
    /** Image reference. With a digest, the image cannot change under its tag. */
    image: string;
    /** Environment of the container. */
    config: Record<string, string>;
    /** Record of the change that brings the release. Default: none. */
    change?: ChangeRecord | undefined;
    /** Whether the release migrates the database: then a dump is taken before its pods start. Default: false. */
    databaseChange?: boolean;
}

/** Identifies what the gates test: the image and its configuration. */
export function releaseHash({ image, config }: Release): string {
    return contentHash([image, config]);
}

/** What the release history keeps of a release, so that a rollback restores image and configuration. */
export function recordedRelease(release: Release): GateBase["release"] {
    const { version, image, config, change } = release;
    const ticket = change?.ticket;
    return { hash: releaseHash(release), version, image, config, ...(ticket && { ticket }) };
}

/** Identifies what is approved: the version and its image. A new configuration needs no new approval. */
export function approvalHash({ version, image }: Release): string {
    return contentHash([version, image]);
}
