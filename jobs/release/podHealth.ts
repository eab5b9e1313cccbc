import { GateError } from "../lib/gate";
import { endedBy, isReady, type Pod, unreadyBecause } from "../lib/kubernetes";

/** How long too few pods may be ready, in seconds: moving a pod to another node takes time. */
const UNREADY_SECONDS = 120;

/** The same while no pod is ready. */
const DOWN_SECONDS = 30;

/** How often one pod may become unready before it counts as unstable. */
const MOST_FLAPS = 2;

/** Health of the pods during a soak. */
export class PodHealth {
    /** Restarts of each container at the first check; later pods start with 0. */
    private began: Map<string, number> | undefined;
    /** When too few pods became ready, in seconds since the start; undefined while enough are. */
    private lackingSince: number | undefined;
    /** Pods that were ready at the last check, and how often each became unready. */
    private ready = new Set<string>();
    private readonly flaps = new Map<string, number>();

    constructor(
        /** Minimum number of ready pods: the autoscaler's. */
        private readonly minReady: number,
        /** Expected image of each pod. */
        private readonly image: string,
    ) {}

    /** Whether too few pods are ready, which may be temporary. */
    get lacking(): boolean {
        return this.lackingSince !== undefined;
    }

    /** Describes the pods; throws {@link GateError} if their state is not acceptable. */
    check(pods: readonly Pod[], elapsedSeconds: number): string {
        checkImage(pods, this.image);
        this.checkRestarts(pods);
        this.checkFlaps(pods);
        const unready = pods.filter((pod) => !isReady(pod));
        const ready = pods.length - unready.length;
        if (ready >= this.minReady) {
            this.lackingSince = undefined;
            return `${ready} pods ready, no restarts`;
        }
        this.lackingSince ??= elapsedSeconds;
        const reasons = unready.slice(0, 5).map((pod) => `; ${pod.metadata.name} ${unreadyBecause(pod)}`);
        const state = `ready pods: ${ready}, needed: ${this.minReady}${reasons.join("")}`;
        const seconds = elapsedSeconds - this.lackingSince;
        if (seconds >= (ready === 0 ? DOWN_SECONDS : UNREADY_SECONDS)) {
            throw new GateError(`${state}, for ${Math.round(seconds)} s`);
        }
        return state;
    }

    private checkRestarts(pods: readonly Pod[]): void {
        const containers = pods.flatMap(({ metadata, status }) =>
            (status.containerStatuses ?? []).map((container) => ({
                ...container,
                key: `${metadata.uid}/${container.name}`,
                pod: metadata.name,
            })),
        );
        this.began ??= new Map(containers.map(({ key, restartCount }) => [key, restartCount]));
        const began = this.began;
        const restarted = containers.find(({ key, restartCount }) => restartCount > (began.get(key) ?? 0));
        if (restarted === undefined) return;
        const { pod, name, lastState } = restarted;
        const cause = lastState?.terminated && ` after ${endedBy(lastState.terminated)}`;
        throw new GateError(`container ${name} of ${pod} was restarted${cause ?? ""}`);
    }

    private checkFlaps(pods: readonly Pod[]): void {
        for (const { metadata, ...pod } of pods) {
            // A terminating pod is not ready, as expected.
            if (metadata.deletionTimestamp !== undefined) continue;
            const { uid, name } = metadata;
            if (isReady({ metadata, ...pod })) {
                this.ready.add(uid);
            } else if (this.ready.delete(uid)) {
                const flaps = (this.flaps.get(uid) ?? 0) + 1;
                this.flaps.set(uid, flaps);
                if (flaps > MOST_FLAPS) {
                    throw new GateError(
                        `${name} has stopped being ready ${flaps} times: ${unreadyBecause({ metadata, ...pod })}`,
                    );
                }
            }
        }
    }
}

/** Throws if a pod has another image than the release's. */
export function checkImage(pods: readonly Pod[], image: string): void {
    for (const { metadata, spec } of pods) {
        const images = spec?.containers.map((container) => container.image) ?? [];
        if (metadata.deletionTimestamp === undefined && images.length > 0 && !images.includes(image)) {
            throw new GateError(`${metadata.name} runs ${images.join(", ")}, not ${image}`);
        }
    }
}
