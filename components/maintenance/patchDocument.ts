import { Document } from "@pulumi/aws/ssm/document";
import { type ComponentResource } from "@pulumi/pulumi";
import { jobFile } from "../../jobs/bundle.cjs";
import { TIME_ZONE } from "../../core/numbers";

/** Arguments of {@link declarePatchDocument}. */
export interface PatchDocumentArgs {
    region: string;
    /** Time of day at which the window ends, such as 04:00, and its length, in hours. */
    end: string;
    hours: number;
    /** Cluster of the node, and the limit for draining it, in seconds. Default: no node restarts. */
    restart?: { cluster: string; drainSeconds: number } | undefined;
}

/** Limit for installing a node's patches, in seconds. */
const INSTALL_SECONDS = 15 * 60;

/** Limit for a node to become ready after its restart, in seconds. */
const RESTART_SECONDS = 10 * 60;

/**
 * Steps of one node in the patch window: it checks that enough time is left, installs the missing patches of its
 * baseline and, if a patch requires it, is drained and restarted. Section 5.1.
 *
 * @returns the document, named as the component.
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
                description: "Security patches of one node, and a restart if they require it (section 5.1)",
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
