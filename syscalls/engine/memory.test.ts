/**
 * The memory of the JavaScript heap (arena.c) and the stack: blocks of every size keep what is in them, what was freed
 * is used again, and what there is too little of ends in an error that can be caught, or in one clear line.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readlinkat } from "../directory.ts";
import { SYS } from "../numbers.ts";
import { CWD } from "../open.ts";
import { programArguments } from "../start.ts";
import { readText } from "../testing/files.ts";
import { run } from "../testing/programs.ts";
import { host } from "./host.ts";

const self = readlinkat(CWD, "/proc/self/exe");
/** `quick` is for valgrind, under which all of this takes 50 times as long. */
const [bundle = "", mode = ""] = programArguments();
const quick = mode === "quick";
const times = (count: number): number => (quick ? Math.ceil(count / 100) : count);

/** Resident bytes. */
const resident = (): number => 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readText("/proc/self/status"))?.[1]);

/** The process is as large as `before`; with valgrind in it, that says nothing. */
function stayed(before: number): void {
  const grown = resident() - before;
  assert.ok(quick || grown < 4 << 20, `${grown} bytes more`);
}

/** Numbers that look random and are the same each time (the minimal standard generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

/** A block with something in it that its size and a number decide. */
function filled(size: number, number: number): Uint8Array {
  return new Uint8Array(size).fill((size * 31 + number * 7) & 0xff);
}

/** Both ends, the middle, and all of every 64th. */
function check(block: Uint8Array, number: number): void {
  const expected = (block.length * 31 + number * 7) & 0xff;
  const places = number % 64 === 0 ? block.keys() : [0, block.length >> 1, block.length - 1];
  for (const at of places)
    if (block.length > 0 && block[at] !== expected)
      assert.unreachable(`byte ${at} of a block of ${block.length} is ${block[at]} instead of ${expected}`);
}

const arena = suite("arena");

arena("blocks of every size up to 2 KiB, and of every class above, are apart from each other", () => {
  const sizes = Array.from({ length: 2100 }, (_, i) => i);
  for (let power = 2048; power <= 1 << 18; power *= 2)
    for (let quarter = 0; quarter < 4; quarter++)
      for (let around = -20; around <= 20; around += quick ? 20 : 1)
        sizes.push(power + (power / 4) * quarter + around);
  const blocks = sizes.map((size, i) => filled(size, i));
  for (const [i, block] of blocks.entries()) check(block, i);
  for (const block of blocks) assert.is(host.addressOf(block) % 8, 0);
  const rest = blocks.filter((_, i) => i % 3 !== 0);
  for (const [i, size] of sizes.entries()) if (i % 3 === 0) blocks[i] = filled(size, i);
  for (const [i, block] of blocks.entries()) check(block, i);
  assert.ok(rest.length > 0);
});

arena("millions of blocks come and go in any order, and the memory stays what it was", () => {
  const random = randomNumbers(4711);
  const numbers = Array.from({ length: 2000 }, (_, i) => i);
  const blocks: Uint8Array[] = numbers.map((i) => filled(0, i));
  // Mostly small ones, each order of magnitude alike.
  const size = (): number => random(2 << random(random(16) === 0 ? 18 : 11));
  const turn = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = random(blocks.length);
      check(blocks[at] as Uint8Array, numbers[at] as number);
      numbers[at] = i;
      blocks[at] = filled(size(), i);
    }
  };
  turn(times(500_000));
  const before = resident();
  turn(times(1_000_000));
  for (const [at, block] of blocks.entries()) check(block, numbers[at] as number);
  stayed(before);
});

arena("what refers to itself is freed as well", () => {
  const turn = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const a: Record<string, unknown> = { bytes: new Uint8Array(200) };
      const b = { a, list: [a], text: `number ${i}` };
      a.b = b;
      a.own = () => a;
    }
  };
  turn(times(500_000));
  const before = resident();
  turn(times(500_000));
  stayed(before);
});

arena("a mapping of its own is given back", () => {
  const before = resident();
  for (let i = 0; i < times(2000); i++) check(filled(1 << 20, i), i);
  const block = filled(64 << 20, 1);
  check(block, 1);
  assert.ok(resident() - before >= 60 << 20);
});

arena("and nothing of it stays", () => {
  const before = resident();
  (() => filled(64 << 20, 1))();
  stayed(before);
});

arena("what grows and shrinks keeps its content: arrays", () => {
  for (const length of [10, 1000, 20_000, times(2_000_000)]) {
    const list: number[] = [];
    for (let i = 0; i < length; i++) list.push(i * 3);
    for (let i = 0; i < length; i++) if (list[i] !== i * 3) assert.unreachable(`${list[i]} at ${i}`);
    list.length = length >> 1;
    list.push(-1);
    assert.is(list.length, (length >> 1) + 1);
    assert.is(list[(length >> 1) - 1], ((length >> 1) - 1) * 3);
    while (list.length > 3) list.pop();
    assert.equal(list, [0, 3, 6]);
  }
});

arena("what grows and shrinks keeps its content: texts", () => {
  const many = times(1_000_000);
  let text = "";
  for (let i = 0; i < many; i++) text += String.fromCharCode(0x61 + (i % 26));
  assert.is(text.length, many);
  for (let at = 0; at < many; at += 997) assert.is(text.charCodeAt(at), 0x61 + (at % 26));
  let wide = text;
  wide += "€";
  for (let i = 0; i < many / 10; i++) wide = `${wide}ä`;
  assert.is(wide.length, many + 1 + many / 10);
  assert.is(wide[many], "€");
  const parts = Array.from({ length: many }, (_, i) => String(i));
  const joined = parts.join(",");
  assert.is(joined.split(",").length, many);
  assert.is(joined.slice(-5), `,${many - 1}`.slice(-5));
  assert.is(joined.replaceAll(",", ", ").length, joined.length + many - 1);
});

arena("what grows and shrinks keeps its content: maps, sets and objects", () => {
  const many = times(300_000);
  const map = new Map<unknown, number>();
  const object: Record<string, number> = {};
  for (let i = 0; i < many; i++) {
    map.set(i % 2 === 0 ? i : `key ${i}`, i);
    object[`property ${i}`] = i;
  }
  for (let i = 0; i < many; i++) {
    assert.is(map.get(i % 2 === 0 ? i : `key ${i}`), i);
    assert.is(object[`property ${i}`], i);
  }
  for (let i = 0; i < many; i += 2) map.delete(i);
  assert.is(map.size, many / 2);
  assert.is(new Set(Object.values(object)).size, many);
});
arena.run();

const nested = (depth: number): unknown[] => {
  let list: unknown[] = [];
  for (let i = 0; i < depth; i++) list = [list];
  return list;
};

const recursive: Readonly<Record<string, () => unknown>> = {
  "a function": () => {
    const deeper = (n: number): number => deeper(n + 1) + 1;
    return deeper(0);
  },
  "a function with many arguments": () => {
    const list = new Array(200).fill(1);
    const deeper = (...all: number[]): number => deeper(...all) + 1;
    return deeper(...list);
  },
  "a getter": () => {
    const object = {
      get own(): number {
        return this.own + 1;
      },
    };
    return object.own;
  },
  "a proxy of a proxy": () => {
    let object: { readonly x?: unknown } = {};
    for (let i = 0; i < 100_000; i++) object = new Proxy(object, {});
    return object.x;
  },
  "a bound function of a bound one": () => {
    let act = (): number => 1;
    for (let i = 0; i < 100_000; i++) act = Object.defineProperty(act.bind(null), "name", { value: "" });
    return act();
  },
  "a conversion": () => {
    const object = { toString: (): string => `${object}` };
    return `${object}`;
  },
  "a comparison while sorting": () => {
    const deeper = (): number => [1, 2].sort(deeper).length;
    return deeper();
  },
  "a replacement": () => {
    const deeper = (): string => "x".replace(/x/, deeper);
    return deeper();
  },
  "a constructor": () => {
    class Deeper {
      readonly inner = new Deeper();
    }
    return new Deeper();
  },
  "a generator": () => {
    function* deeper(): Generator<number> {
      yield* deeper();
    }
    return [...deeper()];
  },
  "a spread of an iterator": () => {
    const object = { [Symbol.iterator]: (): Iterator<number> => [...object][Symbol.iterator]() };
    return [...object];
  },
  "reading JSON": () => JSON.parse("[".repeat(1_000_000)),
  "reading JSON, and a reviver": () => {
    const deeper = (): unknown => JSON.parse("[1]", deeper);
    return deeper();
  },
  "writing JSON": () => JSON.stringify(nested(100_000)),
  flattening: () => nested(100_000).flat(Infinity),
  "a list as text": () => String(nested(100_000)),
  "a regular expression's groups": () => new RegExp("(?:".repeat(1_000_000)),
  "a regular expression's look-ahead": () => new RegExp(`${"(?=".repeat(500_000)}x${")".repeat(500_000)}`),
  "a primitive at every depth": () => {
    const bytes = new Uint8Array([0xff, 0x41]);
    const deeper = (): number => {
      host.decode(bytes);
      host.encode("\ud800");
      host.syscall(SYS.getpid, bytes);
      /(a|b)*c/.exec("abababc");
      [3, 1, 2].sort();
      return deeper() + 1;
    };
    return deeper();
  },
  "libseccomp at every depth": () => {
    const token = host.architecture === "x86_64" ? 0xc000003e : 0xc00000b7;
    host.seccompInit(0x50001, token, token);
    const fd = host.syscall(SYS.close, -1);
    const deeper = (): number => {
      host.seccompAdd(0x7fff0000, 1, new Uint8Array());
      host.seccompExport(fd);
      return deeper() + 1;
    };
    try {
      return deeper();
    } finally {
      host.seccompRelease();
    }
  },
};

/** What is too deep throws, and again, and the next thing works as before. */
function descend(title: string, act: () => unknown): void {
  for (let i = 0; i < (mode === "" ? 2 : 1); i++) {
    let thrown: unknown;
    try {
      act();
    } catch (error) {
      thrown = error;
    }
    assert.ok(thrown instanceof Error, `${title}: nothing is thrown`);
    assert.match((thrown as Error).message, /stack overflow/, `${title}: ${(thrown as Error).message}`);
    assert.is(JSON.stringify(JSON.parse('{"a":[1,2,{"b":"c"}]}')), '{"a":[1,2,{"b":"c"}]}');
  }
}

/** This file once more, as something that uses too much. */
function again(name: string, limits: string): { status: number; stdout: string; stderr: string } {
  return run(["sh", "-c", `${limits}; exec "${self}" run "${bundle}" "${name}"`]);
}

const stack = suite("stack");

if (mode === "descend") {
  for (const [title, act] of Object.entries(recursive)) {
    descend(title, act);
    console.log(title);
  }
  host.syscall(SYS.exit_group, 0);
}
const titles = `${Object.keys(recursive).join("\n")}\n`;

for (const [title, act] of Object.entries(recursive)) {
  // It looks for circles by the square of the depth.
  if (quick && title === "writing JSON") continue;
  stack(`too deep: ${title}`, () => descend(title, act));
}
// What starts this file once more is no matter of valgrind.
for (const limit of quick ? [] : ["128", "256", "1024", "65536", "unlimited"])
  stack(`too deep in all of these ways, where the limit is ${limit} KiB`, () => {
    const { status, stdout, stderr } = again("descend", `ulimit -S -s ${limit}`);
    assert.is(stdout + stderr, titles);
    assert.is(status, 0);
  });

stack("an error of it that nobody catches is said", () => {
  const { status, stderr } = again("uncaught", "ulimit -S -s 256");
  assert.is(status, 1);
  assert.match(stderr, /^runt: internal error: InternalError: stack overflow\n {4}at deeper /);
});
stack.run();

const exhausting: Readonly<Record<string, () => unknown>> = {
  "small objects": () => {
    for (const list: unknown[] = []; ; ) list.push({ a: list.length });
  },
  "one array": () => {
    for (const list: number[] = []; ; ) list.push(1.5);
  },
  "one text": () => {
    for (let text = "ä"; ; text += text) host.encode(text);
  },
  "a text of many parts": () => {
    for (let text = ""; ; ) text += String(text.length).padEnd(5000);
  },
  "buffers of 100 KB": () => {
    for (const list: unknown[] = []; ; ) list.push(new Uint8Array(100_000));
  },
  "buffers of 1 MB": () => {
    for (const list: unknown[] = []; ; ) list.push(new Uint8Array(1_000_000));
  },
  "one buffer, which is huge": () => new Uint8Array(2 ** 31 - 1),
  "a text that is huge": () => "x".repeat(2 ** 30 - 1),
  "a map": () => {
    for (const map = new Map<number, number>(); ; ) map.set(map.size, 1);
  },
  "a mended text": () => host.decode(new Uint8Array(60 << 20).fill(0xff)),
  uncaught: () => recursive["a function"]?.(),
};
exhausting[mode]?.();

const memory = suite("memory that runs out");
for (const name of quick ? [] : Object.keys(exhausting).filter((each) => each !== "uncaught"))
  memory(name, () => {
    const { status, stdout, stderr } = again(name, "ulimit -S -v 150000");
    assert.is(stdout + stderr, "runt: out of memory\n");
    assert.is(status, 1);
  });

memory("more than any buffer or text may have is an error", () => {
  for (const size of [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1])
    assert.throws(
      () => new Uint8Array(size),
      (error: unknown) => error instanceof RangeError,
    );
  assert.throws(() => "x".repeat(2 ** 30), /invalid (repeat count|string length)|too long/);
  assert.throws(() => {
    for (let text = "x".repeat(1 << 20); ; ) text += text;
  }, /too long/);
});
memory.run();
