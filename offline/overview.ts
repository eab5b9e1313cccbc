import { componentsOf, concernOf, shortType } from "./concern";
import { OPERATIONS } from "./describe";
import { list } from "../core/fold";
import { painter, type Screen } from "./layout";
import { type Preview } from "./preview";
import { type RecordedResource } from "./record";

/** For each concern of a stack: number of resources, number of protected ones, and components. */
export function overview({ changes }: Preview, screen: Screen): string {
    const paint = painter(screen);
    const componentOf = componentsOf(changes.map(({ resource }) => resource));
    const concerns = new Map<string, { count: number; guarded: number; parts: Set<string> }>();
    for (const { resource } of changes) {
        const component = componentOf(resource);
        const concern = concernOf(component);
        const entry = concerns.get(concern) ?? { count: 0, guarded: 0, parts: new Set() };
        entry.count += 1;
        entry.guarded += resource.options.protect ? 1 : 0;
        entry.parts.add(labelOf(component ?? resource));
        concerns.set(concern, entry);
    }
    const titles = ["Concern", "Resources", "Protected"] as const;
    const nameWidth = Math.max(...[...concerns.keys(), titles[0]].map(({ length }) => length));
    const line = (name: string, count: string, guarded: string) =>
        `${name.padEnd(nameWidth)}  ${count.padStart(titles[1].length)}  ${guarded.padStart(titles[2].length)}`;
    const indent = " ".repeat(line("", "", "").length + 2);
    const rows = [...concerns]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flatMap(([concern, { count, guarded, parts }]) => {
            const [first = "", ...more] = list([...parts].sort(), screen.width, indent);
            const start = line(concern, String(count), guarded === 0 ? "" : String(guarded));
            return [`${start}  ${first.slice(indent.length)}`, ...more];
        });
    const operations = Object.entries(OPERATIONS).flatMap(([operation, { sign, style, phrase }]) => {
        const { length } = changes.filter((change) => change.operation === operation);
        return length === 0 ? [] : [paint(style, `${sign} ${length} ${phrase}`)];
    });
    const guarded = changes.filter(({ resource }) => resource.options.protect).length;
    const total = line("total", String(changes.length), String(guarded));
    const heading = `${line(...titles)}  Components`;
    return [paint("bold", heading), ...rows, `${total}  ${operations.join(", ")}`].join("\n");
}

/** Workloads by name, others by type. */
function labelOf({ type, name }: RecordedResource): string {
    return type === "mcp:workload:Workload"
        ? name
        : type.startsWith("pulumi:providers:")
          ? "providers"
          : shortType(type);
}
