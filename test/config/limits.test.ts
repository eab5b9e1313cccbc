import assert from "node:assert/strict";
import { linesOf, withValue } from "./stackValues";

const SERVER = "workloads/mcp-server";

/** Values that a service behind the stack would refuse, or take for something else: refused before anything happens. */
const BAD: [what: string, path: string, value: unknown, line: RegExp][] = [
    // Numbers where text is meant, and texts that are obeyed.
    [
        "a fraction as a version",
        "workloads/chat-ui/release/version",
        1.1,
        /version: found 1\.1, expected a text in quotes/,
    ],
    ["a version that lost digits", "workloads/chat-ui/release/version", 2e19, /expected a text in quotes/],
    [
        "a fraction as a ticket",
        `${SERVER}/restart`,
        2026.1,
        /restart: found 2026\.1, expected a text in quotes/,
    ],
    [
        "an option as a cluster",
        "kubernetes/cluster",
        "--profile=x",
        /cluster: found "--profile=x", expected the name of an EKS/,
    ],
    ["an option as a context", "kubernetes/context", "--kubeconfig=x", /context: found .*hyphen/],
    [
        "an ARN with a blank",
        `${SERVER}/awsPermissions`,
        [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::a b"] }],
        /resources\[0\]: found .*an ARN/,
    ],
    [
        "a path with a blank",
        "workloads/chat-ui/health",
        { live: "/ ", ready: "/" },
        /health\.live: found .*an HTTP path/,
    ],
    [
        "alpine's PostgreSQL, which has no perl",
        "jobs/images/postgres",
        "docker.io/library/postgres:17-alpine",
        /postgres: found .*Debian/,
    ],
    // Names and labels.
    ["a workload from a digit on", "workloads/2fa", {}, /found the key "2fa", expected a name of at most 30/],
    ["a workload of 40 characters", `workloads/${"w".repeat(40)}`, {}, /expected a name of at most 30/],
    [
        "a workload that is a task",
        "workloads/mcp-health",
        {},
        /found the key "mcp-health", expected another name/,
    ],
    ["a version that is no label", "workloads/chat-ui/release/version", "v1.4.3-", /expected a version tag/],
    ["a namespace of 23 characters", "kubernetes/namespace", "n".repeat(23), /namespace: found .*2 to 22/],
    ["a namespace from a digit on", "kubernetes/namespace", "1mcp", /namespace: found "1mcp"/],
    [
        "a namespace with two hyphens in a row",
        "kubernetes/namespace",
        "two--hyphens",
        /namespace: found "two--hyphens"/,
    ],
    ["the cluster's namespace", "kubernetes/namespace", "kube-system", /not one of the cluster/],
    [
        "a certificate in a Secret of the stack",
        "ingress/certificates",
        ["mcp-tls", "mcp-db-secret"],
        /certificates\[1\]: found "mcp-db-secret"/,
    ],
    [
        "a variable that names a secret's file",
        `${SERVER}/config`,
        { DATABASE_URL_FILE: "/x" },
        /config\.DATABASE_URL_FILE: found "\/x", expected nothing/,
    ],
    // Kubernetes.
    [
        "a hole outside of its range",
        `${SERVER}/network/egress`,
        [{ cidr: "10.0.0.0/8", except: ["192.168.0.0/16"], ports: [443] }],
        /except\[0\]: found .*inside 10\.0\.0\.0\/8/,
    ],
    [
        "a hole as large as its range",
        `${SERVER}/network/egress`,
        [{ cidr: "10.0.0.0/8", except: ["10.0.0.0/8"], ports: [443] }],
        /except\[0\]: found .*and smaller/,
    ],
    [
        "a path upwards",
        "ingress/hosts/0/paths/1/path",
        "/a/../b",
        /path: found "\/a\/\.\.\/b", expected a path/,
    ],
    ["a path that stays", "ingress/hosts/0/paths/1/path", "/a/.", /path: found "\/a\/\.", expected a path/],
    [
        "a slash in disguise",
        "ingress/hosts/0/paths/1/path",
        "/a%2Fb",
        /path: found "\/a%2Fb", expected a path/,
    ],
    ["a class with two dots in a row", "ingress/className", "a..b", /className: found "a\.\.b"/],
    [
        "an annotation of no domain",
        "ingress/annotations",
        { "-a/b": "x" },
        /annotations\["-a\/b"\]: found the key/,
    ],
    [
        "annotations that no object holds",
        "ingress/annotations",
        { "a.b/c": "x".repeat(70_000) },
        /annotations: found .*64 KiB/,
    ],
    [
        "an address as a host",
        "ingress/hosts/0/host",
        "10.0.0.1",
        /host: found "10\.0\.0\.1", .*no IP address/,
    ],
    ["a top level of digits", "ingress/hosts/0/host", "mcp.123", /host: found "mcp\.123"/],
    ["a wildcard in a path", "ingress/hosts/0/paths/1/path", "/a*", /path: found "\/a\*"/],
    ["a brace in a path", "ingress/hosts/0/paths/1/path", "/a{b}", /path: found "\/a\{b\}"/],
    ["half a character in a path", "ingress/hosts/0/paths/1/path", "/a%z", /path: found "\/a%z"/],
    ["a path that no rule holds", "ingress/hosts/0/paths/1/path", `/${"a".repeat(120)}`, /at most 120/],
    [
        "a variable of 300 characters",
        `${SERVER}/config`,
        { ["A".repeat(300)]: "x" },
        /expected an environment variable name of at most 253/,
    ],
    [
        "a variable with which nothing starts",
        `${SERVER}/config`,
        { A: "€".repeat(22_000) },
        /config\.A: found .*at most 64 KiB/,
    ],
    [
        "a range from its middle on",
        "kubernetes/apiServer/cidr",
        "10.20.0.1/16",
        /cidr: found "10\.20\.0\.1\/16", expected the range from its first address on, 10\.20\.0\.0\/16/,
    ],
    // Images.
    ["a repository with two dots in a row", `${SERVER}/image`, "a..b", /image: found "a\.\.b"/],
    ["a repository with an empty part", `${SERVER}/image`, "a//b", /image: found "a\/\/b"/],
    ["a repository of 300 characters", `${SERVER}/image`, "a".repeat(300), /image: found "a+/],
    ["a reference to a folder", "jobs/images/node", "../../node:1", /node: found "\.\.\/\.\.\/node:1"/],
    ["a reference without a registry", "jobs/images/node", "library/node:1", /node: found "library\/node:1"/],
    ["a registry that is an option", "jobs/images/node", "-x.y/node:1", /node: found "-x\.y\/node:1"/],
    ["a tag of 200 characters", "jobs/images/node", `a.b/c:${"t".repeat(200)}`, /node: found "a\.b/],
    ["a registry of dots", "images/registry", "..", /registry: found "\.\."/],
    ["a registry at no port", "images/registry", "a.b:99999", /registry: found "a\.b:99999"/],
    ["a trusted registry of a dot", "images/trusted", ["."], /trusted\[0\]: found "\."/],
    // AWS.
    [
        "a snapshot of another region",
        "database/snapshot",
        "arn:aws:rds:eu-west-1:123456789012:snapshot:mcp",
        /snapshot: found .*of mcp:aws\.region, ap-south-1/,
    ],
    ["a class that no instance has", "database/instanceClass", "db.x.y", /instanceClass: found "db\.x\.y"/],
    ...["t1.micro", "t2.micro", "m1.small", "m3.large", "r3.large"].map((family): (typeof BAD)[number] => [
        "a former class",
        "database/instanceClass",
        `db.${family}`,
        /instanceClass: found "db\.\w+\.\w+", expected a current instance class/,
    ]),
    ...["t1.micro", "c1.xlarge", "m1.small", "m2.xlarge", "m3.large", "r3.large"].map(
        (family): (typeof BAD)[number] => [
            "a former type of node",
            "cache/nodeType",
            `cache.${family}`,
            /nodeType: found "cache\.\w+\.\w+", expected a current node type/,
        ],
    ),
    ...["r6gd.large", "r7gd.xlarge"].map((family): (typeof BAD)[number] => [
        "a type of node with tiered data",
        "cache/nodeType",
        `cache.${family}`,
        /nodeType: found "cache\.r\dgd\.\w+", expected a node type without data tiering/,
    ]),
    ...["mcp_admin", "pg_foo", "public", "none", "rdsadmin", "rds_superuser"].map(
        (role): (typeof BAD)[number] => [
            "a role that the database has itself",
            "database/user",
            role,
            new RegExp(`database\\.user: found "${role}", expected another role`),
        ],
    ),
    ...["contacts/P1", "escalation/L1/contacts"].map((list): (typeof BAD)[number] => [
        "a contact twice, in capitals too",
        `incident/${list}`,
        ["oncall@example.com", "ONCALL@Example.com"],
        /\[1\]: found "ONCALL@Example\.com", expected each once/,
    ]),
    [
        "a stakeholder twice, in capitals too",
        "checklist/stakeholders",
        ["team@example.com", "Team@example.com"],
        /stakeholders\[1\]: found "Team@example\.com", expected each once/,
    ],
    ["a type that no node has", "cache/nodeType", "cache.r7g.huge", /nodeType: found "cache\.r7g\.huge"/],
    ["a page at no port", "incident/pages", "https://a:99999/", /pages: found "https:\/\/a:99999\/"/],
    ["a page with a tag", "incident/pages", "https://a/<b>/", /pages: found "https:\/\/a\/<b>\/"/],
    ["a reminder after centuries", "incident/stale", "99999d", /stale: found "99999d", .*at most 30d/],
    [
        "an address of 300 characters",
        "incident/contacts/P1",
        [`${"a".repeat(300)}@example.com`],
        /P1\[0\]: found/,
    ],
    [
        "a path that Route 53 refuses",
        "health/paths",
        { "mcp-server": `/mcp/${"a".repeat(255)}` },
        /paths\.mcp-server: found .*at most 255/,
    ],
    [
        "a disk that grows too little",
        "database/storage",
        { initial: 100, max: 101 },
        /storage\.max: found 101, expected at least 110/,
    ],
    [
        "a subnet twice",
        "database/subnets",
        ["subnet-0a1b2c3d", "subnet-0a1b2c3d"],
        /subnets\[1\]: found .*each once/,
    ],
    [
        "an address twice",
        "incident/contacts/P1",
        ["a@example.com", "a@example.com"],
        /P1\[1\]: found .*each once/,
    ],
    [
        "a stakeholder twice",
        "checklist/stakeholders",
        ["a@example.com", "a@example.com"],
        /stakeholders\[1\]: found .*each once/,
    ],
    [
        "tag keys of one spelling",
        "aws/tags",
        { team: "a", Team: "b" },
        /tags\.Team: found "b", expected a key that differs from team/,
    ],
    [
        "a tag of the program's",
        "aws/tags",
        { Project: "a" },
        /tags\.Project: found "a", expected a key that differs from project/,
    ],
    ["a tag key of AWS's", "aws/tags", { "aws:x": "a" }, /tags\["aws:x"\]: found the key .*aws:/],
    [
        "a tag value that AWS refuses",
        "aws/tags",
        { team: "a;b" },
        /tags\.team: found "a;b", expected a tag value/,
    ],
    ["too long a tag value", "aws/tags", { team: "x".repeat(257) }, /tags\.team: found .*256/],
    ["a bucket with an end of S3's", "backups/bucket", "mcp-s3alias", /bucket: found "mcp-s3alias"/],
    ["a bucket with an end of S3's", "backups/bucket", "mcp--ol-s3", /bucket: found "mcp--ol-s3"/],
    [
        "a region that is none",
        "aws/region",
        "ap-suoth-1",
        /region: found "ap-suoth-1", expected an AWS region/,
    ],
    [
        "a maintenance window of 15 minutes",
        "database/maintenanceWindow",
        { weekday: "sun", start: "02:00", end: "02:15" },
        /maintenanceWindow: found .*at least 30 minutes/,
    ],
    [
        "a channel that shows a severity twice",
        "incident/chat",
        { ops: { slack: { workspace: "T12345678", channel: "C12345678" }, severities: ["P1", "P1"] } },
        /severities\[1\]: found "P1", expected each once/,
    ],
    [
        "a dump that is larger than its disk",
        "backups/dumps/minimumSize",
        "20Gi",
        /minimumSize: found "20Gi", expected less than scratch, 10Gi/,
    ],
    // What has no end.
    ["a soak of days", `${SERVER}/soak/duration`, "2d", /soak\.duration: found "2d", expected at most 12h/],
    ["a duration without end", `${SERVER}/gracePeriod`, "9999999999s", /gracePeriod: found .*a duration/],
    ["a grace period of days", `${SERVER}/gracePeriod`, "2d", /gracePeriod: found "2d", expected at most 1h/],
    [
        "memory without end",
        `${SERVER}/resources/memory/limit`,
        "99999999Gi",
        /memory\.limit: found .*a memory quantity/,
    ],
    ["a disk without end", "backups/dumps/scratch", "99999999Gi", /scratch: found .*the size of a disk/],
    ["CPUs without end", `${SERVER}/resources/cpu/limit`, "1000000", /cpu\.limit: found .*a CPU quantity/],
    // Plans of the gates.
    ...[
        "Authorization",
        "cookie",
        "X-Api-Key",
        "X-Auth-Token",
        "Ocp-Apim-Subscription-Key",
        "Proxy-Authorization",
    ].map((name): (typeof BAD)[number] => [
        "a credential in a header",
        `${SERVER}/smoke/requests`,
        [{ path: "/", headers: { [name]: "planted" } }],
        new RegExp(
            `requests\\[0\\]\\.headers\\.${name}: found "\\(not shown\\)", expected nothing with a credential`,
        ),
    ]),
    [
        "a credential in another header",
        `${SERVER}/smoke/requests`,
        [{ path: "/", headers: { "X-Trace": `eyJ${"a".repeat(10)}.eyJ${"planted1234"}.${"b".repeat(12)}` } }],
        /headers\.X-Trace: found "\(not shown\)", expected nothing with a credential/,
    ],
    [
        "a credential in a body",
        `${SERVER}/smoke/requests`,
        [{ method: "POST", path: "/", body: '{"user":"a","password":"planted"}' }],
        /requests\[0\]\.body: found "\{.*user.*\(not shown\).*", expected nothing with a credential/,
    ],
    [
        "a credential in a query",
        `${SERVER}/smoke/requests`,
        [{ path: "/?api_key=planted" }],
        /requests\[0\]\.path: found "\/\?api_key=\(not shown\)", expected nothing with a credential/,
    ],
    [
        "a password in a URL",
        "health/apim",
        "https://user:planted@x.example.com",
        /"https:\/\/user:\(not shown\)@x/,
    ],
    [
        "an attempt that is longer than its gate",
        `${SERVER}/smoke`,
        { deadline: "1m", requests: [{ path: "/", timeout: "90s" }] },
        /requests\[0\]\.timeout: found "90s", expected at most smoke\.deadline, 60s/,
    ],
    [
        "a bad regular expression",
        `${SERVER}/soak/counters/pattern`,
        "^(5",
        /soak\.counters\.pattern: found "\^\(5", expected a regular expression/,
    ],
    [
        "limits that leave nothing between them",
        `${SERVER}/soak/metrics`,
        { errors: { url: "http://p.m:9090", query: "up", max: 1, min: 2 } },
        /metrics\.errors\.min: found 2, expected at most max, 1/,
    ],
    [
        "an impossible port of Prometheus",
        `${SERVER}/soak/prometheus`,
        { url: "http://p.m:99999", requests: "a", errors: "b" },
        /prometheus\.url: found .*65535/,
    ],
];

describe("values that a service behind the stack would refuse", () => {
    for (const [what, path, value, line] of BAD) {
        it(`are refused with their path: ${what}`, () => {
            const lines = linesOf(withValue(path, value));
            assert.ok(!lines.join().includes("planted"), lines.join("\n"));
            assert.ok(
                lines.some((each) => line.test(each)),
                `${String(line)} not in\n${lines.join("\n")}`,
            );
        });
    }

    it("are none where the service takes them", () => {
        for (const [path, value] of [
            ["workloads/chat-ui/release/version", "20261130"],
            ["kubernetes/namespace", "n".repeat(22)],
            ["kubernetes/dns", ["169.254.20.10/32"]],
            [`${SERVER}/network/egress`, [{ cidr: "10.0.0.0/8", except: ["10.1.0.0/16"], ports: [443] }]],
            ["ingress/hosts/0/paths/2", { path: "/a/...b/.well-known", workload: "mcp-server" }],
            ["aws/tags", { "Cost Centre": "a/b=c+d@e" }],
            ["workloads/chat-ui/health", { live: "/health?deep=$x", ready: "/" }],
            [`${SERVER}/soak/duration`, "12h"],
            ["ingress/className", "nginx.internal-2"],
            ["ingress/annotations", { "traefik.ingress.kubernetes.io/router.tls": "true" }],
            ["ingress/hosts/0/paths/2", { path: "/a%20b/@c;d", workload: "mcp-server" }],
            [`${SERVER}/config`, { A: "x".repeat(64 * 1024) }],
            ["kubernetes/vpc", "10.20.0.0/15"],
            [`${SERVER}/image`, "team/a__b/c--d.e"],
            ["jobs/images/node", "localhost:5000/node:24"],
            ["images/trusted", ["registry.example.com:5000/team/a"]],
            ["database/instanceClass", "db.x2iedn.16xlarge"],
            ["database/user", "public_mcp"],
            [
                `${SERVER}/smoke/requests`,
                [
                    {
                        method: "POST",
                        path: "/?tokens=3",
                        headers: { "X-Author": "a" },
                        body: '{"limit":"secret" }',
                    },
                ],
            ],
            ["cache/nodeType", "cache.t2.small"],
            ["database/snapshot", "arn:aws:rds:ap-south-1:123456789012:snapshot:awsbackup:job-0a1b"],
            ["incident/pages", "https://wiki.example.com:8443/mcp/"],
        ] as const) {
            assert.deepEqual(linesOf(withValue(path, value)), [], path);
        }
    });
});
