import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../syscalls/testing/saying.ts";
import { filterTable } from "./ps.ts";

const filter = suite("filterTable");
const table = "USER   PID %CPU COMMAND\nroot     7  0.0 sh\nroot    17  0.0 sleep 7\nroot     1 0 [x]\n\n";

filter("keeps the header and the lines whose PID column matches", () => {
  assert.is(filterTable(table, new Set([7])), "USER   PID %CPU COMMAND\nroot     7  0.0 sh\n");
  assert.is(filterTable(table, new Set([17, 1])).split("\n").length, 4);
});

filter("finds the column wherever it is, after leading blanks too", () => {
  assert.is(filterTable("  PID TTY\n    7 ?\n   70 ?\n", new Set([7])), "  PID TTY\n    7 ?\n");
});

filter("keeps the header alone when nothing matches", () => {
  assert.is(filterTable(table, new Set()), "USER   PID %CPU COMMAND\n");
});

filter("refuses a table without the column; PPID is another", () => {
  for (const text of ["", "USER COMMAND\nroot sh\n", "PPID TTY\n1 ?\n"])
    assert.throws(() => filterTable(text, new Set([1])), saying("couldn't find PID field in ps output"));
});

filter.run();
