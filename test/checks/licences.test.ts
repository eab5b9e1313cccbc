import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support";

/** Licences that ask for no more than to be named. */
const PERMISSIVE = new Set([
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "PSF-2.0",
    "Python-2.0",
]);

/** Packages whose licence was read, by what they declare, and why they may be used. */
const READ: Readonly<Record<string, { declares: string; because: string }>> = {
    ...Object.fromEntries(
        ["iam-policy", "iam-simulate", "iam-utils"].map((name) => [
            `@cloud-copilot/${name}`,
            {
                declares: "AGPL-3.0-or-later",
                because:
                    "one test runs it as it is; nothing that is built, deployed or published holds any of it",
            },
        ]),
    ),
    "@logdna/tail-file": {
        declares: "SEE LICENSE IN LICENSE",
        because: "the file is the MIT licence",
    },
    "spdx-exceptions": {
        declares: "CC-BY-3.0",
        because: "a list of names, which the package itself attributes",
    },
};

interface Lock {
    packages: Record<string, { license?: string }>;
}

describe("licences", () => {
    it("of everything that is installed are permissive, or were read", () => {
        const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
        const declared = Object.entries(packages)
            .filter(([path]) => path !== "")
            .map(([path, { license = "none" }]) => [path.split("node_modules/").at(-1)!, license] as const);
        assert.ok(declared.length > 100);
        const unread = declared.filter(
            ([name, licence]) =>
                READ[name]?.declares !== licence &&
                !licence.split(/ AND | OR |[()]/).every((part) => part === "" || PERMISSIVE.has(part)),
        );
        assert.deepEqual(unread, []);
        const unused = Object.keys(READ).filter((name) => !declared.some(([each]) => each === name));
        assert.deepEqual(unused, []);
    });
});
