// Networks, builds and compose with Podman, rootful.
// vm serial
import { buildTest, composeTest, networkTests } from "./cli_networks.ts";
import { engineSuite } from "./engine.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

const podman = engineSuite("podman: networks", podmanNeeds, startPodman);
const needs = ["netavark", "iptables"] as const;
const names = ["aardvark-dns"] as const;

networkTests(podman, { bridge: ["podman", "10.88.0"], needs, names });
buildTest(podman, "build");
composeTest(podman, "podman-compose", [...needs, ...names]);

podman.run();
