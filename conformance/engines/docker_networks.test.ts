// Networks, both builders and compose with Docker.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { buildTest, composeTest, networkTests } from "./cli_networks.ts";
import { buildkitCalls, dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";

const docker = engineSuite("docker: networks", dockerNeeds, startDocker);

networkTests(docker, { bridge: ["bridge", "172.17.0"], needs: [], names: [] });
buildTest(docker, "build", "DOCKER_BUILDKIT=0");
buildTest(docker, "build with BuildKit", "DOCKER_BUILDKIT=1");
docker("BuildKit has run the runtime under test", async (d) => {
  assert.match(readFileSync(join(d.host.dir, buildkitCalls), "utf8"), / run --bundle .*buildkit/);
});
composeTest(docker, "docker-compose", []);

docker.run();
