import { PolicyPack } from "@pulumi/policy";
import { enginePolicies } from "./engine";
import { rules } from "./rules";

new PolicyPack("mcp", { policies: enginePolicies(rules) });
