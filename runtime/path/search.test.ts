import { suite } from "uvu";
import * as assert from "uvu/assert";
import { searchPath } from "./search.ts";

const search = suite("searchPath");

search("in order; an empty directory is the working directory; no path is none", () => {
  const asked: string[] = [];
  const fits = (candidate: string): boolean => asked.push(candidate) === 3;
  assert.is(searchPath("sh", "/usr/bin::/bin:/sbin", fits), "/bin/sh");
  assert.equal(asked, ["/usr/bin/sh", "./sh", "/bin/sh"]);
  assert.is(
    searchPath("sh", "/a:/b", () => false),
    undefined,
  );
  assert.is(
    searchPath("sh", "", () => true),
    undefined,
  );
});

search.run();
