import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joinMappings } from "./id_maps.ts";

const maps = suite("joinMappings");

const line = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });

maps("neighbours on both sides become one, others stay as they are", () => {
  assert.equal(joinMappings([line(0, 1000, 1), line(1, 5000, 10), line(11, 5010, 5)]), [
    line(0, 1000, 1),
    line(1, 5000, 15),
  ]);
  const apart = [line(0, 10, 5), line(5, 20, 5), line(11, 25, 5)];
  assert.equal(joinMappings(apart), apart);
  assert.equal(joinMappings([]), []);
});

maps.run();
