import { type Input } from "@pulumi/pulumi";
import { egressToNetwork, egressToPods } from "../tasks/access";

/** Arguments of an operation that calls every pod of a service. */
export interface AskingPodsArgs {
    namespace: Input<string>;
    /** The same, for the program. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Address range of the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    /** Label `app` of the pods. */
    app: string;
    port: number;
    /** Name of the run: the ticket. */
    run: string;
}

/** Allowed connections: the API, which lists the pods, and the pods. */
export function askingPodsEgress({ apiServer, app, port }: AskingPodsArgs) {
    return [egressToNetwork(apiServer), egressToPods({ app, port })];
}
