import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseCount } from "../proc/count.ts";
import { pageSizeOf, parseBlkio, parseCpuList, parseIoStat, parseKeyValues, parsePsi } from "./stats_text.ts";

const text = suite("statistics from text");
const refused = (read: () => unknown) => assert.throws(read, /^unable to parse \/x: "/);

text("a count is exact, max is the largest, below zero is zero", () => {
  assert.is(parseCount("9223372036854771712", "/x"), 9223372036854771712n);
  assert.is(parseCount("max", "/x"), 18446744073709551615n);
  assert.is(parseCount("-4096", "/x"), 0n);
  for (const wrong of ["", "1.5", "abc", "1 2", "0x10"]) refused(() => parseCount(wrong, "/x"));
});

text("keys come in their order", () => {
  const read = parseKeyValues("rss 2\ncache 1\nactive_anon 18446744073709551615\n", "/x");
  assert.equal(Object.entries(read), [
    ["active_anon", 18446744073709551615n],
    ["cache", 1n],
    ["rss", 2n],
  ]);
  assert.equal(parseKeyValues("", "/x"), {});
  refused(() => parseKeyValues("anon", "/x"));
  refused(() => parseKeyValues("anon 1 2", "/x"));
});

text("lists of processors", () => {
  assert.equal(parseCpuList("0", "/x"), [0]);
  assert.equal(parseCpuList("0-2,5,7-7", "/x"), [0, 1, 2, 5, 7]);
  assert.equal(parseCpuList("", "/x"), []);
  for (const wrong of ["2-1", "a", "1-2-3", "-1"]) refused(() => parseCpuList(wrong, "/x"));
});

text("tables of v1's blkio, with and without operations, without the total", () => {
  const entry = (op: string, value: bigint, minor = 0n) => ({ major: 8n, minor, op, value });
  assert.equal(parseBlkio("8:0 Read 1282048\n8:0 Total 3477504\nTotal 3477504", "/x"), [
    entry("Read", 1282048n),
    entry("Total", 3477504n),
  ]);
  assert.equal(parseBlkio("8:16 6792", "/x"), [entry("", 6792n, 16n)]);
  assert.equal(parseBlkio("Total 0", "/x"), []);
  refused(() => parseBlkio("8 Read 1", "/x"));
});

text("io.stat as v1's tables", () => {
  const read = parseIoStat(
    "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n253:1 \n8:16 rbytes=9 rios=8",
    "/x",
  );
  const entry = (minor: bigint, op: string, value: bigint) => ({ major: 8n, minor, op, value });
  assert.equal(read.bytes, [entry(0n, "Read", 1n), entry(0n, "Write", 2n), entry(16n, "Read", 9n)]);
  assert.equal(read.operations, [entry(0n, "Read", 3n), entry(0n, "Write", 4n), entry(16n, "Read", 8n)]);
  refused(() => parseIoStat("8:0 rbytes=x", "/x"));
});

text("pressure; a line of nothing but zeros is left out, as in runc", () => {
  const zero = "avg10=0.00 avg60=0.00 avg300=0.00 total=0";
  assert.equal(parsePsi(`some ${zero}\nfull ${zero}`, "/x"), {});
  assert.equal(parsePsi(`some avg10=0.25 avg60=1.00 avg300=50.01 total=99\nfull ${zero}`, "/x"), {
    some: { avg10: 0.25, avg60: 1, avg300: 50.01, total: 99n },
  });
  assert.equal(parsePsi("full avg10=0.00 avg60=0.00 avg300=0.00 total=1", "/x").full?.total, 1n);
  refused(() => parsePsi("some avg10=0", "/x"));
});

text("page sizes have the names of cgroup files", () => {
  const sizes = ["hugepages-64kB", "hugepages-2048kB", "hugepages-1048576kB", "other", "hugepages-2MB"];
  assert.equal(sizes.map(pageSizeOf), ["64KB", "2MB", "1GB", undefined, undefined]);
});
text.run();
