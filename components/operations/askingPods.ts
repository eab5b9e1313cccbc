import { type Input } from "@pulumi/pulumi";
import { egressToNetwork, egressToPods } from "../tasks/access";

/** Arguments of an operation that asks every pod of a service. */
export interface AskingPodsArgs {
    namespace: Input<string>;
    /** The same, for the program. */
    namespaceName: string;
    /** Labels of every object. */
    labels: Record<string, string>;
    /** Where the Kubernetes API is reached. */
    apiServer: { cidr: string; port: number };
    /** Label `app` of the pods. */
    app: string;
    port: number;
    /** Names the run: the ticket. */
    run: string;
}

/** Where it connects to: the API, which knows the pods, and the pods. */
export function askingPodsEgress({ apiServer, app, port }: AskingPodsArgs) {
    return [egressToNetwork(apiServer), egressToPods({ app, port })];
}
