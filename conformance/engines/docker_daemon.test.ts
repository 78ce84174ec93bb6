// A Docker daemon that gives containers user namespaces, and that is killed and started again while they run.
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse } from "../harness.ts";
import { inspect, output, withContainer } from "./cli.ts";
import { dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";

const settings = { "userns-remap": "default", "live-restore": true };
const docker = engineSuite("docker: daemon", dockerNeeds, (c) => startDocker(c, settings));

const waiting = "trap 'exit 5' TERM; echo up; while :; do sleep 1000 & wait; done";

docker("userns-remap: root inside is a user of the machine, and what it makes is its own", async (d) => {
  const script = "id -u; tr -s ' ' </proc/self/uid_map; touch /x && stat -c %u /x /proc/1";
  assert.match(await output(d, script), /^0\n 0 [1-9]\d* 65536\n0\n0$/);
  await withContainer(d, "mapped", ["--publish", "8082:80"], waiting, async () => {
    const pid = await inspect(d, "mapped", "{{.State.Pid}}");
    const { stdout } = await d.host.run(["stat", "-c", "%u", `/proc/${pid}`]);
    assert.ok(Number(stdout) >= 65536, stdout);
    assert.is(
      await d.says("exec", "mapped", "sh", "-c", "id -u; tr -s ' ' </proc/self/uid_map"),
      `0\n 0 ${stdout.trim()} 65536`,
    );
    refuse(await d.cli(["exec", "mapped", "mount", "-t", "tmpfs", "x", "/mnt"]), "permission denied");
  });
});

docker(
  "userns-remap: limits, a device, a read-only root, a tmpfs, a volume, a user; the host's on request",
  async (d) => {
    const options = [
      "--memory",
      "64m",
      "--read-only",
      "--tmpfs",
      "/t",
      "--user",
      "1000",
      "--volume",
      "kept:/v",
    ];
    const script =
      "id -u; (: >/x) 2>&1; : >/t/y && echo wrote; (: >/dev/fuse) 2>/dev/null && echo fuse; ls -d /v";
    const text = await output(d, script, ...options, "--device", "/dev/fuse");
    assert.match(text, /^1000\n.*Read-only file system\nwrote\nfuse\n\/v$/);
    await d.says("volume", "rm", "kept");
    assert.match(await output(d, "tr -s ' ' </proc/self/uid_map", "--userns", "host"), /^ 0 0 \d+$/);
  },
);

docker(
  "live-restore: the daemon is killed and starts again while containers run, and one ends meanwhile",
  async (d) => {
    await withContainer(d, "lives", [], waiting, async () => {
      await withContainer(d, "ends", [], "until test -e /tmp/go; do sleep 0.1; done; exit 8", async () => {
        assert.ok(await eventually(async () => (await d.says("logs", "lives")) === "up", 60));
        const pid = await inspect(d, "lives", "{{.State.Pid}}");
        await d.says("exec", "ends", "sh", "-c", "(sleep 1; touch /tmp/go) >/dev/null 2>&1 &");
        await d.restart();
        assert.is(await inspect(d, "lives", "{{.State.Status}} {{.State.Pid}}"), `running ${pid}`);
        assert.is(await d.says("exec", "lives", "echo", "still here"), "still here");
        assert.is(await d.says("wait", "ends"), "8");
        await d.says("stop", "--time", "60", "lives");
        assert.is(await inspect(d, "lives", "{{.State.ExitCode}}"), "5");
      });
    });
  },
);

docker.run();
