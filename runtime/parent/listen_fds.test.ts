import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Pid } from "../../syscalls/types.ts";
import { listenFds } from "./listen_fds.ts";

const listen = suite("listenFds");
const own = 42 as Pid;

listen("takes what was passed to this process, and says that the one inside is pid 1", () => {
  const environment = { LISTEN_FDS: "2", LISTEN_PID: "42", LISTEN_FDNAMES: "web:admin" };
  assert.equal(listenFds(environment, own), {
    count: 2,
    env: ["LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=web:admin"],
  });
});

for (const environment of [
  {},
  { LISTEN_FDS: "2" },
  { LISTEN_PID: "42" },
  { LISTEN_FDS: "2", LISTEN_PID: "41" },
  { LISTEN_FDS: "0", LISTEN_PID: "42" },
  { LISTEN_FDS: "-1", LISTEN_PID: "42" },
  { LISTEN_FDS: "0x2", LISTEN_PID: "42" },
  { LISTEN_FDS: "1000000", LISTEN_PID: "42" },
  { LISTEN_FDS: "2", LISTEN_PID: "42 " },
])
  listen(`takes nothing for ${JSON.stringify(environment)}`, () => {
    assert.equal(listenFds(environment, own), { count: 0, env: [] });
  });

listen.run();
