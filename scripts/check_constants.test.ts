import { suite } from "uvu";
import * as assert from "uvu/assert";
import { check, checkAll, exportedConstants, families, findCompiler } from "./check_constants.ts";

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

/** What has the prefix of a family and is not one of it, or goes by another name where it is one. */
const NOT_IN_FAMILIES = new Set(
  "O_RDONLY F_OK S_IFMT SIG_IGN IOPRIO_CLASS_SHIFT FSCONFIG_VALUE_LIMIT NETLINK_ROUTE W_OK".split(" "),
);

constants("each constant is in the family of its prefix, so that the trace knows its name", async () => {
  const known = await families();
  const prefixes = [...known.keys()].sort((a, b) => b.length - a.length);
  const value = new Map((await exportedConstants()).map(({ expression, value }) => [expression, value]));
  const missing = [...value.keys()].filter((name) => {
    const prefix = prefixes.find((each) => name.startsWith(each));
    return prefix !== undefined && !NOT_IN_FAMILIES.has(name) && !(name in (known.get(prefix) ?? {}));
  });
  assert.equal(missing, []);
  for (const [prefix, names] of known)
    for (const [name, number] of Object.entries(names))
      assert.is(BigInt(number), value.get(name), `${prefix}: ${name}`);
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
