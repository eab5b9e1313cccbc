import { type Resource } from "@pulumi/pulumi";
import { type AlbArgs } from "../components/edge/alb";
import { PlatformIngress } from "../components/edge/ingress";
import { pinned } from "../config/images";
import { albOf, controllerNamespace } from "../config/joins";
import { type StackValues } from "../config/stack";
import { COLOURS } from "../core/numbers";
import { type PlatformContext, verifiesCertificates } from "./platform";

/** Name of the Ingress. Section 5.4 step 3. */
export const INGRESS = "mcp-ingress";

/**
 * Declares the Ingress, if the stack has one, once workloads whose traffic it moves are `readyForTraffic`. Section 5.4.
 *
 * @returns what those workloads wait for before they are promoted.
 */
export function declareEdge(
    { values, providers, labels, namespace }: PlatformContext,
    readyForTraffic: readonly Resource[],
): readonly Resource[] {
    const { ingress, tls } = values;
    if (ingress === undefined) {
        return [];
    }
    const edge = new PlatformIngress(
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
    return [edge.ingress];
}

/** Arguments of the ALB, if there is one. */
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
                                      active: workload.live,
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
