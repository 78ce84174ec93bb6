import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatRecord } from "./log.ts";
import { printable, quote } from "./quote.ts";

const now = BigInt(Date.UTC(2026, 10, 21, 10, 0, 0, 123)) * 1_000_000n;
const time = "2026-11-21T10:00:00Z";

const records = suite("formatRecord");

records("text is what logrus writes", () => {
  assert.is(
    formatRecord("text", "error", "container does not exist", now),
    `time="${time}" level=error msg="container does not exist"`,
  );
  assert.is(
    formatRecord("text", "error", 'runc: "kill" requires a minimum of 1 argument(s)', now),
    `time="${time}" level=error msg="runc: \\"kill\\" requires a minimum of 1 argument(s)"`,
  );
  assert.is(
    formatRecord("text", "warning", "a/b-c_d.e@f^g+h", now),
    `time="${time}" level=warning msg=a/b-c_d.e@f^g+h`,
  );
});

records("json is one object with level, msg and time in this order", () => {
  assert.is(
    formatRecord("json", "error", 'exec: "x"', now),
    `{"level":"error","msg":"exec: \\"x\\"","time":"${time}"}`,
  );
});

records("a container cannot forge a record or move the cursor", () => {
  const attack = '/\u001b]0;pwn\u0007\nlevel=error msg="\r\u009b2J\u2028\u202e\u007f';
  for (const format of ["text", "json"] as const) {
    const line = formatRecord(format, "error", attack, now);
    assert.not.match(line, /[^\x20-\x7e]/);
    if (format === "json") assert.is(JSON.parse(line).msg, attack);
  }
});
records.run();

const quoting = suite("quote");
const cases: [string, string][] = [
  ["a\tb", '"a\\tb"'],
  ["\u001b[0m", '"\\x1b[0m"'],
  ['\\"', '"\\\\\\""'],
  ["äß€😀", '"äß€😀"'],
  ["\u00a0\u200b", '"\\u00a0\\u200b"'],
  ["\u{e0001}", '"\\U000e0001"'],
  ["\ud800", '"\\ud800"'],
];
for (const [text, quoted] of cases) quoting(`of ${quoted}`, () => assert.is(quote(text), quoted));

quoting("printable text keeps quotes and backslashes, which engines match on", () => {
  assert.is(printable('exec: "a\\b": not\nfound'), 'exec: "a\\b": not\\nfound');
});
quoting.run();
