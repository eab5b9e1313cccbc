import { Certificate } from "@pulumi/aws/acm/certificate";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { type Colour, COLOURS } from "../../core/numbers";

/** Begins the names of what the AWS Load Balancer Controller is told. */
const PREFIX = "alb.ingress.kubernetes.io/";

/** Port of a backend that stands for the action of its name. */
export const ACTION_PORT = "use-annotation";

/** Label of a namespace whose pods are ready only once the ALB finds them healthy. */
export const READINESS_GATES = { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" };

/**
 * Time the ALB has to take note that a pod leaves, in seconds: the controller sees the pod go, asks AWS to deregister
 * it, and that has to reach each of the load balancer's nodes.
 */
export const ALB_DEREGISTRATION_SECONDS = 30;

/**
 * Time the ALB has to follow a switch, in seconds: the controller's reconciliation and, where targets are exchanged,
 * the first health check of the new ones, which is due every 15 seconds and may take 5.
 */
export const ALB_SWITCH_SECONDS = 60;

/** A workload with two colours, each of which is a target group of its own. */
export interface WeightedBackend {
    /** The colours that have a Service. */
    colours: readonly Colour[];
    /** The colour that gets all of the traffic. */
    active: Colour;
}

/** What an ALB is told beside hosts and paths. */
export interface AlbArgs {
    scheme: "internal" | "internet-facing";
    /** Ids of the subnets it is in. */
    subnets: readonly string[];
    /** Versions and ciphers of TLS. */
    sslPolicy: string;
    /** How long a connection may be silent, in seconds. */
    idleTimeout: number;
    /** Further attributes of the load balancer. */
    attributes: Readonly<Record<string, string>>;
    /** Workloads whose traffic moves by weights, by their names. */
    weighted: Readonly<Record<string, WeightedBackend>>;
}

/** A certificate in the parts that ACM takes it in, as PEM. */
export interface ImportedCertificate {
    leaf: Input<string>;
    /** Those that vouch for it. Default: none. */
    chain?: Input<string> | undefined;
    privateKey: Input<string>;
}

/** Imports a certificate into ACM; another one under its name is written over it, and keeps its ARN. Section 5.4. */
export function declareImportedCertificate(
    name: string,
    { leaf, chain, privateKey }: ImportedCertificate,
    parent: ComponentResource,
): Certificate {
    return new Certificate(
        name,
        {
            certificateBody: leaf,
            ...(chain === undefined ? {} : { certificateChain: chain }),
            privateKey,
            tags: { Name: name },
        },
        { parent },
    );
}

/** Annotations of an Ingress that an ALB serves with the certificate of this ARN, over TLS alone. */
export function albAnnotations(alb: AlbArgs, certificate: Input<string>): Record<string, Input<string>> {
    const attributes = {
        "idle_timeout.timeout_seconds": String(alb.idleTimeout),
        "routing.http.drop_invalid_header_fields.enabled": "true",
        ...alb.attributes,
    };
    return prefixed({
        "target-type": "ip",
        scheme: alb.scheme,
        subnets: alb.subnets.join(","),
        "listen-ports": JSON.stringify([{ HTTP: 80 }, { HTTPS: 443 }]),
        "ssl-redirect": "443",
        "ssl-policy": alb.sslPolicy,
        "certificate-arn": certificate,
        "load-balancer-attributes": stringMap(attributes),
        ...Object.fromEntries(
            Object.entries(alb.weighted).map(([name, backend]) => [
                `actions.${name}`,
                forward(name, backend),
            ]),
        ),
    });
}

/**
 * Annotations of a Service whose pods are targets of an ALB: what its health checks ask, and how long requests of a
 * pod that leaves may take, in seconds.
 */
export function targetAnnotations(healthPath: string, drainSeconds: number): Record<string, string> {
    return prefixed({
        "healthcheck-path": healthPath,
        "target-group-attributes": stringMap({
            "deregistration_delay.timeout_seconds": String(drainSeconds),
        }),
    });
}

/** All of the traffic to the active colour. The other one is registered and health-checked, too. */
function forward(name: string, { colours, active }: WeightedBackend): string {
    const targetGroups = COLOURS.filter((colour) => colours.includes(colour)).map((colour) => ({
        serviceName: `${name}-${colour}`,
        servicePort: "http",
        weight: colour === active ? 100 : 0,
    }));
    return JSON.stringify({ type: "forward", forwardConfig: { targetGroups } });
}

function stringMap(values: Readonly<Record<string, string>>): string {
    return Object.entries(values)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}

function prefixed<T>(annotations: Record<string, T>): Record<string, T> {
    return Object.fromEntries(
        Object.entries(annotations).map(([name, value]) => [`${PREFIX}${name}`, value]),
    );
}
