// Networks and ports, images built by running containers, and two services by compose, with Podman and with Docker.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import type { Need } from "../needs.ts";
import { type Cli, inspect, once, withContainer } from "./cli.ts";
import type { EngineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

/** A server of one page. */
const serving = (text: string): string =>
  `mkdir /www; echo ${text} >/www/index.html; exec httpd -f -p 80 -h /www`;

const answers = (e: Cli, url: string, text: string): Promise<boolean> =>
  eventually(async () => (await e.host.run(["busybox", "wget", "-qO-", url])).stdout.trim() === text, 60);

export type Networks = {
  /** The name of the network that is always there, and how its addresses begin. */
  readonly bridge: readonly [name: string, addresses: string];
  readonly needs: readonly Need[];
  /** Needed besides, for names of containers. */
  readonly names: readonly Need[];
};

/** Adds the tests. */
export function networkTests<E extends Cli>(test: EngineSuite<E>, { bridge, needs, names }: Networks): void {
  const [network, addresses] = bridge;

  test(
    "a bridge: an interface, a route, and a port of the machine",
    async (e) => {
      const options = ["--network", network, "--publish", "8080:80"];
      await withContainer(e, "web", options, serving("page"), async () => {
        assert.ok(await answers(e, "http://127.0.0.1:8080/", "page"));
        const address = await inspect(e, "web", "{{.NetworkSettings.IPAddress}}");
        assert.ok(await answers(e, `http://${address}/`, "page"));
        const route = await e.says("exec", "web", "ip", "route");
        assert.ok(route.startsWith(`default via ${addresses}.1 dev eth0`), route);
        assert.match(await e.says("port", "web"), /^80\/tcp -> 0\.0\.0\.0:8080$/m);
      });
    },
    { needs },
  );

  test(
    "a network of its own, in which containers find each other by name",
    async (e) => {
      await e.says("network", "create", "--subnet", "10.99.0.0/24", "net");
      const options = ["--network", "net", "--ip", "10.99.0.7"];
      await withContainer(e, "served", options, serving("named"), async () => {
        const argv = ["run", "--rm", "--network", "net", imageName, "wget", "-qO-", "http://served/"];
        assert.ok(await eventually(async () => (await e.cli(argv)).stdout === "named\n", 60));
        assert.match(await e.says("exec", "served", "ip", "addr"), /inet 10\.99\.0\.7\/24/);
      });
      await e.says("network", "rm", "net");
    },
    { needs: [...needs, ...names] },
  );

  test(
    "a network is connected to and disconnected from a container that runs",
    async (e) => {
      await e.says("network", "create", "later");
      await withContainer(e, "joins", ["--network", network], "sleep 1000", async () => {
        await e.says("network", "connect", "later", "joins");
        assert.match(await e.says("exec", "joins", "ip", "link"), /eth1/);
        await e.says("network", "disconnect", "later", "joins");
        assert.not.match(await e.says("exec", "joins", "ip", "link"), /eth1/);
      });
      await e.says("network", "rm", "later");
    },
    { needs },
  );

  test("the network of the host", async (e) => {
    const argv = ["run", "--rm", "--network", "host", imageName, "readlink", "/proc/self/ns/net"];
    const { stdout } = succeed(await e.host.run(["readlink", "/proc/self/ns/net"]));
    assert.is(await e.says(...argv), stdout.trim());
  });
}

const containerfile = `FROM ${imageName}
ARG WORD=none
COPY file /copied
RUN echo "$WORD $(id -u)" >/root-made && chmod 1777 /tmp
USER 1000
WORKDIR /home
ENV A=b
RUN id -u >/tmp/user-made
CMD ["sh", "-c", "cat /copied /root-made /tmp/user-made; pwd; echo $A"]
`;

/** Adds the test of a build with these variables in the command's environment. */
export function buildTest<E extends Cli>(test: EngineSuite<E>, kind: string, ...environment: string[]): void {
  test(`${kind}: steps as root and as a user, with a cache and an argument, and one that fails`, async (e) => {
    const context = join(e.host.dir, `context-${kind}`);
    mkdirSync(context);
    const write = (text: string) => writeFileSync(join(context, "Dockerfile"), text);
    const build = (...args: string[]) => {
      // Later versions ask for more than the machine's own limit, which takes CAP_SYS_RESOURCE.
      const layers =
        e.program === "podman"
          ? ["--layers", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
          : [];
      return e.host.run([
        "env",
        ...environment,
        e.path,
        "build",
        "--force-rm",
        "--network",
        "none",
        ...layers,
        ...args,
        context,
      ]);
    };
    writeFileSync(join(context, "file"), "of the context\n");
    write(containerfile);
    succeed(await build("--build-arg", "WORD=given", "--tag", "built"));
    assert.is(await e.says(...once, "built"), "of the context\ngiven 0\n1000\n/home\nb");
    const again = succeed(await build("--build-arg", "WORD=given", "--tag", "built"));
    assert.match(again.stdout + again.stderr, /[Uu]sing cache|CACHED/);
    write(`FROM ${imageName}\nRUN exit 7\n`);
    refuse(await build(), /exit (status|code):? 7|non-zero code: 7/);
    await e.says("rmi", "built");
    await e.says("image", "prune", "--force");
  });
}

const compose = `
version: "3"
services:
  web:
    image: ${imageName}
    command: sh -c 'cat /run/secrets/word >/data/index.html; exec httpd -f -p 80 -h /data'
    secrets: [word]
    volumes: ["shared:/data"]
    ports: ["8081:80"]
    networks: [front]
  client:
    image: ${imageName}
    command: sh -c 'until wget -qO /data/fetched http://web/; do sleep 0.2; done; exec sleep 1000'
    volumes: ["shared:/data"]
    depends_on: [web]
    networks: [front]
volumes: { shared: {} }
networks: { front: {} }
secrets: { word: { file: ./word } }
`;

/** Adds the test of this program. */
export function composeTest<E extends Cli>(
  test: EngineSuite<E>,
  program: Extract<Need, `${string}compose`>,
  needs: readonly Need[],
): void {
  test(
    `${program}: two services on a bridge network with a volume, and a secret`,
    async (e) => {
      const dir = join(e.host.dir, "project");
      mkdirSync(dir);
      const file = join(dir, "compose.yaml");
      writeFileSync(file, compose);
      writeFileSync(join(dir, "word"), "from-web\n");
      succeed(await e.host.run([program, "--file", file, "up", "--detach"]));
      assert.ok(await answers(e, "http://127.0.0.1:8081/", "from-web"));
      assert.ok(await answers(e, "http://127.0.0.1:8081/fetched", "from-web"));
      succeed(await e.host.run([program, "--file", file, "down", "--volumes"]));
      await e.says("network", "prune", "--force");
      assert.is(await e.says("ps", "--all", "--quiet"), "");
    },
    { needs: [...needs, program] },
  );
}
