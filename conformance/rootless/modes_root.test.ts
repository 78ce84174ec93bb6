// As root: with no user namespace, with one, and in a container.
import { runIn } from "./modes.ts";

runIn("root");
runIn("root, user namespace");
runIn("in a container");
