import { type Cloud } from "./cloud";

/** What Elastic Load Balancing has, in few words. Target groups go by the names that they were asked for with. */
export interface Standing {
    loadBalancers: {
        scheme: string;
        subnets: string[];
        idleSeconds?: string;
        dropsInvalidHeaders?: string;
    }[];
    /** By their ports. What is said `otherwise` is for requests that no rule matches. */
    listeners: {
        port: number;
        protocol: string;
        tls?: { policy: string; certificates: string[] };
        otherwise: string;
    }[];
    /** Those of HTTPS, in the order in which they are tried, with the weights of the target groups. */
    rules: { host: string; paths: string[]; to: Record<string, number> }[];
    targetGroups: Record<string, { health: string; drainSeconds?: string; targets: string[] }>;
}

/** What is there; of target groups, those of the given ARNs. */
export async function standing(
    { balancing }: Cloud,
    targetGroups: Readonly<Record<string, string>>,
): Promise<Standing> {
    const found: Standing = { loadBalancers: [], listeners: [], rules: [], targetGroups: {} };
    const { LoadBalancers: loadBalancers } = await balancing<{ LoadBalancers: LoadBalancer[] }>(
        "DescribeLoadBalancers",
    );
    for (const { LoadBalancerArn, Scheme: scheme, AvailabilityZones: zones } of loadBalancers) {
        const attributes = attributesOf(
            await balancing<Attributes>("DescribeLoadBalancerAttributes", { LoadBalancerArn }),
        );
        found.loadBalancers.push({
            scheme,
            subnets: zones.map(({ SubnetId: id }) => id).sort(),
            idleSeconds: attributes["idle_timeout.timeout_seconds"],
            dropsInvalidHeaders: attributes["routing.http.drop_invalid_header_fields.enabled"],
        });
        const { Listeners: listeners } = await balancing<{ Listeners: Listener[] }>("DescribeListeners", {
            LoadBalancerArn,
        });
        for (const listener of listeners.sort((one, other) => one.Port - other.Port)) {
            found.listeners.push(listenerOf(listener));
            if (listener.Protocol === "HTTPS") {
                const { ListenerArn } = listener;
                const { Rules: rules } = await balancing<{ Rules: Rule[] }>("DescribeRules", { ListenerArn });
                const names = Object.fromEntries(
                    Object.entries(targetGroups).map(([name, arn]) => [arn, name]),
                );
                found.rules = rules
                    .filter(({ Priority: priority }) => priority !== "default")
                    .sort((one, other) => Number(one.Priority) - Number(other.Priority))
                    .map((rule) => ruleOf(rule, names));
            }
        }
    }
    for (const [name, TargetGroupArn] of Object.entries(targetGroups)) {
        const { TargetGroups: groups } = await balancing<{ TargetGroups: TargetGroup[] }>(
            "DescribeTargetGroups",
            { "TargetGroupArns.member.1": TargetGroupArn },
        );
        const attributes = attributesOf(
            await balancing<Attributes>("DescribeTargetGroupAttributes", { TargetGroupArn }),
        );
        const { TargetHealthDescriptions: targets } = await balancing<{
            TargetHealthDescriptions: { Target: { Id: string } }[];
        }>("DescribeTargetHealth", { TargetGroupArn });
        const { HealthCheckPath: path, HealthCheckIntervalSeconds: interval, Matcher: matcher } = groups[0]!;
        found.targetGroups[name] = {
            health: `${path} every ${interval} s, ${matcher.HttpCode}`,
            drainSeconds: attributes["deregistration_delay.timeout_seconds"],
            targets: targets.map(({ Target: target }) => target.Id).sort(),
        };
    }
    return found;
}

interface Attributes {
    Attributes: { Key: string; Value: string }[];
}

function attributesOf({ Attributes: attributes }: Attributes): Record<string, string> {
    return Object.fromEntries(attributes.map(({ Key: key, Value: value }) => [key, value]));
}

interface LoadBalancer {
    LoadBalancerArn: string;
    Scheme: string;
    AvailabilityZones: { SubnetId: string }[];
}

interface Listener {
    ListenerArn: string;
    Port: number;
    Protocol: string;
    SslPolicy: string;
    Certificates?: { CertificateArn: string }[];
    DefaultActions: {
        RedirectConfig?: { StatusCode: string; Protocol: string; Port: string };
        FixedResponseConfig?: { StatusCode: string };
    }[];
}

function listenerOf(listener: Listener): Standing["listeners"][number] {
    const { Port: port, Protocol: protocol, SslPolicy: policy, Certificates: certificates } = listener;
    return {
        port,
        protocol,
        // moto gives every listener a policy, and repeats the first certificate, which is among the others, too.
        ...(certificates && {
            tls: { policy, certificates: [...new Set(certificates.map(({ CertificateArn: arn }) => arn))] },
        }),
        otherwise: listener.DefaultActions.map(
            ({ RedirectConfig: to, FixedResponseConfig: answer }) =>
                answer?.StatusCode ?? `${to?.StatusCode} ${to?.Protocol} ${to?.Port}`,
        ).join(),
    };
}

interface Rule {
    Priority: string;
    Conditions: { HostHeaderConfig?: { Values: string[] }; PathPatternConfig?: { Values: string[] } }[];
    Actions: { ForwardConfig: { TargetGroups: { TargetGroupArn: string; Weight: number }[] } }[];
}

function ruleOf(
    { Conditions: conditions, Actions: actions }: Rule,
    names: Record<string, string>,
): Standing["rules"][number] {
    const forwards = actions.flatMap(({ ForwardConfig: { TargetGroups: groups } }) => groups);
    return {
        host: conditions.flatMap(({ HostHeaderConfig: host }) => host?.Values ?? []).join(),
        paths: conditions.flatMap(({ PathPatternConfig: path }) => path?.Values ?? []),
        to: Object.fromEntries(
            forwards.map(({ TargetGroupArn: arn, Weight: weight }) => [names[arn] ?? arn, weight]),
        ),
    };
}

interface TargetGroup {
    HealthCheckPath: string;
    HealthCheckIntervalSeconds: number;
    Matcher: { HttpCode: string };
}
