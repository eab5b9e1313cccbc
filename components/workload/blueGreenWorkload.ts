import { type Job } from "@pulumi/kubernetes/batch/v1";
import { ComponentResource, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { type Colour, COLOURS } from "../../core/numbers";
import { Colours } from "./colours";
import { type Release } from "./release";
import { ReleaseGates } from "./releaseGates";
import { declareService } from "./service";
import { type BlueGreenWorkloadArgs, WORKLOAD_TYPE } from "./workload";

/**
 * A service with two sets of pods, of which one gets the traffic (section 3.3). Changing `active` is the release. One
 * update does it in two phases, so that an Ingress which moves the traffic can be declared between them:
 *
 * 1. The constructor declares the candidate: the pods of the active colour, and the gates before the switch. The target
 *    gets as many ready pods as the colour that has the traffic, and passes the smoke tests at its own Service.
 * 2. {@link promote} moves the traffic, has the soak gate watch it, and only then scales the old colour down.
 *
 * If a gate fails, the update stops and later steps do not run: before the switch nothing has changed for users, after
 * it the old colour is still at full size. Setting `active` back is the rollback. A release that has passed its gates
 * once does not run them again, except for the user's own tests, which do not read the release history.
 */
export class BlueGreenWorkload extends ComponentResource {
    /** What must exist before an Ingress moves traffic to the active colour. */
    public readonly readyForTraffic: readonly Resource[];
    /** URL of the Service inside the cluster. */
    public readonly url: string;
    private readonly target: Release;
    private readonly colours: Colours;
    private readonly gates: ReleaseGates;
    private readonly smoke: Job;

    constructor(
        private readonly name: string,
        private readonly args: BlueGreenWorkloadArgs,
        opts?: ComponentResourceOptions,
    ) {
        super(WORKLOAD_TYPE, name, {}, opts);
        const { active, stage, releases } = args;
        this.url = `http://${name}:${args.port}`;
        this.target = this.releaseOf(active);
        this.colours = new Colours(name, args, this);
        // Stable URLs of the colours, whether or not they have traffic.
        const services = COLOURS.filter((colour) => releases[colour] !== undefined).map((colour) =>
            this.declareService(`${name}-${colour}`, colour, []),
        );
        this.gates = new ReleaseGates(name, args, services, this);

        const pods = this.colours.declare(active, this.target, this.approvalOf(active));
        const capacity = this.gates.capacity(active, this.target, pods);
        this.smoke = this.gates.smoke(active, this.target, [capacity]);
        this.readyForTraffic = [...services, this.smoke];
        if (stage !== undefined) {
            // It does not wait: it is tested while the active colour serves.
            const release = this.releaseOf(stage);
            this.gates.smoke(stage, release, this.colours.declare(stage, release, this.approvalOf(stage)));
        }
    }

    /**
     * Declares the second phase: the switch, the soak gate, the notice that the release is completed, and the
     * scale-down of
     * the idle colour. Call it once.
     *
     * @param after What moves the traffic from outside the cluster: the Ingress that `alb.weightedBy` names. It goes
     * first; traffic from inside follows without delay. Default: nothing.
     * @returns the image of the active colour, once it has passed every gate.
     */
    promote(after: readonly Resource[] = []): Output<string> {
        const { name, target } = this;
        const { active, stage, approval, releases } = this.args;
        const service = this.declareService(name, active, [this.smoke, ...after]);
        const soak = this.gates.soak(active, target, [service]);
        approval?.declareNotice(
            `${name}-${active}`,
            { app: name, colour: active, release: target },
            soak,
            this,
        );
        const idle = active === "blue" ? "green" : "blue";
        const previous = releases[idle];
        if (previous !== undefined && stage !== idle) {
            this.colours.declare(idle, previous, [soak]);
        }
        this.registerOutputs({ url: this.url });
        return soak.id.apply(() => target.image);
    }

    private declareService(name: string, version: Colour, dependsOn: readonly Resource[]): Resource {
        const app = this.name;
        return declareService(
            name,
            this.args,
            { app, selector: { app, version }, await: false, dependsOn },
            this,
        );
    }

    /** Dependencies of a colour's pods, if a release needs an approval. */
    private approvalOf(colour: Colour): readonly Resource[] {
        const { approval, active } = this.args;
        const release = this.releaseOf(colour);
        const context = { app: this.name, colour, release, staged: colour !== active };
        return approval === undefined
            ? []
            : [approval.declareApproval(`${this.name}-${colour}`, context, this)];
    }

    private releaseOf(colour: Colour): Release {
        const release = this.args.releases[colour];
        if (release === undefined) {
            throw new Error(`releases.${colour}: found nothing, expected the release of this colour`);
        }
        return release;
    }
}
