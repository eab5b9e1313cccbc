import { Provider } from "@pulumi/aws/provider";
import { Region } from "@pulumi/aws/types/enums";
import { Config } from "@pulumi/pulumi/config";
import { AuditArchive } from "../../components/storage/auditArchive";

/* Audit events of an application, kept for 30 days where its operators cannot delete them. */

const config = new Config();
const accountId = config.require("accountId");
const region = Region.EUWest1;

const archive = new AuditArchive(
    "orders-audit",
    {
        accountId,
        region,
        bucket: config.require("bucket"),
        logGroup: "/orders/audit",
        searchableDays: 30,
        retention: { mode: "GOVERNANCE", days: 30 },
        protect: false,
        timeZone: "Europe/Dublin",
    },
    { providers: { aws: new Provider("aws", { region, allowedAccountIds: [accountId] }) } },
);

export const bucket = archive.bucket;
export const logGroup = archive.logGroup;
