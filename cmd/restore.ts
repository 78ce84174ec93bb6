import { restoreContainer } from "../runtime/lifecycle/restore.ts";
import { command } from "./command.ts";
import { createOptions, createRequest } from "./create_options.ts";
import { criuOptions, criuRequest } from "./criu_options.ts";

const { bundle, "console-socket": consoleSocket, "pid-file": pidFile } = createOptions;

export const restore = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Makes a container of the image files of a checkpoint and of a bundle, which has to have the root file system
and the configuration of the container that was saved. It runs at once, where it was. In the foreground it forwards
signals, waits, exits with the status of the container's first process, and deletes the container.`,
  examples: [["restore -d --bundle /srv/web --image-path /srv/saved web", "in the background"]],
  options: {
    bundle,
    "console-socket": consoleSocket,
    "pid-file": pidFile,
    ...criuOptions,
    detach: { kind: "boolean", short: "d", description: "return once the container runs" },
    "no-subreaper": { kind: "boolean", description: "do not reap the container's orphaned processes" },
    "no-pivot": { kind: "boolean", description: "ignored: CRIU changes the root its own way" },
    "lsm-profile": {
      kind: "string",
      placeholder: "TYPE:NAME",
      description: "another security profile: apparmor or selinux, and its name",
    },
    "lsm-mount-context": {
      kind: "string",
      placeholder: "CONTEXT",
      description: "another SELinux context of mounts",
    },
  },
  run(context, options, id: string) {
    const { "no-pivot": noPivot } = options;
    return restoreContainer(context, {
      ...createRequest(id, { ...options, "pidfd-socket": "", "no-new-keyring": false, "preserve-fds": 0 }),
      noPivot,
      detach: options.detach,
      noSubreaper: options["no-subreaper"],
      criu: {
        ...criuRequest(options),
        lsmProfile: options["lsm-profile"] ?? "",
        lsmMountContext: options["lsm-mount-context"] ?? "",
      },
    });
  },
});
