import { rmSync } from "node:fs";
import { valuesOf } from "../../offline/stackFile";
import { copyWithSmallProduction } from "../engine/smallProduction";

describe("the small production of the engine's tests", () => {
    it("is a complete stack, whatever production gains", () => {
        const folder = copyWithSmallProduction();
        try {
            valuesOf(folder, "production");
        } finally {
            rmSync(folder, { recursive: true });
        }
    });
});
