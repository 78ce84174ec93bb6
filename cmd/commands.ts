/** The table of contents: every command, and the file that it lives in. */
import { checkpoint } from "./checkpoint.ts";
import type { Command, Example } from "./command.ts";
import { create } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { events } from "./events.ts";
import { exec } from "./exec.ts";
import { features } from "./features.ts";
import { kill } from "./kill.ts";
import { list } from "./list.ts";
import { pause } from "./pause.ts";
import { ps } from "./ps.ts";
import { restore } from "./restore.ts";
import { resume } from "./resume.ts";
import { run } from "./run.ts";
import { spec } from "./spec.ts";
import { start } from "./start.ts";
import { state } from "./state.ts";
import { update } from "./update.ts";

export interface Entry {
  readonly name: string;
  readonly group: "Life of a container" | "Looking at containers" | "Help for people";
  readonly summary: string;
  /** Missing for what help.ts does itself, from this table and the next two. */
  readonly command?: Command;
  readonly operands?: string;
  readonly examples?: readonly Example[];
}

const life = "Life of a container";
const look = "Looking at containers";
const people = "Help for people";

// biome-ignore format: one line a command
export const commands: readonly Entry[] = [
  { name: "create", group: life, summary: "create a container", command: create },
  { name: "start", group: life, summary: "start the user's program in a created container", command: start },
  { name: "run", group: life, summary: "create and start a container, wait for it and delete it", command: run },
  { name: "exec", group: life, summary: "run another process in a container", command: exec },
  { name: "kill", group: life, summary: "send a signal to a container's init process", command: kill },
  { name: "pause", group: life, summary: "freeze the processes of a container", command: pause },
  { name: "resume", group: life, summary: "let a paused container go on", command: resume },
  { name: "update", group: life, summary: "change the limits of a container", command: update },
  { name: "checkpoint", group: life, summary: "save a running container into files", command: checkpoint },
  { name: "restore", group: life, summary: "make a container of a checkpoint", command: restore },
  { name: "delete", group: life, summary: "delete what a container holds", command: deleteCommand },
  { name: "state", group: look, summary: "print the state of a container as JSON", command: state },
  { name: "ps", group: look, summary: "list the processes of a container", command: ps },
  { name: "events", group: look, summary: "print statistics and OOM events of a container as JSON", command: events },
  { name: "list", group: look, summary: "list the containers below the given root", command: list },
  { name: "features", group: look, summary: "print what this build can do as JSON", command: features },
  { name: "spec", group: people, summary: "write an example config.json", command: spec },
  { name: "help", group: people, summary: "print help for all or for one command", operands: "[command]" },
  {
    name: "completion", group: people, summary: "print a completion script for bash, zsh or fish", operands: "[bash|zsh|fish]",
    examples: [
      ["completion bash >/etc/bash_completion.d/PROGRAM", "for all users of bash"],
      ["completion zsh >/usr/local/share/zsh/site-functions/_PROGRAM", "of zsh"],
      ["completion fish >/etc/fish/completions/PROGRAM.fish", "of fish"],
    ],
  },
];
