import { type ComponentResource, type Resource } from "@pulumi/pulumi";
import { type EvidencePlan, type Validation } from "../../jobs/evidence";
import { type Colour } from "../../runbook/numbers";
import { declareGate, declareGateAccess } from "./gate";
import { type Release, releaseHash, type WorkloadArgs } from "./parts";

/** Limit of the gate, in seconds: it reads two ConfigMaps and writes one. */
const EVIDENCE_SECONDS = 60;

/** What a release must bring before its first pod starts. Section 3.1. */
export interface Checklist {
    /** Name of the namespace. */
    namespaceName: string;
    /** Name of the ConfigMap that remembers the releases. */
    ledger: string;
    /** Where the gates reach the Kubernetes API. */
    apiServer: { cidr: string; port: number };
    /** The stack that must have completed the image before, or why none must. */
    validation: Validation;
    /** Where a release's metrics are watched. Default: nowhere. */
    dashboard?: string | undefined;
    /** What must exist before a gate asks. */
    after: readonly Resource[];
}

/**
 * Declares the identity of an app's evidence gates, and returns what declares the gate of one release: what the
 * release's pods must wait for. A release that the ledger knows passes at once, so that neither scaling nor a
 * restart nor the way back ever waits for an approval.
 */
export function declareEvidenceGates(
    app: string,
    { checklist, namespace, labels, nodeImage }: WorkloadArgs,
    parent: ComponentResource,
): (name: string, release: Release, colour?: Colour) => Resource[] {
    if (checklist === undefined) {
        return () => [];
    }
    const { namespaceName, ledger, apiServer, validation, dashboard, after } = checklist;
    const configMap = (name: string, verbs: string[]) => ({
        apiGroups: [""],
        resources: ["configmaps"],
        resourceNames: [name],
        verbs,
    });
    const access = declareGateAccess(
        `${app}-evidence`,
        {
            namespace,
            labels,
            subject: `${app}-evidence`,
            egress: [
                {
                    to: [{ ipBlock: { cidr: apiServer.cidr } }],
                    ports: [{ protocol: "TCP", port: apiServer.port }],
                },
            ],
            rules: [
                configMap(ledger, ["get", "patch"]),
                ...("stack" in validation ? [configMap(validation.configMap, ["get"])] : []),
            ],
        },
        parent,
    );
    return (name, release, colour) => {
        const { version, image, change } = release;
        const hash = releaseHash(release);
        const plan: EvidencePlan = {
            subject: `${app} ${version}${colour === undefined ? "" : ` (${colour})`}`,
            deadlineSeconds: EVIDENCE_SECONDS,
            namespace: namespaceName,
            app,
            colour,
            release: { hash, version, image },
            ledger,
            change,
            validation,
            dashboard,
        };
        return [
            declareGate(
                `${name}-evidence`,
                { access, program: "evidence", plan: { ...plan }, hash, nodeImage, after },
                parent,
            ),
        ];
    };
}
