import { goTools, pythonTools } from "./scanners";

/* Installs the scanners. One that cannot be had, such as without a network, is no failure: its test says so. */

async function main(): Promise<void> {
    const installations = [
        ["kube-score", () => goTools.build(console.log)],
        ["zizmor, shellcheck and Checkov", () => pythonTools.install(console.log)],
    ] as const;
    for (const [name, install] of installations) {
        try {
            await install();
        } catch (error) {
            console.log(`Cannot install ${name}: ${(error as Error).message}`);
        }
    }
}

void main();
