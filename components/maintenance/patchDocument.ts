import { Document } from "@pulumi/aws/ssm/document";
import { type ComponentResource } from "@pulumi/pulumi";
import { jobFile } from "../../jobs/bundle.cjs";
import { TIME_ZONE } from "../../core/numbers";

/** Arguments of {@link declarePatchDocument}. */
export interface PatchDocumentArgs {
    region: string;
    /** Time of day at which the window ends, such as 04:00, and how long it lasts, in hours. */
    end: string;
    hours: number;
    /** Cluster of the node, and how long its pods may take to go, in seconds. Default: no node restarts. */
    restart?: { cluster: string; drainSeconds: number } | undefined;
}

/** How long a node may take to install its patches, in seconds. */
const INSTALL_SECONDS = 15 * 60;

/** How long a node may take to be ready after its restart, in seconds. */
const RESTART_SECONDS = 10 * 60;

/**
 * What one node does in the window of the patches: it looks whether there is time for it, installs what it lacks of its
 * baseline and, where a patch asks for it, is drained and restarted. Section 5.1.
 *
 * @returns the document; its name is the component's.
 */
export function declarePatchDocument(
    name: string,
    { region, end, hours, restart }: PatchDocumentArgs,
    parent: ComponentResource,
): Document {
    const environment = {
        ...(restart && { CLUSTER: restart.cluster }),
        AWS_REGION: region,
        ZONE: TIME_ZONE,
        END: end,
        WINDOW_SECONDS: hours * 3600,
        INSTALL_SECONDS,
        DRAIN_SECONDS: restart?.drainSeconds ?? 0,
        RESTART_SECONDS: restart === undefined ? 0 : RESTART_SECONDS,
    };
    const script = (step: "check" | "restart") => [
        "#!/bin/bash",
        ...Object.entries(environment).map(([key, value]) => `export ${key}='${value}'`),
        `set -- ${step}`,
        ...jobFile("node/patch.sh").trimEnd().split("\n"),
    ];
    const run = (step: "check" | "restart", seconds: number) => ({
        action: "aws:runShellScript",
        name: step,
        inputs: { timeoutSeconds: String(seconds), runCommand: script(step), onFailure: "exit" },
    });
    return new Document(
        name,
        {
            name,
            documentType: "Command",
            documentFormat: "JSON",
            targetType: "/AWS::EC2::Instance",
            content: JSON.stringify({
                schemaVersion: "2.2",
                description: "Security patches of one node, and the restart that they ask for (section 5.1)",
                mainSteps: [
                    run("check", 60),
                    {
                        action: "aws:runDocument",
                        name: "install",
                        inputs: {
                            documentType: "SSMDocument",
                            documentPath: "AWS-RunPatchBaseline",
                            // The node is drained before it restarts.
                            documentParameters: { Operation: "Install", RebootOption: "NoReboot" },
                            onFailure: "exit",
                        },
                    },
                    ...(restart === undefined
                        ? []
                        : [run("restart", restart.drainSeconds + 2 * RESTART_SECONDS)]),
                ],
            }),
        },
        { parent },
    );
}
