import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatTable } from "./output.ts";

const header = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];
const table = suite("formatTable");

// The expected lines are what runc 1.1.5 printed, but for the bundle's path (of the same length).
table("an empty list is runc's header", () => {
  assert.is(formatTable([header]), "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
});

table("columns grow with their widest cell", () => {
  const rows = [
    header,
    [
      "a-container-with-a-long-name",
      "21743",
      "running",
      "/bundle/a",
      "2026-11-21T11:13:45.010873751Z",
      "root",
    ],
    ["ab", "21727", "running", "/bundle/a", "2026-11-21T11:13:44.990150781Z", "root"],
  ];
  assert.is(
    formatTable(rows),
    `ID                             PID         STATUS      BUNDLE      CREATED                          OWNER
a-container-with-a-long-name   21743       running     /bundle/a   2026-11-21T11:13:45.010873751Z   root
ab                             21727       running     /bundle/a   2026-11-21T11:13:44.990150781Z   root
`,
  );
});

table("a cell cannot break its line or reach the terminal", () => {
  assert.is(formatTable([["a\n\u001b[2Jb", "c"]]), "a\\n\\x1b[2Jb   c\n");
});
table.run();
