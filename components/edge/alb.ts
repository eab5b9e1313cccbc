import { Certificate } from "@pulumi/aws/acm/certificate";
import { type ComponentResource, type Input } from "@pulumi/pulumi";
import { type Colour, COLOURS } from "../../core/numbers";

/** Prefix of the annotations of the AWS Load Balancer Controller. */
const PREFIX = "alb.ingress.kubernetes.io/";

/** Port name of a backend that refers to an action annotation. */
export const ACTION_PORT = "use-annotation";

/** Label of a namespace whose pods become ready only after the ALB finds them healthy. */
export const READINESS_GATES = { "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled" };

/**
 * Time for the ALB to deregister a pod, in seconds: the controller sees the pod stop, calls AWS, and the change reaches
 * each node of the load balancer.
 */
export const ALB_DEREGISTRATION_SECONDS = 30;

/**
 * Time for the ALB to follow a switch, in seconds: the controller's reconciliation and, if targets are replaced, their
 * first health check, which runs every 15 seconds and may take 5.
 */
export const ALB_SWITCH_SECONDS = 60;

/** A workload with two colours, each with its own target group. */
export interface WeightedBackend {
    /** The colours that have a Service. */
    colours: readonly Colour[];
    /** The active colour, which gets all traffic. */
    active: Colour;
}

/** ALB settings other than hosts and paths. */
export interface AlbArgs {
    scheme: "internal" | "internet-facing";
    /** Ids of its subnets. */
    subnets: readonly string[];
    /** TLS versions and ciphers. */
    sslPolicy: string;
    /** Idle timeout of a connection, in seconds. */
    idleTimeout: number;
    /** Further attributes of the load balancer. */
    attributes: Readonly<Record<string, string>>;
    /** Names of the workloads whose traffic is switched by weights. */
    weighted: Readonly<Record<string, WeightedBackend>>;
}

/** A certificate in the parts that ACM takes, as PEM. */
export interface ImportedCertificate {
    leaf: Input<string>;
    /** Intermediates. Default: none. */
    chain?: Input<string> | undefined;
    privateKey: Input<string>;
}

/** Imports a certificate into ACM. Reimporting under the same name keeps the ARN. Section 5.4. */
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

/** Annotations of an Ingress behind an ALB with the certificate of this ARN, TLS only. */
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
 * Annotations of a Service whose pods are targets of an ALB: path of the health check, and deregistration delay in
 * seconds.
 */
export function targetAnnotations(healthPath: string, drainSeconds: number): Record<string, string> {
    return prefixed({
        "healthcheck-path": healthPath,
        "target-group-attributes": stringMap({
            "deregistration_delay.timeout_seconds": String(drainSeconds),
        }),
    });
}

/** All traffic goes to the active colour. The other colour stays registered and health-checked. */
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
