import { resolve } from "node:path";
import { PolicyPack } from "@pulumi/policy";
import { enginePolicies } from "./engine";
import { loadExceptions, NO_EXCEPTIONS } from "./exceptions";
import { rules } from "./rules";

const exceptions =
    process.env["MCP_IGNORE_EXCEPTIONS"] === "true"
        ? NO_EXCEPTIONS
        : loadExceptions(resolve(__dirname, ".."), rules);

new PolicyPack("mcp", { policies: enginePolicies(rules, { exceptions }) });
