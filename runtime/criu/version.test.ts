import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readFile } from "../../syscalls/testing/files.ts";
import { RuntimeError } from "../errors.ts";
import { decodeMessage } from "./message.ts";
import { answer, take, version, withPeer } from "./peer_fixture.ts";
import { criu_req, RequestType } from "./rpc.ts";
import { askCriu, requireFeature, requireVersion, versionNumber } from "./version.ts";

const versions = suite("CRIU's version");

const of = (major: number, minor: number, sublevel?: number, gitid?: string): number =>
  versionNumber({ version: { major_number: major, minor_number: minor, sublevel, gitid } });

versions("is a number as runc counts it", () => {
  assert.is(of(3, 17, 1), 31701);
  assert.is(of(4, 2), 40200);
  // Of git, between two releases: it can do what the next one can.
  assert.is(of(3, 15, 2, "v3.15-400"), 31600);
  assert.throws(() => versionNumber({ version: { major_number: 4 } }), "criu answered without its version");
});

versions("is asked for", () => {
  withPeer([take("request"), answer(version(3, 17, 1))], (criu, folder) => {
    assert.is(askCriu(criu).version, 31701);
    assert.equal(decodeMessage(criu_req, readFile(`${folder}/request`)), { type: RequestType.VERSION });
  });
});

versions("that is too old is refused with both versions and the program", () => {
  withPeer([take(), answer(version(2, 12, 1))], (criu) => {
    assert.throws(
      () => askCriu(criu),
      (error: unknown) =>
        error instanceof RuntimeError &&
        error.kind === "unsupported" &&
        error.message === `CRIU version 21201 must be 30000 or higher (${criu.path})`,
    );
  });
  assert.throws(
    () => requireVersion({ path: "/c" as never, environment: [], version: 31301 }, 31400),
    "31400",
  );
});

versions("one that knows no versions is no criu for us", () => {
  withPeer([take(), answer({ type: RequestType.EMPTY, success: false })], (criu) => {
    assert.throws(() => askCriu(criu), "criu failed: type EMPTY errno 0");
  });
});

for (const [title, features, good] of [
  ["that there is", { lazy_pages: true }, true],
  ["that there is not", { lazy_pages: false }, false],
  ["that this criu does not know", {}, false],
] as const)
  versions(`a feature ${title}`, () => {
    const lines = [take("request"), answer({ type: RequestType.FEATURE_CHECK, success: true, features })];
    withPeer(lines, (program, folder) => {
      const criu = { ...program, version: 31701 };
      if (good) requireFeature(criu, "lazy_pages");
      else assert.throws(() => requireFeature(criu, "lazy_pages"), "criu is missing features: [LazyPages]");
      assert.equal(decodeMessage(criu_req, readFile(`${folder}/request`)).features, { lazy_pages: true });
    });
  });

versions("a feature check that fails says so", () => {
  withPeer([take(), "exit 1"], (program) => {
    assert.throws(
      () => requireFeature({ ...program, version: 31701 }, "mem_track"),
      "CRIU feature check failed: criu ended before it had answered",
    );
  });
});

versions.run();
