// What Docker can ask for in a container's configuration.
import { type Case, caseTests, configurationTests } from "./cli_configuration.ts";
import { dockerNeeds, startDocker } from "./docker.ts";
import { engineSuite } from "./engine.ts";

const docker = engineSuite("docker: configuration", dockerNeeds, (c) => startDocker(c));

configurationTests(docker);

const cases: readonly Case[] = [
  [
    "privileged",
    ["--privileged"],
    "ls /dev/fuse; mount -t tmpfs x /mnt && echo mounted",
    "/dev/fuse\nmounted",
    {
      runcMayFail: "runc 1.1 needs all capabilities that Docker names, also those the machine does not have",
    },
  ],
  [
    "unmasked paths",
    ["--security-opt", "systempaths=unconfined"],
    "grep -c ' /proc/' /proc/self/mountinfo; true",
    "0",
  ],
  ["a block I/O weight that the kernel has not", ["--blkio-weight", "0"], "echo ran", "ran"],
  [
    "addresses of other machines",
    ["--add-host", "other:192.0.2.1"],
    "grep other /etc/hosts",
    /^192\.0\.2\.1\s+other$/,
  ],
];
caseTests(docker, cases);

docker.run();
