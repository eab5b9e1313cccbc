import {
    ComponentResource,
    type ComponentResourceOptions,
    type CustomResourceOptions,
    ProviderResource,
    type Resource,
} from "@pulumi/pulumi";
import { Resource as DynamicResource } from "@pulumi/pulumi/dynamic";
import { ToolProvider, type ToolState } from "./toolProvider";

/** Package whose plugin runs the providers that are part of a program. */
const DYNAMIC = "pulumi-nodejs";

/** Arguments of {@link DisabledTools}. */
export interface DisabledToolsArgs extends Pick<ToolState, "api"> {
    /** Names of the tools, each once. */
    tools: readonly string[];
    /** What the admin API lives in: where that goes as a whole, nobody is asked to enable the tools again. */
    platform: Resource;
}

/** Tools of MCP Server that users do not have as long as they are named. Section 4.3.1 step 5. */
export class DisabledTools extends ComponentResource {
    constructor(name: string, args: DisabledToolsArgs, opts?: ComponentResourceOptions) {
        super("mcp:operations:DisabledTools", name, {}, opts);
        const { api, tools, platform } = args;
        // The default one is disabled like any other, and would be handed the whole configuration of the stack.
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
