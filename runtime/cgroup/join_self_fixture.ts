/** A program for the tests: moves itself into the cgroup given as JSON and prints /proc/self/cgroup. */
import { CWD, readTextAt } from "../../syscalls/file.ts";
import { openCgroup } from "./open.ts";

const [, , paths = "{}", exceptUnified] = process.argv;
openCgroup(JSON.parse(paths)).joinSelf(exceptUnified === "true");
process.stdout.write(readTextAt(CWD, "/proc/self/cgroup"));
