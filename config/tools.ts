import { z } from "zod";
import { ADMIN_API } from "../core/numbers";
import { type IngressValues, repeatedIn, workloadAt } from "./edge";
import { text } from "./scalars";

const toolName = text(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
    "the name of a tool, of at most 128 letters, digits, and _ . - within, such as affected_tool",
);

/** Tools of MCP Server that are disabled while they are listed here. Section 4.3.1 step 5. */
export const disabledToolsSchema = z
    .array(toolName, { error: "a list of names of tools" })
    .superRefine((tools, context) => {
        for (const index of repeatedIn(tools)) {
            context.addIssue({ code: "custom", path: [index], message: "each tool once" });
        }
    });

/** Values that {@link adminApiOf} needs. */
interface EdgeValues {
    ingress?: Pick<IngressValues, "hosts"> | undefined;
}

/** External URL of the admin API's tools; undefined if no host of the stack routes it. */
export function adminApiOf({ ingress }: EdgeValues): string | undefined {
    const found = ingress?.hosts.find(({ paths }) => workloadAt(paths, ADMIN_API.tools) === ADMIN_API.app);
    return found && `https://${found.host}${ADMIN_API.tools}`;
}

/** Rule of the disabled tools that depends on other values of the stack. */
export function checkDisabledTools(
    values: EdgeValues & { disabledTools: readonly string[] },
    context: z.core.$RefinementCtx,
): void {
    if (values.disabledTools.length > 0 && adminApiOf(values) === undefined) {
        context.addIssue({
            code: "custom",
            path: ["disabledTools"],
            message:
                `a host in mcp:ingress that routes ${ADMIN_API.tools} to ${ADMIN_API.app}, which disables the ` +
                "tools",
        });
    }
}
