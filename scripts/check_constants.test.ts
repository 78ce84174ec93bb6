import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, checkAll, exportedConstants, findCompiler } from "./check_constants.ts";

const constants = suite("check_constants");
const compiler = findCompiler();

function compiled(title: string, body: (compiler: string) => Promise<void>): void {
  if (compiler !== undefined) constants(title, () => body(compiler));
  else {
    console.log(`skip: check_constants: ${title}: there is no C compiler`);
    constants.skip(title, () => {});
  }
}

constants("finds what the files export", async () => {
  const facts = await exportedConstants();
  const value = (name: string): bigint | undefined =>
    facts.find(({ expression }) => expression === name)?.value;
  assert.is(value("O_CLOEXEC"), 0x80000n);
  assert.is(value("AT_FDCWD"), -100n);
  assert.is(value("ENOTEMPTY"), 39n);
  assert.is(value("SIGKILL"), 9n);
});

compiled("constants, system call numbers, structs: all as in the headers", async (cc) => {
  for (const [title, { compared, differences, unknown }] of Object.entries(await checkAll(cc))) {
    assert.equal(differences, [], title);
    const rest =
      unknown.length === 0 ? "" : `, ${unknown.length} unknown to these headers: ${unknown.join(" ")}`;
    console.log(`${title}: ${compared} compared${rest}`);
    assert.ok(compared > 10 * unknown.length, `${title}: too many are unknown: ${unknown.join(" ")}`);
  }
});

compiled("tells what is wrong, and what is unknown", async (cc) => {
  const facts = [
    { expression: "EPERM", value: 1n, where: "a.ts" },
    { expression: "ENOENT", value: 3n, where: "a.ts" },
    { expression: "ENOSUCHNAME", value: 4n, where: "a.ts" },
    { expression: "AT_FDCWD", value: -100n, where: "b.ts" },
    { expression: "sizeof(struct nothing)", value: 8n, where: "b.ts" },
  ];
  assert.equal(check(cc, facts, [{ names: ["errno.h", "fcntl.h", "no/such/header.h"] }]), {
    compared: 3,
    differences: ["a.ts: ENOENT is 3, the headers say 2"],
    unknown: ["ENOSUCHNAME", "sizeof(struct nothing)"],
  });
});

constants.run();
