import { type Resource } from "@pulumi/pulumi";
import { type AlbArgs } from "../components/edge/alb";
import { PlatformIngress } from "../components/edge/ingress";
import { type WeightsIngress } from "../components/workload/parts";
import { pinned } from "../config/images";
import { albOf, controllerNamespace } from "../config/joins";
import { type StackValues } from "../config/stack";
import { COLOURS } from "../core/numbers";
import { type PlatformContext, verifiesCertificates } from "./platform";

/** Name of the Ingress. Section 5.4 step 3. */
const INGRESS = "mcp-ingress";

/**
 * The way in from outside. Where it moves traffic from one colour to the other, the workloads are tested before it and
 * watched after it: they know it before it is declared.
 */
export class Edge {
    public readonly ingress: WeightsIngress;
    private announce!: (ingress: Resource) => void;

    constructor(private readonly context: PlatformContext) {
        const declared = new Promise<Resource>((resolve) => (this.announce = resolve));
        this.ingress = { name: INGRESS, declared };
    }

    /** Declares it, if the stack has one, after what must have been `tested`. Section 5.4. */
    public declare(readyForTraffic: readonly Resource[]): void {
        const { values, providers, labels, namespace } = this.context;
        const { ingress, tls } = values;
        if (ingress === undefined) {
            return;
        }
        const declared = new PlatformIngress(
            INGRESS,
            {
                ...ingress,
                namespace: namespace.namespace,
                labels,
                alb: albArgs(values),
                certificates: Object.fromEntries(ingress.certificates.map((name) => [name, tls[name]!])),
                active: { name: ingress.certificate, facts: tls[ingress.certificate]!.facts },
                after: readyForTraffic,
                verify: verifiesCertificates(values) && {
                    address: ingress.address,
                    ingressNamespace: controllerNamespace(values),
                    nodeImage: pinned(values.images, values.jobs.images.node),
                },
            },
            { providers: { kubernetes: providers.kubernetes, aws: providers.aws } },
        );
        this.announce(declared.ingress);
    }
}

/** What the ALB is told, if there is one. */
function albArgs(values: StackValues): AlbArgs | undefined {
    const alb = values.ingress?.alb;
    return (
        alb && {
            ...alb,
            subnets: alb.subnets.map(({ id }) => id),
            weighted: Object.fromEntries(
                Object.entries(values.workloads).flatMap(([name, workload]) =>
                    workload.strategy === "blueGreen" && albOf(values, name)?.weights
                        ? [
                              [
                                  name,
                                  {
                                      live: workload.live,
                                      colours: COLOURS.filter((colour) => workload.releases[colour]),
                                  },
                              ],
                          ]
                        : [],
                ),
            ),
        }
    );
}
