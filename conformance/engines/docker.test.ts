// The life of containers under Docker, whose daemon puts a prestart hook on each that has a network.
import * as assert from "uvu/assert";
import { lifeTests } from "./cli_life.ts";
import { dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

const docker = engineSuite("docker", dockerNeeds, startDocker);

docker("docs/engines.md [Docker]: the default runtime, and a first container", async (d) => {
  assert.is(await d.says("info", "--format", "{{.DefaultRuntime}}"), "runt");
  assert.is(await d.says("run", "--rm", imageName, "echo", "hello world"), "hello world");
});

docker("--runtime names it", async (d) => {
  assert.is(await d.says("run", "--rm", "--runtime", "runt", imageName, "echo", "named"), "named");
});

lifeTests(docker);

docker.run();
