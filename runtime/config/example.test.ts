// What runc prints is compared with what `spec` prints in conformance/cli/spec.test.ts.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exampleSpec } from "./example.ts";

const example = suite("exampleSpec");

example("the rootless one maps root to the caller", () => {
  const { linux } = exampleSpec({ rootless: true, euid: 1000, egid: 1001, cgroup2: false });
  assert.equal(linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.equal(linux?.gidMappings, [{ containerID: 0, hostID: 1001, size: 1 }]);
  assert.is(linux?.resources, undefined);
});

example("a host with cgroup v2 gives a cgroup namespace", () => {
  const types = exampleSpec({ rootless: true, euid: 1, egid: 1, cgroup2: true }).linux?.namespaces?.map(
    ({ type }) => type,
  );
  assert.equal(types, ["pid", "ipc", "uts", "mount", "cgroup", "user"]);
});

example.run();
