import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hostId, rootOnHost } from "./host_ids.ts";

const ids = suite("ids on the host");

const user = { type: "user" } as const;
const maps = [
  { containerID: 10, hostID: 5, size: 5 },
  { containerID: 0, hostID: 100_000, size: 10 },
];

ids("each by the mapping that it lies in", () => {
  assert.equal(
    [0, 9, 10, 14, 15].map((id) => hostId(maps, id)),
    [100_000, 100_009, 5, 9, undefined],
  );
});

ids("root is the host's without a user namespace, and unknown without maps", () => {
  const both = { uidMappings: maps, gidMappings: maps.slice(1) };
  assert.equal(rootOnHost({ namespaces: [user], ...both }), { uid: 100_000, gid: 100_000 });
  assert.is(rootOnHost(both), undefined);
  assert.is(rootOnHost({ namespaces: [{ ...user, path: "/proc/1/ns/user" }] }), undefined);
  assert.is(rootOnHost({ namespaces: [user], uidMappings: maps, gidMappings: maps.slice(0, 1) }), undefined);
});

ids.run();
