import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseStack } from "../../config";
import { temporaryAuthority } from "../certificates";
import { root } from "../support";
import { linesOf, type Values, withValue } from "./stackValues";

const SUBNETS = [
    { id: "subnet-0a1b2c3d4e5f60001", cidr: "10.20.0.0/20" },
    { id: "subnet-0a1b2c3d4e5f60002", cidr: "10.20.16.0/20" },
];
const HOSTS = ["mcp.msil.com", "admin.mcp.msil.com"];

describe("values of an ALB", () => {
    const authority = temporaryAuthority();
    after(() => authority.remove());

    /** Production behind an ALB, with one value of its ingress set. */
    function behindAlb(path?: string, value?: unknown): Values {
        const values = withValue("ingress/className", "alb");
        const ingress = values["ingress"] as Values;
        ingress["alb"] = { subnets: SUBNETS };
        const [key, inner, name] = path?.split("/") ?? [];
        if (key !== undefined) {
            const at = inner === undefined ? ingress : ((ingress[key] ??= {}) as Values);
            if (name === undefined) {
                at[inner ?? key] = value;
            } else {
                at[inner!] = { [name]: value };
            }
        }
        return values;
    }

    it("are, by default, an internal load balancer with TLS as AWS recommends it", () => {
        const { values, problems } = parseStack(behindAlb());
        assert.deepEqual(problems, []);
        assert.deepEqual(values!.ingress!.alb, {
            subnets: SUBNETS,
            scheme: "internal",
            sslPolicy: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            idleTimeout: 60,
            attributes: {},
        });
    });

    it("are taken as docs/ingress-alb.md writes them", () => {
        const [, block] = /```yaml\n([^]+?)```/.exec(
            readFileSync(join(root, "docs/ingress-alb.md"), "utf8"),
        )!;
        const { className, alb } = (parse(block!) as { "mcp:ingress": Values })["mcp:ingress"];
        const values = behindAlb("alb", alb);
        assert.equal(className, (values["ingress"] as Values)["className"]);
        assert.deepEqual(linesOf(values), []);
    });

    it("take what the controller reads beside them, and need no namespace of another controller", () => {
        const values = behindAlb("annotations/alb.ingress.kubernetes.io/wafv2-acl-arn", "arn:aws:wafv2:…");
        (values["ingress"] as Values)["annotations"] = {
            "alb.ingress.kubernetes.io/wafv2-acl-arn":
                "arn:aws:wafv2:ap-south-1:111122223333:regional/webacl/mcp/1",
            "external-dns.alpha.kubernetes.io/hostname": "mcp.msil.com",
        };
        delete (values["kubernetes"] as Values)["ingressNamespace"];
        assert.deepEqual(linesOf(values), []);
    });

    const bad: [what: string, path: string, value: unknown, line: string][] = [
        [
            "no ALB behind the class alb",
            "alb",
            undefined,
            "mcp:ingress.alb: found nothing, expected an object, because the class is alb: the controller needs the ALB's subnets",
        ],
        [
            "no subnets",
            "alb",
            {},
            "mcp:ingress.alb.subnets: found nothing, expected at least two subnets, in different zones",
        ],
        [
            "one subnet",
            "alb",
            { subnets: SUBNETS.slice(1) },
            `mcp:ingress.alb.subnets: found ${JSON.stringify(SUBNETS.slice(1))}, expected at least two subnets, in different zones`,
        ],
        [
            "a subnet twice",
            "alb",
            { subnets: [SUBNETS[0], { ...SUBNETS[1], id: SUBNETS[0]!.id }] },
            'mcp:ingress.alb.subnets[1].id: found "subnet-0a1b2c3d4e5f60001", expected each subnet once',
        ],
        [
            "a range twice",
            "alb",
            { subnets: [SUBNETS[0], { ...SUBNETS[1], cidr: SUBNETS[0]!.cidr }] },
            'mcp:ingress.alb.subnets[1].cidr: found "10.20.0.0/20", expected each range once',
        ],
        [
            "an old TLS policy",
            "alb/sslPolicy",
            "ELBSecurityPolicy-2016-08",
            'mcp:ingress.alb.sslPolicy: found "ELBSecurityPolicy-2016-08", expected a security policy of ELB for TLS 1.2 or 1.3 alone, such as ELBSecurityPolicy-TLS13-1-2-2021-06',
        ],
        [
            "a policy that takes TLS 1.0",
            "alb/sslPolicy",
            "ELBSecurityPolicy-TLS13-1-0-2021-06",
            'mcp:ingress.alb.sslPolicy: found "ELBSecurityPolicy-TLS13-1-0-2021-06", expected a security policy of ELB for TLS 1.2 or 1.3 alone, such as ELBSecurityPolicy-TLS13-1-2-2021-06',
        ],
        [
            "a silence that is longer than an ALB bears",
            "alb/idleTimeout",
            "2h",
            'mcp:ingress.alb.idleTimeout: found "2h", expected at most 4000s',
        ],
        [
            "another way to switch",
            "alb/switch",
            "dns",
            'mcp:ingress.alb.switch: found "dns", expected weights or selector',
        ],
        [
            "an attribute that has its own value",
            "alb/attributes/idle_timeout.timeout_seconds",
            "120",
            'mcp:ingress.alb.attributes["idle_timeout.timeout_seconds"]: found "120", expected nothing: ingress.alb.idleTimeout sets the one, and the other is always true',
        ],
        [
            "an attribute that would be two",
            "alb/attributes/access_logs.s3.prefix",
            "mcp,deletion_protection.enabled=false",
            'mcp:ingress.alb.attributes["access_logs.s3.prefix"]: found "mcp,deletion_protection.enabled=false", expected a text without commas and equals signs',
        ],
    ];
    for (const [what, path, value, line] of bad) {
        it(`refuse ${what}`, () => assert.deepEqual(linesOf(behindAlb(path, value)), [line]));
    }

    const annotated = (values: Values, name: string): Values => {
        (values["ingress"] as Values)["annotations"] = { [name]: "true" };
        return values;
    };

    it("refuse an annotation that they, or the workloads' values, are made into", () => {
        for (const name of ["certificate-arn", "scheme", "healthcheck-path", "actions.mcp-server"]) {
            assert.deepEqual(linesOf(annotated(behindAlb(), `alb.ingress.kubernetes.io/${name}`)), [
                `mcp:ingress.annotations["alb.ingress.kubernetes.io/${name}"]: found "true", expected nothing: ingress.alb and the workloads' values set it`,
            ]);
        }
    });

    it("require an explicit value for who admits custom security groups to the pods", () => {
        const [groups, admits] = ["security-groups", "manage-backend-security-group-rules"].map(
            (name) => `alb.ingress.kubernetes.io/${name}`,
        ) as [string, string];
        const values = behindAlb();
        const ingress = values["ingress"] as Values;
        ingress["annotations"] = { [groups]: "sg-0a1b2c3d4e5f60001" };
        assert.deepEqual(linesOf(values), [
            `mcp:ingress.annotations["${admits}"]: found nothing, expected "true", because ${groups} is set, or "false" if the pods' own groups admit those: by default the controller removes the rules that admit the load balancer to the pods`,
        ]);
        ingress["annotations"] = { [groups]: "sg-0a1b2c3d4e5f60001", [admits]: "false" };
        assert.deepEqual(linesOf(values), []);
    });

    it("refuse an annotation of another controller, which would have no effect", () => {
        for (const name of [
            "nginx.ingress.kubernetes.io/proxy-body-size",
            "traefik.ingress.kubernetes.io/router.tls",
            "haproxy.org/timeout-client",
        ]) {
            assert.deepEqual(linesOf(annotated(behindAlb(), name)), [
                `mcp:ingress.annotations["${name}"]: found "true", expected nothing: an ALB does not read it, and ingress.alb is set`,
            ]);
        }
    });

    it("keep out those who would ask from outside, unless it faces them", () => {
        const asked = (scheme: string) => {
            const values = behindAlb("alb/scheme", scheme);
            return linesOf({ ...values, health: { ...(values["health"] as Values), outside: true } });
        };
        assert.deepEqual(asked("internet-facing"), []);
        assert.deepEqual(asked("internal"), [
            "mcp:health.outside: found true, expected false, because mcp:ingress.alb is internal",
        ]);
    });

    it("are missed where an annotation is for an ALB", () => {
        const name = "alb.ingress.kubernetes.io/scheme";
        assert.deepEqual(linesOf(annotated(withValue("ingress/className", "traefik"), name)), [
            `mcp:ingress.annotations["${name}"]: found "true", expected nothing: only an ALB reads it, and ingress.alb is not set`,
        ]);
    });

    it("refuse a switch between colours where no path leads to a workload that has two", () => {
        for (const way of ["weights", "selector"]) {
            const values = behindAlb("alb/switch", way);
            (values["ingress"] as Values)["hosts"] = [
                { host: "mcp.msil.com", paths: [{ path: "/", workload: "chat-ui" }] },
            ];
            assert.deepEqual(linesOf(values), [
                `mcp:ingress.alb.switch: found "${way}", expected nothing, because no path leads to a blue-green workload`,
            ]);
        }
    });

    it("refuse a certificate whose key an ALB does not take, which another controller would serve", () => {
        const { certificate, privateKey } = authority.issue("mcp.msil.com", {
            hosts: HOSTS,
            algorithm: "ed25519",
            serial: "0a",
        });
        const pair = { "mcp-tls": { certificate, privateKey } };
        assert.deepEqual(linesOf({ ...behindAlb(), tls: pair }), [
            "mcp:tls.mcp-tls: found a secret (not shown), expected a key that an ALB accepts: RSA with 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521. O=MSIL, CN=mcp.msil.com (serial 0A) has ed25519",
        ]);
        assert.deepEqual(linesOf({ ...withValue("ingress/className", "traefik"), tls: pair }), []);
        for (const algorithm of ["ec", "rsa"] as const) {
            const good = authority.issue("mcp.msil.com", { hosts: HOSTS, algorithm });
            const { certificate, privateKey } = good;
            assert.deepEqual(
                linesOf({ ...behindAlb(), tls: { "mcp-tls": { certificate, privateKey } } }),
                [],
            );
        }
    });

    it("are the only way around the namespace of a controller", () => {
        assert.deepEqual(linesOf(withValue("kubernetes/ingressNamespace", undefined)), [
            "mcp:kubernetes.ingressNamespace: found nothing, expected the namespace of the ingress controller, because network.ingress of mcp-server, admin-portal, chat-ui is true",
        ]);
    });
});
