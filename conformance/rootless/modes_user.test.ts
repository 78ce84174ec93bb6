// As an ordinary user: with newuidmap, and with one id.
import { runIn } from "./modes.ts";

runIn("user, newuidmap");
runIn("user, one id");
