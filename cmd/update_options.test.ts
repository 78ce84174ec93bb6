import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readArgv } from "./options.ts";
import { documentOf, updateOptions } from "./update_options.ts";

const options = suite("documentOf");
const document = (...argv: string[]) => documentOf(readArgv(updateOptions, argv, false).options);
const none = { blockIO: {}, cpu: {}, memory: {}, pids: {} };

options("nothing given, nothing asked for", () => {
  assert.equal(document("id"), none);
  assert.equal(document("--memory=", "--cpuset-cpus", "", "--cpu-quota=", "id"), none);
});

options("every limit has its place", () => {
  const argv =
    "--blkio-weight 300 --cpu-period 50000 --cpu-quota -1 --cpu-burst 7 --cpu-share 512 --cpu-rt-period 9 --cpu-rt-runtime 8 --cpu-idle 1 --cpuset-cpus 0-1 --cpuset-mems 0 --memory 1g --memory-reservation 1m --memory-swap -1 --kernel-memory 5 --kernel-memory-tcp 6 --pids-limit 0 id";
  assert.equal(document(...argv.split(" ")), {
    blockIO: { weight: 300 },
    cpu: {
      cpus: "0-1",
      mems: "0",
      idle: 1,
      burst: 7n,
      period: 50000n,
      realtimePeriod: 9n,
      shares: 512n,
      quota: -1n,
      realtimeRuntime: 8n,
    },
    memory: { limit: 1073741824n, swap: -1n, kernel: 5n, kernelTCP: 6n, reservation: 1048576n },
    pids: { limit: 0 },
  });
});

const sizes: readonly [text: string, bytes: bigint][] = [
  ["0", 0n],
  ["-1", -1n],
  ["4096", 4096n],
  ["10b", 10n],
  ["10k", 10240n],
  ["10K", 10240n],
  ["10 KiB", 10240n],
  ["1mb", 1048576n],
  ["1.5G", 1610612736n],
  [".5g", 536870912n],
  ["2Ti", 2199023255552n],
  ["1p", 1125899906842624n],
  ["9007199254740993", 9007199254740993n],
  ["9223372036854775807", 9223372036854775807n],
];
for (const [text, bytes] of sizes)
  options(`a size of "${text}"`, () => {
    assert.equal(document("--memory", text), { ...none, memory: { limit: bytes } });
  });

// The words are those of runc 1.1.5, and behind them what is accepted.
const anySize = "bytes are accepted, or a number with k, m, g, t or p behind it, or -1 for no limit";
const wholeNumber = "a whole number in decimal is accepted";
const refused: readonly [argv: readonly string[], message: string][] = [
  [["--memory", "abc"], `invalid value for memory: invalid size: 'abc' (${anySize})`],
  [["--memory", "-2"], `invalid value for memory: invalid size: '-2' (${anySize})`],
  [["--memory", "10x"], `invalid value for memory: invalid size: '10x' (${anySize})`],
  [["--memory", "10mbb"], `invalid value for memory: invalid size: '10mbb' (${anySize})`],
  [["--memory", "1e3"], `invalid value for memory: invalid size: '1e3' (${anySize})`],
  [["--memory", "0x10"], `invalid value for memory: invalid size: '0x10' (${anySize})`],
  [["--memory-swap", "."], `invalid value for memory-swap: invalid size: '.' (${anySize})`],
  [["--memory", "8e"], `invalid value for memory: invalid size: '8e' (${anySize})`],
  [
    ["--memory-reservation", "9223372036854775808"],
    `invalid value for memory-reservation: invalid size: '9223372036854775808' (${anySize})`,
  ],
  [
    ["--cpu-period", "abc"],
    `invalid value for cpu-period: strconv.ParseUint: parsing "abc": invalid syntax (${wholeNumber})`,
  ],
  [
    ["--cpu-share", "-1"],
    `invalid value for cpu-share: strconv.ParseUint: parsing "-1": invalid syntax (${wholeNumber})`,
  ],
  [
    ["--cpu-burst", "18446744073709551616"],
    'invalid value for cpu-burst: strconv.ParseUint: parsing "18446744073709551616": value out of range (0 to 18446744073709551615 is accepted)',
  ],
  [
    ["--cpu-quota", "1.5"],
    `invalid value for cpu-quota: strconv.ParseInt: parsing "1.5": invalid syntax (${wholeNumber})`,
  ],
  [
    ["--cpu-rt-runtime", "-9223372036854775809"],
    'invalid value for cpu-rt-runtime: strconv.ParseInt: parsing "-9223372036854775809": value out of range (-9223372036854775808 to 9223372036854775807 is accepted)',
  ],
  [
    ["--cpu-idle", "yes"],
    `invalid value for cpu-idle: strconv.ParseInt: parsing "yes": invalid syntax (${wholeNumber})`,
  ],
];
for (const [argv, message] of refused)
  options(`refuses ${argv.join(" ")}`, () => {
    assert.throws(
      () => document(...argv),
      (error: Error) => error.message === message,
    );
  });

options.run();
