// Networks, both builders and compose with Docker.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { succeed } from "../harness.ts";
import { once } from "./cli.ts";
import { buildTest, composeTest, networkTests } from "./cli_networks.ts";
import { buildkitCalls, dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

const docker = engineSuite("docker: networks", dockerNeeds, (c) => startDocker(c));

networkTests(docker, { bridge: ["bridge", "172.17.0"], needs: [], names: [] });
buildTest(docker, "build", "DOCKER_BUILDKIT=0");
buildTest(docker, "build with BuildKit", "DOCKER_BUILDKIT=1");

const mounting = `FROM ${imageName} AS first
RUN echo of the first stage >/file
FROM ${imageName}
RUN --mount=type=secret,id=word --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch \\
  --mount=type=bind,from=first,source=/file,target=/other \\
  cat /run/secrets/word /other >/made && grep -o ' /scratch tmpfs' /proc/mounts >>/made && \\
  echo kept >/cache/x && echo gone >/scratch/x
`;

docker(
  "BuildKit: mounts of a secret, a cache, a tmpfs and another stage, none of them in the image",
  async (d) => {
    const context = join(d.host.dir, "mounting");
    mkdirSync(context);
    writeFileSync(join(context, "Dockerfile"), mounting);
    writeFileSync(join(context, "word"), "s3cret\n");
    const build = ["build", "--network", "none", "--secret", `id=word,src=${join(context, "word")}`];
    succeed(await d.host.run(["env", "DOCKER_BUILDKIT=1", d.path, ...build, "--tag", "mounting", context]));
    const script = "cat /made; cat /run/secrets/word /other /cache/x /scratch/x 2>/dev/null; true";
    const text = await d.says(...once, "mounting", "sh", "-c", script);
    assert.is(text, "s3cret\nof the first stage\n /scratch tmpfs");
    await d.says("rmi", "mounting");
  },
);

docker("BuildKit has run the runtime under test", async (d) => {
  assert.match(readFileSync(join(d.host.dir, buildkitCalls), "utf8"), / run --bundle .*buildkit/);
});
composeTest(docker, "docker-compose", []);

docker.run();
