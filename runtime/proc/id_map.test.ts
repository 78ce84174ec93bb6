import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseIdMap } from "./id_map.ts";

const map = suite("id_map");

map("as the kernel aligns it; none where nothing is mapped yet", () => {
  assert.equal(parseIdMap("         0     100000      65536\n     65536 4294967294          1\n"), [
    [0, 100000, 65536],
    [65536, 4294967294, 1],
  ]);
  assert.equal(parseIdMap(""), []);
});

map.run();
