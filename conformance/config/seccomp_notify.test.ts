// SCMP_ACT_NOTIFY: the agent gets the filter's listener with the container process state, and decides.
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Running, startCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { type Spec, shell } from "../spec.ts";

const notify = conformance("seccomp notify");

const program = new URL("../seccomp_agent.ts", import.meta.url).pathname;

/** An agent that listens, and what it said. Its state document is on the first line of its output. */
async function startAgent(c: Fixture, errno: number): Promise<Running> {
  const socket = join(c.dir, "agent");
  const agent = startCommand([process.execPath, "run", program, socket, String(errno)]);
  assert.ok(await eventually(() => existsSync(socket)), "the agent does not listen");
  return agent;
}

function configure(c: Fixture, names: string[], script: string, edit?: (spec: Spec) => void): void {
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.annotations = { "org.example.key": "value" };
    spec.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: join(c.dir, "agent"),
      listenerMetadata: "some metadata",
      syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
    };
    shell(spec, script);
    edit?.(spec);
  });
}

for (const noNewPrivileges of [true, false]) {
  const title = `[noNewPrivileges ${noNewPrivileges}]`;

  notify(`the agent's errno is what the call returns ${title}`, async (c) => {
    configure(c, ["mkdir"], "mkdir /tmp/x; grep Seccomp /proc/self/status", (spec) => {
      spec.process.noNewPrivileges = noNewPrivileges;
    });
    const agent = await startAgent(c, 28);
    const { stdout, stderr } = succeed(await c.run());
    assert.match(stderr, "No space left on device");
    assert.is(stdout, "Seccomp:\t2\nSeccomp_filters:\t1\n");
    const { stdout: said } = succeed(await agent.done);
    const state = JSON.parse(said) as { pid: number; ociVersion: string; state: { ociVersion: string } };
    const { pid } = state;
    assert.ok(pid > 0);
    assert.equal(state, {
      ociVersion: state.ociVersion,
      fds: ["seccompFd"],
      pid,
      metadata: "some metadata",
      state: {
        ociVersion: state.state.ociVersion,
        id: c.id,
        status: "creating",
        pid,
        bundle: c.bundle,
        annotations: { "org.example.key": "value" },
      },
    });
  });

  notify(`the agent lets the call happen ${title}`, async (c) => {
    configure(c, ["mkdir"], "mkdir /tmp/x && ls -d /tmp/x", (spec) => {
      spec.process.noNewPrivileges = noNewPrivileges;
    });
    const agent = await startAgent(c, 0);
    assert.is(succeed(await c.run()).stdout, "/tmp/x\n");
    succeed(await agent.done);
  });
}

notify("create hands the listener over, start does not need the runtime that created", async (c) => {
  configure(c, ["mkdir"], "mkdir /tmp/x || exit 3");
  const agent = await startAgent(c, 28);
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["start", c.id]));
  assert.is((JSON.parse(succeed(await agent.done).stdout) as { pid: number }).pid, pid);
});

notify("the runtime's own calls may be among those that the agent decides on", async (c) => {
  // All that init calls from the listener on but write, each answered by the agent.
  configure(c, ["read", "close", "ppoll", "prlimit64", "rt_sigaction", "execve", "close_range"], "echo ran");
  const agent = await startAgent(c, 0);
  assert.is(succeed(await c.run()).stdout, "ran\n");
  succeed(await agent.done);
});

notify("no agent, no container", async (c) => {
  configure(c, ["mkdir"], "true");
  refuse(await c.run(), /no such file or directory/);
  refuse(await c.runt(["state", c.id]), "does not exist");
});

notify.run();
