import {
    ComponentResource,
    type ComponentResourceOptions,
    type CustomResourceOptions,
    ProviderResource,
    type Resource,
} from "@pulumi/pulumi";
import { Resource as DynamicResource } from "@pulumi/pulumi/dynamic";
import { ToolProvider, type ToolState } from "./toolProvider";

/** Package whose plugin runs dynamic providers. */
const DYNAMIC = "pulumi-nodejs";

/** Arguments of {@link DisabledTools}. */
export interface DisabledToolsArgs extends Pick<ToolState, "api"> {
    /** Names of the tools, without duplicates. */
    tools: readonly string[];
    /** Resources that the admin API runs in: if they are deleted, the tools are not enabled first. */
    platform: Resource;
}

/** Tools of MCP Server that are disabled while they are listed. Section 4.3.1 step 5. */
export class DisabledTools extends ComponentResource {
    constructor(name: string, args: DisabledToolsArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:DisabledTools", name, {}, opts);
        const { api, tools, platform } = args;
        // The default provider is disabled, and would get the stack's whole configuration.
        const plugin = new DynamicProvider(name, { parent: this });
        const provider = new ToolProvider();
        for (const tool of tools) {
            new DisabledTool(
                provider,
                tool,
                { api, tool, enabled: false },
                { parent: this, provider: plugin, deletedWith: platform },
            );
        }
        this.registerOutputs();
    }
}

class DynamicProvider extends ProviderResource {
    constructor(name: string, opts: CustomResourceOptions) {
        super(DYNAMIC, name, {}, opts);
    }
}

class DisabledTool extends DynamicResource {
    constructor(provider: ToolProvider, name: string, state: ToolState, opts: CustomResourceOptions) {
        super(provider, name, state, opts, "operations", "DisabledTool");
    }
}
