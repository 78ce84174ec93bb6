// The life of containers under Docker, whose daemon puts a prestart hook on each that has a network.
import * as assert from "uvu/assert";
import { statusField } from "../inspect.ts";
import { withContainer } from "./cli.ts";
import { lifeTests } from "./cli_life.ts";
import { dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

const docker = engineSuite("docker", dockerNeeds, (c) => startDocker(c));

docker("docs/engines.md [Docker]: the default runtime, and a first container", async (d) => {
  assert.is(await d.says("info", "--format", "{{.DefaultRuntime}}"), "runt");
  assert.is(await d.says("run", "--rm", imageName, "echo", "hello world"), "hello world");
});

docker("--runtime names it", async (d) => {
  assert.is(await d.says("run", "--rm", "--runtime", "runt", imageName, "echo", "named"), "named");
});

lifeTests(docker);

docker(
  "exec --privileged has all capabilities that the machine has, exec alone those of the container",
  async (d) => {
    await withContainer(d, "execcap", ["--cap-drop", "ALL"], "exec sleep 1000", async () => {
      const effective = async (...options: string[]): Promise<bigint> => {
        const line = await d.says("exec", ...options, "execcap", "grep", "CapEff", "/proc/self/status");
        return BigInt(`0x${line.split("\t")[1]}`);
      };
      const machines = BigInt(`0x${statusField("self", "CapEff")}`);
      const known = (1n << 38n) - 1n; // to Docker 20.10, CAP_AUDIT_READ is the last
      assert.is(await effective(), 0n);
      assert.is((await effective("--privileged")) & known, machines & known);
    });
  },
  { runcMayFail: "runc 1.1 needs all capabilities that Docker names, also those the machine does not have" },
);

docker.run();
