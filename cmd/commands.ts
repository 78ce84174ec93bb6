/** The table of contents: every command, and the file that it lives in. A command's code is loaded when it is called. */
import type { Command, Example } from "./command.ts";

export interface Entry {
  readonly name: string;
  readonly group: "Life of a container" | "Looking at containers" | "Help for people";
  readonly summary: string;
  /** Missing for what help.ts does itself, from this table and the next two. */
  load?(): Promise<Command>;
  readonly operands?: string;
  readonly examples?: readonly Example[];
}

const life = "Life of a container";
const look = "Looking at containers";
const people = "Help for people";

// biome-ignore format: one line a command
export const commands: readonly Entry[] = [
  { name: "create", group: life, summary: "create a container", load: async () => (await import("./create.ts")).create },
  { name: "start", group: life, summary: "start the user's program in a created container", load: async () => (await import("./start.ts")).start },
  { name: "run", group: life, summary: "create and start a container, wait for it and delete it", load: async () => (await import("./run.ts")).run },
  { name: "exec", group: life, summary: "run another process in a container", load: async () => (await import("./exec.ts")).exec },
  { name: "kill", group: life, summary: "send a signal to a container's init process", load: async () => (await import("./kill.ts")).kill },
  { name: "pause", group: life, summary: "freeze the processes of a container", load: async () => (await import("./pause.ts")).pause },
  { name: "resume", group: life, summary: "let a paused container go on", load: async () => (await import("./resume.ts")).resume },
  { name: "update", group: life, summary: "change the limits of a container", load: async () => (await import("./update.ts")).update },
  { name: "delete", group: life, summary: "delete what a container holds", load: async () => (await import("./delete.ts")).deleteCommand },
  { name: "state", group: look, summary: "print the state of a container as JSON", load: async () => (await import("./state.ts")).state },
  { name: "ps", group: look, summary: "list the processes of a container", load: async () => (await import("./ps.ts")).ps },
  { name: "events", group: look, summary: "print statistics and OOM events of a container as JSON", load: async () => (await import("./events.ts")).events },
  { name: "list", group: look, summary: "list the containers below the given root", load: async () => (await import("./list.ts")).list },
  { name: "features", group: look, summary: "print what this build can do as JSON", load: async () => (await import("./features.ts")).features },
  { name: "spec", group: people, summary: "write an example config.json", load: async () => (await import("./spec.ts")).spec },
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
