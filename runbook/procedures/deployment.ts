import { type StackValues } from "../../config";
import { COLOURS, SERVER as SERVER_NAME, SOAK_SECONDS } from "../../core/numbers";
import {
    type Condition,
    type Default,
    type Edit,
    type ExpectedChange,
    type Parameter,
    type Procedure,
} from "../procedure";
import { DEPLOYMENT, gateOf, ROLLOUT, workloadsOf } from "./changes";

/** The switch of the traffic; each colour has gates and a notice while it is live. */
const switchOf = (workload: string, from: string, to: string): ExpectedChange[] => [
    { operation: "update", type: DEPLOYMENT, name: `${workload}-${to}` },
    { operation: "update", type: "kubernetes:core/v1:Service", name: workload },
    { operation: "update", type: DEPLOYMENT, name: `${workload}-${from}` },
    ...["evidence", "watch", "capacity", "smoke", "soak", "notice"].flatMap((gate) => [
        ...gateOf("create", `${workload}-${to}`, gate),
        ...gateOf("delete", `${workload}-${from}`, gate),
    ]),
];

const WORKLOAD: Parameter = {
    name: "workload",
    meaning: "the service, one whose strategy is rolling",
    example: "chat-ui",
    choices: workloadsOf("rolling"),
};

const SERVER: Parameter = {
    name: "workload",
    meaning: "the service, one whose strategy is blueGreen",
    example: "mcp-server",
    default: "mcp-server",
    choices: workloadsOf("blueGreen"),
};

/** A new image replaces the pods and, because it is not tested yet, runs each gate. */
const releaseOf = (workload: string): ExpectedChange[] => [
    { operation: "update", type: DEPLOYMENT, name: workload },
    ...["evidence", "watch", "smoke", "notice"].flatMap((gate): ExpectedChange[] => [
        { operation: "replace", type: "kubernetes:core/v1:ConfigMap", name: `${workload}-${gate}-program` },
        { operation: "create", type: "kubernetes:batch/v1:Job", name: `${workload}-${gate}-*` },
        { operation: "delete", type: "kubernetes:batch/v1:Job", name: `${workload}-${gate}-*` },
    ]),
];

type Given = Readonly<Record<string, string>>;

/** The active release of the given workload, and its colour if it has one. */
function activeOf({ workloads }: StackValues, { workload = SERVER_NAME }: Given) {
    const found = workloads[workload];
    return found?.strategy === "blueGreen"
        ? { version: found.releases[found.live]?.version, colour: found.live }
        : { version: found?.release.version, colour: undefined };
}

const INACTIVE: Default = {
    meaning: "the inactive colour",
    of: (values, given, resumes) => {
        const { colour } = activeOf(values, given);
        return resumes ? colour : COLOURS.find((each) => colour !== undefined && each !== colour);
    },
};

/** Releasing the active release would change nothing. */
function refuseActive(values: StackValues, given: Given): string[] {
    const { version, colour } = activeOf(values, given);
    const where = colour === undefined ? "" : ` on ${colour}`;
    const isVersion = given["version"] !== undefined && given["version"] === version;
    return [
        ...(isVersion
            ? [`--version: found "${version}", which is active${where}; expected another version`]
            : []),
        ...(colour !== undefined && given["live"] === colour
            ? [`--live: found "${colour}", which is active; expected the inactive colour`]
            : []),
    ];
}

/** The version that the stack file has on the target colour keeps its record; another one needs a record. */
const NEW_VERSION: Condition = {
    meaning: "with a new --version",
    of: ({ workloads }, { workload = SERVER_NAME, live = "", version }) => {
        const found = workloads[workload];
        const known =
            found?.strategy === "blueGreen"
                ? COLOURS.flatMap((each) => (each === live ? [found.releases[each]?.version] : []))
                : [];
        return version !== undefined && !known.includes(version);
    },
};

/** The other colour may have a release that is only staged: going "back" to it is a release. */
function warnOfNewer(values: StackValues, { workload = SERVER_NAME, live = "" }: Given): string[] {
    const found = values.workloads[workload];
    const colour = COLOURS.find((each) => each === live);
    if (found?.strategy !== "blueGreen" || colour === undefined) {
        return [];
    }
    const target = found.releases[colour]?.version;
    const active = found.releases[found.live]?.version;
    const isNumbered = (version: string | undefined): version is string => /^v?\d+\.\d/.test(version ?? "");
    return isNumbered(target) &&
        isNumbered(active) &&
        target.localeCompare(active, "en", { numeric: true }) > 0
        ? [
              `${colour} is ${target}, which is newer than ${active} and may never have had the traffic. ` +
                  `npm run releases -- list --workload ${workload} shows what did.`,
          ]
        : [];
}

/** A colour without a release is no rollback. */
function refuseBack(values: StackValues, given: Given): string[] {
    const { workload = SERVER_NAME, live = "" } = given;
    const found = values.workloads[workload];
    const isEmpty =
        found?.strategy === "blueGreen" &&
        COLOURS.some((each) => each === live && found.releases[each] === undefined);
    return isEmpty
        ? [
              `--live: found "${live}", which has no release; expected the colour of an earlier one. Set one with --to-revision N`,
          ]
        : refuseActive(values, given);
}

/** The target colour. It comes first, because paths of the edits contain it. */
const TARGET_COLOUR: Parameter = {
    name: "live",
    meaning: "the colour that gets the traffic",
    example: "green",
    default: INACTIVE,
};

/** How the pre-deployment checklist is enforced. Section 3.1. */
const EVIDENCE =
    "Before the first pod, the evidence gate reads the change record, and checks that the stack of " +
    "`mcp:checklist.validatedBy` completed the image's digest; the release history stores both, with the " +
    "dashboard's URL. Then it notifies `mcp:checklist.stakeholders` that the release begins; a notice after the " +
    "last gate says that it is completed. If it fails, a watch in parallel to the update notifies at once, with " +
    "gate, reason and the next step, and the update that rolls it back sends another notice. A known release needs " +
    "no record, and sends no notice.";

/** Requirements of the gate before the first pod of a new release. Section 3.1. */
const recordOf = (change: string, version = "v1.5.0", previous = "v1.4.2"): Edit[] => [
    {
        path: `${change}.version`,
        value: "the same version: a record approves no other",
        example: version,
        parameter: "version",
    },
    { path: `${change}.ticket`, value: "the change request", example: "CHG-2041" },
    {
        path: `${change}.author`,
        value: "who makes the change",
        example: "platform-lead",
        keeps: true,
        implied: true,
    },
    {
        path: `${change}.approvers[]`,
        value: "who approved it, and did not make it",
        example: "change-board",
        parameter: "approver",
    },
    {
        path: `${change}.rollbackPlan`,
        value: "how it is taken back",
        example: `back-to-${previous}`,
    },
];

/** Chapter 3: releases and rollbacks. */
export const deployment: readonly Procedure[] = [
    {
        id: "standard-deployment",
        sections: ["3.1", "3.2"],
        title: "Standard deployment",
        when: "A new version of a service has been approved for the environment.",
        parameters: [WORKLOAD],
        // Neither approvers of another change nor a reason to skip apply to this one.
        replaces: "mcp:workloads.{workload}.release.change",
        edits: [
            {
                path: "mcp:workloads.{workload}.release.version",
                value: "the version's image tag",
                example: "v1.5.0",
            },
            ...recordOf("mcp:workloads.{workload}.release.change"),
        ],
        pinsImages: true,
        revertible: true,
        rollsBack: true,
        refuses: refuseActive,
        changes: releaseOf("chat-ui"),
        verify:
            `${EVIDENCE} ${ROLLOUT} and then for the smoke gate, which tests the service from inside the ` +
            "cluster; its lines are in the update's output and in \`kubectl logs\` of the Job.",
        undo: "Roll back to the version before it: `npm run runbook -- run rollback --workload chat-ui --version v1.4.2`.",
    },
    {
        id: "blue-green-stage",
        sections: ["3.3"],
        title: "Blue-green deployment: try a release without traffic",
        when: "A release of MCP Server is to run and be tested in the environment before anybody depends on it.",
        parameters: [SERVER],
        edits: [{ path: "mcp:workloads.{workload}.stage", value: "the idle colour", example: "green" }],
        revertible: true,
        changes: [
            { operation: "update", type: DEPLOYMENT, name: "mcp-server-green" },
            ...gateOf("create", "mcp-server-green", "evidence"),
            ...gateOf("create", "mcp-server-green", "smoke"),
        ],
        verify:
            `${ROLLOUT} and for the smoke gate, which tests \`http://mcp-server-green:8000\`. That Service stays ` +
            "for your own validation tests; users' traffic does not change.",
        undo: "Remove the value: the idle colour is scaled to 0 again.",
    },
    {
        id: "blue-green-release",
        sections: ["3.1", "3.3"],
        title: "Blue-green deployment: release",
        when:
            "A new version of MCP Server has been approved. `--version` and the record of its change are set on the inactive " +
            "colour; without them the release is the one that the stack file has there.",
        words: "approve approver approval change record ticket",
        parameters: [SERVER, TARGET_COLOUR],
        replaces: "mcp:workloads.{workload}.releases.{live}.change",
        edits: [
            {
                path: "mcp:workloads.{workload}.releases.{live}.version",
                value: "the version's image tag",
                example: "v2.2.0",
                keeps: true,
            },
            ...recordOf("mcp:workloads.{workload}.releases.{live}.change", "v2.2.0", "v2.0.3").map(
                (edit) => ({
                    ...edit,
                    keeps: true,
                    ...(edit.implied === true ? {} : { neededWhen: NEW_VERSION }),
                }),
            ),
            {
                path: "mcp:workloads.{workload}.live",
                value: "that colour",
                example: "green",
            },
        ],
        pinsImages: true,
        revertible: true,
        rollsBack: true,
        refuses: refuseActive,
        changes: switchOf("mcp-server", "blue", "green"),
        verify:
            `${EVIDENCE} One update does it all: rollout of the idle colour, capacity gate (as many ready pods as ` +
            `the live one), smoke gate, switch of the Service, soak gate (${SOAK_SECONDS / 60} minutes of error ` +
            "rate, restarts and readiness), and only then the old colour is scaled to 0. If a gate fails, the " +
            "update stops and is rolled back.",
        undo: "Roll back to the colour before it: `npm run runbook -- run rollback --workload mcp-server`.",
    },
    {
        id: "database-change",
        sections: ["3.1", "3.3"],
        title: "Deployment that changes the database: backup first",
        when:
            "The release migrates the database (pre-deployment checklist: verify backup completed). Set " +
            "`databaseChange` in that release; a rolling workload has it below `release`. Both colours use one " +
            "database: migrations expand it first, and contract it in a later release.",
        parameters: [SERVER, TARGET_COLOUR],
        edits: [
            {
                path: "mcp:workloads.{workload}.releases.{live}.databaseChange",
                value: "`true`, on the colour that is released",
                example: "true",
            },
            { path: "mcp:workloads.{workload}.live", value: "that colour", example: "green" },
        ],
        pinsImages: true,
        revertible: true,
        rollsBack: true,
        refuses: refuseActive,
        changes: [
            ...gateOf("create", "mcp-server-green", "dump"),
            ...switchOf("mcp-server", "blue", "green"),
        ],
        verify:
            "A dump is taken, verified and uploaded below `manual/` before the first pod of the release starts, once a " +
            "release: scaling, a restart and the way back wait for none. One that fails ends the update before anything " +
            "has changed. A database without tables has nothing to save: the first release of all leaves the value out. " +
            "The dump is of the update that names the release; where that is long before the switch, take another one (5.2 step 1).",
        undo: "Roll back to the colour before it: `npm run runbook -- run rollback --workload mcp-server`. What the migration did stays, which is why it only expands. The dump is restored as 5.2 step 1 says.",
    },
    {
        id: "blue-green-rollback",
        sections: ["3.3", "3.4"],
        title: "Rollback of a blue-green deployment",
        when: "The active release misbehaves, or its soak failed. Set `live` to the previous colour.",
        words: "release failed soak take roll back",
        parameters: [SERVER, { ...TARGET_COLOUR, example: "blue" }],
        edits: [{ path: "mcp:workloads.{workload}.live", value: "that colour", example: "blue" }],
        revertible: true,
        takesRevision: true,
        refuses: refuseBack,
        warns: warnOfNewer,
        from: ["mcp:workloads.mcp-server.live=green"],
        changes: switchOf("mcp-server", "green", "blue"),
        waitsNote:
            "A release that passed before: seconds if its pods still run, otherwise the time that they need to start. " +
            "Its gates do not run again.",
        verify:
            "The gates read the release history: a release that passed is not tested again, so the switch takes as " +
            "long as its pods need to start, and seconds if they still run (`standby: warm`, or a soak that " +
            "failed). An earlier revision: `--to-revision N` sets it on the idle colour first, with the " +
            "configuration it ran with.",
        undo: "Set the other colour again.",
    },
    {
        id: "rollback",
        sections: ["3.4"],
        title: "Rollback of a rolling deployment",
        when: "A version misbehaves, or its smoke gate failed.",
        parameters: [WORKLOAD],
        edits: [
            {
                path: "mcp:workloads.{workload}.release.version",
                value: "the version to go back to, any earlier one",
                example: "v1.4.1",
            },
        ],
        pinsImages: true,
        revertible: true,
        takesRevision: true,
        changes: releaseOf("chat-ui"),
        verify:
            `${ROLLOUT} and for the smoke gate of the version it goes back to. The pin of a version that ran before is still in the stack file. ` +
            "`--to-revision N`, in place of `--version`, restores image and configuration of a revision in the release history.",
        undo: "Set the newer version again.",
    },
];
