import { checkpointContainer } from "../runtime/lifecycle/checkpoint.ts";
import { command } from "./command.ts";
import { criuOptions, criuRequest } from "./criu_options.ts";
import { pageServer } from "./page_server.ts";

export const checkpoint = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Saves a running or paused container into image files, by CRIU (criu in $PATH), and deletes it unless it is
to go on. "restore" makes a container of them again. When it fails the container goes on as it was.`,
  examples: [
    ["checkpoint --image-path /srv/saved web", "its image files"],
    ["checkpoint --pre-dump --image-path /srv/1 web", "memory alone"],
    ["checkpoint --parent-path ../1 --image-path /srv/2 web", "the rest, and what has changed"],
  ],
  options: {
    ...criuOptions,
    "parent-path": {
      kind: "string",
      placeholder: "DIR",
      description: "images of an earlier pre-dump, relative to the image path",
    },
    "leave-running": { kind: "boolean", description: "let the container go on" },
    "pre-dump": { kind: "boolean", description: "save memory alone, and let the container go on" },
    "tcp-skip-in-flight": {
      kind: "boolean",
      description: "leave out TCP connections that are not yet accepted",
    },
    "link-remap": { kind: "boolean", description: "give files without a name one for the time being" },
    "status-fd": {
      kind: "number",
      placeholder: "N",
      default: -1,
      description: "descriptor that gets a NUL byte when lazy pages can be had",
    },
    "page-server": {
      kind: "string",
      placeholder: "ADDRESS:PORT",
      description: "send memory to CRIU's page server there",
    },
  },
  run(context, options, id: string) {
    checkpointContainer(context, id, {
      ...criuRequest(options),
      parentPath: options["parent-path"] ?? "",
      leaveRunning: options["leave-running"],
      preDump: options["pre-dump"],
      tcpSkipInFlight: options["tcp-skip-in-flight"],
      linkRemap: options["link-remap"],
      statusFd: options["status-fd"],
      pageServer: pageServer(options["page-server"] ?? ""),
    });
  },
});
