import { type StackValues } from "../../config";
import { isRecord, PLACEHOLDER_ACCOUNT } from "../../config/requiredInputs";
import { databaseNames } from "../../config/resolve/names";
import { DATABASE } from "../../core/numbers";
import { type Inventory } from "./aws";
import { type KubernetesObject, podOf, podsBehind } from "./kubernetes";
import { shellWord } from "../shell";
import { type Blocker } from "./problems";

/** Values by which the stack declares what exists, as edits `PATH=VALUE`; and what no value can tell. */
export interface Fit {
    edits: string[];
    blockers: Blocker[];
}

/** Stores that may be made although others are there. */
export const STORES = ["database", "cache"] as const;
export type Store = (typeof STORES)[number];

type Item = Record<string, unknown>;

/** Values of the account, the database and the cache; `made` are stores that the stack makes although others exist. */
export function fitAws(values: StackValues, inventory: Inventory, made: readonly Store[]): Fit {
    const { aws, database, cache } = values;
    const account =
        aws?.accountId === PLACEHOLDER_ACCOUNT ? [`mcp:aws.accountId=${inventory.account.accountId}`] : [];
    const fits = [
        database === undefined || made.includes("database") ? undefined : fitDatabase(values, inventory),
        cache === undefined || made.includes("cache") ? undefined : fitCache(values, inventory),
    ].filter((fit) => fit !== undefined);
    return {
        edits: [...account, ...fits.flatMap(({ edits }) => edits)],
        blockers: fits.flatMap(({ blockers }) => blockers),
    };
}

/** The one that is meant among those that exist: by name, or because there is no other. */
function chosen(
    items: readonly Item[],
    key: string,
    name: string,
    concern: Store,
): { item?: Item | undefined; blockers: Blocker[] } {
    const names = items.map((item) => String(item[key]));
    const item = items.find((each) => each[key] === name) ?? (items.length === 1 ? items[0] : undefined);
    return item !== undefined || items.length === 0
        ? { item, blockers: [] }
        : {
              blockers: [
                  {
                      subject: `mcp:${concern}`,
                      reason: `it would begin empty as ${name}, and these exist: ${names.join(", ")}`,
                      remedy: [
                          ...names.map((each) => `mcp:${concern}.adopted: ${each}`),
                          `or, to begin empty: --make ${concern}`,
                      ],
                  },
              ],
          };
}

function fitDatabase(values: StackValues, inventory: Inventory): Fit {
    const { database } = values;
    const { identifier } = databaseNames(values);
    const instances = inventory
        .itemsOf("rds describe-db-instances", "DBInstances")
        .filter(({ Engine }) => Engine === "postgres");
    const { item, blockers } = chosen(instances, "DBInstanceIdentifier", identifier, "database");
    if (item === undefined || database === undefined) {
        return { edits: [], blockers };
    }
    const name = String(item["DBInstanceIdentifier"]);
    const major = String(item["EngineVersion"]).split(".")[0]!;
    const disk = Number(item["AllocatedStorage"]);
    // RDS grows a disk by a tenth at least.
    const most = Math.max(database.storage.max, Math.ceil((disk * 11) / 10));
    const holds = item["DBName"];
    if (typeof holds === "string" && holds !== DATABASE.name) {
        blockers.push({
            subject: `Instance ${name}`,
            reason: `it holds the database ${holds}, and the services use ${DATABASE.name}`,
            remedy: [
                `Rename the database to ${DATABASE.name}, or leave mcp:database out and supply its URL as a secret`,
            ],
        });
    }
    if (item["MasterUsername"] === database.user) {
        blockers.push({
            subject: `Instance ${name}`,
            reason: `its administrator is ${database.user}, which is the services' account, too: one password would overwrite the other`,
            remedy: [
                "Give the services an account of their own: docs/adopting.md, Accounts in the database",
                "mcp:database.user: mcp_app",
            ],
        });
    }
    const group = item["DBSubnetGroup"];
    return {
        edits: changed("database", database, {
            adopted: name,
            instanceClass: item["DBInstanceClass"],
            version: major,
            "storage.initial": disk,
            "storage.max": most,
        }).concat(subnetEdits("database", database.subnets, isRecord(group) ? group["Subnets"] : undefined)),
        blockers,
    };
}

function fitCache(values: StackValues, inventory: Inventory): Fit {
    const { cache, kubernetes } = values;
    const groups = inventory.itemsOf("elasticache describe-replication-groups", "ReplicationGroups");
    const { item, blockers } = chosen(
        groups,
        "ReplicationGroupId",
        cache?.adopted ?? kubernetes.namespace,
        "cache",
    );
    if (item === undefined || cache === undefined) {
        return { edits: [], blockers };
    }
    const { MemberClusters: members } = item;
    return {
        edits: changed("cache", cache, {
            adopted: item["ReplicationGroupId"],
            nodeType: item["CacheNodeType"],
            replicas: Array.isArray(members) ? Math.max(members.length - 1, cache.replicas) : undefined,
        }),
        blockers,
    };
}

/** Edits of values that are others today. */
function changed(concern: Store, values: object, live: Record<string, unknown>): string[] {
    return Object.entries(live).flatMap(([path, value]) => {
        const current = path
            .split(".")
            .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), values);
        return value === undefined || String(current) === String(value)
            ? []
            : [`mcp:${concern}.${path}=${String(value)}`];
    });
}

/** Subnets, where the stack file has none yet. */
function subnetEdits(concern: Store, current: readonly string[], live: unknown): string[] {
    const isPlaceholder = current.every((subnet) => /^subnet-0+\d$/.test(subnet));
    const found = Array.isArray(live)
        ? live.filter(isRecord).map((each) => String(each["SubnetIdentifier"]))
        : [];
    return isPlaceholder ? found.map((id, index) => `mcp:${concern}.subnets[${index}]=${id}`) : [];
}

/** Versions, sizes and the colour with the traffic, as the workloads have them in the cluster. */
export function fitWorkloads(values: StackValues, objects: readonly KubernetesObject[]): string[] {
    const { namespace } = values.kubernetes;
    const own = objects.filter(({ metadata }) => metadata.namespace === namespace);
    const find = (kind: string, name: string) =>
        own.find((object) => object.kind === kind && object.metadata.name === name);
    const edits = Object.entries(values.workloads).flatMap(([name, workload]) => {
        const path = `mcp:workloads.${name}`;
        const service = find("Service", name);
        if (workload.strategy === "rolling") {
            const deployment = find("Deployment", name);
            return deployment === undefined
                ? []
                : [
                      ...versionEdits(`${path}.release`, workload.release, deployment, name),
                      ...scalingEdits(path, workload.scaling, deployment, own),
                  ];
        }
        const behind = service === undefined ? [] : podsBehind(service, own);
        const live = liveColour(service) ?? workload.live;
        const colours = (["blue", "green"] as const).flatMap((colour) => {
            // One Deployment without a colour runs what the active colour begins with.
            const deployment =
                find("Deployment", `${name}-${colour}`) ?? (colour === live ? behind[0] : undefined);
            const release = workload.releases?.[colour];
            return deployment === undefined
                ? []
                : [
                      ...versionEdits(`${path}.releases.${colour}`, release, deployment, name),
                      ...(colour === live ? scalingEdits(path, workload.scaling, deployment, own) : []),
                  ];
        });
        return [...(live === workload.live ? [] : [`${path}.live=${live}`]), ...colours];
    });
    const className = ingressClass(own);
    const ingress =
        className === undefined || values.ingress === undefined || values.ingress.className === className
            ? []
            : [`mcp:ingress.className=${className}`];
    return [...edits, ...ingress];
}

function liveColour(service: KubernetesObject | undefined): "blue" | "green" | undefined {
    const selector = isRecord(service?.spec) ? service.spec["selector"] : undefined;
    const version = isRecord(selector) ? selector["version"] : undefined;
    return version === "blue" || version === "green" ? version : undefined;
}

function versionEdits(
    path: string,
    release: { version: string; change?: { version: string } | undefined } | undefined,
    deployment: KubernetesObject,
    workload: string,
): string[] {
    const { containers } = podOf(deployment);
    const { image = "" } = containers.find(({ name }) => name === workload) ?? containers[0] ?? {};
    const [, tag] = /:([A-Za-z0-9_][A-Za-z0-9._-]*)(?:@|$)/.exec(image.split("/").at(-1)!) ?? [];
    if (tag === undefined || tag === "latest" || tag === release?.version) {
        return [];
    }
    return [
        `${path}.version=${tag}`,
        ...(release?.change === undefined ? [] : [`${path}.change.version=${tag}`]),
    ];
}

/** Never fewer pods than there are. */
function scalingEdits(
    path: string,
    scaling: { min: number; max: number },
    deployment: KubernetesObject,
    objects: readonly KubernetesObject[],
): string[] {
    const autoscaler = objects.find(({ kind, spec }) => {
        const target = isRecord(spec) ? spec["scaleTargetRef"] : undefined;
        return (
            kind === "HorizontalPodAutoscaler" &&
            isRecord(target) &&
            target["name"] === deployment.metadata.name
        );
    });
    const { minReplicas, maxReplicas } = isRecord(autoscaler?.spec) ? autoscaler.spec : {};
    const replicas = isRecord(deployment.spec) ? Number(deployment.spec["replicas"] ?? 1) : 1;
    const least = autoscaler === undefined ? replicas : Number(minReplicas ?? 1);
    const most = Math.max(Number(maxReplicas ?? 0), least);
    return [
        ...(least > scaling.min ? [`${path}.scaling.min=${least}`] : []),
        ...(most > scaling.max ? [`${path}.scaling.max=${most}`] : []),
    ];
}

function ingressClass(objects: readonly KubernetesObject[]): string | undefined {
    const classes = objects.flatMap(({ kind, spec }) =>
        kind === "Ingress" && isRecord(spec) && typeof spec["ingressClassName"] === "string"
            ? [spec["ingressClassName"]]
            : [],
    );
    return new Set(classes).size === 1 ? classes[0] : undefined;
}

/** The bootstrap sets a new password of the services' account: pods that use it already would lose their connections. */
export function sharedAccount({ database }: StackValues, objects: readonly KubernetesObject[]): Blocker[] {
    const [secret] = objects.filter(
        ({ kind, metadata }) => kind === "Secret" && metadata.name === DATABASE.secret,
    );
    const url = isRecord(secret?.["data"]) ? secret["data"][DATABASE.secretKey] : undefined;
    const [, user] =
        /^postgres(?:ql)?:\/\/([^:@/]+)/.exec(Buffer.from(String(url), "base64").toString()) ?? [];
    return database === undefined ||
        user === undefined ||
        ![database.user, `${database.user}_b`].includes(user)
        ? []
        : [
              {
                  subject: `Secret ${DATABASE.secret}`,
                  reason: `pods use the account ${user} of the database, whose password the first update changes`,
                  remedy: ["Give these pods another account: docs/adopting.md, Accounts in the database"],
              },
          ];
}

/** Describes an edit as `pulumi config set` takes it. */
export function commandOf(stack: string, edit: string): string {
    const [, path = "", value = ""] = /^([^=]*)=(.*)$/s.exec(edit) ?? [];
    return `pulumi config set --stack ${stack} --path ${shellWord(path)} ${shellWord(value)}`;
}
