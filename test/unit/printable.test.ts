import assert from "node:assert/strict";
import { styleText } from "node:util";
import { isPrintable, printable, printableText } from "../../core/printable";

describe("foreign text", () => {
    it("is shown, and never obeyed by a terminal", () => {
        assert.equal(
            printable("a\u001b[2Jb\nc\u202ed\u0085\u{e0041}"),
            "a\\u001b[2Jb\\u000ac\\u202ed\\u0085\\u{e0041}",
        );
        const plain = "CHG-1 – Žluťoučký 例 👩‍💻 नमस्ते क्‍ष";
        assert.equal(printable(plain), plain);
        assert.ok(isPrintable(plain) && !isPrintable("\u2066") && isPrintable("a\nb", "\n"));
    });

    it("keeps its lines and our colours, and nothing else that begins with an escape", () => {
        const coloured = styleText("red", "refused", { validateStream: false });
        assert.equal(
            printableText(`${coloured}\n\u001b[2J\u001b]0;x\u0007`),
            `${coloured}\n\\u001b[2J\\u001b]0;x\\u0007`,
        );
    });
});
