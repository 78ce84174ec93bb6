// The life of containers under Podman, rootful.
// vm serial
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { succeed } from "../harness.ts";
import { once, withContainer } from "./cli.ts";
import { lifeTests } from "./cli_life.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

const podman = engineSuite("podman", podmanNeeds, startPodman);

podman("docs/engines.md [Podman]: it runs the runtime, and knows its version", async (p) => {
  const text = await p.says("info", "--format", "{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}");
  assert.match(text, /^runt run[ct] version \d/);
});

lifeTests(podman);

podman("exec --privileged has all capabilities of podman, exec alone those of the container", async (p) => {
  await withContainer(p, "execcap", ["--cap-drop", "ALL"], "sleep 1000", async () => {
    const effective = (...options: string[]) =>
      p.says("exec", ...options, "execcap", "grep", "CapEff", "/proc/self/status");
    assert.is(await effective(), "CapEff:\t0000000000000000");
    assert.match(await effective("--privileged"), /CapEff:\t0*1?f/);
  });
});

podman("--preserve-fds: descriptors of podman are the process's", async (p) => {
  const argv = ["podman", ...once, "--preserve-fds", "1", imageName, "cat", "/proc/self/fd/3"];
  const file = join(p.host.dir, "preserved");
  writeFileSync(file, "from descriptor 3\n");
  const redirected = ["sh", "-c", 'exec "$@" 3<"$0"', file];
  assert.is(succeed(await p.host.run([...redirected, ...argv])).stdout, "from descriptor 3\n");
});

podman.run();
