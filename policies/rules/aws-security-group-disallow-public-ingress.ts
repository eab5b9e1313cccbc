import { isPrivate, rangeOf } from "../../core/addresses";
import { type Rule } from "../rule";
import { asList } from "../statements";
import { type Properties } from "../unknown";

/** Rules of a security group in separate resources; `type` is the direction of the older kind. */
const RULE =
    /^aws:(vpc\/securityGroupIngressRule:SecurityGroupIngressRule|ec2\/securityGroupRule:SecurityGroupRule)$/;
const GROUP = /^aws:ec2\/(defaultSecurityGroup|securityGroup):/;

export const rule: Rule = {
    name: "aws-security-group-disallow-public-ingress",
    description: "No security group lets addresses of the internet in.",
    severity: "critical",
    enforcement: "mandatory",
    frameworks: ["CKV_AWS_260", "CIS-AWS-5.0-5.3"],
    remediation: "Name the security group that the traffic comes from, or a private range of addresses.",
    resource({ type, props }, { report, attempt }) {
        const check = (entry: Properties) => {
            const fields = ["cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks"];
            for (const cidr of fields.flatMap((field) => asList(entry[field]).map(String))) {
                const range = rangeOf(cidr);
                if (range === undefined || !isPrivate(range)) {
                    report(`lets ${cidr} in`);
                }
            }
        };
        if (RULE.test(type) && props["type"] !== "egress") {
            check(props);
        } else if (GROUP.test(type)) {
            const entries: Properties = props["ingress"] ?? [];
            for (const index of Object.keys(entries)) {
                attempt(() => check(entries[index]));
            }
        }
    },
};
